// Package types holds the types of x/models: models, programs, params.
package types
