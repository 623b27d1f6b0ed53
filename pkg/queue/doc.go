// Package queue carries hints: "look at this message". The record in the store is the truth, so a queue
// may lose, repeat and reorder what it carries; the sweep makes up for what it loses. Queues live in
// folders of their own (memory, sqs) and pass the one suite in queuetest.
package queue
