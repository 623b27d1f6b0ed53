package messages_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/problem"
)

// with replaces the good request's fields by others, written as JSON.
func with(fields string) string { return `{"to":"+8613800138000","template":"hello",` + fields + `}` }

// The corpus of bad inputs: each is a problem with its pointer, and writes nothing.
func TestBadInputs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	deep := strings.Repeat("[", 10000) + strings.Repeat("]", 10000)
	many := `"x"` + strings.Repeat(`,"x"`, 100_000)
	members := make([]string, 100_000)
	for i := range members {
		members[i] = fmt.Sprintf(`"k%d":1`, i)
	}
	vars := func(v string) string { return with(`"vars":{"name":` + v + `}`) }
	when := func(v string) string { return with(`"vars":{"name":"Anna"},"send_at":` + v) }
	for name, c := range map[string]struct {
		body    string
		status  int
		pointer string
		code    problem.Code
	}{
		"empty":                {"", 400, "", problem.BadJSON},
		"no object":            {"[]", 400, "", problem.BadType},
		"null":                 {"null", 400, "", problem.BadType},
		"cut off":              {good[:30], 400, "", problem.BadJSON},
		"byte order mark":      {"\xef\xbb\xbf" + good, 400, "", problem.BadJSON},
		"trailing data":        {good + good, 400, "", problem.BadJSON},
		"trailing bracket":     {good + "]", 400, "", problem.BadJSON},
		"invalid UTF-8":        {vars("\"a\xffb\""), 400, "", problem.BadJSON},
		"overlong UTF-8":       {vars("\"\xc0\xaf\""), 400, "", problem.BadJSON},
		"lone surrogate":       {vars(`"\ud800"`), 400, "", problem.BadJSON},
		"turned surrogates":    {vars(`"\udc00\ud800"`), 400, "", problem.BadJSON},
		"NUL":                  {vars(`"a\u0000b"`), 400, "/vars/name", problem.BadValue},
		"raw NUL":              {vars("\"a\x00b\""), 400, "", problem.BadJSON},
		"escape":               {vars(`"a\u001b[31m"`), 422, "/vars/name", problem.BadValue},
		"C1":                   {vars(`"a\u009bb"`), 422, "/vars/name", problem.BadValue},
		"turned text":          {vars(`"a\u202eb"`), 422, "/vars/name", problem.BadValue},
		"unknown field":        {with(`"vars":{"name":"a"},"priority":1`), 400, "/priority", problem.UnknownField},
		"other case":           {with(`"Vars":{"name":"a"}`), 400, "/Vars", problem.UnknownField},
		"admin":                {with(`"vars":{"name":"a"},"ADMIN":true`), 400, "/ADMIN", problem.UnknownField},
		"duplicate field":      {with(`"vars":{"name":"a"},"to":"+8613800138001"`), 400, "/to", problem.BadValue},
		"duplicate variable":   {with(`"vars":{"name":"a","name":"b"}`), 400, "/vars/name", problem.BadValue},
		"duplicate way":        {`{"to":{"sms":"a","sms":"b"},"template":"hello"}`, 400, "/to/sms", problem.BadValue},
		"depth":                {with(`"vars":` + deep), 400, "", problem.BadJSON},
		"depth 10^4 of to":     {`{"to":` + deep + `}`, 400, "", problem.BadJSON},
		"10^5 recipients":      {`{"to":[` + many + `],"template":"hello"}`, 422, "/to", problem.TooMany},
		"10^5 ways":            {`{"to":{` + strings.ReplaceAll(strings.Join(members, ","), ":1", `:"x"`) + `},"template":"hello"}`, 422, "/to", problem.TooMany},
		"10^5 variables":       {with(`"vars":{` + strings.Join(members, ",") + `}`), 422, "/vars/k0", problem.UnknownVariable},
		"over 2 MiB":           {vars(`"` + strings.Repeat("x", 2<<20) + `"`), 413, "", problem.TooLarge},
		"number as to":         {`{"to":13800138000,"template":"hello"}`, 400, "/to", problem.BadType},
		"null as to":           {`{"to":null,"template":"hello"}`, 400, "/to", problem.BadType},
		"list of null":         {`{"to":[null],"template":"hello","vars":{"name":"a"}}`, 422, "/to/0", problem.BadAddress},
		"list of lists":        {`{"to":[["x"]],"template":"hello"}`, 400, "/to/0", problem.BadType},
		"way of a number":      {`{"to":{"sms":1},"template":"hello"}`, 400, "/to/sms", problem.BadType},
		"empty list":           {`{"to":[],"template":"hello"}`, 422, "/to", problem.Required},
		"empty object":         {`{"to":{},"template":"hello"}`, 422, "/to", problem.Required},
		"exponent":             {with(`"vars":{"name":"a"},"version":1e3`), 400, "/version", problem.BadType},
		"no time at all":       {with(`"vars":{"name":"a"},"ttl_seconds":0`), 422, "/ttl_seconds", problem.BadValue},
		"fraction":             {with(`"vars":{"name":"a"},"ttl_seconds":1.5`), 400, "/ttl_seconds", problem.BadType},
		"2^63":                 {with(`"vars":{"name":"a"},"ttl_seconds":9223372036854775808`), 400, "/ttl_seconds", problem.BadType},
		"2^63-1 seconds":       {with(`"vars":{"name":"a"},"ttl_seconds":9223372036854775807`), 422, "/ttl_seconds", problem.BadValue},
		"-2^63 seconds":        {with(`"vars":{"name":"a"},"ttl_seconds":-9223372036854775808`), 422, "/ttl_seconds", problem.BadValue},
		"seconds wrap around":  {with(`"vars":{"name":"a"},"ttl_seconds":18446744074`), 422, "/ttl_seconds", problem.BadValue},
		"window wraps around":  {with(`"vars":{"name":"a"},"dedup_seconds":18446744074`), 422, "/dedup_seconds", problem.BadValue},
		"negative version":     {with(`"vars":{"name":"a"},"version":-1`), 422, "/version", problem.BadValue},
		"huge number":          {`{"to":"+8613800138000","template":"bill","vars":{"amount":1e999}}`, 400, "/vars/amount", problem.BadValue},
		"quoted number":        {`{"to":"+8613800138000","template":"bill","vars":{"amount":"1"}}`, 422, "/vars/amount", problem.BadType},
		"NaN":                  {`{"to":"+8613800138000","template":"bill","vars":{"amount":NaN}}`, 400, "", problem.BadJSON},
		"no zone":              {when(`"2026-07-01T12:00:00"`), 400, "/send_at", problem.BadType},
		"date only":            {when(`"2026-07-02"`), 400, "/send_at", problem.BadType},
		"zone by name":         {when(`"2026-10-25T02:30:00+01:00[Europe/Berlin]"`), 400, "/send_at", problem.BadType},
		"DST gap, no zone":     {when(`"2027-03-28T02:30:00"`), 400, "/send_at", problem.BadType},
		"Unix time":            {when(`1782907200`), 400, "/send_at", problem.BadType},
		"leap second":          {when(`"2026-12-31T23:59:60Z"`), 400, "/send_at", problem.BadType},
		"hour 24":              {when(`"2026-12-31T24:00:00Z"`), 400, "/send_at", problem.BadType},
		"past":                 {when(`"2026-07-01T11:00:00Z"`), 422, "/send_at", problem.BadTime},
		"past by its zone":     {when(`"2026-07-01T20:00:00+14:00"`), 422, "/send_at", problem.BadTime},
		"year 0":               {when(`"0000-01-01T00:00:00Z"`), 422, "/send_at", problem.BadTime},
		"year 1":               {when(`"0001-01-01T00:00:00Z"`), 422, "/send_at", problem.BadTime},
		"year 1, end":          {with(`"vars":{"name":"a"},"expires_at":"0001-01-01T00:00:00Z"`), 422, "/expires_at", problem.BadTime},
		"year 2400":            {when(`"2400-01-01T00:00:00Z"`), 422, "/send_at", problem.BadTime},
		"year 9999":            {when(`"9999-12-31T23:59:59Z"`), 422, "/send_at", problem.BadTime},
		"year 9999, end":       {with(`"vars":{"name":"a"},"expires_at":"9999-12-31T23:59:59Z"`), 422, "/expires_at", problem.BadTime},
		"366 days":             {when(`"2027-07-02T12:00:00Z"`), 422, "/send_at", problem.BadTime},
		"braces in a variable": {vars(`"{{name}}"`), 202, "", ""}, // shown as they are
		"content, not JSON":    {`{"to":"https://example.com/","content":{"data":{]}}`, 400, "", problem.BadJSON},
	} {
		before := s.DB.Stats().Commits
		a := s.post("/v1/messages", s.shop, c.body)
		if a.status != c.status || c.code != "" && !a.has(c.pointer, c.code) && !(c.pointer == "" && a.status == 400 && a.Code == problem.BadJSON) {
			t.Errorf("%s: %d %.300s", name, a.status, a.body)
		}
		if n := s.DB.Stats().Commits - before; c.status >= 400 && n != 0 {
			t.Errorf("%s: %d commits", name, n)
		}
	}
	for name, h := range map[string]header{
		"form": {"Content-Type": "application/x-www-form-urlencoded"}, "latin": {"Content-Type": "application/json; charset=latin1"}, "gzip": {"Content-Encoding": "gzip"},
	} {
		if a := s.post("/v1/messages", s.shop, good, h); a.status != 415 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	for _, key := range []string{"", "nfy_live_x", s.shop[:len(s.shop)-1], strings.Replace(s.shop, "nfy_live", "nfy_test", 1), s.shop + "0"} {
		if a := s.post("/v1/messages", key, good); a.status != 401 {
			t.Errorf("a wrong key: %d", a.status)
		}
	}
}
