package template_test

import (
	"testing"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/template"
)

func TestWaysOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		class   message.Class
		channel message.Channel
		locale  string
		text    string
		faulty  bool
	}{
		{message.Marketing, message.SMS, "zh-CN", "新品上市，拒收请回复R", false},
		{message.Marketing, message.SMS, "zh-CN", "新品上市", true},
		{message.Marketing, message.SMS, "en", "New shoes. Reply STOP to opt out", false},
		{message.Marketing, message.SMS, "en-GB", "New shoes", true},
		{message.Marketing, message.SMS, "ja", "stop", false},
		{message.Marketing, message.SMS, "ja", "x", true},
		{message.Marketing, message.Email, "en", "New shoes", false},
		{message.Transactional, message.SMS, "en", "Your shoes are on their way", false},
	} {
		tm := template.Template{Class: c.class, Variants: []template.Variant{{Channel: c.channel, Locale: c.locale, Text: c.text}}}
		got := template.WaysOut(tm)
		if (len(got) > 0) != c.faulty || c.faulty && got[0].Pointer != "/variants/0/text" {
			t.Errorf("%s %s %q: %v", c.class, c.locale, c.text, got)
		}
	}
}
