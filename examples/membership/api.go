package main

import (
	"net/http"

	"github.com/durablegen/durablegen/runtime/httpapi"
)

// withAPI puts the management API of the club's hub beside the pages, for who has the key. Without a key there is none.
func (h *house) withAPI(pages http.Handler) http.Handler {
	if h.settings.apiKey == "" {
		return pages
	}
	api := httpapi.New(h.client, httpapi.Config{Keys: []string{h.settings.apiKey}})
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.Handle("/runtime/webhooks/durabletask/", api)
	return mux
}
