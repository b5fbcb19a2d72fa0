package main

import (
	"embed"
	"io/fs"
	"net/http"
)

// pages is a page over the management API, for development.
//
//go:embed page
var pages embed.FS

// withPage serves the page beside an API, which has no path at the root.
func withPage(api http.Handler) http.Handler {
	files, err := fs.Sub(pages, "page")
	if err != nil {
		panic(err) // the folder is in the program
	}
	page := http.FileServerFS(files)
	safe := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		page.ServeHTTP(w, r)
	})
	mux := http.NewServeMux()
	for _, path := range []string{"GET /{$}", "GET /page.js", "GET /page.css"} {
		mux.Handle(path, safe)
	}
	mux.Handle("/", api)
	return mux
}
