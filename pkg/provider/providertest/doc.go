// Package providertest is the suite that every provider passes, coded or a recipe.
//
// A provider's test is one call of [Run]. It plays the provider's own cases, and holds it to promises
// that need no case: a call that is cancelled or left without an answer never counts as refused, a
// connection that was refused is tried again, no redirect is followed, no answer is read without bound,
// no secret and no address gets into a result or a log, and Send is free of races.
//
// # Cases
//
// A case is a file cases/*.txtar. Its comment names the vendor's page that the conversation was taken
// from, or says UNCONFIRMED and why. Its sections:
//
//	account.json    name, channel, config, secrets; cases/account.json if it is missing
//	call.json       the provider.Call; cases/call.json if it is missing
//	env.json        now (RFC 3339), nonce; for signatures with published vectors
//	request.http    expected: method and URL, the headers that matter ("*": any value), body;
//	                JSON and forms are compared by value, an empty body not at all
//	response.http   the answer to it
//	outcome.json    outcome, code, provider_id, status, after, and text if it matters
//
// request.http and response.http come in pairs, as often as the provider asks; none at all means that it
// refuses without asking. Instead of these a case may hold
//
//	callback.http   what the provider posts to us
//	receipts.json   {"receipts":[…],"replies":[…],"status":0,"refused":false}
//
// or, with pairs of request.http and response.http, a question what became of messages, and beside what was heard
// (receipts.json) where the next one begins (cursor, more); refused: something was not heard:
//
//	poll.json       {"Cursor":""}, or the message: {"ProviderID":"…","ID":"…","Epoch":1,"To":"…","At":0}
//
// or the answer to a question for the call's binding:
//
//	approval.json   {"state":"approved","note":"","refused":"the error"}
//
// Each code in a case has its sentence in the descriptor, in both languages, unless the case is unknown*, or its
// comment says that the code is made up.
//
// cases/sent.txtar must exist and end in "sent": the promises replay it and spoil its last answer.
package providertest
