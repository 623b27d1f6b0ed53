package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
	"github.com/opennotify/notify/pkg/store/sqlite"
)

// checkup is what the doctor found.
type checkup struct {
	Checks []check `json:"checks"`
	OK     bool    `json:"ok"`
}

// check is one of them.
type check struct {
	Name   string `json:"name"`
	State  string `json:"state"` // ok, warning, failed
	Detail string `json:"detail"`
}

func (u *checkup) ok(name, format string, args ...any) {
	u.Checks = append(u.Checks, check{name, "ok", fmt.Sprintf(format, args...)})
}

func (u *checkup) warn(name, format string, args ...any) {
	u.Checks = append(u.Checks, check{name, "warning", fmt.Sprintf(format, args...)})
}

func (u *checkup) fail(name, format string, args ...any) {
	u.OK = false
	u.Checks = append(u.Checks, check{name, "failed", fmt.Sprintf(format, args...)})
}

func doctorCommand(s *session) *cobra.Command {
	var data, stack string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check the login, the service, the key and the clocks; with --stack what AWS has; with --data a data folder",
		Long: `Check that there is a login, that the service answers, what the key may do, which alarms are open, and that the
clocks agree. With --stack it looks at a stack on AWS instead, with your AWS credentials: Lambda's concurrency,
queues and what reads them, the schedules of ticks and canaries, secrets, the address that providers see, the SES
sandbox, the clock, and whether anybody is told of alarms. With --data it checks a data folder of notify local
instead, which must not be running: that the database is whole (an older one is brought up to date first) and that
nobody else can read the keys. It exits with 1 if a check failed.`,
		Example: `  notify doctor
  notify doctor --profile prod --json
  notify doctor --stack notify-dev
  notify doctor --data ./data`,
		Args: takes(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			u := &checkup{OK: true}
			switch {
			case data != "":
				u.folder(c.Context(), data)
			case stack != "":
				u.onAWS(c.Context(), stack)
			default:
				s.service(c.Context(), u)
			}
			if err := s.findings(u); err != nil || u.OK {
				return err
			}
			return exit(exitError)
		},
	}
	c.Flags().StringVar(&data, "data", "", "a data folder of notify local")
	c.Flags().StringVar(&stack, "stack", "", "a stack on AWS, as notify-dev")
	c.MarkFlagsMutuallyExclusive("data", "stack")
	return c
}

func (s *session) findings(u *checkup) error {
	if s.json {
		return s.data(u)
	}
	paint := map[string]painted{"ok": s.paint(green, "ok     "), "warning": s.paint(yellow, "warning"), "failed": s.paint(red, "FAILED ")}
	for _, c := range u.Checks {
		s.say("%s  %-8s %s\n", paint[c.State], c.Name, c.Detail)
	}
	return nil
}

// dated keeps the date of the last answer, and when it came.
type dated struct{ theirs, ours time.Time }

func (d *dated) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			d.theirs, d.ours = at, time.Now()
		}
	}
	return resp, err
}

