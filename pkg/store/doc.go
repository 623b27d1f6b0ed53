// Package store keeps everything that notify must not lose: messages, claims, groups, configuration and
// counters.
//
// [Store] is portable and typed: it names keys, encodes records, seals recipients and variables, and
// checks the principal. Beneath it a [Driver] of five methods moves opaque items and knows no kind of
// record. Drivers live in folders of their own (sqlite, dynamo) and pass the one suite in storetest.
//
// The record is the truth. Store never relies on several items being written together or not at all: a
// sequence is written in order, each element atomic by its own condition, and every reader can cope with
// a sequence that stopped in the middle.
package store
