// Package awssms sends text messages through AWS End User Messaging SMS (pinpoint-sms-voice-v2), and reads the
// events that it publishes about them.
//
// A message carries our id and attempt as its context, which comes back in every event of its configuration
// set. The events go over SNS into the queue of receipts: see Foreign. Without a configuration set a message
// ends as sent. What is late is not handed to a carrier any more: the time to live is that of the message.
//
// The account's keys are used, or, if it has none, what the process runs as: on Lambda the function's role.
// It needs sms-voice:SendTextMessage on the origination identity, and sms-voice:DescribeAccountAttributes for
// Check.
package awssms
