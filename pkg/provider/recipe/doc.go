// Package recipe is the engine for providers that are described in YAML, with no code of their own.
//
// A recipe.yaml holds two documents. The first is the descriptor, as a coded provider has one in its
// provider.yaml; package catalog reads it without this package. The second says how the provider is
// spoken to:
//
//	before    rows of when, outcome, code, wait: what is refused or put off before anything leaves
//	token     jwt and/or request, answer, token, life: the access token
//	request   method, url, query, headers, json or form, sign
//	answer    code, id, text, wait, and the table: rows of codes and/or when, outcome, code, wait
//	check     request, answer: tests credentials without sending
//	approval  request, answer, state, states, note: asks for the state of a bound template
//	callback  verify, parse (json, form, xml), json or text (what the provider wants to hear)
//	receipts  each, when, ref, id, part, state, states, at, code, text
//	replies   each, when, from, text, at
//	polls     a list of request, answer, cursor, more, receipts, replies: asks what became of messages
//
// The first row that matches counts; an answer that no row knows is unknown, because the message may have
// been sent. Every code in a table has its sentence in the descriptor.
//
// # Values
//
// Values get into a request through ${expression} only, and everything else that reads is an expression.
// A request is built as a tree and encoded after that, so no value can change its shape; what is nil is
// left out. In json, {$if: condition, …} is left out if the condition is false, and
// {$each: list or map, $as: tree} repeats the tree for every item.
//
// Expressions are those of github.com/expr-lang/expr, compiled once and bounded: no loops, no variables,
// and no functions but those in functions.go. They may name
//
//	config, secret       the account's fields
//	binding              the fields of the template's binding, as the descriptor declares them; also in approval
//	now, now_ms, nonce   the moment; now is in Unix seconds
//	to, content, vars, template, locale, id, epoch, ref, key, class, tenant, channel, expires
//	                     in before and request: the message; ref names the attempt, for receipts
//	token, jwt, sign     what was made for the request
//	status, header, body, json, code
//	                     in answer: what the provider said; headers in lower case
//	cursor, asked        in polls: where the last answer ended; of polls of message: asked.provider_id, .ref,
//	                     .id, .to, .at (milliseconds since 1970)
//	event, form, query   in receipts and replies: the event, and the callback that it came in
package recipe
