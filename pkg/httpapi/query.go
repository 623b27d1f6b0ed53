package httpapi

import (
	"fmt"
	"strconv"
	"time"

	"github.com/opennotify/notify/pkg/problem"
)

// How many entries a page has: at most, and where the caller does not say.
const (
	MaxPage     = 100
	DefaultPage = 50
)

// PageParams are the parameters of a list that is read page by page.
func PageParams() []Param { return []Param{LimitParam(), AfterParam()} }

// LimitParam says how long a page may be.
func LimitParam() Param {
	return Param{Name: "limit", Description: fmt.Sprintf("1 to %d; %d without it.", MaxPage, DefaultPage), Example: strconv.Itoa(DefaultPage)}
}

// AfterParam is a cursor.
func AfterParam() Param { return Param{Name: "after", Description: "The next of the page before."} }

// Limit is how long the page is to be.
func (c *Call) Limit() (int, error) { return c.Number("limit", DefaultPage, 1, MaxPage) }

// Number reads a whole number of the query; def without one.
func (c *Call) Number(name string, def, least, most int) (int, error) {
	text := c.Query(name)
	if text == "" {
		return def, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, problem.Invalid(problem.At("query:"+name, problem.BadValue, "%s must be a whole number from %d to %d", name, least, most))
	}
	return n, nil
}

// Span reads the query's from and to, the zero times without them, and names both where both are wrong.
func (c *Call) Span() (from, to time.Time, err error) {
	var faults []problem.Field
	read := func(name string) (t time.Time) {
		text := c.Query(name)
		if text == "" {
			return t
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil || t.Year() < 2000 || t.Year() > 9999 {
			faults = append(faults, problem.At("query:"+name, problem.BadTime, "%s must be a time such as 2026-01-02T10:30:00Z, with a + of its zone written %%2B", name))
		}
		return t
	}
	if from, to = read("from"), read("to"); len(faults) > 0 {
		return from, to, problem.Invalid(faults...)
	}
	return from, to, nil
}
