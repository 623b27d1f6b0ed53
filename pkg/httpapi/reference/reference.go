// Package reference serves the API's own description at /v1/openapi.json. The document is a golden file,
// made by this package's test from the endpoints themselves, so a function serves it without linking what
// makes it.
package reference

import (
	"context"
	"net/http"

	"github.com/opennotify/notify/docs"
	"github.com/opennotify/notify/pkg/httpapi"
)

// Endpoints mounts the description.
func Endpoints() []httpapi.Endpoint {
	return []httpapi.Endpoint{httpapi.Raw(httpapi.Op{Method: http.MethodGet, Path: "/v1/openapi.json", ID: "getOpenAPI", Media: "application/json", Tags: []string{"reference"},
		Summary: "This API as OpenAPI 3.1"},
		func(_ context.Context, _ *httpapi.Call, w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", "application/json")
			_, err := w.Write(docs.OpenAPI)
			return err
		})}
}
