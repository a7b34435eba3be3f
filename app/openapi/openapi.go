// Package openapi serves the API's OpenAPI document with a page to read and try it. It works without internet access: the
// viewer's scripts are those that the Cosmos SDK embeds.
package openapi

import (
	_ "embed" // for the page
	"io/fs"
	"net/http"

	sdkdocs "github.com/cosmos/cosmos-sdk/client/docs"
	"github.com/gorilla/mux"

	"poaid/docs"
)

// Prefix of the routes.
const Prefix = "/poai/swagger/"

//go:embed index.html
var page []byte

// Register adds the page, the document and the viewer's files below Prefix.
func Register(router *mux.Router) {
	serve := func(contentType string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			if _, err := w.Write(body); err != nil {
				return // the client is gone
			}
		}
	}
	router.HandleFunc(Prefix, serve("text/html; charset=utf-8", page)).Methods(http.MethodGet, http.MethodHead)
	router.HandleFunc(Prefix+"index.html", serve("text/html; charset=utf-8", page)).Methods(http.MethodGet, http.MethodHead)
	router.HandleFunc(Prefix+"poaid.swagger.json", serve("application/json", docs.OpenAPI)).Methods(http.MethodGet, http.MethodHead)
	router.Handle("/poai/swagger", http.RedirectHandler(Prefix, http.StatusMovedPermanently)).Methods(http.MethodGet, http.MethodHead)

	viewer, err := fs.Sub(sdkdocs.SwaggerUI, "swagger-ui")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	files := http.StripPrefix(Prefix, http.FileServerFS(viewer))
	for _, name := range []string{"swagger-ui.css", "swagger-ui-bundle.js", "favicon-16x16.png", "favicon-32x32.png", "oauth2-redirect.html"} {
		router.Handle(Prefix+name, files).Methods(http.MethodGet, http.MethodHead)
	}
}
