package message

import (
	"slices"
	"strings"
)

// A message is written several times in its life, so what grows in it is bounded: each text by itself, and
// the whole history by maxHistory bytes of JSON. What the history loses then says least about where the
// message stands.
const (
	maxHistory    = 2560
	maxNotes      = 12
	maxParts      = 16 // of an attempt; the rest count as the last one
	maxCode       = 64
	maxProviderID = 128
)

// trim keeps the history within its bound.
func (m *Message) trim() {
	for m.historySize() > maxHistory && m.shrink() {
	}
}

// historySize estimates, never too low, the JSON of the attempts and notes.
func (m *Message) historySize() int {
	const attempt, receipt, note = 128, 44, 64 // names, numbers and punctuation
	n := 0
	for i := range m.Attempts {
		a := &m.Attempts[i]
		n += attempt + textSize(a.Account) + textSize(a.Provider) + textSize(a.Bound) + textSize(a.ProviderID) + textSize(a.Code) + textSize(a.Text) + textSize(a.Suppress)
		for _, r := range a.Receipts {
			n += receipt + textSize(r.Of) + textSize(r.Code) + textSize(r.Text) + textSize(r.Suppress)
		}
	}
	for _, e := range m.Notes {
		n += note + textSize(e.By) + textSize(e.Why)
	}
	return n
}

// textSize is the length of a JSON string with its name, as encoding/json escapes it.
func textSize(s string) int {
	if s == "" {
		return 0
	}
	n := len(s) + len(`,"t":""`)
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '<', c == '>', c == '&', c == 0x7f:
			n += 5 // \u003c
		case c == '"', c == '\\':
			n++
		case c == 0xE2:
			n += 3 // it may begin U+2028, \u2028
		}
	}
	return n
}

// shrink takes one thing away: first what older attempts said, then notes, then older states of a part,
// then the newest attempt's words, and whole attempts last. It tells whether there was one.
func (m *Message) shrink() bool {
	older := m.Attempts[:max(len(m.Attempts)-1, 0)]
	for i := range older {
		if older[i].hush() {
			return true
		}
	}
	if len(m.Notes) > 4 {
		m.Notes = slices.Delete(m.Notes, 1, 2)
		return true
	}
	for i := range m.Attempts {
		if m.Attempts[i].thin() {
			return true
		}
	}
	if len(m.Attempts) > 0 && m.Last().hush() {
		return true
	}
	i := leastOf(older)
	if i >= 0 {
		m.Attempts = slices.Delete(m.Attempts, i, i+1)
	}
	return i >= 0
}

// hush removes what the provider said in words, and codes of receipts.
func (a *Attempt) hush() bool {
	had := a.Text != ""
	a.Text = ""
	for i := range a.Receipts {
		r := &a.Receipts[i]
		had = had || r.Text != "" || r.Code != ""
		r.Text, r.Code = "", ""
	}
	return had
}

// thin removes the receipts that a higher one of the same part outranks; the status does not need them.
func (a *Attempt) thin() bool {
	all := slices.Clone(a.Receipts)
	a.Receipts = slices.DeleteFunc(a.Receipts, func(r Receipt) bool {
		return slices.ContainsFunc(all, func(o Receipt) bool { return o.Of == r.Of && o.Part == r.Part && o.State > r.State })
	})
	return len(a.Receipts) < len(all)
}

// leastOf is the oldest of the attempts that say least; -1 when each says that the message was taken.
func leastOf(attempts []Attempt) int {
	least, weight := -1, 4
	for i := range attempts {
		a := &attempts[i]
		w := 1 // refused
		switch r := a.Receipt(); {
		case a.Outcome == Accepted, r == ReceiptDelivered, r == ReceiptComplained:
			w = 4
		case r != ReceiptNone:
			w = 3
		case a.Outcome == Unknown:
			w = 2
		}
		if w < weight {
			least, weight = i, w
		}
	}
	return least
}

// cut shortens a text that came from outside to n bytes of valid UTF-8.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 { // not inside a character
		n--
	}
	return s[:n]
}
