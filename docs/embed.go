// Package docs embeds the documents that the node serves.
package docs

import _ "embed" // for OpenAPI

// OpenAPI is the generated description of the HTTP API.
//
//go:embed poaid.swagger.json
var OpenAPI []byte
