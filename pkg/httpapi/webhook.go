package httpapi

import "reflect"

// Webhook describes a request that the service itself makes, to an address that a tenant names. The OpenAPI
// document tells it; nothing enforces it here.
type Webhook struct {
	Name        string // message
	ID          string // operationId: tellMessage
	Summary     string
	Description string // Markdown
	Tags        []string
	Body        reflect.Type
	Headers     []Param
	// Answers says what the receiver's HTTP status means; 0 is every other one.
	Answers map[int]string
}
