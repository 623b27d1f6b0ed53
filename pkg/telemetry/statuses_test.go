package telemetry

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
)

// tally keeps what is counted, under "name account".
type tally struct {
	Nop
	counts map[string]int64
}

func (t tally) Count(name string, n int64, l Labels) {
	t.counts[strings.TrimSpace(name+" "+l.Account)] += n
	if l.Channel != "sms" || l.Lane != "normal" || l.Tenant != "shop" || l.Template != "shop/hello" {
		t.counts["mislabelled"]++
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	now := message.Time(1_767_225_600_000)
	made := message.New(message.Message{Tenant: "shop", Channel: message.SMS, Class: message.Transactional, Template: message.Ref{Tenant: "shop", Name: "hello"},
		Created: now, Expires: now.Add(24 * time.Hour)}, now)
	lease := func(account string) message.Event {
		return message.Lease{Account: account, Provider: account, Until: now.Add(time.Hour)}
	}
	finish := func(epoch int, o message.Outcome) message.Event {
		return message.Finish{Epoch: epoch, Result: message.Result{Outcome: o}, Next: 1, Doubt: message.Await}
	}
	said := func(epoch int, s message.ReceiptState) message.Event {
		return message.Reported{Epoch: epoch, Receipt: message.Receipt{State: s}}
	}
	for _, tc := range []struct {
		name   string
		events []message.Event
		want   map[string]int64
	}{
		{"nothing yet", nil, map[string]int64{}},
		{"sent, without receipts", []message.Event{lease("a"), finish(1, message.Accepted)}, map[string]int64{"sent a": 1}},
		{"sent, with receipts", []message.Event{lease("told"), finish(1, message.Accepted)}, map[string]int64{"sent told": 1, "tracked told": 1}},
		{"delivered", []message.Event{lease("told"), finish(1, message.Accepted), said(1, message.ReceiptDelivered)},
			map[string]int64{"sent told": 1, "tracked told": 1, "delivered told": 1}},
		{"the receipt is first", []message.Event{lease("a"), said(1, message.ReceiptDelivered), finish(1, message.Accepted)},
			map[string]int64{"sent a": 1, "tracked a": 1, "delivered a": 1}},
		{"delivered, and complained of", []message.Event{lease("a"), finish(1, message.Accepted), said(1, message.ReceiptDelivered), said(1, message.ReceiptDelivered), said(1, message.ReceiptComplained)},
			map[string]int64{"sent a": 1, "delivered a": 1, "complained a": 1}},
		{"bounced", []message.Event{lease("a"), finish(1, message.Accepted), said(1, message.ReceiptBounced)}, map[string]int64{"sent a": 1, "bounced a": 1}},
		{"the first way's receipt", []message.Event{lease("a"), finish(1, message.Retry), lease("b"), finish(2, message.Accepted), said(1, message.ReceiptDelivered)},
			map[string]int64{"retried a": 1, "sent b": 1, "delivered a": 1}},
		{"throttled, retried, failed", []message.Event{lease("a"), finish(1, message.Throttled), lease("a"), finish(2, message.Defer), lease("b"), finish(3, message.Permanent)},
			map[string]int64{"throttled a": 1, "retried a": 1, "failed b": 1}},
		{"the account's fault, and the next one's", []message.Event{lease("a"), finish(1, message.AccountFault), lease("b"), finish(2, message.Accepted)},
			map[string]int64{"account_fault a": 1, "retried a": 1, "sent b": 1}},
		{"the account's fault, and said to be sent", []message.Event{lease("a"), finish(1, message.AccountFault), said(1, message.ReceiptSent)},
			map[string]int64{"account_fault a": 1, "retried a": 1, "sent a": 1}},
		{"in doubt, and sent", []message.Event{lease("a"), finish(1, message.Unknown), said(1, message.ReceiptSent)}, map[string]int64{"in_doubt a": 1, "sent a": 1}},
		{"in doubt, and the late answer", []message.Event{lease("a"), message.Lost{Doubt: message.Await}, finish(1, message.Retry)}, map[string]int64{"in_doubt a": 1, "retried a": 1}},
		{"in doubt, and redriven", []message.Event{lease("a"), message.Lost{Doubt: message.Await}, message.Redrive{}}, map[string]int64{"in_doubt a": 1, "redriven a": 1}},
		{"lost, and sent again", []message.Event{lease("a"), message.Lost{Doubt: message.Resend}}, map[string]int64{"retried a": 1}},
		{"dead, and redriven", []message.Event{message.Poison{}, message.Redrive{}, lease("a"), finish(1, message.Accepted)},
			map[string]int64{"dead": 1, "redriven": 1, "sent a": 1}},
		{"cancelled", []message.Event{message.Cancel{}}, map[string]int64{"cancelled": 1}},
		{"suppressed", []message.Event{message.Suppress{}}, map[string]int64{"suppressed": 1}},
		{"expired", []message.Event{message.Expire{}}, map[string]int64{"expired": 1}},
		{"put off", []message.Event{message.Wait{Until: now.Add(2 * minute)}, message.Requeue{}}, map[string]int64{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m, got := made, tally{counts: map[string]int64{}}
			s := Statuses{Metrics: got, Receipts: func(provider string) bool { return provider == "told" }}
			s.Moved(nil, &m, now)
			tc.want["accepted"] = 1
			for i, e := range tc.events {
				at := now.Add(time.Duration(i+1) * minute)
				switch e.(type) {
				case message.Expire:
					at = m.Expires
				case message.Lost, message.Poison:
					at = at.Add(2 * time.Hour)
				}
				next, err := m.Apply(e, at)
				if err != nil {
					t.Fatalf("%T: %v", e, err)
				}
				s.Moved(&m, &next, at)
				m = next
			}
			if diff := cmp.Diff(tc.want, got.counts); diff != "" {
				t.Errorf("at the end it is %s\n%s", m.Status, diff)
			}
		})
	}
	for _, end := range []message.Status{message.Simulated, message.Suppressed} {
		m, got := made, tally{counts: map[string]int64{}}
		m.Base, m.Status = end, end
		Statuses{Metrics: got}.Moved(nil, &m, now)
		if diff := cmp.Diff(map[string]int64{"accepted": 1, string(end): 1}, got.counts); diff != "" {
			t.Error(diff)
		}
	}
}
