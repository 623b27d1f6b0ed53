package provider_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/provider"
)

func TestSay(t *testing.T) {
	t.Parallel()
	d := provider.Descriptor{Codes: map[string]provider.Text{"A": {En: "a"}, "A*": {En: "any"}, "AB*": {En: "more"}}}
	for code, want := range map[string]string{"A": "a", "AX": "any", "ABC": "more", "AB": "more", "B": "", "": ""} {
		got, ok := d.Say(code)
		if got.En != want || ok != (want != "") {
			t.Errorf("%q: %q %v", code, got.En, ok)
		}
	}
}

func TestAhead(t *testing.T) {
	t.Parallel()
	for zone, want := range map[string]time.Duration{"": 0, "+08:00": 8 * time.Hour, "-03:30": -3*time.Hour - 30*time.Minute, "+00:00": 0} {
		if got, err := (provider.Limits{Zone: zone}).Ahead(); got != want || err != nil {
			t.Errorf("%q: %s %v", zone, got, err)
		}
	}
	for _, zone := range []string{"8", "UTC+8", "+8:00", "Asia/Shanghai", "+08:00 "} {
		if got, err := (provider.Limits{Zone: zone}).Ahead(); err == nil {
			t.Errorf("%q is %s", zone, got)
		}
	}
}

func TestCheckBinding(t *testing.T) {
	t.Parallel()
	d := provider.Descriptor{Name: "acme", Binding: []provider.Field{
		{Name: "template_id", Type: "string", Pattern: "[0-9]+", Required: true}, {Name: "params", Type: provider.Variables}, {Name: "kind", Type: "string", Default: "a"},
	}}
	if !d.Bound() || (provider.Descriptor{Binding: d.Binding[1:]}).Bound() || (provider.Descriptor{}).Bound() {
		t.Error("what must be filled in makes a provider one of bound templates")
	}
	got, err := d.CheckBinding(map[string]string{"template_id": "7", "params": "a, x = b"})
	if err != nil || len(got) != 3 || got["kind"] != "a" || got["params"] != "a, x = b" {
		t.Errorf("%v %v", got, err)
	}
	for fields, want := range map[*map[string]string]string{
		{}:                                     `field "template_id" is required`,
		{"template_id": "secret-value"}:        `field "template_id" does not look like [0-9]+`,
		{"template_id": "7", "params": "a,,b"}: `field "params" must be names of variables`,
		{"template_id": "7", "params": "a="}:   `field "params" must be names of variables`,
		{"template_id": "7", "sign": "x"}:      `its binding has no field "sign"`,
	} {
		_, err := d.CheckBinding(*fields)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret-value") {
			t.Errorf("%v: %v, want %s", *fields, err, want)
		}
	}
}

// A list that can be read is read in its order, whatever blanks it has.
func TestParseVariables(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z][a-z0-9_]{0,8}`)
		blank := rapid.SampledFrom([]string{"", " ", "  "})
		want := []provider.Named{}
		var words []string
		for range rapid.IntRange(1, 6).Draw(t, "n") {
			n := provider.Named{Ours: name.Draw(t, "ours")}
			n.Theirs = n.Ours
			word := n.Ours
			if rapid.Bool().Draw(t, "renamed") {
				n.Theirs = name.Draw(t, "theirs")
				word = n.Theirs + blank.Draw(t, "blank") + "=" + blank.Draw(t, "blank") + n.Ours
			}
			want, words = append(want, n), append(words, blank.Draw(t, "blank")+word+blank.Draw(t, "blank"))
		}
		got, ok := provider.ParseVariables(strings.Join(words, ","))
		if !ok || !slices.Equal(got, want) {
			t.Fatalf("%q: %v %v, want %v", words, got, ok, want)
		}
	})
	for _, bad := range []string{",", "a,", "a,,b", "=a", "a=", "a=b=c"} {
		if got, ok := provider.ParseVariables(bad); ok {
			t.Errorf("%q: %v", bad, got)
		}
	}
	if got, ok := provider.ParseVariables(" "); !ok || got != nil {
		t.Errorf("nothing: %v", got)
	}
}
