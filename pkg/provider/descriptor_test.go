package provider_test

import (
	"testing"

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

func TestRate(t *testing.T) {
	t.Parallel()
	for want, l := range map[float64]provider.Limits{
		0:   {PerDay: 5},
		5:   {PerSecond: 5, PerMinute: 600},
		0.5: {PerSecond: 5, PerMinute: 30},
		2:   {PerMinute: 120},
	} {
		if got := l.Rate(); got != want {
			t.Errorf("%+v: %v", l, got)
		}
	}
}
