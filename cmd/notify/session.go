package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"reflect"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/term"

	"github.com/opennotify/notify/client"
)

// session is what all verbs share: the global flags, the environment, and the streams.
type session struct {
	json               bool
	url, profile, lang string

	env      func(string) string
	in       io.Reader
	out, err io.Writer
	terminal bool // standard input is one
	colour   bool // standard output takes colours
	bars     bool // standard error shows a line that changes
	now      func() time.Time
	place    place // that the last connect chose, for what is said about errors
}

func newSession() *session {
	return &session{env: os.Getenv, in: os.Stdin, out: &output{w: os.Stdout}, err: os.Stderr, now: time.Now,
		terminal: term.IsTerminal(int(os.Stdin.Fd())),
		colour:   colourful(term.IsTerminal(int(os.Stdout.Fd())), os.Getenv),
		bars:     term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb"}
}

// output remembers that something could not be written: a key or a secret is shown once, and a disk may be full.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// unread tells whether standard output is a pipe that nobody reads any more: who stopped reading has what he wanted, so
// it is no error.
func (s *session) unread() bool {
	o, ok := s.out.(*output)
	if !ok {
		return false
	}
	if f, file := o.w.(*os.File); !errors.Is(o.err, syscall.EPIPE) && !(file && closed(f)) {
		return false
	}
	o.err = nil
	return true
}

// colourful follows https://no-color.org.
func colourful(terminal bool, env func(string) string) bool {
	return terminal && env("NO_COLOR") == "" && env("TERM") != "dumb"
}

// start checks the global flags once they are read.
func (s *session) start() error {
	switch s.lang {
	case "zh", "en":
	case "":
		s.lang = language(s.env)
	default:
		return fmt.Errorf("--lang must be zh or en, not %q", s.lang)
	}
	return nil
}

// language is that of the first variable that is set, in POSIX's order.
func language(env func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := env(name); v != "" {
			if strings.HasPrefix(v, "zh") {
				return "zh"
			}
			break
		}
	}
	return "en"
}

// tr chooses between the two languages.
func (s *session) tr(zh, en string) string {
	if s.lang == "zh" {
		return zh
	}
	return en
}

func (s *session) words(v client.Verdict) client.Words {
	if s.lang == "zh" {
		return v.Zh
	}
	return v.En
}

// painted is text that may hold colour codes.
type painted string

const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (s *session) paint(code string, text any) painted {
	shown := clean(fmt.Sprint(text))
	if !s.colour {
		return painted(shown)
	}
	return painted("\x1b[" + code + "m" + shown + "\x1b[0m")
}

// status is a status in the colour of how well it is.
func (s *session) status(status client.Status) painted {
	code := yellow
	switch status {
	case client.StatusDelivered, client.StatusSent, client.StatusSimulated:
		code = green
	case client.StatusFailed, client.StatusDead, client.StatusUndelivered, client.StatusBounced, client.StatusComplained, client.StatusExpired:
		code = red
	}
	return s.paint(code, status)
}

// say prints for people, on standard output: nothing with --json.
func (s *session) say(format string, args ...any) {
	if !s.json {
		fmt.Fprintf(s.out, format, cleaned(args)...)
	}
}

// tell prints talk, on standard error.
func (s *session) tell(format string, args ...any) {
	fmt.Fprintf(s.err, format, cleaned(args)...)
}

// data prints a value for programs, as one line of JSON.
func (s *session) data(v any) error {
	e := json.NewEncoder(s.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table prints rows for people.
func (s *session) table(rows [][]any) {
	if s.json {
		return
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range cleaned(row) {
			cells[i] = strings.NewReplacer("\n", " ", "\t", " ").Replace(fmt.Sprint(cell))
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	w.Flush()
}

// cleaned takes out of texts what would steer a terminal: some were written by providers and strangers.
func cleaned(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		v := reflect.ValueOf(a)
		switch p, done := a.(painted); {
		case done:
			out[i] = string(p)
		case v.IsValid() && v.Kind() == reflect.String:
			out[i] = clean(fmt.Sprint(a))
		default:
			out[i] = a
		}
	}
	return out
}

// clean replaces control characters but line ends and tabs, and those that turn text around.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// clock is an instant in the reader's zone.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// list prints what comes, at most so many (0 is all): a table with a row of each below the head, or lines of JSON; none
// is said where nothing comes.
func list[T any](s *session, all iter.Seq2[T, error], most int, none string, head []any, row func(T) []any) error {
	rows, n := [][]any{head}, 0
	for v, err := range all {
		if err != nil {
			return err
		}
		if most > 0 && n == most {
			s.tell("there are more; see them with --limit\n")
			break
		}
		n++
		if !s.json {
			rows = append(rows, row(v))
		} else if err := s.data(v); err != nil {
			return err
		}
	}
	if n == 0 {
		s.tell("%s\n", none)
		return nil
	}
	s.table(rows)
	return nil
}
