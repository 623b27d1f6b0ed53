package alarm

import "time"

// Counts are of one stretch of time, by name: counters, and the highest values of gauges. One that is absent is 0.
type Counts map[string]float64

// Rule says when something is wrong.
type Rule struct {
	// Name is that of CloudWatch's alarm behind the channel's or the stack's, and of the entry in docs/runbook.md.
	Name string
	// Whole rules are of notify as a whole, the others of a channel.
	Whole bool
	// Period is the length of a point. At least Least of the last Of points must be beyond the Threshold.
	Period    time.Duration
	Of, Least int
	Threshold float64
	Below     bool // a point is beyond when it is below
	// Gauge rules are about gauges: a point is the highest of its minutes. Else it is their sum.
	Gauge bool
	// Silence rules are beyond when nothing is counted: they say nothing of a time in which nobody looked.
	Silence bool
	// When tells whether a point of that time is looked at; nil is always.
	When func(began, ended time.Time) bool
	// Value is a point's: a share in percent, or a number. Calm where there is too little to judge.
	Value func(c Counts) float64
	Page  bool // it is part of what somebody is woken for
	// Title says what is wrong, in Chinese and English.
	Title [2]string
}

// Options say what is judged beside what every installation is judged by.
type Options struct {
	// Silent is for how long a channel may send nothing in business hours; 0 is for ever.
	Silent time.Duration
	// From and To are the business hours of Monday to Friday, in UTC: 1 and 10 are 9 to 18 o'clock in China.
	From, To int
	// Canary tells that canaries are sent.
	Canary bool
}

// leastVolume is of how many a share means something.
const leastVolume = 50

// The gauges, as [Gauge] names them.
const (
	limitUsed  = "limit_used_ratio"
	queueAge   = "queue_age"
	deadAge    = "dead_age"
	deadNumber = "dead_letters"
)

// Gauge is the name of what is measured of a lane or another queue; "" is of none.
func Gauge(name, lane string) string {
	if lane == "" {
		return name
	}
	return name + "/" + lane
}

// Rules lists them.
func Rules(o Options) []Rule {
	rules := append(counted(), measured()...)
	if o.Silent > 0 {
		rules = append(rules, Rule{Name: "silent", Period: o.Silent, Of: 1, Least: 1, Threshold: 1, Below: true, Silence: true, When: o.business,
			Value: count("sent"), Title: [2]string{"营业时间内没有发送任何消息", "nothing is sent in business hours"}})
	}
	if o.Canary {
		rules = append(rules, Rule{Name: "canary-missing", Whole: true, Period: 15 * time.Minute, Of: 1, Least: 1, Threshold: 1, Below: true, Silence: true, Page: true,
			Value: count("canary_sent"), Title: [2]string{"探测消息没有发送成功", "no canary has come through"}})
	}
	return rules
}

// business tells whether it is business hours all the time.
func (o Options) business(began, ended time.Time) bool {
	for at := began.UTC(); at.Before(ended); at = at.Truncate(time.Hour).Add(time.Hour) {
		if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday || at.Hour() < o.From || at.Hour() >= o.To {
			return false
		}
	}
	return true
}

// counted are the rules over counters.
func counted() []Rule {
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

// measured are the rules over gauges. Ages are in seconds.
func measured() []Rule {
	late := func(lane string) func(Counts) float64 { return count(Gauge(queueAge, lane)) }
	dead := func(lane string) func(Counts) float64 { return count(Gauge(deadNumber, lane)) }
	return []Rule{
		{Name: "limit-used", Gauge: true, Period: time.Minute, Of: 5, Least: 3, Threshold: 0.8, Value: count(limitUsed),
			Title: [2]string{"账号的频率上限快用完了（占上限的比例）", "an account has used most of its limit, as a part of it"}},
		{Name: "urgent-slow", Gauge: true, Period: time.Minute, Of: 5, Least: 4, Threshold: 10, Value: late("urgent"),
			Title: [2]string{"验证码排队变慢（秒）", "one-time codes begin to wait, in seconds"}},
		{Name: "urgent-late", Gauge: true, Period: time.Minute, Of: 3, Least: 2, Threshold: 60, Page: true, Value: late("urgent"),
			Title: [2]string{"验证码排队过久（秒）", "one-time codes wait, in seconds"}},
		{Name: "normal-late", Gauge: true, Period: time.Minute, Of: 5, Least: 3, Threshold: 900, Value: late("normal"),
			Title: [2]string{"事务消息排队过久（秒）", "transactional messages wait, in seconds"}},
		{Name: "bulk-late", Gauge: true, Period: 5 * time.Minute, Of: 3, Least: 3, Threshold: 10800, Value: late("bulk"),
			Title: [2]string{"营销消息排队过久（秒）", "campaigns wait, in seconds"}},
		{Name: "dead-letters", Gauge: true, Period: time.Minute, Of: 1, Least: 1, Threshold: 1, Value: dead(""),
			Title: [2]string{"有死信消息", "messages are dead"}},
		{Name: "dead-letters-old", Gauge: true, Period: 5 * time.Minute, Of: 1, Least: 1, Threshold: 7 * 86400, Value: count(deadAge),
			Title: [2]string{"死信一周无人处理（秒）", "messages have been dead for a week, in seconds"}},
		{Name: "control-late", Whole: true, Gauge: true, Period: time.Minute, Of: 5, Least: 3, Threshold: 180, Page: true, Value: late("control"),
			Title: [2]string{"定时任务排队过久（秒）", "ticks, timed sends and campaigns wait, in seconds"}},
		{Name: "receipts-late", Whole: true, Gauge: true, Period: time.Minute, Of: 5, Least: 3, Threshold: 600, Value: late("receipts"),
			Title: [2]string{"回执排队过久（秒）", "what providers say waits, in seconds"}},
		{Name: "control-dead-letters", Whole: true, Gauge: true, Period: time.Minute, Of: 1, Least: 1, Threshold: 1, Page: true, Value: dead("control"),
			Title: [2]string{"有定时任务进了死信", "a tick or a timed send could not be worked on"}},
		{Name: "receipts-dead-letters", Whole: true, Gauge: true, Period: time.Minute, Of: 1, Least: 1, Threshold: 1, Value: dead("receipts"),
			Title: [2]string{"有回执进了死信", "what a provider said could not be worked on"}},
	}
}

// count is a counter or a gauge itself.
func count(name string) func(Counts) float64 {
	return func(c Counts) float64 { return c[name] }
}

// share is what part of some counters others are, in percent; calm where these are too few.
func share(calm float64, part []string, of ...string) func(Counts) float64 {
	return func(c Counts) float64 {
		n, all := c.sum(part), c.sum(of)
		if all < leastVolume {
			return calm
		}
		return 100 * n / all
	}
}

func (c Counts) sum(names []string) (n float64) {
	for _, name := range names {
		n += c[name]
	}
	return n
}
