// Package robot tells a chat robot of alarms: from the topic that CloudWatch writes to, straight to the provider. It
// uses neither the table nor the queues, so that it still tells when these are what is broken. Which robot it is says a
// secret, {"provider": "feishu-bot", …} with the fields of that provider's account; any recipe of a chat will do.
package robot
