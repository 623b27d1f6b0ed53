// Package problem is every error that the API can answer, in one table: code, status, title, and the
// anchor of its explanation. Answers are RFC 9457 problem+json. Callers act on Code, never on text.
package problem
