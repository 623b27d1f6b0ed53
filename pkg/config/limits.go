package config

import (
	"cmp"

	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/provider"
)

// UrgentPercent is the share of an account's limits that only codes may use, where nobody says another.
const UrgentPercent = 20

// Limits bound the calls over an account: what its operators say, else what its provider documents.
func (a Account) Limits(d provider.Limits) limit.Limits {
	l := limit.Limits{PerSecond: cmp.Or(a.PerSecond, float64(d.PerSecond)), PerMinute: cmp.Or(a.PerMinute, d.PerMinute),
		PerDay: cmp.Or(a.PerDay, d.PerDay), Urgent: float64(cmp.Or(a.UrgentPercent, UrgentPercent)) / 100}
	l.Zone, _ = d.Ahead() // the catalog takes no other
	return l
}
