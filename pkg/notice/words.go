package notice

import (
	"fmt"
	"strings"

	"github.com/opennotify/notify/pkg/limit"
	"github.com/opennotify/notify/pkg/tenant"
)

// spans are the kinds of windows in words.
var spans = map[limit.Kind][2]string{
	limit.Second: {"每秒", "second"}, limit.Minute: {"每分钟（分段计）", "minute (in parts)"}, limit.Hour: {"每小时（分段计）", "hour (in parts)"},
	limit.Day: {"每天", "day"}, limit.Month: {"本月预算", "month's budget"},
}

// words say what is nearly used up, and by whom, by name.
func (s *subject) words(u use, by []tenant.Tenant) (zh, en string) {
	span, percent := spans[u.Kind], int(u.ratio()*100)
	figures := fmt.Sprintf("%d/%d", u.used, u.Most)
	if u.Kind == limit.Month {
		figures = fmt.Sprintf("%.2f/%.2f %s", float64(u.used)/1e6, float64(u.Most)/1e6, s.tenant.Currency)
	}
	if s.tenant != nil {
		t := s.tenant
		return fmt.Sprintf("业务 %s（负责人 %s）的%s额度已用 %d %%（%s）。", t.Name, t.Owner.Name, span[0], percent, figures),
			fmt.Sprintf("Tenant %s (owner %s) has used %d %% of its limit: %s. Per %s.", t.Name, t.Owner.Name, percent, figures, span[1])
	}
	var names, owned []string
	for _, t := range by {
		names = append(names, fmt.Sprintf("%s（负责人 %s）", t.Name, t.Owner.Name))
		owned = append(owned, fmt.Sprintf("%s (owner %s)", t.Name, t.Owner.Name))
	}
	zh = fmt.Sprintf("账号 %s 的%s上限已用 %d %%（%s）。", s.account.Name, span[0], percent, figures)
	en = fmt.Sprintf("Account %s has used %d %% of its limit: %s. Per %s.", s.account.Name, percent, figures, span[1])
	if len(by) > 0 {
		zh += "占用最多：" + strings.Join(names, "，") + "。"
		en += " Most calls: " + strings.Join(owned, ", ") + "."
	}
	return zh, en
}
