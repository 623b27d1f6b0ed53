package trace

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
)

// together is a Chinese character beside a number or a Latin word.
var together = regexp.MustCompile(`\p{Han}[0-9A-Za-z]|[0-9A-Za-z]\p{Han}`)

// complete tells what is wrong with a verdict's words.
func complete(v Verdict) string {
	for _, c := range []struct {
		language string
		words    Words
	}{{"zh", v.Zh}, {"en", v.En}} {
		for _, s := range []string{c.words.What, c.words.Tell, c.words.Fix} {
			han := strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
			end := []rune(s + " ")
			switch {
			case strings.TrimSpace(s) == "":
				return c.language + " has an empty text"
			case strings.ContainsAny(s, "{}"):
				return "a blank is left in: " + s
			case strings.Contains(s, "  "), strings.Contains(s, "%!"):
				return "badly filled: " + s
			case han != (c.language == "zh"):
				return "not " + c.language + ": " + s
			case together.MatchString(s):
				return "no space between Chinese and a number or a word: " + s
			case !strings.ContainsRune("。.", end[len(end)-2]):
				return "no sentence: " + s
			}
		}
	}
	return ""
}

// verdictCase is a message, and what is said of it some time after t0.
type verdictCase struct {
	m     message.Message
	steps []step
	at    message.Time
	blind bool // the provider sends no receipts
	code  string
	says  []string // parts of What, zh or en
}

// unanswered leaves the first attempt without an answer.
func unanswered(doubt message.InDoubtPolicy) []step {
	return []step{lease(0), {t0 + second, message.Finish{Epoch: 1, Next: t0 + 43*second, Doubt: doubt}}}
}

// ruled does so by somebody's word.
func ruled(doubt message.InDoubtPolicy, g message.Ground) []step {
	return []step{lease(0), {t0 + second, message.Finish{Epoch: 1, Next: t0 + 43*second, Doubt: doubt, Ground: g}}}
}

func then(steps []step, more ...step) []step { return append(append([]step(nil), steps...), more...) }

// intakeEnded is a message that intake ended at once.
func intakeEnded(s message.Status, reason string) message.Message {
	return message.Message{Base: s, Status: s, Reason: reason, Outcome: message.InDoubt}
}

