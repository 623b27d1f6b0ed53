// Package client sends and follows notifications through notify's API. It needs the standard library
// only.
//
// Every method takes a context, which bounds the call with all its tries. What the service refuses is an
// [*Error]. A request that was refused for the moment (429, 503), or whose connection broke, is tried
// again after a random wait, or after what Retry-After says; what sends carries an Idempotency-Key of its
// own, so that a repeated request is one message.
package client
