package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/opennotify/notify/client"
)

// sending is what the flags of send and explain say.
type sending struct {
	channel, locale, reference, at, tenant, key, vars string
	ttl, wait                                         time.Duration
	explain                                           bool
}

func (f *sending) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.channel, "channel", "", "sms, email, webhook, …; without it the route chooses")
	flags.StringVar(&f.locale, "locale", "", "of the template, as zh or en; without it the tenant's")
	flags.StringVar(&f.reference, "reference", "", "your own id of it, to find it by")
	flags.StringVar(&f.at, "at", "", "not before: RFC 3339 with a zone, or from now on, as 10m, 2h or 3d")
	lengthVar(flags, &f.ttl, "ttl", "how long it may be late, as 5m; without it the class's")
	flags.StringVar(&f.tenant, "tenant", "", "who sends; for operators' keys")
	flags.StringVar(&f.vars, "vars", "", "the variables as a JSON object: @file, or - for standard input")
}

func sendCommand(s *session) *cobra.Command {
	f, many := &sending{}, &mailing{}
	c := &cobra.Command{
		Use:   "send TEMPLATE TO [name=value…] | send TEMPLATE --csv FILE [name=value…]",
		Short: "Send a message, or one to each row of a file",
		Long: `Send a message. TO is an address, or several with commas between them. A variable is name=value, a text;
name:=value takes JSON, for numbers, booleans and lists. Without --idempotency-key the command's own retries
are one message, and running it again asks for another.

With --wait it waits until the message has ended, and exits with
  0  delivered, or sent where no receipt comes
  3  failed, undelivered, bounced, complained, dead or expired
  4  in doubt: it may have been sent
  5  suppressed or cancelled
  6  not decided when the wait was over
  1  not accepted, or any other error
Of several messages the worst counts, of a fallback the best. --json prints what was accepted, with --wait
the message or the group as it ended.

With --csv it is a campaign: the file is uploaded and checked, the check shown, and you are asked for the number
of messages. Progress goes to standard error, whom it did not reach to failures.csv, and rows that are wrong to
bad-rows.csv with a column error. Ctrl-C stops watching, not the campaign: notify campaign cancel does that.`,
		Example: `  notify send login-code +8613800138000 code=482913
  notify send order-shipped li@example.com --channel email name=李雷 order=A-1001 --wait=1m
  notify send order-card https://hooks.example.com/orders --channel webhook order=A-1001 amount:=99.5 customer=李雷
  notify send login-code +8613800138000,+8613800138001 --vars @code.json --at 10m --json
  echo '{"code":"482913"}' | notify send login-code +8613800138000 --vars - --idempotency-key login-7
  notify send spring-sale --csv members.csv --column to=手机号 --channel sms --title "Spring sale"`,
		Args: takes(1, -1),
		RunE: func(c *cobra.Command, args []string) error {
			if f.wait < 0 {
				return errors.New("--wait must not be negative; leave it out not to wait")
			}
			if c.Flags().Changed("wait") && slices.ContainsFunc(args, isDuration) {
				return errors.New("the time of --wait goes behind an equals sign, as --wait=5s")
			}
			if c.Flags().Changed("idempotency-key") && f.key == "" {
				return errors.New("--idempotency-key is empty (is a variable not set?)")
			}
			if many.csv != "" {
				return s.mail(c, f, many, args)
			}
			if len(args) < 2 {
				return takes(2, -1)(c, args)
			}
			r, err := s.request(f, args)
			if err != nil {
				return err
			}
			if f.explain {
				return s.explain(c.Context(), r)
			}
			return s.send(c.Context(), r, f.wait)
		},
	}
	f.register(c)
	c.Flags().StringVar(&f.key, "idempotency-key", "", "requests with the same key are one message for 24 h")
	c.Flags().BoolVar(&f.explain, "explain", false, "say what sending would do; send nothing")
	c.Flags().DurationVar(&f.wait, "wait", 0, "wait until it has ended, at most so long")
	c.Flags().Lookup("wait").NoOptDefVal = "30s"
	many.register(c)
	return c
}

