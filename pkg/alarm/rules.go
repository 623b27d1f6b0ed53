package alarm

import "time"

// Counts are counters of one stretch of time, by name; one that is absent is 0.
type Counts map[string]int64

// Rule says when something is wrong with a channel.
type Rule struct {
	// Name is that of CloudWatch's alarm behind the channel's, and of the entry in docs/runbook.md.
	Name string
	// Period is the length of a point. At least Least of the last Of points must be beyond the Threshold.
	Period    time.Duration
	Of, Least int
	Threshold float64
	Below     bool // a point is beyond when it is below
	// Value is a point's: a share in percent, or a number. Calm where there is too little to judge.
	Value func(c Counts) float64
	Page  bool // it is part of what somebody is woken for
	// Title says what is wrong, in Chinese and English.
	Title [2]string
}

// leastVolume is of how many a share means something.
const leastVolume = 50

// Rules lists them.
func Rules() []Rule {
	return []Rule{
		{Name: "failure-rate", Period: time.Minute, Of: 5, Least: 3, Threshold: 5, Page: true,
			Value: share(0, []string{"failed", "dead"}, "sent", "failed", "dead"),
			Title: [2]string{"失败率过高（%）", "messages fail, in percent"}},
		{Name: "delivery-rate", Period: 5 * time.Minute, Of: 3, Least: 2, Threshold: 80, Below: true,
			Value: share(100, []string{"delivered"}, "delivered", "undelivered", "bounced"),
			Title: [2]string{"送达率过低（%）", "of what providers reported on too little is delivered, in percent"}},
		{Name: "receipts-missing", Period: 15 * time.Minute, Of: 2, Least: 2, Threshold: 10, Below: true,
			Value: share(100, []string{"delivered", "undelivered", "bounced"}, "tracked"),
			Title: [2]string{"回执没有回来（%）", "receipts do not come, in percent of what should have one"}},
		{Name: "throttle-ratio", Period: time.Minute, Of: 5, Least: 3, Threshold: 10,
			Value: share(0, []string{"pushed_back"}, "called"),
			Title: [2]string{"服务商限流（%）", "the provider refuses calls as too many, in percent"}},
		{Name: "account-fault", Period: 5 * time.Minute, Of: 1, Least: 1, Threshold: 1, Page: true, Value: count("account_fault"),
			Title: [2]string{"服务商账号有问题：凭证、余额或签名", "a provider blames our account: credential, balance or signature"}},
		{Name: "in-doubt", Period: 5 * time.Minute, Of: 3, Least: 2, Threshold: 10, Value: count("in_doubt"),
			Title: [2]string{"多条消息结果未知", "many messages are in doubt"}},
		{Name: "stuck", Period: 5 * time.Minute, Of: 1, Least: 1, Threshold: 1, Page: true, Value: count("stuck"),
			Title: [2]string{"消息排队而无人处理", "messages are queued and nobody takes them up"}},
	}
}

// count is a counter itself.
func count(name string) func(Counts) float64 {
	return func(c Counts) float64 { return float64(c[name]) }
}

// share is what part of some counters others are, in percent; calm where these are too few.
func share(calm float64, part []string, of ...string) func(Counts) float64 {
	return func(c Counts) float64 {
		n, all := c.sum(part), c.sum(of)
		if all < leastVolume {
			return calm
		}
		return 100 * float64(n) / float64(all)
	}
}

func (c Counts) sum(names []string) (n int64) {
	for _, name := range names {
		n += c[name]
	}
	return n
}
