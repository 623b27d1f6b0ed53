package providertest

import (
	"slices"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/provider"
)

// ours are the codes of notify itself, and what begins those of answers without a code.
func ours() []string {
	return []string{"", provider.CodeRefused, provider.CodeTimeout, provider.CodeCanceled, provider.CodeDNS, provider.CodeTLS, provider.CodeConnect, provider.CodeCut,
		"no_request", "bad_answer", "bad_content", "bad_key", "unfit", "too_large", "no_token"}
}

// said fails the test if a provider's code has no sentence in both languages.
func said(t testing.TB, d provider.Descriptor, code string) {
	t.Helper()
	if slices.Contains(ours(), code) || strings.HasPrefix(code, "http_") {
		return
	}
	if words, ok := d.Say(code); !ok || words.Zh == "" || words.En == "" {
		t.Errorf("the descriptor has no sentence for the code %q", code)
	}
}

// sentences looks at the codes of a case. Of receipts those count that have no words of the vendor's own: carriers'
// codes are without number.
func (s *suite) sentences(t testing.TB, c *testCase) {
	t.Helper()
	switch {
	case c.unheard:
	case c.want != nil:
		said(t, s.descriptor, c.want.Code)
	case c.receipts != nil:
		for _, r := range c.receipts.Receipts {
			if r.State != "delivered" && r.Text == "" {
				said(t, s.descriptor, r.Code)
			}
		}
	}
}
