package telemetry

import (
	"maps"
	"slices"
	"strings"

	"github.com/opennotify/notify/pkg/message"
)

// spread says which dimensions a metric has in CloudWatch. Every combination of values is a metric that is paid
// for, so a name has no more of them than an alarm or the dashboard reads.
type spread uint8

const (
	unpublished spread = iota // a property of the line: found by a query of the log, and free
	total                     // one metric
	byChannel                 // one for each channel
	byLane                    // one for each lane of each channel
)

// published is what CloudWatch gets. Whatever else is counted stays in the line, and in the counters that `notify
// stats` reads.
var published = map[string]spread{
	Accepted: byChannel, Duplicate: byChannel, Throttled: byChannel, Called: byChannel, PushedBack: byChannel,
	Retried: byChannel, Tracked: byChannel, AccountFault: byChannel, Stuck: byChannel, LimitUsed: byChannel,
	string(message.Sent): byChannel, string(message.Delivered): byChannel, string(message.Undelivered): byChannel,
	string(message.Bounced): byChannel, string(message.Complained): byChannel, string(message.Failed): byChannel,
	string(message.Dead): byChannel, string(message.Expired): byChannel, string(message.Suppressed): byChannel,
	string(message.InDoubt): byChannel,
	AcceptToSent:            byLane, SentToDelivered: byChannel,
	Refused: total, ReceiptForged: total, ReceiptUnknown: total, ReceiptParked: total, ReceiptPollFailed: total,
	CanarySent: total, Swept: total,
}

// byAccount is what accounts are told apart in besides, where that is asked for.
var byAccount = map[string]bool{string(message.Sent): true, string(message.Failed): true, Throttled: true, AccountFault: true, LimitUsed: true}

// dimensions are the sets of dimensions of a metric; none for what is a property only. Callbacks have no queues of
// their own and no alarms, and the health of an endpoint is a record.
func dimensions(name string, l Labels) [][]string {
	var out [][]string
	switch published[name] {
	case total:
		return [][]string{{}}
	case byChannel:
		out = [][]string{{"channel"}}
	case byLane:
		out = [][]string{{"channel", "lane"}}
		if l.Lane == "" {
			return nil
		}
	default:
		return nil
	}
	if l.Channel == "" || l.Channel == string(message.Callback) {
		return nil
	}
	if l.Account != "" && byAccount[name] {
		out = append(out, []string{"channel", "account"})
	}
	return out
}

// Published lists every metric that CloudWatch may get of some channels, each as "name value value": what is paid
// for by the month. Accounts, where they are told apart, come on top, five for each.
func Published(channels ...message.Channel) []string {
	all := map[string]bool{}
	for name := range published {
		for _, c := range slices.Concat(channels, []message.Channel{""}) {
			for _, lane := range slices.Concat(message.Lanes(), []message.Lane{""}) {
				l := Labels{Channel: string(c), Lane: string(lane)}
				for _, set := range dimensions(name, l) {
					all[strings.TrimSpace(name+" "+strings.Join(values(set, l), " "))] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// values are those of a set of dimensions.
func values(set []string, l Labels) (out []string) {
	of := map[string]string{"channel": l.Channel, "lane": l.Lane, "account": l.Account}
	for _, d := range set {
		out = append(out, of[d])
	}
	return out
}
