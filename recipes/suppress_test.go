package recipes_test

import (
	"testing"

	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/recipes"
)

// TestPhoneThatIsOff: a code that may mean a phone that is switched off, or out of coverage, suppresses nobody: a
// bounce holds back codes too, of every tenant.
func TestPhoneThatIsOff(t *testing.T) {
	t.Parallel()
	c, err := catalog.Load(provider.Descriptors(), recipes.FS())
	if err != nil {
		t.Fatal(err)
	}
	for name, code := range map[string]string{
		"alibaba-sms": "MOBILE_NOT_ON_SERVICE", // https://help.aliyun.com/document_detail/101347.html
		"twilio-sms":  "30003",                 // https://www.twilio.com/docs/api/errors/30003
	} {
		d, ok := c.Shipped(name)
		if _, said := d.Say(code); !ok || !said || d.Suppress(code) != "" {
			t.Errorf("%s: %s suppresses as %q; known: %v", name, code, d.Suppress(code), said)
		}
	}
}
