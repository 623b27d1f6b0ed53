package trace

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// whoWorld has templates of several tenants and messages of them.
func whoWorld(t testing.TB) *world {
	w := newWorld(t, 1)
	w.template("order", "shipped", 1, false, "【ACME】您的订单{{no}}已发货，取件码{{code}}，请及时领取。")
	w.template("market", "sale", 1, false, "【ACME】双十一全场{{no}}折，先到先得，退订回T。")
	w.template("market", "gift", 1, false, "【海选集市】您有一份礼物{{no}}待领取。")
	w.template("login", "otp", 1, true, "【ACME】验证码{{code}}，{{no}}分钟内有效，请勿告诉他人。")
	w.doc(store.Accounts, "tencent-main", config.Account{Name: "tencent-main", Provider: "tencent-sms", Channel: message.SMS, Config: map[string]string{"sign_name": "宏图科技"}})
	return w
}

const (
	shippedText = "【ACME】您的订单A-17已发货，取件码4711，请及时领取。"
	saleText    = "【ACME】双十一全场5折，先到先得，退订回T。"
	otpText     = "【ACME】验证码123456，5分钟内有效，请勿告诉他人。"
)

func (w *world) who(p tenant.Principal, text, recipient string) *WhoAnswer {
	w.Helper()
	a, err := w.Who(w.Context(), p, text, recipient)
	if err != nil {
		w.Fatal(err)
	}
	return a
}

func TestWhoByText(t *testing.T) {
	t.Parallel()
	w := whoWorld(t)
	for _, c := range []struct {
		name, text string
		p          tenant.Principal
		code       string
		first      string // tenant/template
		says       string
	}{
		{"own", shippedText, readerOf("order"), "who_template", "order/shipped", "Owner of order 010-order"},
		{"as people paste it", " 【ACME】您的 订单Ａ-17已发货，取件码4711，请及时领取。 ", operator(), "who_template", "order/shipped", "order"},
		{"shared", otpText, readerOf("order"), "who_template", "login/otp", "login"},
		{"operators see all", saleText, operator(), "who_template", "market/sale", "Owner of market"},
		{"a piece", "您的订单A-17已发货，取件码4711", readerOf("order"), "who_piece", "order/shipped", "010-order"},
		{"a piece of its own words", "已发货，取件码", operator(), "who_piece", "order/shipped", "010-order"},
		{"the beginning", "【ACME】您的订单A-17", operator(), "who_piece", "order/shipped", "010-order"},
		{"the beginning, and words of somebody else", "【ACME】您的订单异常，请点 http://a.example", operator(), "who_sign", "", "【ACME】"},
		{"too little to tell", "请及时领取", operator(), "who_short", "", ""},
		{"too little to tell, with a sign of ours", "【ACME】您的", operator(), "who_short", "", ""},
		{"a piece of another's", "双十一全场5折，先到先得", readerOf("order"), "who_none", "", ""},
		{"another's", saleText, readerOf("order"), "who_sign", "", "【ACME】"},
		{"another's without a sign", "双十一全场5折，先到先得，退订回T。", readerOf("order"), "who_none", "", ""},
		{"a sign of our own", "【海选集市】恭喜中奖，点击领取", readerOf("market"), "who_sign", "", "【海选集市】"},
		{"a sign of another tenant's template", "【海选集市】恭喜中奖，点击领取", readerOf("order"), "who_stranger", "", "【海选集市】"},
		{"the sign of an account", "【宏图科技】恭喜中奖，点击领取", operator(), "who_sign", "", "【宏图科技】"},
		{"a sign behind", "恭喜中奖，点击领取【宏图科技】", readerOf("market"), "who_sign", "", "【宏图科技】"},
		{"a stranger", "【某某银行】您的账户已冻结，点击解冻", operator(), "who_stranger", "", "【某某银行】"},
		{"nobody's", "晚上一起吃饭吗", operator(), "who_none", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := w.who(c.p, c.text, "")
			first := ""
			if len(a.Candidates) > 0 {
				first = a.Candidates[0].Tenant + "/" + a.Candidates[0].Template
			}
			if a.Verdict.Code != c.code || first != c.first {
				t.Errorf("%s, %s; want %s, %s", a.Verdict.Code, first, c.code, c.first)
			}
			for _, words := range []Words{a.Verdict.Zh, a.Verdict.En} {
				if all := words.What + words.Tell + words.Fix; !strings.Contains(all, c.says) || strings.ContainsAny(all, "{}") {
					t.Errorf("%q is not in %+v", c.says, words)
				}
			}
		})
	}
}

