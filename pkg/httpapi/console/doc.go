// Package console serves the operators' console: the embedded page with its files, and sessions.
//
// The page is a client of the API like any other. What it has is a session: a cookie that holds an API key
// and an end, sealed, so nothing is kept on this side and every process can open it. Session stands in
// front of the API and turns the cookie into the Authorization header; the key's scopes and its revocation
// decide as they do for everybody.
package console
