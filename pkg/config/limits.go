package config

import (
	"cmp"
	"math"

	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/tenant"
)

// UrgentPercent is the share of an account's limits, and of a tenant's, that only codes may use, where nobody
// says another.
const UrgentPercent = 20

// Limits bound the calls over an account: what its operators say, else what its provider documents.
func (a Account) Limits(d provider.Limits) limit.Limits {
	l := limit.Limits{PerSecond: cmp.Or(a.PerSecond, float64(d.PerSecond)), PerMinute: cmp.Or(a.PerMinute, d.PerMinute),
		PerDay: cmp.Or(a.PerDay, d.PerDay), Urgent: float64(cmp.Or(a.UrgentPercent, UrgentPercent)) / 100}
	l.Zone, _ = d.Ahead() // the catalog takes no other
	return l
}

// RecipientLimits bound what one recipient gets over an account of a provider.
func RecipientLimits(d provider.Limits) limit.Limits {
	l := limit.Limits{PerMinute: d.Recipient.PerMinute, PerHour: d.Recipient.PerHour, PerDay: d.Recipient.PerDay}
	l.Zone, _ = d.Ahead() // the catalog takes no other
	return l
}

// BudgetOf bounds what is accepted from a tenant in a second or a day, and what its messages cost in a month,
// in [Micros]. Days and months are those of UTC, as figures are. Codes have a share of messages for themselves;
// money is counted for them and never holds them back.
func BudgetOf(t tenant.Tenant, k limit.Kind) limit.Limits {
	const urgent = float64(UrgentPercent) / 100
	switch k {
	case limit.Second:
		return limit.Limits{PerSecond: float64(t.PerSecond), Urgent: urgent}
	case limit.Day:
		return limit.Limits{PerDay: t.PerDay, Urgent: urgent}
	case limit.Month:
		return limit.Limits{PerMonth: int(Micros(t.PerMonth))}
	}
	return limit.Limits{}
}

// Budgets are the kinds that a tenant's budgets are of.
func Budgets() []limit.Kind { return []limit.Kind{limit.Second, limit.Day, limit.Month} }

// Micros is an amount of money in millionths, which add up without rounding.
func Micros(amount float64) int64 { return int64(math.Round(amount * 1e6)) }
