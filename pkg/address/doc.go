// Package address reads recipients' addresses: it turns what people type or paste into the one form that
// is sent to, and the one key that equal addresses share. It is pure. Its errors say which form is
// expected and never repeat the address, so they may be shown and logged.
package address
