// Package memory is a queue inside one process, for the command that runs everything on one machine. It
// keeps nothing on disk: items are hints, and at the next start the queue is filled again from the records
// that are due.
//
// It behaves as SQS does: items are handed out at least once and counted, those that were not done come
// back after a growing wait, and after queue.MaxReceives they move to the dead-letter queue. It adds what
// one process can have for nothing: groups take strict turns, delays are exact, and an idle queue costs no
// time at all, as nothing polls.
//
// The present comes from Options.Now; waiting is done with the timers of package time, which a
// testing/synctest bubble fakes together with time.Now.
package memory
