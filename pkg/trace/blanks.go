package trace

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/tenant"
)

// blanks are what is filled into phrases:
//
//	{ago} {age}  since, with and without "ago"         {next}  until: in 42 seconds, any moment now
//	{nth}        the number of the next call           {calls} how many there were
//	{provider}   its name   {code} its code in brackets, or nothing   {channel} {by} {outcome}
//	{rule}       the policy for the doubtful, and whose word it is; nothing where none was followed
//	{address}    which of our addresses the provider must allow; nothing where it did not ask for that
//	{tenant} {owner} {template} {sign} {count}         of a text's origin
type blanks struct {
	since, until   time.Duration
	calls, count   int
	provider, code string
	by             string
	unlisted       bool
	egress, seen   string // our address, as the deployment and as the provider says
	doubt          message.InDoubtPolicy
	ground         message.Ground
	channel        message.Channel
	outcome        message.Status
	tenant, sign   string
	template       string
	owner          tenant.Owner
}

// fill makes a verdict of the phrase of a code.
func (b blanks) fill(code string) Verdict {
	p := phraseOf(code)
	return Verdict{Code: code, Zh: p.zh.fill(spaced{b.zh()}), En: p.en.fill(b.en())}
}

func (w Words) fill(r interface{ Replace(string) string }) Words {
	return Words{r.Replace(w.What), r.Replace(w.Tell), r.Replace(w.Fix)}
}

// spaced fills blanks of Chinese, in which a space stands between a character and a number or a Latin word.
type spaced struct{ *strings.Replacer }

var blank = regexp.MustCompile(`\{\w+\}`)

func (r spaced) Replace(s string) string {
	var b strings.Builder
	end := 0
	for _, at := range blank.FindAllStringIndex(s, -1) {
		value := r.Replacer.Replace(s[at[0]:at[1]])
		before, _ := utf8.DecodeLastRuneInString(s[:at[0]])
		after, _ := utf8.DecodeRuneInString(s[at[1]:])
		b.WriteString(s[end:at[0]])
		if unicode.Is(unicode.Han, before) && plain(value, 0) {
			b.WriteByte(' ')
		}
		b.WriteString(value)
		if unicode.Is(unicode.Han, after) && plain(value, len(value)-1) {
			b.WriteByte(' ')
		}
		end = at[1]
	}
	return b.String() + s[end:]
}

// plain tells whether a Latin letter or a digit stands at a place of a text.
func plain(s string, i int) bool {
	return i >= 0 && i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z')
}

func (b blanks) zh() *strings.Replacer {
	ago, next := "刚刚", "马上"
	if b.since >= time.Second {
		ago = spanZh(b.since) + "前"
	}
	if b.until > 0 {
		next = spanZh(b.until) + "后"
	}
	code := ""
	if b.code != "" {
		code = "（代码 " + b.code + "）"
	}
	by := b.by
	if id, ok := strings.CutPrefix(by, "key:"); ok {
		by = "密钥 " + id
	}
	return strings.NewReplacer("{ago}", ago, "{age}", spanZh(b.since), "{next}", next, "{code}", code,
		"{nth}", strconv.Itoa(b.calls+1), "{calls}", strconv.Itoa(b.calls), "{count}", strconv.Itoa(b.count),
		"{provider}", cmp.Or(b.provider, "供应商"), "{channel}", cmp.Or(channelZh(b.channel), "该"), "{by}", by, "{rule}", b.ruleZh(), "{address}", b.addressZh(),
		"{outcome}", cmp.Or(statusZh(b.outcome), "已送达"), "{tenant}", b.tenant, "{template}", b.template, "{sign}", b.sign,
		"{owner}", cmp.Or(contact(b.owner), "（未登记）"))
}

func (b blanks) en() *strings.Replacer {
	ago, next := "just now", "any moment now"
	if b.since >= time.Second {
		ago = spanEn(b.since) + " ago"
	}
	if b.until > 0 {
		next = "in " + spanEn(b.until)
	}
	code := ""
	if b.code != "" {
		code = " (code " + b.code + ")"
	}
	by := b.by
	if id, ok := strings.CutPrefix(by, "key:"); ok {
		by = "API key " + id
	}
	return strings.NewReplacer("{ago}", ago, "{age}", spanEn(b.since), "{next}", next, "{code}", code,
		"{nth}", strconv.Itoa(b.calls+1), "{calls}", plural(b.calls, "call"), "{count}", strconv.Itoa(b.count),
		"{provider}", cmp.Or(b.provider, "the provider"), "{channel}", cmp.Or(channelEn(b.channel), "this"), "{by}", by, "{rule}", b.ruleEn(), "{address}", b.addressEn(),
		"{outcome}", cmp.Or(statusEn(b.outcome), "delivered"), "{tenant}", b.tenant, "{template}", b.template, "{sign}", b.sign,
		"{owner}", cmp.Or(contact(b.owner), "(nobody is registered)"))
}

// contact is an owner as one calls them.
func contact(o tenant.Owner) string {
	name := o.Name
	for _, way := range []string{o.Phone, o.Email, o.Group} {
		if way != "" {
			return strings.TrimSpace(name + " " + way)
		}
	}
	return name
}

// units are counted in so that a duration is a number below a hundred or so.
func units(d time.Duration) (n int, unit int) {
	switch s := d.Seconds(); {
	case s < 90:
		return max(int(math.Ceil(s)), 0), 0
	case s < 90*60:
		return int(math.Round(s / 60)), 1
	case s < 36*3600:
		return int(math.Round(s / 3600)), 2
	default:
		return int(math.Round(s / 86400)), 3
	}
}

func spanZh(d time.Duration) string {
	n, unit := units(d)
	return fmt.Sprintf("%d %s", n, [...]string{"秒", "分钟", "小时", "天"}[unit])
}

func spanEn(d time.Duration) string {
	n, unit := units(d)
	return plural(n, [...]string{"second", "minute", "hour", "day"}[unit])
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func channelZh(ch message.Channel) string {
	switch ch {
	case message.SMS:
		return "短信"
	case message.Email:
		return "邮件"
	case message.Push:
		return "推送"
	case message.Feishu:
		return "飞书"
	case message.DingTalk:
		return "钉钉"
	case message.WeCom:
		return "企业微信"
	case message.WeChat:
		return "微信"
	}
	return channelEn(ch)
}

func channelEn(ch message.Channel) string {
	if ch == message.SMS {
		return "SMS"
	}
	return string(ch)
}

func statusZh(s message.Status) string {
	switch s {
	case message.Delivered:
		return "已送达"
	case message.Undelivered:
		return "未送达"
	case message.Bounced:
		return "被退信"
	case message.Complained:
		return "被投诉"
	case message.Failed:
		return "被拒绝"
	case message.Expired:
		return "已过期"
	case message.Suppressed:
		return "被黑名单拦下"
	case message.InDoubt:
		return "结果未知"
	case message.Dead:
		return "进死信"
	}
	return string(s)
}

func statusEn(s message.Status) string {
	switch s {
	case message.Complained:
		return "reported as spam"
	case message.InDoubt:
		return "in doubt"
	case message.Failed:
		return "refused"
	case message.Dead:
		return "dead letter"
	}
	return string(s)
}
