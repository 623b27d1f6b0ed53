package cron

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// field describes one of the six.
type field struct {
	name     string
	min, max int
	names    []string // of the values from min
	steps    bool     // whether it may have /
}

var (
	minuteField  = field{name: "minutes", max: 59, steps: true}
	hourField    = field{name: "hours", max: 23, steps: true}
	dayField     = field{name: "day-of-month", min: 1, max: 31, steps: true}
	monthField   = field{name: "month", min: 1, max: 12, steps: true, names: strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")}
	weekdayField = field{name: "day-of-week", min: 1, max: 7, names: strings.Fields("SUN MON TUE WED THU FRI SAT")}
	yearField    = field{name: "year", min: 1970, max: 2199, steps: true}
)

// set holds values of a field, counted from its min.
type set [4]uint64

func (s *set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *set) has(i int) bool { return i >= 0 && i < 256 && s[i/64]>>(i%64)&1 == 1 }

// next is the first value from i on; -1 when there is none.
func (s *set) next(i int) int {
	for w := i / 64; w < len(s); w, i = w+1, (w+1)*64 {
		if rest := s[w] >> (i % 64); rest != 0 {
			return i + bits.TrailingZeros64(rest)
		}
	}
	return -1
}

// Error is what is wrong with an expression: the field, its text, and what to write.
type Error struct {
	Field string // one of the six names; "" for the expression as a whole
	Text  string
	Fix   string
}

// Error is one sentence for whoever wrote the expression.
func (e *Error) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("cron %q: %s", e.Text, e.Fix)
	}
	return fmt.Sprintf("cron: %s %q: %s", e.Field, e.Text, e.Fix)
}

func (f field) errorf(text, format string, args ...any) error {
	return &Error{Field: f.name, Text: text, Fix: fmt.Sprintf(format, args...)}
}

// parse reads a list of values, ranges and steps.
func (f field) parse(text string) (s set, err error) {
	for _, part := range strings.Split(text, ",") {
		if err := f.parsePart(&s, part, text); err != nil {
			return set{}, err
		}
	}
	return s, nil
}

func (f field) parsePart(s *set, part, text string) error {
	span, stepText, stepped := strings.Cut(part, "/")
	if stepped && !f.steps {
		return f.errorf(text, "steps (/) are not for this field: write the days, as %s", "MON,WED,FRI")
	}
	step := 1
	if stepped {
		n, err := number(stepText)
		if err != nil || n < 1 || n > f.max {
			return f.errorf(text, "the step after / must be a number from 1 to %d", f.max)
		}
		step = n
	}
	from, to := f.min, f.max
	if span != "*" {
		first, last, ranged := strings.Cut(span, "-")
		var err error
		if from, err = f.value(first, text); err != nil {
			return err
		}
		switch {
		case ranged:
			if to, err = f.value(last, text); err != nil {
				return err
			}
		case !stepped:
			to = from
		}
		if to < from {
			return f.errorf(text, "the range %s runs backwards: write it as two, %s-%s,%s-%s",
				span, first, f.spell(f.max), f.spell(f.min), last)
		}
	}
	for v := from; v <= to; v += step {
		s.add(v - f.min)
	}
	return nil
}

// value reads a number or a name.
func (f field) value(v, text string) (int, error) {
	if i := slices.Index(f.names, v); i >= 0 {
		return f.min + i, nil
	}
	if i := slices.Index(f.names, strings.ToUpper(v)); i >= 0 {
		return 0, f.errorf(text, "names are in capitals: write %s", f.names[i])
	}
	n, err := number(v)
	if err != nil || n < f.min || n > f.max {
		return 0, f.errorf(text, "%s is not a value of it: use %s", quoteEmpty(v), f.values())
	}
	return n, nil
}

func (f field) values() string {
	s := fmt.Sprintf("%d-%d", f.min, f.max)
	if f.names != nil {
		s += fmt.Sprintf(" or %s-%s", f.names[0], f.names[len(f.names)-1])
	}
	s += ", *, lists (,) and ranges (-)"
	if f.steps {
		s += ", steps (/)"
	}
	return s
}

func (f field) spell(v int) string {
	if f.names != nil {
		return f.names[v-f.min]
	}
	return strconv.Itoa(v)
}

func quoteEmpty(v string) string {
	if v == "" {
		return "nothing"
	}
	return v
}

// number reads up to four digits: no sign, no space.
func number(s string) (int, error) {
	if len(s) > 4 || strings.Trim(s, "0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.Atoi(s)
}
