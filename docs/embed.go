// Package docs holds the documents that the service itself serves.
package docs

//go:generate go test . -run TestProviders -update

import _ "embed"

// OpenAPI is the OpenAPI 3.1 document of all endpoints, as JSON. It is made from the code: see
// pkg/httpapi/reference.
//
//go:embed openapi.json
var OpenAPI []byte
