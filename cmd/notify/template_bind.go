package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

// binding is what the flags of template bind say.
type binding struct {
	account, state, note, reason string
	set                          []string
	version                      int
	check, remove                bool
}

func templateBindCommand(s *session) *cobra.Command {
	f := binding{}
	c := &cobra.Command{
		Use:   "bind TENANT/NAME",
		Short: "Bind a version to a vendor's own template, over an account, or show what it is bound to",
		Long: `Bind a version of a template to the vendor's own template, over an account: some vendors (Tencent, Alibaba,
WeChat, WhatsApp) send approved templates only. Which fields there are says the provider's form; params lists the
template's variables in the vendor's order. Without --account it shows what the version is bound to, and the accounts
that lack a binding.`,
		Example: `  notify template bind shop/login-code
  notify template bind shop/login-code --account tencent-main --set template_id=449739 --set params=code,minutes
  notify template bind shop/login-code --account tencent-main --check
  notify template bind shop/login-code --version 3 --account ali --set template_id=SMS_153055065 --state approved
  notify template bind shop/login-code --account tencent-main --remove`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			tenant, name, ok := strings.Cut(args[0], "/")
			if !ok || tenant == "" || name == "" {
				return fmt.Errorf("name the template as TENANT/NAME, not %q; notify template list shows them", args[0])
			}
			return s.bind(cmd.Context(), tenant, name, f)
		},
	}
	c.Flags().StringVar(&f.account, "account", "", "over which account")
	c.Flags().StringArrayVar(&f.set, "set", nil, "a field of the binding, as name=value; may be repeated")
	c.Flags().StringVar(&f.state, "state", "", "what the vendor said: unchecked (without it), pending, approved, rejected")
	c.Flags().StringVar(&f.note, "note", "", "the vendor's reason, or yours")
	c.Flags().StringVar(&f.reason, "reason", "", "why, for the history")
	c.Flags().IntVar(&f.version, "version", 0, "which version; the newest without it")
	c.Flags().BoolVar(&f.check, "check", false, "ask the vendor whether it has approved the template")
	c.Flags().BoolVar(&f.remove, "remove", false, "unbind the account")
	return c
}

func (s *session) bind(ctx context.Context, tenant, name string, f binding) error {
	fields, err := assignments(f.set)
	if err != nil {
		return err
	}
	if err := f.fits(len(fields)); err != nil {
		return err
	}
	c, err := s.connect()
	if err != nil {
		return err
	}
	if f.version == 0 {
		head, err := c.Template(ctx, tenant, name)
		if err != nil {
			return err
		}
		f.version = head.Version
	}
	if f.check {
		b, err := c.CheckTemplateBinding(ctx, tenant, name, f.version, f.account)
		if err != nil {
			return err
		}
		return s.boundTo(b)
	}
	have, err := c.TemplateBindings(ctx, tenant, name, f.version)
	if err != nil {
		return err
	}
	switch {
	case f.remove:
		if err := c.DeleteTemplateBinding(ctx, tenant, name, f.version, f.account, have.Version, f.reason); err != nil {
			return err
		}
		s.tell("version %d of %s/%s is not bound over %s any more\n", f.version, tenant, name, f.account)
		return nil
	case f.account == "":
		return s.bindings(have)
	}
	if len(fields) == 0 { // the state alone
		i := slices.IndexFunc(have.Items, func(b client.TemplateBinding) bool { return b.Account == f.account })
		if i < 0 {
			return fmt.Errorf("version %d of %s/%s is not bound over %s yet: say to what with --set name=value", f.version, tenant, name, f.account)
		}
		fields = have.Items[i].Fields
	}
	b, err := c.PutTemplateBinding(ctx, tenant, name, f.version, f.account, client.PutBindingRequest{Fields: fields,
		State: client.BindingState(f.state), Note: f.note, Version: have.Version, Reason: f.reason})
	if err != nil {
		return err
	}
	return s.boundTo(b)
}

// fits says what does not go together.
func (f binding) fits(fields int) error {
	switch {
	case f.account == "" && (fields > 0 || f.check || f.remove || f.state != "" || f.note != ""):
		return errors.New("name the account with --account")
	case f.account != "" && fields == 0 && f.state == "" && !f.check && !f.remove:
		return errors.New("say what to bind to with --set name=value, or what the vendor said with --state, or --check, or --remove")
	case f.check && f.remove, fields > 0 && (f.check || f.remove):
		return errors.New("--set, --check and --remove are for one at a time")
	}
	return nil
}

// assignments reads name=value.
func assignments(words []string) (map[string]string, error) {
	out := map[string]string{}
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--set takes name=value, not %q", w)
		}
		out[name] = value
	}
	return out, nil
}

func fieldsOf(fields map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		words = append(words, name+"="+fields[name])
	}
	return strings.Join(words, " ")
}

// boundTo shows one binding.
func (s *session) boundTo(b *client.BoundTemplate) error {
	if s.json {
		return s.data(b)
	}
	s.say("%s: %s  %s\n", b.Account, b.State, fieldsOf(b.Fields))
	if b.Note != "" {
		s.field(s.tr("说明", "note"), b.Note)
	}
	if b.Detail != "" {
		s.tell("  %s\n", b.Detail)
	}
	return nil
}

// bindings shows all of a version.
func (s *session) bindings(b *client.TemplateBindings) error {
	if s.json {
		return s.data(b)
	}
	rows := [][]any{{"ACCOUNT", "STATE", "FIELDS", "CHECKED", "NOTE"}}
	for _, x := range b.Items {
		checked := "-"
		if !x.CheckedAt.IsZero() {
			checked = clock(x.CheckedAt)
		}
		rows = append(rows, []any{x.Account, x.State, fieldsOf(x.Fields), checked, x.Note})
	}
	if len(b.Items) > 0 {
		s.table(rows)
	}
	for _, x := range b.Lacking {
		if x.State == "" {
			s.tell("not bound: %s (%s, %s)\n", x.Account, x.Provider, x.Channel)
		}
	}
	if len(b.Items)+len(b.Lacking) == 0 {
		s.tell("no account of its channels needs a binding\n")
	}
	return nil
}