// isDuration tells whether an argument is a time that a flag was meant to have.
func isDuration(arg string) bool {
	_, err := time.ParseDuration(arg)
	return err == nil
}

// request is what the arguments and flags ask for.
func (s *session) request(f *sending, args []string) (client.SendRequest, error) {
	r := client.SendRequest{IdempotencyKey: f.key, Tenant: f.tenant, Channel: client.Channel(f.channel), Template: args[0], Locale: f.locale,
		Reference: f.reference, To: client.Address(args[1]), TTLSeconds: int(f.ttl / time.Second)}
	if strings.Contains(args[1], ",") && !strings.Contains(args[1], "://") {
		r.To = client.Addresses(strings.Split(args[1], ",")...)
	}
	if f.ttl < 0 || f.ttl%time.Second != 0 {
		return r, errors.New("--ttl must be whole seconds, as 5m or 90s")
	}
	if f.at != "" {
		at, err := instant(f.at, s.now())
		if err != nil {
			return r, fmt.Errorf("--at: %w", err)
		}
		r.SendAt = at
	}
	vars, err := s.variables(f.vars, args, 2)
	r.Vars = vars
	return r, err
}

// variables reads those of --vars, then those of the arguments from one on.
func (s *session) variables(source string, args []string, from int) (map[string]any, error) {
	vars := map[string]any{}
	if source != "" {
		text, err := s.source(source)
		if err != nil {
			return nil, fmt.Errorf("--vars: %w", err)
		}
		err = decode(text, &vars)
		switch {
		case errors.Is(err, errNotUTF8):
			return nil, fmt.Errorf("--vars: %w", err)
		case err != nil || vars == nil:
			return nil, errors.New(`--vars must be one JSON object, as {"code":"482913"}`)
		}
	}
	for i, a := range args[from:] {
		name, value, ok := strings.Cut(a, "=")
		name, typed := strings.CutSuffix(name, ":")
		if !ok || name == "" {
			return nil, errors.New("a variable is written name=value, or name:=value in JSON; argument " + strconv.Itoa(from+i+1) + " is not") // which may be personal
		}
		if vars[name] = value; !typed {
			continue
		}
		var v any
		if err := decode([]byte(value), &v); err != nil {
			return nil, fmt.Errorf("the value of %s:= is not JSON; write %s=… for a text", name, name)
		}
		vars[name] = v
	}
	return vars, nil
}

var errNotUTF8 = errors.New("it is not in UTF-8 (is it in GBK?); save it as UTF-8")

// decode reads one JSON value, with numbers as they are written. Some editors put a byte order mark before it.
func decode(text []byte, v any, how ...func(*json.Decoder)) error {
	if !utf8.Valid(text) { // the decoder would put other characters in the place of what is not
		return errNotUTF8
	}
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	d.UseNumber()
	for _, set := range how {
		set(d)
	}
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

const maxSource = 2 << 20 // what a request's body may have

// source reads @file, or - for standard input.
func (s *session) source(from string) ([]byte, error) {
	if from == "-" {
		return io.ReadAll(io.LimitReader(s.in, maxSource))
	}
	path, isFile := strings.CutPrefix(from, "@")
	if !isFile {
		return nil, errors.New("write @file to read a file, or - for standard input")
	}
	return os.ReadFile(path)
}

// instant reads RFC 3339, or a time from now on: 10m, +2h, 3d.
func instant(text string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	short := strings.TrimPrefix(text, "+")
	if days, isDays := strings.CutSuffix(short, "d"); isDays {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, int(n)), nil
		}
	}
	d, err := time.ParseDuration(short)
	if err != nil || d < 0 {
		return time.Time{}, fmt.Errorf("%q is neither RFC 3339 with a zone, as 2026-01-02T15:04:05+08:00, nor a time from now on, as 10m, 2h or 3d", text)
	}
	return now.Add(d), nil
}
