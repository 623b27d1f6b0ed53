package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

// ordering is what flags say of what is sent to many, and to whom.
type ordering struct {
	channel, locale, reference, vars string
	ttl                              time.Duration
	version                          int

	csv, path, url, to, format string
	columns                    []string
	generation                 int
}

func (f *ordering) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.channel, "channel", "", "of all; without it each row's, or what its address is for")
	flags.StringVar(&f.locale, "locale", "", "of all; a row's own goes before")
	flags.StringVar(&f.reference, "reference", "", "your own id of it, on every message")
	lengthVar(flags, &f.ttl, "ttl", "how late a message may be, as 2h; without it the class's")
	flags.IntVar(&f.version, "template-version", 0, "the published one without it")
	flags.StringVar(&f.vars, "vars", "", "the variables of all as a JSON object: @file, or - for standard input")
	flags.StringVar(&f.csv, "csv", "", "a file of recipients, which is uploaded: CSV with a header, or JSON lines (.jsonl)")
	flags.StringArrayVar(&f.columns, "column", nil, "a column of the CSV file, as to=手机号 or amount=金额; may be repeated. What is left out is found by its name")
	flags.StringVar(&f.path, "path", "", "a file in the tenant's folder of sources, as bills/{run_date}.csv")
	flags.StringVar(&f.url, "source-url", "", "the tenant's own system, which is asked for the recipients")
	flags.IntVar(&f.generation, "secret-generation", 0, "of the secret that --source-url is asked with")
	flags.StringVar(&f.to, "to", "", "a few addresses, with commas between them")
	flags.StringVar(&f.format, "format", "", "csv or jsonl; without it what the file's name ends in")
}

// timed is what is sent: the template and the variables of the arguments from one on.
func (s *session) timed(f *ordering, args []string, from int) (client.TimedContent, error) {
	c := client.TimedContent{Template: args[from], TemplateVersion: f.version, Channel: client.Channel(f.channel), Locale: f.locale, Reference: f.reference,
		TTLSeconds: int(f.ttl / time.Second)}
	if f.ttl < 0 || f.ttl%time.Second != 0 {
		return c, errors.New("--ttl must be whole seconds, as 5m or 90s")
	}
	vars, err := s.variables(f.vars, args, from+1)
	if len(vars) > 0 {
		c.Vars = vars
	}
	return c, err
}

// audience is who gets it. A file is uploaded.
func (s *session) audience(ctx context.Context, c *client.Client, tenant string, f *ordering) (client.Audience, error) {
	a := client.Audience{Path: f.path, URL: f.url, Generation: f.generation, Format: f.format}
	if n := len(some(f.csv, f.path, f.url, f.to)); n != 1 {
		return a, errors.New("say who gets it: one of --csv, --path, --source-url and --to")
	}
	for _, column := range f.columns {
		what, name, ok := strings.Cut(column, "=")
		if !ok || what == "" || name == "" {
			return a, fmt.Errorf("--column takes to=COLUMN, or a variable's name and its column, not %q", column)
		}
		switch what {
		case "to":
			a.Columns.To = name
		case "channel":
			a.Columns.Channel = name
		case "locale":
			a.Columns.Locale = name
		default:
			if a.Columns.Vars == nil {
				a.Columns.Vars = map[string]string{}
			}
			a.Columns.Vars[what] = name
		}
	}
	switch {
	case f.to != "":
		for _, to := range strings.Split(f.to, ",") {
			a.Rows = append(a.Rows, client.AudienceRow{To: strings.TrimSpace(to)})
		}
		return a, nil
	case f.csv == "":
		return a, nil
	}
	if a.Format == "" && strings.HasSuffix(strings.ToLower(f.csv), ".jsonl") {
		a.Format = "jsonl"
	}
	var err error
	a.Upload, err = s.upload(ctx, c, tenant, f.csv)
	return a, err
}

// counted counts what is read through it.
type counted struct {
	io.Reader
	n    int64
	each func(n int64)
}

func (r *counted) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n += int64(n)
	r.each(r.n)
	return n, err
}

// upload puts a file, which is never held whole.
func (s *session) upload(ctx context.Context, c *client.Client, tenant, name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a file", name)
	case info.Size() == 0:
		return "", fmt.Errorf("%s is empty", name)
	}
	p := s.progress()
	defer p.end()
	const mib = 1 << 20
	return c.UploadAudience(ctx, tenant, info.Size(), &counted{Reader: file, each: func(n int64) {
		p.show(n, info.Size(), fmt.Sprintf("uploaded, %d of %d MiB", n/mib, (info.Size()+mib-1)/mib))
	}})
}

// placing is what the flags of an order of a campaign say.
type placing struct {
	ordering
	tenant, title, reason, key string
	perSecond                  int
}

func (f *placing) register(c *cobra.Command) {
	f.ordering.register(c)
	flags := c.Flags()
	flags.StringVar(&f.tenant, "tenant", "", "who sends; for operators' keys")
	flags.StringVar(&f.title, "title", "", "for people")
	flags.IntVar(&f.perSecond, "per-second", 0, "messages at most; without it what the accounts take")
	flags.StringVar(&f.key, "idempotency-key", "", "requests with the same key are one campaign")
	flags.StringVar(&f.reason, "reason", "", "why, for the record")
}

// placed runs a verb on a campaign that was ordered and weighed.
func (s *session) placed(f *placing, then func(context.Context, *client.Client, *client.Run) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := s.connect()
		if err != nil {
			return err
		}
		r, err := s.order(cmd.Context(), c, f, args)
		if err != nil {
			return err
		}
		return then(cmd.Context(), c, r)
	}
}

// order orders a campaign, and waits until it has been checked and weighed.
func (s *session) order(ctx context.Context, c *client.Client, f *placing, args []string) (*client.Run, error) {
	content, err := s.timed(&f.ordering, args, 0)
	if err != nil {
		return nil, err
	}
	r := client.CreateCampaignRequest{IdempotencyKey: f.key, Tenant: f.tenant, Title: f.title, TimedContent: content, PerSecond: f.perSecond, Reason: f.reason}
	if r.Audience, err = s.audience(ctx, c, f.tenant, &f.ordering); err != nil {
		return nil, err
	}
	run, err := c.CreateCampaign(ctx, r)
	if err != nil {
		return nil, err
	}
	p := s.progress()
	defer p.end()
	return s.until(ctx, c, run, func(r *client.Run) bool {
		seen := r.Rows.Total
		if d := r.Dry; d != nil {
			p.show(d.Valid+d.Suppressed+d.Capped+d.Duplicate, seen-r.Rows.Bad-r.Rows.Repeats, "checked")
		} else {
			p.show(0, 1, fmt.Sprint(seen, " rows read"))
		}
		return r.State != client.RunReading && r.State != client.RunWeighing
	})
}

// How often a run is looked at: soon at first, as a small one takes no time.
const (
	firstLook = 100 * time.Millisecond
	lastLook  = 2 * time.Second
)

// until looks at a run until it is as it shall be.
func (s *session) until(ctx context.Context, c *client.Client, r *client.Run, there func(*client.Run) bool) (*client.Run, error) {
	for pause := firstLook; !there(r); pause = min(pause*3/2, lastLook) {
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return r, fmt.Errorf("%s goes on; see it with notify campaign show %s, stop it with notify campaign cancel %s", r.ID, r.ID, r.ID)
		}
		next, err := c.Campaign(ctx, r.ID)
		if err != nil && ctx.Err() != nil {
			continue
		}
		if err != nil {
			return r, err
		}
		r = next
	}
	return r, nil
}
