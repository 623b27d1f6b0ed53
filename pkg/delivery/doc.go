// Package delivery works on hints: it looks at the message that a hint names and does what is due for it.
// It leases, calls the provider, records the outcome, and finishes what an ended message leaves behind.
// The record decides; a hint may be old, repeated, early or about nothing.
package delivery
