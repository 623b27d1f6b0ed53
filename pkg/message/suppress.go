package message

// Verdict is that the recipient must not be written to again; the zero value is none.
type Verdict struct {
	Why           string // a suppress.Reason
	Account, Code string // who said so
	Since         Time
}

// Suppresses is the verdict that follows from what ended the message: a complaint, a bounce, or a code that
// means as much.
func (m *Message) Suppresses() (v Verdict) {
	found := func(why string, a *Attempt, code string, at Time) {
		if why != "" && (v.Why == "" || at < v.Since || at == v.Since && why < v.Why) {
			v = Verdict{why, a.Account, code, at}
		}
	}
	worst := ReceiptNone
	switch m.Status {
	case Failed:
		if a := m.Last(); a != nil {
			found(a.Suppress, a, a.Code, a.End)
		}
	case Undelivered:
		worst = ReceiptUndelivered
	case Bounced:
		worst = ReceiptBounced
	case Complained:
		worst = ReceiptComplained
	}
	if worst == ReceiptNone {
		return v
	}
	for i := range m.Attempts {
		a := &m.Attempts[i]
		for _, r := range a.Receipts {
			if r.State == worst {
				found(r.why(), a, r.Code, r.At)
			}
		}
	}
	return v
}

// why is the reason that a receipt's code gives, or else its state.
func (r *Receipt) why() string {
	switch {
	case r.Suppress != "":
		return r.Suppress
	case r.State == ReceiptBounced:
		return "bounce"
	case r.State == ReceiptComplained:
		return "complaint"
	}
	return ""
}
