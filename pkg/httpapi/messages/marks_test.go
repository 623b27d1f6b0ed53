package messages_test

import (
	"slices"
	"testing"

	"github.com/opennotify/notify/pkg/message"
)

// A refused request is found by whom and what it was about, however wrong its body is, as long as that can be
// read; and nothing of it is kept in the clear.
func TestRefusedMarks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	phone := func(n string) string { return s.Store.RefusedTo(message.Phone, n) }
	mail := s.Store.RefusedTo(message.Mail, "li@example.com")
	const one = "+8613800138001"
	for name, tc := range map[string]struct {
		path, body string
		want       []string
	}{
		"a variable is missing":      {"", `{"to":"138 0013 8001","channel":"sms","template":"hello"}`, []string{phone(one)}},
		"no such template":           {"", `{"to":"+8613800138001","template":"nothing","reference":"A-1"}`, []string{s.Store.RefusedAs("A-1"), phone(one)}},
		"a number without quotes":    {"", `{"to":13800138001,"template":"hello","vars":{}}`, []string{phone(one)}},
		"an unknown field":           {"", `{"to":["li@example.com","+8613800138001"],"tmplate":"hello"}`, []string{mail, phone(one)}},
		"one person's addresses":     {"", `{"to":{"email":"Li@Example.com"},"template":"nothing"}`, []string{mail}},
		"twice the same member":      {"", `{"to":"+8613800138001","to":"+8613800138001"}`, []string{phone(one)}},
		"no address":                 {"", `{"to":"12","channel":"sms","template":"hello"}`, nil},
		"no object":                  {"", `["+8613800138001"]`, nil},
		"no JSON":                    {"", `{"to":"+8613800138001"`, nil},
		"a batch with a wrong field": {"/batch", `{"messages":[{"to":"+8613800138001"},{"to":"+8613800138002","x":1}]}`, []string{phone(one), phone("+8613800138002")}},
	} {
		s.refused = nil
		a := s.post("/v1/messages"+tc.path, s.shop, tc.body)
		s.mu.Lock()
		if a.status < 400 || len(s.refused) != 1 {
			t.Errorf("%s: %d, %d refusals", name, a.status, len(s.refused))
		} else if got := s.refused[0].Marks; !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
		s.mu.Unlock()
	}
	// An item of a batch is found like a request of its own, though the batch is answered 202.
	s.refused = nil
	a := s.post("/v1/messages/batch", s.shop, `{"messages":[{"to":"+8613800138001","channel":"sms","template":"hello","vars":{"name":"A"}},{"to":"+8613800138002","channel":"sms","template":"hello"},{"to":"+8613800138003","channel":"sms","template":"nothing"}]}`)
	s.mu.Lock()
	if a.status != 202 || len(s.refused) != 1 {
		t.Fatal(a.status, a.body, len(s.refused))
	}
	r := s.refused[0]
	if got := r.Marks; r.Status != 422 || !slices.Equal(got, []string{phone("+8613800138002"), phone("+8613800138003")}) {
		t.Errorf("%d %q", r.Status, got)
	}
	if len(r.Fields) != 2 || r.Fields[0].Pointer != "/messages/1/vars/name" || r.Fields[1].Pointer != "/messages/2/template" {
		t.Errorf("%+v", r.Fields)
	}
	s.mu.Unlock()
	if a := s.post("/v1/messages", "nfy_live_x", `{"to":"+8613800138001"}`); a.status != 401 || len(s.refused[len(s.refused)-1].Marks) > 0 {
		t.Error("a stranger's body is not read:", a.status)
	}
}
