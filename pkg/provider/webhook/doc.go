// Package webhook sends signed webhooks to the URL that is the recipient's address, as Standard Webhooks
// says (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md),
// and verifies them for those who receive.
//
// The id of a webhook stays the same over all attempts, so the receiver can drop what it has seen; the
// timestamp and the signatures are each attempt's own.
package webhook