func TestWhoDescribesTheTemplate(t *testing.T) {
	t.Parallel()
	w := whoWorld(t)
	w.template("order", "shipped", 2, false, "【ACME】您的订单{{no}}已发货，取件码{{code}}，请及时领取。")
	w.template("order", "shipped", 3, false, "【ACME】订单{{no}}已经在路上了。")
	a := w.who(operator(), shippedText, "")
	want := Candidate{Tenant: "order", Owner: tenant.Owner{Name: "Owner of order", Phone: "010-order"}, Template: "shipped", Version: 2, Versions: []int{2, 1},
		Channel: message.SMS, Locale: "zh", Class: message.Transactional, Fixed: 25}
	if len(a.Candidates) != 2 { // by sms and by email
		t.Fatalf("%+v", a.Candidates)
	}
	got := a.Candidates[0]
	if got.Channel == message.Email {
		got = a.Candidates[1]
	}
	want.Fixed = got.Fixed
	if diff := cmp.Diff(want, got); diff != "" || got.Fixed < 20 {
		t.Errorf("fixed %d: %s", got.Fixed, diff)
	}
}

// A library is as old as other configuration may be, and no older.
func TestWhoSeesNewTemplates(t *testing.T) {
	t.Parallel()
	w := whoWorld(t)
	const text = "您的发票12345已经开好，请下载。"
	if a := w.who(operator(), text, ""); len(a.Candidates) > 0 {
		t.Fatalf("%+v", a)
	}
	w.template("order", "invoice", 1, false, "您的发票{{no}}已经开好，请下载。")
	w.now += message.Time(config.MaxAge.Milliseconds())
	if a := w.who(operator(), text, ""); len(a.Candidates) == 0 {
		t.Error("the new template is not known after MaxAge")
	}
}

func TestWhoByRecipient(t *testing.T) {
	t.Parallel()
	w := whoWorld(t)
	shipped, otp := w.ref("shipped"), message.Ref{Tenant: "login", Name: "otp", Version: 1, Locale: "zh"}
	w.accept(message.Message{Tenant: "order", Template: shipped}, mobile, `{"no":"A-16","code":"1111"}`, nil)
	hit := w.accept(message.Message{Tenant: "order", Template: shipped, Created: t0 - second}, mobile, `{"no":"A-17","code":"4711"}`, nil)
	w.update(hit, lease(second), answer(2*second, 1, message.Accepted, ""))
	w.accept(message.Message{Tenant: "order", Template: shipped}, mobile, `{"no":"A-18","code":"4711"}`, nil) // nobody was called yet
	refused := w.accept(message.Message{Tenant: "order", Template: shipped}, mobile, `{"no":"A-19","code":"4711"}`, nil)
	w.update(refused, lease(second), answer(2*second, 1, message.Permanent, ""))
	doubt := w.accept(message.Message{Tenant: "order", Template: shipped}, mobile, `{"no":"A-20","code":"4711"}`, nil)
	w.update(doubt, lease(second))
	w.accept(message.Message{Tenant: "order", Template: shipped, Created: t0 - 40*oneDay}, otherMobile, `{"no":"A-17","code":"4711"}`, nil)
	code := w.accept(message.Message{Tenant: "market", Class: message.OTP, Template: otp}, mobile, `{"no":"5","code":"123456"}`, nil)
	w.update(code, lease(second), answer(2*second, 1, message.Accepted, ""), receipt(3*second, 1, message.ReceiptDelivered, ""))
	free := w.accept(message.Message{Tenant: "order", Channel: message.Email}, mailbox, "", &message.Content{Subject: "Hello {{name}}", Text: "Your parcel\nwaits at {{{{ door 4."})
	w.update(free, lease(second), answer(2*second, 1, message.Accepted, ""))
	for _, c := range []struct {
		name, text, to string
		p              tenant.Principal
		code           string
		want           *store.Record
		exact          bool
		says           string
	}{
		{"the very message", shippedText, "138 0013 8000", readerOf("order"), "who_exact", hit, true, "010-order"},
		{"secrets are not compared", strings.Replace(shippedText, "4711", "9999", 1), mobile, readerOf("order"), "who_exact", hit, true, "order"},
		{"other words", strings.Replace(shippedText, "A-17", "A-99", 1), mobile, readerOf("order"), "who_elsewhere", nil, false, "order"},
		{"it waits", strings.Replace(shippedText, "A-17", "A-18", 1), mobile, readerOf("order"), "who_elsewhere", nil, false, "order"},
		{"its provider refused it", strings.Replace(shippedText, "A-17", "A-19", 1), mobile, readerOf("order"), "who_elsewhere", nil, false, "order"},
		{"its provider may have it", strings.Replace(shippedText, "A-17", "A-20", 1), mobile, readerOf("order"), "who_exact", doubt, true, "010-order"},
		{"erased, and the sender is not the template's owner", otpText, mobile, operator(), "who_likely", code, false, "010-market"},
		{"another's message of a shared template", otpText, mobile, readerOf("order"), "who_shared", nil, false, "login"},
		{"too long ago", shippedText, otherMobile, operator(), "who_elsewhere", nil, false, "order"},
		{"free content", "Your parcel waits at {{{{ door 4.", mailbox, operator(), "who_exact", free, true, "010-order"},
		{"free content of another", "Your parcel waits at {{{{ door 4.", mailbox, readerOf("market"), "who_none", nil, false, ""},
		{"a piece of the very message", "您的订单A-17已发货，取件码", mobile, readerOf("order"), "who_piece_sent", hit, false, "010-order"},
		{"a piece that others fit better", "您的订单A-99已发货，取件码", mobile, readerOf("order"), "who_elsewhere", nil, false, "010-order"},
		{"a piece of free content", "parcel waits at {{{{ door", mailbox, operator(), "who_piece_sent", free, false, "010-order"},
		{"its subject", "Hello {{name}}", mailbox, operator(), "who_exact", free, true, "order"},
		{"nobody's", "晚上一起吃饭吗", mobile, operator(), "who_none", nil, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := w.who(c.p, c.text, c.to)
			if a.Verdict.Code != c.code {
				t.Errorf("%s, want %s", a.Verdict.Code, c.code)
			}
			switch {
			case c.want == nil:
				if len(a.Messages) > 0 {
					t.Errorf("%+v", a.Messages)
				}
			case len(a.Messages) != 1 || a.Messages[0].ID != c.want.ID || a.Messages[0].Exact != c.exact:
				t.Errorf("%+v", a.Messages)
			}
			if !strings.Contains(a.Verdict.Zh.Fix, c.says) || !strings.Contains(a.Verdict.En.Fix, c.says) {
				t.Errorf("%q is not in %+v", c.says, a.Verdict)
			}
		})
	}
}

