// Package sqs is a queue on Amazon SQS: standard queues named <stack>-<name>, the group as MessageGroupId,
// so that one tenant's backlog does not keep the others waiting (fair queues).
//
// On Lambda the event source mapping receives, and only Send is used. Consume does the same work from an
// ordinary process: for tests, and for a machine that works on a stack's queues.
//
// The caller needs sqs:SendMessage; for Consume also sqs:ReceiveMessage, sqs:DeleteMessage and
// sqs:ChangeMessageVisibility; and sqs:GetQueueUrl unless Options.URL says where the queues are. How often
// an item is handed out, and where it goes then, is the redrive policy of the queue.
package sqs
