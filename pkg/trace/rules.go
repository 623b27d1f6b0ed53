package trace

import (
	"cmp"

	"github.com/opennotify/notify/pkg/message"
)

// ruleZh and ruleEn say which policy was followed when there was no answer, and whose word it is.
func (b blanks) ruleZh() string {
	policy := map[message.InDoubtPolicy]string{message.Resend: "再发一次", message.Await: "等回执", message.GiveUp: "不再重发"}[b.doubt]
	ground := map[message.Ground]string{message.ByRoute: "路由这样设置", message.ByAccount: "账号这样设置", message.ByProvider: "供应商不会重复发同一条",
		message.ByReceipts: "供应商会给回执", message.ByClass: "这类消息默认这样"}[b.ground]
	if policy == "" || ground == "" {
		return ""
	}
	return "规则：" + policy + "，因为" + ground + "。"
}

func (b blanks) ruleEn() string {
	policy := map[message.InDoubtPolicy]string{message.Resend: "send again", message.Await: "wait for the receipt", message.GiveUp: "do not send again"}[b.doubt]
	ground := map[message.Ground]string{message.ByRoute: "the route says so", message.ByAccount: "the account says so", message.ByProvider: "the provider sends one message once",
		message.ByReceipts: "the provider sends receipts", message.ByClass: "that is the default of its class"}[b.ground]
	if policy == "" || ground == "" {
		return ""
	}
	return " Policy: " + policy + ", because " + ground + "."
}

// addressZh and addressEn say which address the provider must allow: the one that it saw, else the one that we know.
func (b blanks) addressZh() string {
	switch ours := cmp.Or(b.seen, b.egress); {
	case !b.unlisted:
		return ""
	case ours == "":
		return "它只接受登记过的地址，而这个部署没有固定的出口地址：见 docs/deploy.md 的 StaticEgress。"
	case b.egress == "":
		return "它只接受登记过的地址：请在那里登记 " + ours + "。这个部署没有固定的出口地址（StaticEgress），它会变。"
	default:
		return "它只接受登记过的地址：请在那里登记 " + ours + "。"
	}
}

func (b blanks) addressEn() string {
	switch ours := cmp.Or(b.seen, b.egress); {
	case !b.unlisted:
		return ""
	case ours == "":
		return " It takes calls from listed addresses only, and this deployment has no fixed one: see StaticEgress in docs/deploy.md."
	case b.egress == "":
		return " It takes calls from listed addresses only: list " + ours + " there. It changes, as this deployment has no fixed one (StaticEgress)."
	default:
		return " It takes calls from listed addresses only: list " + ours + " there."
	}
}
