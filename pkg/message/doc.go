// Package message is the domain: the words that everybody shares.
//
// A Message is one content to one recipient on one channel. Its Status is decided by one pure function,
// [Message.Apply]: stores only make its result atomic. Nothing here reads a clock, does I/O, or knows
// how a message is kept, queued or sent. It imports the standard library only.
package message
