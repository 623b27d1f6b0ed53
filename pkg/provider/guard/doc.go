// Package guard makes the HTTP clients that every call to the outside uses.
//
// All of them take no proxy from the environment, follow no redirect (a 3xx is the answer), never
// inflate a body, speak TLS 1.2 or newer, and bound every wait and every size. The public ones are for
// URLs that a tenant chose: they look at the address that is really dialled, after the name was
// resolved, so a name that resolves differently the second time gains nothing.
package guard
