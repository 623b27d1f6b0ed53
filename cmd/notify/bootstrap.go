package main

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/spf13/cobra"

	"github.com/opennotify/notify/pkg/httpapi/console"
	"github.com/opennotify/notify/pkg/onaws"
	"github.com/opennotify/notify/pkg/onaws/stack"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
	wireoperate "github.com/opennotify/notify/pkg/wire/operate"
)

// bootstrapCommand makes the first key of a stack on AWS. Who may write to the stack's table may do that:
// there is no key yet that could allow it.
func bootstrapCommand(s *session) *cobra.Command {
	var name, owner string
	t := tenant.Tenant{Title: "first tenant"}
	var more bool
	c := &cobra.Command{
		Use:   "bootstrap",
		Short: "Make the first tenant and admin key of a stack on AWS, with your AWS credentials",
		Long: `bootstrap writes the first tenant and its admin key into the table of a stack that was just deployed. It runs
with your AWS credentials: they must allow cloudformation:DescribeStacks, to read and write the table, and
kms:Decrypt and kms:GenerateDataKey with its key. The key is shown this once and kept nowhere.`,
		Example: `  notify bootstrap --stack notify-dev --tenant shop --owner "Wang Li <wang.li@example.com>"`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			person, err := mail.ParseAddress(owner)
			if err != nil || person.Name == "" {
				return errors.New(`--owner must be a person to call, as "Wang Li <wang.li@example.com>"`)
			}
			t.Owner = tenant.Owner{Name: person.Name, Email: person.Address}
			cfg, err := awsconfig.LoadDefaultConfig(c.Context())
			if err != nil {
				return fmt.Errorf("aws configuration: %w", err)
			}
			env, url, err := stack.Find(c.Context(), cfg, name)
			if err != nil {
				return err
			}
			key, link, err := firstKey(c.Context(), s, env, t, more)
			if err != nil {
				return err
			}
			if s.json {
				return s.data(map[string]string{"url": url, "tenant": t.Name, "key": key, "console": url + link})
			}
			s.tell("The admin key of tenant %s; store it now, it is not shown again. It works within 30 seconds:\n", t.Name)
			s.say("%s\n", key)
			s.tell("\nThe console; this link signs in once, within an hour:\n%s\n", url+link)
			s.tell("\nexport NOTIFY_URL=%s\nexport NOTIFY_KEY=…\nnotify doctor\n", url)
			return nil
		},
	}
	c.Flags().StringVar(&name, "stack", "", "the stack's name, as notify-dev")
	c.Flags().StringVar(&t.Name, "tenant", "", "name of the first tenant: a business system that sends")
	c.Flags().StringVar(&owner, "owner", "", `its owner, a person to call: "Wang Li <wang.li@example.com>"`)
	c.Flags().BoolVar(&more, "another", false, "make a key although there is an admin key already")
	for _, name := range []string{"stack", "tenant", "owner"} {
		if err := c.MarkFlagRequired(name); err != nil {
			panic(err)
		}
	}
	return c
}

// firstKey makes the tenant, unless it exists, and its key, and a link that opens the console with it.
func firstKey(ctx context.Context, s *session, env onaws.Env, t tenant.Tenant, more bool) (key, link string, err error) {
	a, err := onaws.Open(ctx, env, s.err)
	if err != nil {
		return "", "", err
	}
	op, err := wireoperate.New(&a.Backend, nil)
	if err != nil {
		return "", "", err
	}
	as := tenant.System("bootstrap")
	keys, err := op.Keys(ctx, as, "")
	if err != nil {
		return "", "", err
	}
	if !more && slices.ContainsFunc(keys, func(k operate.Versioned[tenant.Key]) bool {
		return !k.Body.Revoked && slices.Contains(k.Body.Scopes, tenant.Admin)
	}) {
		return "", "", errors.New("there is an admin key already: make others with notify key create, or with --another if it is lost")
	}
	_, err = op.Tenant(ctx, as, t.Name)
	if p := (*problem.Error)(nil); errors.As(err, &p) && p.Code == problem.NotFound {
		_, err = op.PutTenant(ctx, as, t, operate.Change{Reason: "bootstrap"})
	}
	if err != nil {
		return "", "", err
	}
	made, err := op.CreateKey(ctx, as, operate.KeyRequest{Tenant: t.Name, Title: "first admin key", Live: true, Reason: "bootstrap",
		Scopes: []tenant.Scope{tenant.Send, tenant.Read, tenant.Operate, tenant.Admin}})
	if err != nil {
		return "", "", err
	}
	link, err = console.Link(ctx, a.Store, as, a.Random, made.Text, a.Now())
	return string(made.Text), link, err
}
