package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

// pushing is what the flags of template push say.
type pushing struct {
	tenant, reason  string
	publish, dryRun bool
}

func templatePushCommand(s *session) *cobra.Command {
	f := pushing{}
	c := &cobra.Command{
		Use:   "push DIR|FILE",
		Short: "Keep new versions of the templates that differ, and publish them with --publish",
		Long: `Keep new versions of the templates whose files differ from the newest ones, and show what differs. Nothing is
sent with a version before it is published: --publish does it, also for newest versions that are not yet.
--dry-run changes nothing; the service says what is wrong with the files.

A file is one template, in YAML or JSON: tenant, name, class, variables, variants, dedup_exclude, as in the API.
Without a name it is that of the file.`,
		Example: `  notify template push templates/ --dry-run
  notify template push templates/ --publish --reason "spring sale"
  notify template push templates/shop/login-code.yaml`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := readTemplates(args[0], f.tenant)
			if err != nil {
				return err
			}
			if len(files) == 0 {
				return fmt.Errorf("%s has no template: no file ends in .yaml, .yml or .json", args[0])
			}
			return s.push(cmd.Context(), files, f)
		},
	}
	c.Flags().StringVar(&f.tenant, "tenant", "", "of files that name none")
	c.Flags().StringVar(&f.reason, "reason", "", "why, for the history")
	c.Flags().BoolVar(&f.publish, "publish", false, "send with the new versions from now on")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "change nothing")
	return c
}

// push goes through all files: one's fault does not keep the others back.
func (s *session) push(ctx context.Context, files []*templateFile, f pushing) error {
	c, err := s.connect()
	if err != nil {
		return err
	}
	done := []*change{}
	faulty := 0
	for _, file := range files {
		ch, err := compare(ctx, c, file)
		if err == nil {
			s.showDiff(ch)
			if f.dryRun {
				err = rehearse(ctx, c, ch)
			} else {
				err = ch.push(ctx, c, f)
			}
		}
		if err != nil {
			s.report(err)
			faulty++
			continue
		}
		done = append(done, ch)
		s.pushed(ch, f.dryRun)
	}
	if s.json {
		if err := s.data(done); err != nil {
			return err
		}
	}
	if faulty > 0 {
		return fmt.Errorf("%d of %d templates are faulty", faulty, len(files))
	}
	return nil
}

func (s *session) pushed(ch *change, dryRun bool) {
	switch {
	case dryRun:
		s.say("%s: %s, nothing was changed\n", ch.title(), ch.Action)
	case ch.Action == "unchanged":
		s.say("%s: unchanged, v%d\n", ch.title(), ch.Version)
	case ch.Action == "published":
		s.say("%s: %s v%d\n", ch.title(), s.paint(green, "published"), ch.Version)
	default:
		s.say("%s: v%d is kept as a draft; publish it with --publish\n", ch.title(), ch.Version)
	}
	for _, w := range ch.Warnings {
		s.tell("  warning: %s\n", w)
	}
}

// push keeps a version if the file differs, and publishes the newest if it shall.
func (c *change) push(ctx context.Context, to *client.Client, f pushing) error {
	if c.differs() {
		t, err := to.PutTemplate(ctx, c.Tenant, c.Name, client.PutTemplateRequest{TemplateContent: c.file.content(), Version: c.Version, Reason: f.reason})
		if err != nil {
			return &about{placeIn(c.File, err), err}
		}
		c.Action, c.Version, c.Published, c.Warnings = "drafted", t.Version, t.Published, t.Warnings
	}
	if f.publish && c.Published != c.Version {
		t, err := to.PublishTemplate(ctx, c.Tenant, c.Name, c.Version, f.reason)
		if err != nil {
			return &about{placeIn(c.File, err), err}
		}
		c.Action, c.Published = "published", t.Published
		c.Warnings = append(c.Warnings, t.Warnings...)
	}
	return nil
}

// rehearse asks the service what is wrong with a file.
func rehearse(ctx context.Context, to *client.Client, c *change) error {
	content := c.file.content()
	p, err := to.PreviewTemplate(ctx, client.PreviewRequest{Template: &content, Tenant: c.Tenant, Name: c.Name})
	if err != nil {
		return &about{placeIn(c.File, err), err}
	}
	var faults []error
	for _, x := range p.Problems {
		faults = append(faults, fmt.Errorf("%s: %s %s: %s", c.File, x.Pointer, x.Code, x.Detail))
	}
	c.Warnings = p.Warnings
	return errors.Join(faults...)
}

// placeIn is a file and the one field of it that is wrong: its fault may name a line, which is the field's and not the
// file's.
func placeIn(file string, err error) string {
	var refused *client.Error
	if errors.As(err, &refused) && len(refused.Errors) == 1 && refused.Errors[0].Pointer != "" {
		return file + ", " + refused.Errors[0].Pointer
	}
	return file
}
