package recipe

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// codeHTTP is in front of the status where a provider gives no code.
const codeHTTP = "http_"

// rule is a compiled row.
type rule struct {
	codes    []string
	when     *program
	outcome  message.Outcome
	code     string
	wait     time.Duration
	waitExpr *program
}

// answer says what an answer means.
type answer struct {
	code, id, text, wait *program
	rules                []rule
}

func (c *compiler) answer(s answerSpec, path string) *answer {
	in := c.heard()
	return &answer{
		code: c.expression(s.Code, in, path+".code"), id: c.expression(s.ID, in, path+".id"),
		text: c.expression(s.Text, in, path+".text"), wait: c.expression(s.Wait, in, path+".wait"),
		rules: c.rules(s.Table, in, path+".table"),
	}
}

func (c *compiler) rules(rows []row, in scope, path string) []rule {
	out := make([]rule, 0, len(rows))
	for i, row := range rows {
		where := path + "[" + strconv.Itoa(i) + "]"
		r := rule{outcome: c.outcome(row.Outcome, where), when: c.expression(row.When, in, where+".when"), code: row.Code.text}
		for _, s := range row.Codes {
			r.codes = append(r.codes, s.text)
		}
		if r.when == nil && len(r.codes) == 0 {
			c.fault(row.Outcome.line, where, "has neither codes nor when")
		}
		if _, answers := in["code"]; !answers && (len(r.codes) > 0 || r.code == "" || r.outcome == message.Accepted) {
			c.fault(row.Outcome.line, where, "needs when, a code, and an outcome that is not sent")
		}
		if r.outcome != message.Accepted {
			for _, code := range append([]string{r.code}, r.codes...) {
				if code != "" && (r.code == "" || code == r.code) {
					c.codes[code] = row.Outcome.line
				}
			}
		}
		if d, ok := row.Wait.duration(); ok {
			r.wait = d
		} else {
			r.waitExpr = c.expression(row.Wait, in, where+".wait")
		}
		out = append(out, r)
	}
	return out
}

// match tells whether a rule is about a code.
func (r rule) match(code string, env map[string]any) bool {
	if len(r.codes) > 0 && !slices.ContainsFunc(r.codes, func(pattern string) bool { return fits(pattern, code) }) {
		return false
	}
	return r.when == nil || truth(r.when, env)
}

func fits(pattern, code string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(code, prefix)
	}
	return pattern == code
}

// truth is false for what cannot be evaluated: an answer without the field that is asked for.
func truth(p *program, env map[string]any) bool {
	v, err := p.run(env)
	b, ok := v.(bool)
	return err == nil && ok && b
}

// word is "" for what cannot be evaluated.
func word(p *program, env map[string]any) string {
	if p == nil {
		return ""
	}
	v, err := p.run(env)
	if err != nil {
		return ""
	}
	s, err := text(v)
	if err != nil {
		return ""
	}
	return s
}

// seconds is 0 for what is no number of them, and at most most.
func seconds(p *program, env map[string]any, most time.Duration) time.Duration {
	if p == nil {
		return 0
	}
	v, err := p.run(env)
	if err != nil {
		return 0
	}
	f, err := number(v)
	if err != nil || math.IsNaN(f) || f <= 0 {
		return 0
	}
	if f >= most.Seconds() {
		return most
	}
	return time.Duration(f * float64(time.Second))
}

// read judges an answer; env is what expressions about the account may name, and becomes what those about
// the answer may. The texts are not yet clean.
func (a *answer) read(got provider.Answer, env map[string]any, now time.Time) message.Result {
	hear(env, got.Status, got.Header, got.Body)
	r := message.Result{HTTPStatus: got.Status, Code: word(a.code, env)}
	if r.Code == "" {
		r.Code = codeHTTP + strconv.Itoa(got.Status)
	}
	env["code"] = r.Code
	if got.Status == http.StatusTooManyRequests { // whatever the body says; a row may say more
		r.Outcome = message.Throttled
	}
	for _, rule := range a.rules {
		if rule.match(r.Code, env) {
			r.Outcome, r.After = rule.outcome, max(rule.wait, seconds(rule.waitExpr, env, provider.MaxAfter))
			if rule.code != "" {
				r.Code = rule.code
			}
			break
		}
	}
	switch r.Outcome {
	case message.Accepted:
		r.Code, r.ProviderID = "", word(a.id, env)
		return r
	case message.Throttled, message.Retry, message.Defer:
		r.After = max(r.After, provider.RetryAfter(got.Header, now), seconds(a.wait, env, provider.MaxAfter))
	default:
		r.After = 0
	}
	r.Text = word(a.text, env)
	return r
}

// hear adds what was heard to an environment.
func hear(env map[string]any, status int, header http.Header, body []byte) {
	heads := map[string]string{}
	for name, v := range header {
		if len(v) > 0 {
			heads[strings.ToLower(name)] = v[0]
		}
	}
	env["status"], env["header"], env["body"], env["json"] = status, heads, string(body), decodeJSON(body)
	env["query"], env["code"] = map[string]string{}, ""
}

// decodeJSON gives nil for what is no JSON. Whole numbers keep all digits.
func decodeJSON(body []byte) any {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || dec.More() {
		return nil
	}
	return numbers(v)
}

func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
			return f
		}
		return v.String() // a whole number that is too long for an int
	}
	return v
}
