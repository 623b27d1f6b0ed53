package httpapi

import (
	"fmt"
	"strconv"

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
