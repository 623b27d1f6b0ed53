// Package ses sends mail through Amazon SES, and reads the events that SES publishes about it.
//
// A mail carries our id and attempt as tags, which come back in every event of its configuration set. The
// events go over SNS into the queue of receipts: see Foreign; or, where there is no such queue, SNS posts them to
// the account's callback address. Without a configuration set a mail ends as sent.
//
// The account's keys are used, or, if it has none, what the process runs as: on Lambda the function's role.
// It needs ses:SendEmail (and, for attachments, perhaps ses:SendRawEmail) on the sender's identity and the configuration set, and ses:GetAccount for Check.
package ses
