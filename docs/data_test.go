package docs_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// TestRetention holds the table of data.md to what the classes, the store and the template say.
func TestRetention(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("data.md")
	if err != nil {
		t.Fatal(err)
	}
	template, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := func(pattern string) string {
		m := regexp.MustCompile(pattern).FindSubmatch(template)
		if m == nil {
			t.Fatalf("template.yaml has no %s", pattern)
		}
		return string(m[1])
	}
	days := func(d time.Duration) string { return fmt.Sprintf("%d days", d/(24*time.Hour)) }
	rows := map[string]string{
		"callbacks to tenants":       days(message.Callback.Defaults().KeepRecord),
		"requests that were refused": days(store.KeepRefusals),
		"uploaded lists":             found(`Prefix: uploads/, ExpirationInDays: (\d+)`) + " days; a schedule's",
		"logs":                       found(`LogDays: \{Type: Number, Default: (\d+)`) + " days",
	}
	for _, c := range message.Classes() {
		d := c.Defaults()
		rows["record of "+article(c)] = days(d.KeepRecord)
		rows["variables and content of "+article(c)] = days(d.KeepVars)
		if d.BlankVars {
			rows["variables and content of "+article(c)] = "until it ends"
		}
	}
	for what, long := range rows {
		if !strings.Contains(string(page), "| "+what+" | "+long) {
			t.Errorf("this row is missing: | %s | %s", what, long)
		}
	}
}

func article(c message.Class) string {
	if c == message.OTP {
		return "an otp"
	}
	return "a " + string(c)
}
