package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func explainCommand(s *session) *cobra.Command {
	f := &sending{}
	c := &cobra.Command{
		Use:   "explain TEMPLATE TO [name=value…]",
		Short: "Say what sending would do, and send nothing",
		Long: `Say what sending would do: the text, its segments and cost, the accounts that would carry it, and what would
hold it back. It is notify send --explain.`,
		Example: `  notify explain login-code +8613800138000 code=482913
  notify explain order-shipped li@example.com --channel email name=李雷 order=A-1001 --json`,
		Args: takes(2, -1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := s.request(f, args)
			if err != nil {
				return err
			}
			return s.explain(c.Context(), r)
		},
	}
	f.register(c)
	return c
}

func (s *session) explain(ctx context.Context, r client.SendRequest) error {
	c, err := s.connect()
	if err != nil {
		return err
	}
	e, err := c.Explain(ctx, r)
	if err != nil {
		return err
	}
	if s.json {
		return s.data(e)
	}
	for i := range e.Messages {
		s.explanation(&e.Messages[i])
	}
	return nil
}

func (s *session) explanation(m *client.Explanation) {
	s.say("%s  %s, %s\n", s.paint(bold, m.To), m.Channel, m.Class)
	begins := string(m.Status)
	if m.Reason != "" {
		begins += " (" + m.Reason + ")"
	}
	s.field(s.tr("开始状态", "begins as"), begins)
	if t := m.Template; t != nil {
		s.field(s.tr("模板", "template"), fmt.Sprintf("%s/%s v%d %s", t.Tenant, t.Name, t.Version, t.Locale))
	}
	accounts := strings.Join(m.Accounts, s.tr("，然后 ", ", then "))
	if accounts == "" {
		accounts = s.tr("没有可用的账号", "no account is switched on")
	}
	if m.Route != "" {
		accounts += s.tr("（策略 ", " (route ") + m.Route + s.tr("）", ")")
	}
	s.field(s.tr("账号", "accounts"), accounts)
	for _, x := range m.Skipped {
		s.field(s.tr("跳过", "skipped"), x.Account+": "+s.bar(x.Why))
	}
	if g := m.Segments; g != nil {
		s.field(s.tr("条数", "segments"), fmt.Sprintf("%d (%s, %d %s)", g.Count, g.Encoding, g.Remaining, s.tr("个单位余量", "units left")))
	}
	if m.Cost > 0 {
		s.field(s.tr("费用", "cost"), fmt.Sprintf("%g %s", m.Cost, m.Currency))
	}
	if h := m.Held; h != nil {
		what := s.tr("不发", "dropped")
		if !h.Drop {
			what = s.tr("等到 ", "until ") + clock(h.Until)
		}
		if h.Route != "" {
			what += fmt.Sprintf(" (%s %s)", s.tr("路由", "route"), h.Route)
		}
		s.field(s.tr("会被拦下", "held"), h.Why+", "+what)
	}
	if m.Refused != nil {
		s.field(s.tr("现在会被拒绝", "refused right now"), m.Refused.Code+": "+m.Refused.Detail)
	}
	if m.Stopped != nil {
		s.field(s.tr("会被拦截", "suppressed by"), m.Stopped.Reason+", "+m.Stopped.Since)
	}
	if m.Duplicate != nil {
		s.field(s.tr("重复", "duplicate of"), m.Duplicate.ID+s.tr("，窗口到 ", ", until ")+clock(m.Duplicate.WindowEndsAt))
	}
	for _, w := range m.Warnings {
		s.field(s.tr("注意", "warning"), w)
	}
	s.content(&m.Content)
}

// bar says in words why an account cannot carry a message.
func (s *session) bar(why string) string {
	switch why {
	case "no_binding":
		return s.tr("没有绑定这个模板版本（notify template bind）", "this version is not bound over it (notify template bind)")
	case "binding_rejected":
		return s.tr("绑定的供应商模板被拒绝", "the vendor rejected the template that it is bound to")
	case "templates_only":
		return s.tr("只发供应商审核过的模板，不发自由内容", "it sends templates that its vendor approved, no free content")
	}
	return why
}

// field is one line about a message.
func (s *session) field(name, value string) {
	if value != "" {
		s.say("  %s %s\n", s.paint(faint, name+":"), value)
	}
}

// content is what the recipient reads, set in.
func (s *session) content(c *client.Content) {
	if c == nil {
		return
	}
	for _, part := range [][2]string{{s.tr("主题", "subject"), c.Subject}, {s.tr("标题", "title"), c.Title}, {s.tr("内容", "text"), c.Text},
		{"HTML", c.HTML}, {s.tr("数据", "data"), string(c.Data)}} {
		if part[1] == "" {
			continue
		}
		text := strings.ReplaceAll(strings.TrimRight(part[1], "\n"), "\n", "\n    ")
		s.say("  %s\n    %s\n", s.paint(faint, part[0]+":"), text)
	}
	for _, a := range c.Attachments {
		s.field(s.tr("附件", "attachment"), fmt.Sprintf("%s (%s, %d bytes)", a.Name, a.Type, len(a.Data)))
	}
}
