// Package httpapi is the kernel that every HTTP route runs on: routing, keys and scopes, strict JSON,
// problems, one log line a request. It knows no use case; the packages below it each mount one.
//
// A route is an Op (what the documentation says of it) and a function from a request's type to an answer's
// type. Everything before that function is the kernel's, in this order: request id, recovery, routing,
// authentication, scope, content type, size, body, JSON.
//
// There is one way to authenticate, a bearer; whoever has sessions in cookies turns them into one in front
// of the handler that New returns.
package httpapi
