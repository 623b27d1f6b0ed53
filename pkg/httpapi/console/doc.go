// Package console serves the operators' console: the embedded page with its files, and sessions.
//
// The page is a client of the API like any other. What it has is a session (package session), begun with an
// API key, a one-time link, or through the company's identity provider; the scopes of the key or of the
// person's role decide as they do for everybody.
package console
