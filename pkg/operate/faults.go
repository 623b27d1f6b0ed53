package operate

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// MaxReason is how many characters a reason may have.
const MaxReason = 200

// The lengths of texts that people read, in characters.
const (
	maxTitle = 100
	maxNote  = 200
)

// faults collects what is wrong, so that a caller is told of everything at once.
type faults struct{ fields []problem.Field }

func (f *faults) add(pointer string, code problem.Code, format string, args ...any) {
	if len(f.fields) < 100 {
		f.fields = append(f.fields, problem.At(pointer, code, format, args...))
	}
}

func (f *faults) err() error {
	if len(f.fields) == 0 {
		return nil
	}
	return problem.Invalid(f.fields...)
}

// text checks a text of one line that people read.
func (f *faults) text(pointer, name, s string, most int, required bool) {
	switch n := utf8.RuneCountInString(s); {
	case strings.TrimSpace(s) == "" && required:
		f.add(pointer, problem.Required, "%s is required: 1 to %d characters", name, most)
	case n > most:
		f.add(pointer, problem.TooLong, "%s has %d characters; at most %d are allowed", name, n, most)
	case strings.ContainsFunc(s, hidden):
		f.add(pointer, problem.BadValue, "%s is one line without control or invisible characters", name)
	}
}

// hidden characters break lines or turn text around.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) && r != '\u200d' // joins emoji
}

// name checks what the path names.
func (f *faults) name(s string) {
	if !tenant.ValidName(s) {
		f.add("path:name", problem.BadValue, "a name has 1 to 32 lower-case letters, digits and -, and begins with a letter, such as order-service")
	}
}

func (f *faults) number(pointer, name string, n, least, most int) {
	if n < least || n > most {
		f.add(pointer, problem.BadValue, "%s must be %d to %d", name, least, most)
	}
}

func (f *faults) class(pointer string, c message.Class) {
	if c != "" && !c.Valid() {
		f.add(pointer, problem.BadValue, "class must be one of otp, transactional, marketing")
	}
}

func (f *faults) doubt(p message.InDoubtPolicy) {
	if p != "" && !message.ValidPolicy(p) {
		f.add("/in_doubt", problem.BadValue, "in_doubt must be one of resend, await, give_up; leave it out for the default")
	}
}

func (f *faults) region(pointer, s string) {
	if s != "" && !isRegion(s) {
		f.add(pointer, problem.BadValue, "region must be a country of ISO 3166-1 in two capital letters, such as CN or US")
	}
}

func (c Change) check(f *faults) {
	f.text("/reason", "reason", c.Reason, MaxReason, false)
	if c.Version < 0 {
		f.add("/version", problem.BadValue, "version must be the one that you read; leave it out for what is new")
	}
}

// checkQuery is for changes that come without a body.
func (c Change) checkQuery() error {
	var f faults
	f.text("query:reason", "reason", c.Reason, MaxReason, false)
	if c.Version < 1 {
		f.add("query:version", problem.BadValue, "version must be the one that you read, 1 or more")
	}
	return f.err()
}

func index(base string, i int) string { return fmt.Sprintf("%s/%d", base, i) }
