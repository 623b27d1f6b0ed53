// Package audit tells who did what, when and why: every version of everything that is edited, with what it
// changed, and deeds that leave no version: an address that was suppressed, dead messages that were redriven,
// a recipient that was revealed. It also does the last: a recipient is shown masked everywhere, and in full only
// to somebody who may and says why.
//
// Nothing is written twice for it: documents keep their versions anyway, each with its author and reason, and the
// audit is a list of them.
package audit