// Nothing of another tenant is in the answer, whatever is asked.
func TestWhoLeaksNothing(t *testing.T) {
	t.Parallel()
	w := whoWorld(t)
	w.accept(message.Message{Tenant: "market", Template: message.Ref{Tenant: "market", Name: "sale", Version: 1, Locale: "zh"}}, mobile, `{"no":"5"}`, nil)
	none := w.who(readerOf("order"), "双十一全场5折，先到先得，退订回X。", mobile) // differs in a letter
	for _, text := range []string{"双十一全场5折，先到先得，退订回T。", "双十一全场5折…", "双十一全场5折，先到先得"} {
		a := w.who(readerOf("order"), text, mobile)
		if diff := cmp.Diff(none, a); diff != "" {
			t.Errorf("%q is answered otherwise than what nobody sent: %s", text, diff)
		}
		if s := fmt.Sprintf("%+v", a); strings.Contains(s, "market") {
			t.Errorf("market is in %s", s)
		}
	}
}

func TestWhoRefuses(t *testing.T) {
	t.Parallel()
	w := whoWorld(t)
	for _, c := range []struct{ text, to, pointer string }{
		{" \n", "", "/text"}, {strings.Repeat("x", maxText+1), "", "/text"}, {shippedText, "张三", "/recipient"},
	} {
		_, err := w.Who(t.Context(), operator(), c.text, c.to)
		if p := problem.From(err); len(p.Fields) != 1 || p.Fields[0].Pointer != c.pointer {
			t.Errorf("%s: %v", c.pointer, err)
		}
	}
}

func TestIsText(t *testing.T) {
	t.Parallel()
	const secret = template.Redacted
	for _, c := range []struct {
		ch      message.Channel
		c       message.Content
		text    string
		is      bool
		because string
	}{
		{message.SMS, message.Content{Text: "Your order 5 is ready"}, "Your order 5 is ready", true, "equal"},
		{message.SMS, message.Content{Text: "Your order 5 is ready"}, "【ACME】Your  order 5\nis ready", true, "a sign and blanks"},
		{message.SMS, message.Content{Text: "Your order 5 is ready"}, "Your order 5 is…", true, "cut off"},
		{message.SMS, message.Content{Text: "Your order 5 is ready"}, "Your order 6 is ready", false, "another number"},
		{message.SMS, message.Content{Text: "Your order 5 is ready"}, "Your order 5 is ready now", false, "more words"},
		{message.SMS, message.Content{Text: "Your code is " + secret}, "Your code is 1234", true, "a secret"},
		{message.SMS, message.Content{Text: "Price {{{ 5 }} dollars"}, "Price {{{ 5 }} dollars", true, "braces"},
		{message.SMS, message.Content{Text: "Your order\x01 5 is ready"}, "Your order 5 is ready", true, "control characters"},
		{message.Email, message.Content{Subject: "Order 5 is ready", HTML: "<p>x</p>"}, "Order 5 is ready", true, "a mail's subject"},
		{message.Feishu, message.Content{Title: "Alarm", Text: "**Disk** is [full](https://example.com/1)"}, "Disk is full", true, "Markdown"},
		{message.Webhook, message.Content{Data: []byte(`{"a":1}`)}, `{"a":1}`, false, "no text at all"},
	} {
		if got, _ := isText(c.ch, &c.c, c.text); got != c.is {
			t.Errorf("%s: %v", c.because, got)
		}
	}
}