func verdictCases() []verdictCase {
	type m = message.Message
	failing := func(o message.Outcome, code string) []step { return []step{lease(0), answer(second, 1, o, code)} }
	sentOne := failing(message.Accepted, "")
	held := m{Hold: true, Fallback: true, Place: 1}
	wait := func(why string) []step { return []step{{t0, message.Wait{Until: t0 + 42*second, Why: why}}} }
	lastTry := m{Expires: t0 + minute/2}
	dead := func(o message.Outcome) (steps []step) {
		for i := range message.OTP.Defaults().Attempts {
			at := message.Time(i) * minute
			steps = append(steps, lease(at), answer(at+second, i+1, o, "E7"))
		}
		return steps
	}
	email := m{Channel: message.Email}
	return []verdictCase{
		{m{SendAt: t0 + 42*second}, nil, 0, false, "scheduled", []string{"42 秒后发送", "in 42 seconds"}},
		{held, nil, minute, false, "scheduled_sibling", nil},
		{m{}, nil, oneDay, false, "waiting_late", nil},
		{m{}, nil, second, false, "queued", nil},
		{m{SendAt: t0 + hour}, nil, hour + second, false, "queued", nil},
		{m{}, nil, 3 * minute, false, "queued_long", []string{"已经排队 3 分钟", "for 3 minutes"}},
		{m{Class: message.OTP}, nil, 20 * second, false, "queued_long", []string{"20 秒", "20 seconds"}},
		{m{Class: message.Marketing}, nil, 3 * minute, false, "queued", nil},
		{m{}, wait("limit"), 0, false, "queued_limit", []string{"42 秒后再发", "next try in 42 seconds"}},
		{m{}, wait("limit"), 45 * second, false, "queued_limit", []string{"马上", "any moment now"}},
		{m{}, wait("budget"), 0, false, "queued_budget", []string{"42 秒后再看", "next look in 42 seconds"}},
		{lastTry, wait("budget"), minute, false, "expired_budget", nil},
		{m{}, wait("recipient_limit"), 0, false, "queued_recipient_limit", nil},
		{lastTry, wait("recipient_limit"), minute, false, "expired_recipient_limit", nil},
		{m{}, wait("no_account"), 0, false, "queued_no_account", []string{"短信渠道", "SMS"}},
		{m{}, wait("no_binding"), 0, false, "queued_no_binding", []string{"短信渠道", "notify template bind"}},
		{m{}, wait("account_unusable"), 0, false, "queued_account_unusable", nil},
		{m{}, wait("quiet_hours"), 0, false, "queued_quiet_hours", []string{"42 秒后发送", "goes out in 42 seconds"}},
		{m{}, wait("silenced"), 0, false, "queued_silenced", nil},
		{m{}, wait("capped"), 0, false, "queued_capped", nil},
		{lastTry, wait("capped"), minute, false, "expired_capped", nil},
		{lastTry, wait("quiet_hours"), minute, false, "expired_quiet_hours", nil},
		{lastTry, wait("silenced"), minute, false, "expired_silenced", nil},
		{intakeEnded(message.Suppressed, "quiet_hours"), nil, 0, false, "suppressed_quiet_hours", nil},
		{intakeEnded(message.Suppressed, "silenced"), nil, 0, false, "suppressed_silenced", nil},
		{intakeEnded(message.Suppressed, "capped"), nil, 0, false, "suppressed_capped", nil},
		{m{}, failing(message.Throttled, "LimitExceeded"), second, false, "queued_throttled", []string{"（代码 LimitExceeded），42 秒后第 2 次", "(code LimitExceeded); call 2 goes out in 42 seconds"}},
		{m{}, failing(message.Defer, ""), second, false, "queued_deferred", []string{"tencent-sms 要求晚点再来，42 秒后"}},
		{m{}, failing(message.Refresh, ""), second, false, "queued_token", nil},
		{m{}, failing(message.AccountFault, "NoBalance"), second, false, "queued_account", []string{"NoBalance"}},
		{m{}, failing(message.Retry, "500"), second, false, "queued_retry", nil},
		{m{}, unanswered(message.Resend), second, false, "queued_resend", nil},
		{m{}, then(failing(message.Permanent, ""), step{t0 + minute, message.Redrive{By: "ops"}}), minute, false, "queued_redriven", nil},
		{held, []step{{t0 + hour, message.Activate{}}}, hour + second, false, "queued", nil},
		{m{}, []step{lease(0)}, second, false, "sending", []string{"tencent-sms"}},
		{m{}, []step{lease(0)}, minute, false, "sending_lost", nil},
		{m{}, sentOne, 6 * second, false, "sent", []string{"5 秒前交给 tencent-sms", "5 seconds ago"}},
		{m{}, sentOne, 1500, false, "sent", []string{"刚刚交给", "just now"}},
		{m{}, sentOne, hour, false, "sent_old", []string{"60 分钟前", "60 minutes ago"}},
		{m{}, sentOne, 5 * oneDay, false, "sent_silent", []string{"5 天前", "5 days ago"}},
		{m{}, sentOne, second, true, "sent_final", nil},
		{m{Fallback: true, Watch: 60}, sentOne, 2 * second, false, "sent_watched", []string{"1 秒前", "1 second ago"}},
		{m{}, unanswered(message.Await), minute, false, "in_doubt", nil},
		{m{}, unanswered(message.Await), minute, true, "in_doubt_blind", nil},
		{m{}, ruled(message.Await, message.ByReceipts), minute, false, "in_doubt", []string{"规则：等回执，因为供应商会给回执。", "Policy: wait for the receipt, because the provider sends receipts."}},
		{m{}, ruled(message.Await, message.ByAccount), minute, true, "in_doubt_blind", []string{"账号这样设置", "the account says so"}},
		{m{}, ruled(message.Resend, message.ByProvider), second, false, "queued_resend", []string{"供应商不会重复发同一条", "one message once"}},
		{m{}, ruled(message.GiveUp, message.ByClass), minute, false, "failed_given_up", []string{"这类消息默认这样", "default of its class"}},
		{m{}, ruled(message.GiveUp, message.ByRoute), minute, false, "failed_given_up", []string{"路由这样设置", "the route says so"}},
		{m{}, then(sentOne, receipt(minute, 1, message.ReceiptDelivered, "")), 3 * minute, false, "delivered_sms", []string{"运营商 2 分钟前", "2 minutes ago"}},
		{email, then(sentOne, receipt(minute, 1, message.ReceiptDelivered, "")), 2 * minute, false, "delivered_email", nil},
		{m{Channel: message.Push}, then(sentOne, receipt(minute, 1, message.ReceiptDelivered, "")), 2 * minute, false, "delivered", nil},
		{m{}, then(sentOne, receipt(minute, 1, message.ReceiptUndelivered, "UNDELIV")), minute, false, "undelivered_sms", []string{"（代码 UNDELIV）", "(code UNDELIV)"}},
		{email, then(sentOne, receipt(minute, 1, message.ReceiptUndelivered, "")), minute, false, "undelivered_email", nil},
		{m{Channel: message.WeChat}, then(sentOne, receipt(minute, 1, message.ReceiptUndelivered, "")), minute, false, "undelivered", nil},
		{email, then(sentOne, receipt(minute, 1, message.ReceiptBounced, "5.1.1")), minute, false, "bounced", []string{"5.1.1"}},
		{email, then(sentOne, receipt(minute, 1, message.ReceiptComplained, "")), minute, false, "complained", nil},
		{m{}, failing(message.Permanent, "InvalidTemplate"), minute, false, "failed_rejected", []string{"InvalidTemplate"}},
		{m{}, []step{{t0, message.Fail{Why: "not_rendered"}}}, 0, false, "failed_not_rendered", nil},
		{m{}, []step{{t0, message.Fail{Why: "erased"}}}, 0, false, "failed_erased", nil},
		{m{}, []step{{t0, message.Fail{Why: "novelty"}}}, 0, false, "failed", []string{"novelty"}},
		{m{}, unanswered(message.GiveUp), minute, false, "failed_given_up", nil},
		{m{}, then(unanswered(message.Await), step{t0 + 4*oneDay, message.Resolve{}}), 4 * oneDay, false, "failed_no_receipt", nil},
		{m{}, []step{{t0 + oneDay, message.Expire{}}}, oneDay, false, "expired", []string{"短信渠道", "SMS"}},
		{lastTry, wait("limit"), 0, false, "expired_limit", nil},
		{lastTry, failing(message.Throttled, ""), 0, false, "expired_limit", nil},
		{lastTry, wait("no_binding"), 0, false, "expired_no_binding", nil},
		{lastTry, wait("no_account"), 0, false, "expired_no_account", nil},
		{lastTry, failing(message.Retry, "503"), 0, false, "expired_retrying", []string{"试了 1 次都没成功（代码 503）", "after 1 call without"}},
		{lastTry, failing(message.Retry, tooLate), 0, false, "expired", nil},
		{m{}, failing(message.Defer, leaseShort), 0, false, "queued", nil},
		{lastTry, []step{lease(0), {t0 + second, message.Finish{Epoch: 1, Result: message.Result{Outcome: message.Retry, Code: "503"}, Next: t0 + 20*second}}, lease(29 * second), answer(31*second, 2, message.Defer, tooLate)}, 0, false, "expired_retrying", []string{"试了 1 次都没成功（代码 503）", "after 1 call without"}},
		{held, []step{{t0 + oneDay, message.Expire{}}}, oneDay, false, "expired_sibling", nil},
		{m{}, []step{{t0, message.Cancel{By: "key:k7", Why: mobile}}}, minute, false, "cancelled_by", []string{"60 秒前被 密钥 k7 取消", "API key k7 cancelled it 60 seconds ago"}},
		{m{}, []step{{t0, message.Cancel{By: "Li Lei", Why: "typo"}}}, hour, false, "cancelled_by", []string{"被 Li Lei 取消"}},
		{held, []step{{t0, message.Cancel{By: "fallback", Code: "not_needed"}}}, hour, false, "cancelled_not_needed", nil},
		{m{}, []step{{t0, message.Cancel{}}}, hour, false, "cancelled", nil},
		{intakeEnded(message.Suppressed, "bounce"), nil, 0, false, "suppressed_bounce", nil},
		{intakeEnded(message.Suppressed, "complaint"), nil, 0, false, "suppressed_complaint", nil},
		{m{}, []step{{t0, message.Suppress{Why: "opt_out"}}}, 0, false, "suppressed_opt_out", nil},
		{intakeEnded(message.Suppressed, "manual"), nil, 0, false, "suppressed_manual", nil},
		{intakeEnded(message.Suppressed, "novelty"), nil, 0, false, "suppressed", nil},
		{m{Class: message.OTP}, dead(message.Retry), hour, false, "dead", []string{"试了 4 次", "(4 calls) (code E7)"}},
		{m{Class: message.OTP}, dead(message.AccountFault), hour, false, "dead_account", nil},
		{m{}, []step{{t0, message.Poison{Why: "panic"}}}, 0, false, "dead_poison", nil},
		{m{}, []step{{t0, message.Poison{Why: "panic"}}}, 40 * oneDay, false, "dead_late", nil},
		{m{Class: message.OTP}, dead(message.AccountFault), 40 * oneDay, false, "dead_late", []string{"(code E7)", "不会再发"}},
		{intakeEnded(message.Simulated, "test_key"), nil, 0, false, "simulated_test_key", []string{"结果未知", "in doubt"}},
		{intakeEnded(message.Simulated, "stage"), nil, 0, false, "simulated_stage", nil},
		{intakeEnded(message.Simulated, "novelty"), nil, 0, false, "simulated", nil},
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	said, statuses := map[string]bool{}, map[message.Status]bool{}
	for _, c := range verdictCases() {
		m := play(t, c.m, c.steps...)
		v := Judge(&m, t0+c.at, Facts{Receipts: !c.blind})
		said[v.Code], statuses[m.Status] = true, true
		if v.Code != c.code {
			t.Errorf("%s after %d ms: %s, want %s", m.Status, c.at, v.Code, c.code)
			continue
		}
		if why := complete(v); why != "" {
			t.Errorf("%s: %s", v.Code, why)
		}
		for _, part := range c.says {
			if !strings.Contains(v.Zh.What+v.En.What+v.Zh.Fix+v.En.Fix, part) {
				t.Errorf("%s does not say %q: %+v", v.Code, part, v)
			}
		}
		for _, s := range []string{v.Zh.What, v.Zh.Tell, v.Zh.Fix, v.En.What, v.En.Tell, v.En.Fix} {
			if strings.Contains(s, mobile) {
				t.Errorf("%s repeats what somebody typed: %s", v.Code, s)
			}
		}
	}
	for _, s := range message.Statuses() {
		if !statuses[s] {
			t.Errorf("no case for status %s", s)
		}
	}
	for _, part := range []map[string]phrase{moving, ended} {
		for code := range part {
			if !said[code] {
				t.Errorf("no case says %s", code)
			}
		}
	}
}

// Whatever its life was, and whenever one asks, a message has a verdict of its status.
func TestEveryLifeHasAVerdict(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := anyLife(t)
		v := Judge(&m, t0+message.Time(rapid.IntRange(0, int(5*oneDay)).Draw(t, "asked")), Facts{Receipts: rapid.Bool().Draw(t, "receipts")})
		if why := complete(v); why != "" {
			t.Fatalf("%s, %s: %s", m.Status, v.Code, why)
		}
		switch m.Status {
		case message.Scheduled, message.Queued:
			if !strings.HasPrefix(v.Code, "scheduled") && !strings.HasPrefix(v.Code, "queued") && v.Code != "waiting_late" {
				t.Fatalf("%s: %s", m.Status, v.Code)
			}
		default:
			if !strings.HasPrefix(v.Code, string(m.Status)) {
				t.Fatalf("%s: %s", m.Status, v.Code)
			}
		}
	})
}

