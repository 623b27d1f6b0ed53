package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func traceCommand(s *session) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:   "trace ID|PHONE|MAIL",
		Short: "Say what became of a message, or of what was sent to somebody",
		Long: `Say in words what became of a message, and show its timeline. For a phone number, in any spelling, or a mail
address it is the newest message to it, then the others, one line each. --json prints the message; for a
recipient the list of messages, in which the newest has its timeline.`,
		Example: `  notify trace msg_…
  notify trace "+86 138 0013 8000" --lang zh
  notify trace li@example.com --json`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			switch {
			case strings.HasPrefix(args[0], "msg_"):
				return s.traceMessage(cmd.Context(), c, args[0])
			case strings.HasPrefix(args[0], "grp_"):
				return s.traceGroup(cmd.Context(), c, args[0])
			}
			return s.traceRecipient(cmd.Context(), c, args[0], limit)
		},
	}
	c.Flags().IntVar(&limit, "limit", 20, "how many messages of a recipient, 1 to 200")
	return c
}

func (s *session) traceMessage(ctx context.Context, c *client.Client, id string) error {
	m, err := c.Get(ctx, id)
	if err != nil {
		return err
	}
	if s.json {
		return s.data(m)
	}
	s.detail(m)
	return nil
}

func (s *session) traceGroup(ctx context.Context, c *client.Client, id string) error {
	g, err := c.Group(ctx, id)
	if err != nil {
		return err
	}
	if s.json {
		return s.data(g)
	}
	s.say("%s  %s, %s, %s\n", s.paint(bold, g.ID), g.Kind, g.Tenant, clock(g.CreatedAt))
	var rows [][]any
	for _, m := range g.Messages {
		if m != nil {
			rows = append(rows, s.line(m))
		}
	}
	s.table(rows)
	return nil
}

func (s *session) traceRecipient(ctx context.Context, c *client.Client, recipient string, limit int) error {
	page, err := c.Search(ctx, client.SearchRequest{Recipient: recipient, Limit: limit})
	if err != nil {
		return err
	}
	if len(page.Messages) > 0 {
		newest, err := c.Get(ctx, page.Messages[0].ID)
		if err != nil {
			return err
		}
		page.Messages[0] = *newest
	}
	if s.json {
		return s.data(page)
	}
	if page.None != nil {
		s.verdict(*page.None)
	}
	s.inVain(page.Refused)
	for i := range page.Messages {
		if i == 0 {
			s.detail(&page.Messages[0])
			continue
		}
		if i == 1 {
			s.say("\n%s\n", s.paint(bold, s.tr("更早的消息", "Earlier messages")))
			var rows [][]any
			for j := range page.Messages[1:] {
				rows = append(rows, s.line(&page.Messages[1+j]))
			}
			s.table(rows)
		}
	}
	if page.Next != "" {
		s.tell("%s\n", s.tr("还有更多；用 --limit 看更多", "there are more; see them with --limit"))
	}
	return nil
}

// inVain lists requests that made no message.
func (s *session) inVain(list []client.Refusal) {
	if len(list) == 0 {
		return
	}
	s.say("\n%s\n", s.paint(bold, s.tr("被拒的请求", "Refused requests")))
	var rows [][]any
	for _, r := range list {
		faults := []string{r.Code}
		for _, f := range r.Errors {
			faults = append(faults, strings.TrimSpace(f.Pointer+" "+f.Code))
		}
		rows = append(rows, []any{clock(r.At), r.Tenant, r.Status, strings.Join(faults, ", "), r.RequestID})
	}
	s.table(rows)
	s.say("\n")
}

// line is a message in a list.
func (s *session) line(m *client.Message) []any {
	template := s.tr("自由内容", "free content")
	if m.Template != nil {
		template = m.Template.Tenant + "/" + m.Template.Name
	}
	return []any{clock(m.CreatedAt), s.status(m.Status), m.Channel, template, m.ID, s.words(m.Verdict).What}
}

func (s *session) verdict(v client.Verdict) {
	w := s.words(v)
	s.say("%s\n", s.paint(bold, w.What))
	s.field(s.tr("告诉用户", "tell the user"), w.Tell)
	s.field(s.tr("谁来处理", "who can help"), w.Fix)
}

// detail is everything about a message.
func (s *session) detail(m *client.Message) {
	s.say("%s  %s\n", m.ID, s.status(m.Status))
	s.verdict(m.Verdict)
	s.say("\n")
	s.field(s.tr("收件人", "to"), strings.TrimSpace(fmt.Sprintf("%s  %s %s", cmp.Or(m.To, s.tr("已删除", "erased")), m.Channel, m.Region)))
	what := string(m.Class)
	if t := m.Template; t != nil {
		what = fmt.Sprintf("%s/%s v%d %s, %s", t.Tenant, t.Name, t.Version, t.Locale, m.Class)
	}
	s.field(s.tr("模板", "template"), what)
	s.field(s.tr("谁发的", "sent by"), strings.Join(some(m.Tenant, m.Owner, prefixed("key ", m.Key)), ", "))
	s.field(s.tr("业务号", "reference"), m.Reference)
	s.field(s.tr("重发自", "resend of"), m.ResendOf)
	s.field(s.tr("测试账号", "test of account"), m.Trial)
	s.field(s.tr("同组", "group"), m.Group)
	if m.Outcome != "" {
		s.field(s.tr("模拟的结果", "simulated outcome"), string(m.Outcome))
	}
	if !m.NextTryAt.IsZero() {
		s.field(s.tr("下次", "next try"), clock(m.NextTryAt))
	}
	s.content(m.Content)
	s.field(s.tr("内容不显示", "content hidden"), m.Hidden)
	s.say("\n")
	var rows [][]any
	for i := range m.Timeline {
		e := &m.Timeline[i]
		rows = append(rows, []any{e.At.Local().Format("2006-01-02 15:04:05.000"), e.Event, happened(e)})
	}
	s.table(rows)
}

// happened is an entry of the timeline, in one line.
func happened(e *client.Event) string {
	parts := some(string(e.Status), prefixed("by ", e.By), e.Why, prefixed("from ", e.IP), e.Request, prefixed("trace ", e.Trace))
	if a := e.Attempt; a != nil {
		parts = append(parts, some(fmt.Sprintf("#%d", a.Epoch), a.Account, prefixed("via ", a.Provider), prefixed("template ", a.Bound), a.Outcome, number("HTTP ", a.HTTPStatus),
			a.Code, a.Text, prefixed("id ", a.ProviderID), number("", int(a.Millis), " ms"))...)
	}
	if r := e.Receipt; r != nil {
		parts = append(parts, some(r.State, r.Code, r.Text, number("part ", r.Part))...)
	}
	if !e.Until.IsZero() {
		parts = append(parts, "until "+clock(e.Until))
	}
	if e.Repeats > 0 {
		parts = append(parts, fmt.Sprintf("and %d more like it", e.Repeats))
	}
	return strings.Join(parts, ", ")
}

// some are the texts that are not empty.
func some(texts ...string) (out []string) {
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

func number(prefix string, n int, suffix ...string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(prefix, n, strings.Join(suffix, ""))
}
