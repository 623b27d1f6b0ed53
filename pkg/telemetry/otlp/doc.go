// Package otlp makes spans of log lines, and sends them to an OpenTelemetry collector.
//
// A line that was logged in a sampled trace of the caller's and says how long its stage took is a span: that
// is the line of a request and the line of an attempt, so that the caller's trace goes on to the provider.
// Where there is no collector, nothing of this exists.
//
// It writes the protocol itself, which is a page of JSON
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): the SDK for Go would make each
// function 5 MB larger and start later, for everybody.
package otlp
