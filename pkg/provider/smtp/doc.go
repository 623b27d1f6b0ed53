// Package smtp sends mail through any SMTP server.
//
// A mail carries our id in X-Notify-ID, and in its Message-ID together with the attempt, so a bounce or
// a server's log can be matched to it. A small pool keeps connections for the next message.
package smtp
