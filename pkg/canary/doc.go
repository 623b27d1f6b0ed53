// Package canary sends a message of its own every few minutes the way that callers do, through the API, to a recipient
// that is there for it, and looks what became of the last one. An alarm on the lack of its metric tells that messages
// do not come through when nobody has noticed yet.
package canary
