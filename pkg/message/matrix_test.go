package message_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	m "github.com/opennotify/notify/pkg/message"
)

// short names the statuses in the matrix; "." is refused, "=" is allowed and stays.
var short = map[m.Status]string{m.Scheduled: "SCHD", m.Queued: "QUEU", m.Sending: "SDNG", m.Sent: "SENT", m.InDoubt: "DOUB", m.Delivered: "DLVD",
	m.Undelivered: "UNDL", m.Bounced: "BNCD", m.Complained: "CMPL", m.Failed: "FAIL", m.Expired: "EXPD", m.Cancelled: "CNCL", m.Suppressed: "SUPP",
	m.Dead: "DEAD", m.Simulated: "SIMU"}

// rows are the events of the matrix, each at a time that says something.
func rows() []struct {
	name string
	step step
} {
	const soon, late = 2 * time.Minute, 24 * time.Hour
	result := func(o m.Outcome) step { return answered(soon, 1, o) }
	return []struct {
		name string
		step step
	}{
		{"lease", leased(soon)},
		{"lease when expired", leased(late)},
		{"lease before its time", leased(time.Second)},
		{"finish sent", result(m.Accepted)},
		{"finish permanent", result(m.Permanent)},
		{"finish account", result(m.AccountFault)},
		{"finish throttled", result(m.Throttled)},
		{"finish retry", result(m.Retry)},
		{"finish refresh", result(m.Refresh)},
		{"finish defer", result(m.Defer)},
		{"finish unknown, await", unanswered(soon, 1, m.Await)},
		{"finish unknown, resend", unanswered(soon, 1, m.Resend)},
		{"finish unknown, give up", unanswered(soon, 1, m.GiveUp)},
		{"finish retry when expired", answered(late, 1, m.Retry)},
		{"finish of no attempt", answered(soon, 7, m.Accepted)},
		{"lost", after(soon, m.Lost{Next: t0.Add(soon), Doubt: m.Await})},
		{"lost, resend", after(soon, m.Lost{Next: t0.Add(soon), Doubt: m.Resend})},
		{"lost before the lease's end", after(30*time.Second, m.Lost{Doubt: m.Await})},
		{"resolve", after(73*time.Hour, m.Resolve{})},
		{"resolve too early", after(71*time.Hour, m.Resolve{})},
		{"receipt sent", reported(soon, 1, m.ReceiptSent)},
		{"receipt undelivered", reported(soon, 1, m.ReceiptUndelivered)},
		{"receipt delivered", reported(soon, 1, m.ReceiptDelivered)},
		{"receipt bounced", reported(soon, 1, m.ReceiptBounced)},
		{"receipt complained", reported(soon, 1, m.ReceiptComplained)},
		{"receipt of no state", reported(soon, 1, m.ReceiptNone)},
		{"wait", after(soon, m.Wait{Until: t0.Add(time.Hour), Why: "quiet_hours"})},
		{"wait beyond its expiry", after(soon, m.Wait{Until: t0.Add(late), Why: "quiet_hours"})},
		{"requeue", after(soon, m.Requeue{})},
		{"activate", after(soon, m.Activate{})},
		{"expire", after(late, m.Expire{})},
		{"expire too early", after(late-time.Millisecond, m.Expire{})},
		{"cancel", after(soon, m.Cancel{By: "ops"})},
		{"suppress", after(soon, m.Suppress{Why: "opt_out"})},
		{"fail", after(soon, m.Fail{Why: "no_account"})},
		{"poison", after(soon, m.Poison{Why: "panic"})},
		{"poison under a lease", after(30*time.Second, m.Poison{Why: "panic"})},
		{"redrive", after(soon, m.Redrive{By: "ops"})},
		{"redrive when expired", after(late, m.Redrive{By: "ops"})},
		{"settle", after(soon, m.Settle{Done: 0xff})},
	}
}

