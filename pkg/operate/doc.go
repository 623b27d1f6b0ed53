// Package operate changes what operators and developers edit while the service runs: tenants, keys,
// templates, accounts, routes, endpoints, suppressions, and the messages that wait for an operator.
//
// Everything but suppressions is a document with versions. A change names the version that it replaces,
// so that nobody overwrites what he has not read, and is kept with its author and reason: the documents'
// own history is the audit. Every error is a *problem.Error.
package operate
