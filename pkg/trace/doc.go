// Package trace answers questions about messages and changes nothing: what became of this one, what was
// sent to this recipient, whose text is this, how far is this request. Every answer opens on a [Verdict]:
// what happened, what to tell the user, who can fix it, in one place for console, command line and API.
//
// All methods take the principal and return a *problem.Error. What another tenant owns does not exist for
// a principal that may not operate: its messages and groups are 404, its messages are in no search, and
// its templates that are not shared take no part in [Trace.Who].
package trace
