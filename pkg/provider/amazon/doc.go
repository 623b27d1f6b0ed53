// Package amazon is what the senders over AWS's services share: whose keys are used, what a failed call of the
// SDK means, and how events arrive: in the queue of receipts, over SNS or EventBridge, or from SNS over HTTPS.
package amazon