// matrix is what every event makes of a message in every place of its life.
const matrix = `
                            held sche queu retr rese send sent in_d lost deli unde boun comp fail give expi canc supp dead simu
lease                       .    SDNG SDNG SDNG SDNG .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
lease when expired          .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
lease before its time       .    .    SDNG .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
finish sent                 .    .    .    .    .    SENT .    .    SENT .    .    .    .    .    SENT .    .    .    .    .
finish permanent            .    .    .    .    .    FAIL .    .    FAIL .    .    .    .    .    =    .    .    .    .    .
finish account              .    .    .    .    .    QUEU .    .    QUEU .    .    .    .    .    =    .    .    .    .    .
finish throttled            .    .    .    .    .    QUEU .    .    QUEU .    .    .    .    .    =    .    .    .    .    .
finish retry                .    .    .    .    .    QUEU .    .    QUEU .    .    .    .    .    =    .    .    .    .    .
finish refresh              .    .    .    .    .    QUEU .    .    QUEU .    .    .    .    .    =    .    .    .    .    .
finish defer                .    .    .    .    .    QUEU .    .    QUEU .    .    .    .    .    =    .    .    .    .    .
finish unknown, await       .    .    .    .    .    DOUB .    .    =    .    .    .    .    .    =    .    .    .    .    .
finish unknown, resend      .    .    .    .    .    QUEU .    .    QUEU .    .    .    .    .    =    .    .    .    .    .
finish unknown, give up     .    .    .    .    .    FAIL .    .    FAIL .    .    .    .    .    =    .    .    .    .    .
finish retry when expired   .    .    .    .    .    EXPD .    .    EXPD .    .    .    .    .    =    .    .    .    .    .
finish of no attempt        .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
lost                        .    .    .    .    .    DOUB .    .    .    .    .    .    .    .    .    .    .    .    .    .
lost, resend                .    .    .    .    .    QUEU .    .    .    .    .    .    .    .    .    .    .    .    .    .
lost before the lease's end .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
resolve                     .    .    .    .    .    .    .    FAIL FAIL .    .    .    .    .    .    .    .    .    .    .
resolve too early           .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
receipt sent                .    .    .    SENT SENT SENT =    SENT SENT =    =    =    =    SENT SENT .    .    .    .    .
receipt undelivered         .    .    .    UNDL UNDL UNDL UNDL UNDL UNDL =    =    =    =    UNDL UNDL .    .    .    .    .
receipt delivered           .    .    .    DLVD DLVD DLVD DLVD DLVD DLVD =    DLVD =    =    DLVD DLVD .    .    .    .    .
receipt bounced             .    .    .    BNCD BNCD BNCD BNCD BNCD BNCD BNCD BNCD =    =    BNCD BNCD .    .    .    .    .
receipt complained          .    .    .    CMPL CMPL CMPL CMPL CMPL CMPL CMPL CMPL CMPL =    CMPL CMPL .    .    .    .    .
receipt of no state         .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
wait                        =    =    =    =    =    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
wait beyond its expiry      EXPD EXPD EXPD EXPD EXPD .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
requeue                     =    =    =    =    =    =    .    =    =    .    =    =    =    =    =    =    =    =    =    .
activate                    QUEU .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
expire                      EXPD EXPD EXPD EXPD EXPD .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
expire too early            .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
cancel                      CNCL CNCL CNCL CNCL CNCL .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
suppress                    SUPP SUPP SUPP SUPP SUPP .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
fail                        FAIL FAIL FAIL FAIL FAIL .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
poison                      DEAD DEAD DEAD DEAD DEAD DEAD .    .    .    .    .    .    .    .    .    .    .    .    .    .
poison under a lease        DEAD DEAD DEAD DEAD DEAD .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
redrive                     .    .    .    .    .    .    .    QUEU QUEU .    .    .    .    QUEU QUEU .    .    .    QUEU .
redrive when expired        .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .    .
settle                      .    .    .    .    .    .    .    .    .    .    =    =    =    =    =    =    =    =    =    .
`

func TestMatrix(t *testing.T) {
	t.Parallel()
	names, all := specimens(t)
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-28s", "")
	for _, n := range names {
		fmt.Fprintf(&b, "%-5.4s", n)
	}
	seen := map[m.Status]bool{}
	for _, row := range rows() {
		fmt.Fprintf(&b, "\n%-28s", row.name)
		for _, n := range names {
			before := all[n]
			seen[before.Status] = true
			got, err := before.Apply(row.step.e, row.step.at)
			cell := short[got.Status]
			switch {
			case err != nil:
				cell = "."
				if d := cmp.Diff(before, got); d != "" {
					t.Errorf("%s: refused %s changed the message:\n%s", n, row.name, d)
				}
			case got.Status == before.Status:
				cell = "="
			}
			fmt.Fprintf(&b, "%-5s", cell)
		}
	}
	for _, s := range m.Statuses() {
		if !seen[s] {
			t.Errorf("no specimen is %s", s)
		}
	}
	var lines []string
	for l := range strings.Lines(b.String()) {
		lines = append(lines, strings.TrimRight(l, " \n"))
	}
	if d := cmp.Diff(matrix, strings.Join(lines, "\n")+"\n"); d != "" {
		t.Errorf("-want +got\n%s\n%s", d, b.String())
	}
}
