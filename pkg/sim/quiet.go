package sim

import (
	"slices"
	"time"

	"github.com/opennotify/notify/pkg/message"
)

// late is how long after all faults a message may still be waiting: the longest wait of a class, and the
// sweep's longest.
const late = 3 * time.Hour

// quiet judges the world at rest.
func (o *oracle) quiet() {
	for _, s := range o.order {
		m := &s.m
		if !m.Status.Terminal() && m.Status != message.Sent || m.Due != 0 || m.Todo != 0 || m.Lease > o.w.now {
			o.tell(NoLoss, s, "it is not at an end")
		}
		if s.order == nil {
			continue
		}
		if m.Status == message.Expired && m.Expires > o.w.healAt.Add(late) && (!m.Fallback || m.Place == 0) {
			o.tell(NoLoss, s, "expired, with all the time in the world")
		}
		if m.Status == message.Sent && s.taken == 0 {
			o.tell(Truth, s, "sent, and no provider took it")
		}
		o.reflected(s)
		o.leftBehind(s)
		if m.Fallback && m.Place == 0 && s.accepted {
			o.wentOn(s)
		}
	}
	o.told()
	o.quietRuns()
	o.quietRedrives()
	o.quietBounds()
	o.quietErasures()
}

// reflected holds the receipts that were acknowledged against the record.
func (o *oracle) reflected(s *story) {
	for _, h := range s.heard {
		found, gone := false, len(s.m.Attempts) < s.m.Epoch // older ones were folded or trimmed
		if h.rc.ID == "" {                                  // nor can an attempt be found whose id we were never told
			gone = gone || !slices.ContainsFunc(s.m.Attempts, func(a message.Attempt) bool { return a.ProviderID == h.rc.ProviderID })
		}
		for _, a := range s.m.Attempts {
			for _, r := range a.Receipts {
				found = found || a.Account == h.account && r.Part == h.rc.Part && r.State >= h.rc.State
			}
		}
		if !found && !gone {
			o.tell(ReceiptKept, s, "part %d was %s, said %s", h.rc.Part, h.rc.State, h.account)
		}
	}
}

// leftBehind judges the work that an end leaves.
func (o *oracle) leftBehind(s *story) {
	m := &s.m
	if m.Status.ReleasesContent() && m.Claim != "" {
		o.tell(Released, s, "it is %s and holds its claim", m.Status)
	}
	if m.Status == message.Dead && !slices.ContainsFunc(o.w.dead, func(c *posted) bool { return named(c.body) == m.ID }) {
		o.tell(DeadShown, s, "no copy is in the dead-letter queue")
	}
	if m.Class == message.OTP && m.Status.Terminal() && m.Status != message.Dead && m.Status != message.Failed && s.vars {
		o.tell(Blanked, s, "its code is still there")
	}
}

// wentOn judges a fallback: when the first way ended badly in good time, the second was tried.
func (o *oracle) wentOn(first *story) {
	for _, s := range o.order {
		if s == first || !s.accepted || s.m.Group != first.m.Group || s.m.Place <= first.m.Place {
			continue
		}
		bad := first.m.Status.ReleasesContent() && first.m.Status != message.Cancelled && first.m.Status != message.Suppressed
		if bad && s.m.Hold && s.m.Status == message.Expired && max(first.released, o.w.healAt).Add(late) < s.m.Expires {
			o.tell(FallbackGoes, s, "the first way was %s at %s", first.m.Status, first.released)
		}
	}
}

func (o *oracle) beforeRedrive() {
	for _, s := range o.order {
		s.expected, s.atRest = s.taken, s.m.Status
	}
}

// afterRedrive judges what old hints did. A copy of a dead one means: try again, and then its tenant is told.
func (o *oracle) afterRedrive() {
	dead := slices.ContainsFunc(o.order, func(s *story) bool { return s.atRest == message.Dead })
	for _, s := range o.order {
		switch told := s.atRest == "" && s.m.Class == message.Callback; {
		case s.taken == s.expected, s.atRest == message.Dead, told && dead:
		default:
			o.tell(RedriveSafe, s, "an old hint sent it again")
		}
	}
}