func TestVerdictsOnOrigins(t *testing.T) {
	t.Parallel()
	b := blanks{since: sightingDays, tenant: "order", template: "order-shipped", sign: "ACME", count: 2}
	for code := range origins {
		v := b.fill(code)
		v.En = v.En.fill(strings.NewReplacer("【ACME】", "ACME", "【sign】", "sign"))
		if why := complete(v); why != "" {
			t.Errorf("%s: %s", code, why)
		}
	}
	if v := None(t0, t0+7*oneDay); v.Code != "none" || !strings.Contains(v.Zh.What, "近 7 天内") || !strings.Contains(v.En.What, "last 7 days") {
		t.Errorf("%+v", v)
	}
}

// Who is refused because of our address is told which one the vendor must allow: the one that it saw, else ours.
func TestUnlistedAddress(t *testing.T) {
	t.Parallel()
	const wechat = "invalid ip 198.51.100.9 ipv6 ::ffff:198.51.100.9, not in whitelist rid: 5fa26c60-1a0ebdd5-32fd1cd0"
	const wecom = "not allow to access from your ip, hint: [168074337233960193], from ip: 198.51.100.9, more info at https://open"
	for _, c := range []struct {
		text     string
		f        Facts
		zh, en   string // at the end of Fix
		unlisted bool
	}{
		{wechat, Facts{}, "余额、签名、密钥。", "the code says which.", false},
		{wechat, Facts{Egress: "203.0.113.7"}, "余额、签名、密钥。", "the code says which.", false},
		{wechat, Facts{Egress: "198.51.100.9"}, "请在那里登记 198.51.100.9。", "list 198.51.100.9 there.", true},
		{wecom, Facts{Egress: "203.0.113.7"}, "请在那里登记 198.51.100.9。", "list 198.51.100.9 there.", true},
		{"", Facts{Egress: "203.0.113.7"}, "请在那里登记 203.0.113.7。", "list 203.0.113.7 there.", true},
		{wechat, Facts{}, "请在那里登记 198.51.100.9。这个部署没有固定的出口地址（StaticEgress），它会变。", "list 198.51.100.9 there. It changes, as this deployment has no fixed one (StaticEgress).", true},
		{"no", Facts{}, "没有固定的出口地址：见 docs/deploy.md 的 StaticEgress。", "see StaticEgress in docs/deploy.md.", true},
	} {
		m := play(t, message.Message{}, lease(0), step{t0 + second, message.Finish{Epoch: 1, Next: t0 + 43*second, Result: message.Result{Outcome: message.AccountFault, Code: "60020", Text: c.text}}})
		c.f.Unlisted = c.unlisted
		v := Judge(&m, t0+2*second, c.f)
		if v.Code != "queued_account" || !strings.HasSuffix(v.Zh.Fix, c.zh) || !strings.HasSuffix(v.En.Fix, c.en) {
			t.Errorf("%q, %+v: %s, %s %s", c.text, c.f, v.Code, v.Zh.Fix, v.En.Fix)
		}
		if why := complete(v); why != "" {
			t.Errorf("%q, %+v: %s", c.text, c.f, why)
		}
	}
}
