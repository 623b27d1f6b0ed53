// Package audit tells who did what, when and why: every version of everything that is edited, with what it
// changed, and deeds that leave no version: an address that was suppressed, a message that was cancelled, resent or
// tried again by hand, a campaign that was stopped, a recipient that was revealed. It also does the last: a recipient
// is shown masked everywhere, and in full only to somebody who may and says why.
//
// Nothing is written twice for it: documents keep their versions anyway, each with its author and reason, and the
// audit is a list of them. A deed is one small item, and only people and keys that may operate do any: what a
// tenant's own key does to its own messages is its traffic, and stands in their timelines.
package audit
