// Package intake accepts messages: it validates, renders, claims, records and queues, in that order, and
// nothing else ever makes a message. When Send returns without an error the record is in the store; a
// queue that refuses the hint after that changes nothing, because the sweep finds the record.
package intake
