package message

import (
	"cmp"
	"slices"
)

// Reported is a receipt. It joins the attempt of its epoch, or the one with ProviderID, or the newest.
type Reported struct {
	Epoch      int
	ProviderID string
	Receipt    Receipt
	// Guess: the provider named the message and not the attempt, and more than one went its way, so Epoch is the
	// likeliest. What is said of one ProviderID is then kept apart from what is said of another.
	Guess bool `json:",omitzero"`
}

func (e Reported) apply(m *Message, _ Time) error {
	r := e.Receipt
	if r.State == ReceiptNone || r.State > ReceiptComplained {
		return m.refuse("receipt", "it says nothing")
	}
	id := cut(e.ProviderID, maxProviderID)
	a := m.reported(e.Epoch, id)
	if a == nil {
		return m.refuse("receipt", "no attempt could have caused it")
	}
	r.Part = min(max(r.Part, 0), maxParts-1)
	r.Code, r.Text, r.Suppress = cut(r.Code, maxCode), cut(r.Text, MaxText), cut(r.Suppress, maxCode)
	if e.Guess && a.ProviderID != id {
		r.Of = id
	}
	a.hear(r)
	return nil
}

// hear adds a receipt. The same news again changes little: of two reports the smaller counts, whichever came
// first. A reason that either gives counts.
func (a *Attempt) hear(r Receipt) {
	i := slices.IndexFunc(a.Receipts, func(have Receipt) bool {
		return have.Of == r.Of && have.Part == r.Part && have.State == r.State
	})
	if i < 0 {
		a.Receipts = append(a.Receipts, r)
	} else {
		have := a.Receipts[i]
		why := have.Suppress
		if why == "" || r.Suppress != "" && r.Suppress < why {
			why = r.Suppress
		}
		if compareReceipts(r, have) < 0 {
			have = r
		}
		have.Suppress = why
		a.Receipts[i] = have
	}
	slices.SortFunc(a.Receipts, compareReceipts)
}

func compareReceipts(a, b Receipt) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Of, b.Of), cmp.Compare(a.Part, b.Part), cmp.Compare(a.State, b.State),
		cmp.Compare(a.Code, b.Code), cmp.Compare(a.Text, b.Text))
}

func (m *Message) reported(epoch int, id string) *Attempt {
	if epoch > 0 {
		for i := range m.Attempts {
			if m.Attempts[i].Epoch >= epoch { // one that is not kept was folded into the next
				return &m.Attempts[i]
			}
		}
		return nil
	}
	if id != "" {
		for i := range m.Attempts {
			if m.Attempts[i].ProviderID == id {
				return &m.Attempts[i]
			}
		}
	}
	return m.Last()
}

// named gives an attempt the id that the provider answered. Now it is known which receipts are its own,
// wherever a guess has put them; and what it was guessed to be told of another id is of the attempt that never
// heard its answer, if there is one.
func (m *Message) named(a *Attempt, id string) {
	a.ProviderID = id
	if id == "" {
		return
	}
	var own []Receipt
	var lost *Attempt
	for i := range m.Attempts {
		b := &m.Attempts[i]
		if b.Account != a.Account {
			continue
		}
		b.Receipts = slices.DeleteFunc(b.Receipts, func(r Receipt) bool {
			if r.Of == id {
				own = append(own, r)
			}
			return r.Of == id
		})
		if b != a && b.ProviderID == "" && b.Outcome == Unknown {
			lost = b
		}
	}
	if lost != nil {
		a.Receipts = slices.DeleteFunc(a.Receipts, func(r Receipt) bool {
			if r.Of != "" {
				lost.hear(r)
			}
			return r.Of != ""
		})
	}
	for _, r := range own {
		r.Of = ""
		a.hear(r)
	}
}