// service checks the way to a service.
func (s *session) service(ctx context.Context, u *checkup) {
	p, err := s.choose()
	if err != nil {
		u.fail("login", "%s", s.reason(err))
		return
	}
	u.ok("login", "%s with the key of %s", p.url, p.from)
	s.place = p
	if !loopback(p.url) && !strings.HasPrefix(p.url, "https://") {
		u.warn("login", "the key travels unencrypted: use https")
	}
	d := &dated{}
	c, err := s.clientOf(p, &http.Client{Transport: d, Timeout: 10 * time.Second})
	if err != nil {
		u.fail("login", "%s", err)
		return
	}
	r, err := probe(ctx, c, p.key)
	switch code := codeOf(err); {
	case errors.Is(err, errNoKey):
		u.fail("key", "%s", err)
	case err == nil:
		u.ok("service", "answers")
		u.ok("key", "works: %s", r.text)
		if r.key != nil && !r.key.ExpiresAt.IsZero() && r.key.ExpiresAt.Sub(s.now()) < 14*24*time.Hour {
			u.warn("key", "it expires %s", clock(r.key.ExpiresAt))
		}
	case code != "":
		u.ok("service", "answers")
		u.fail("key", "%s", s.reason(err))
	case !d.theirs.IsZero():
		u.fail("service", "something answers, but not as notify does: %s", s.reason(err))
	default:
		u.fail("service", "%s", s.reason(err))
	}
	if err == nil {
		u.address(ctx, c)
		u.alarms(ctx, c)
	}
	if d.theirs.IsZero() {
		return
	}
	// The header has whole seconds, so that it is half a second late on average.
	skew := d.ours.Sub(d.theirs.Add(500 * time.Millisecond)).Round(time.Second)
	if skew.Abs() > 5*time.Second {
		u.warn("clock", "this machine's clock is %s off the service's: times of --at and signatures of webhooks may be refused", skew)
	} else {
		u.ok("clock", "agrees with the service's")
	}
}

// address checks that the service knows where it is seen from outside. Only operators' keys may ask.
func (u *checkup) address(ctx context.Context, c *client.Client) {
	settings, err := c.Settings(ctx)
	switch {
	case codeOf(err) == client.CodeForbidden:
	case err != nil:
		u.fail("address", "the settings cannot be read: %s", err)
	case !strings.HasPrefix(settings.PublicURL, "https://"):
		u.warn("address", "the service knows no public https address of its own (NOTIFY_PUBLIC_URL, the template's PublicUrl): marketing mail goes without List-Unsubscribe")
	default:
		u.ok("address", "%s", settings.PublicURL)
	}
	if err == nil && settings.EgressAddress != "" {
		u.ok("egress", "providers see %s", settings.EgressAddress)
	}
}

// alarms tells what is wrong now, and where it stands what to do. Only operators' keys may ask; an older service
// does not know.
func (u *checkup) alarms(ctx context.Context, c *client.Client) {
	open, err := c.Alarms(ctx)
	switch {
	case codeOf(err) == client.CodeForbidden, codeOf(err) == client.CodeNotFound:
	case err != nil:
		u.fail("alarms", "cannot be read: %s", err)
	case len(open) == 0:
		u.ok("alarms", "none is open")
	}
	for _, a := range open {
		u.warn("alarms", "%s: %s (%.4g, the threshold is %g); %s", cmp.Or(string(a.Channel), "notify"), a.Title.En, a.Value, a.Threshold, a.Runbook)
	}
}

// folder checks a data folder that no notify uses right now.
func (u *checkup) folder(ctx context.Context, dir string) {
	path := filepath.Join(dir, "notify.db")
	if _, err := os.Stat(path); err != nil {
		u.fail("folder", "%s is no data folder: %s", dir, err)
		return
	}
	u.ok("folder", "%s", dir)
	for _, name := range []string{"notify.db", "master.key", "secrets.json", "demo.key", "canary.json"} {
		info, err := os.Stat(filepath.Join(dir, name))
		switch {
		case errors.Is(err, os.ErrNotExist):
			if name == "master.key" {
				u.fail("key", "master.key is missing: without it nothing that is encrypted can be read; bring it back from a backup")
			}
		case err != nil:
			u.fail("files", "%s", err)
		case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
			u.fail("files", "others can read %s (mode %04o); run: chmod 600 %s", name, info.Mode().Perm(), filepath.Join(dir, name))
		}
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{})
	if errors.Is(err, sqlite.ErrInUse) {
		u.fail("database", "a running notify uses it; stop that first")
		return
	}
	if err != nil {
		u.fail("database", "%s", err)
		return
	}
	if err := errors.Join(db.Check(ctx), db.Close()); err != nil {
		u.fail("database", "%s; stop using this folder and restore it from a backup", err)
		return
	}
	u.ok("database", "is whole")
}
