package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

func whoCommand(s *session) *cobra.Command {
	var recipient string
	c := &cobra.Command{
		Use:   `who "TEXT" | who -`,
		Short: "Tell from its text who sent a message, or that nobody here did",
		Long: `Tell from a text that somebody received which tenant's template it is of, and whom to call; with --recipient
also which message. With - the text is read from standard input.`,
		Example: `  notify who "【演示商城】您的验证码是902145，5分钟内有效。请勿告诉他人。"
  notify who "[Demo Shop] Your code is 902145." --recipient +8613800138000
  pbpaste | notify who - --json`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text := args[0]
			if text == "-" {
				read, err := s.source(text)
				if err != nil {
					return err
				}
				text = strings.TrimSpace(string(read))
			}
			c, err := s.connect()
			if err != nil {
				return err
			}
			w, err := c.Who(cmd.Context(), client.WhoRequest{Text: text, Recipient: recipient})
			if err != nil {
				return err
			}
			if s.json {
				return s.data(w)
			}
			s.origin(w)
			return nil
		},
	}
	c.Flags().StringVar(&recipient, "recipient", "", "who received it: finds the message itself")
	return c
}

func (s *session) origin(w *client.WhoAnswer) {
	s.verdict(w.Verdict)
	for i := range w.Candidates {
		c := &w.Candidates[i]
		s.say("\n%s  v%d, %s %s, %s%s\n", s.paint(bold, c.Tenant+"/"+c.Template), c.Version, c.Channel, c.Locale, c.Class,
			map[bool]string{true: s.tr("，与别的业务共用", ", shared with other tenants")}[c.Shared])
		s.field(s.tr("负责人", "owner"), strings.Join(some(c.Owner.Name, c.Owner.Phone, c.Owner.Email, c.Owner.Group), ", "))
		s.field(s.tr("匹配", "matched"), fmt.Sprintf(s.tr("模板自身的 %d 个字", "%d characters of the template's own"), c.Fixed))
	}
	if len(w.Messages) == 0 {
		return
	}
	s.say("\n%s\n", s.paint(bold, s.tr("可能是这些消息", "Messages that it may be")))
	var rows [][]any
	for i := range w.Messages {
		exact := s.tr("可能", "maybe")
		if w.Messages[i].Exact {
			exact = s.tr("就是它", "exact")
		}
		rows = append(rows, append([]any{exact}, s.line(&w.Messages[i].Message)...))
	}
	s.table(rows)
}
