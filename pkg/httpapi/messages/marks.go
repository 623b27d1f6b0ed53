package messages

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/intake"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
)

// marks reads whom a refused request was for, so that "we called you and nothing came" is found by the
// recipient. It takes what it can: that the body is wrong is why it is read.
func marks(in Intake) func(ctx context.Context, c *httpapi.Call) []string {
	return func(ctx context.Context, c *httpapi.Call) []string {
		body := members(c.Body())
		var many []jsontext.Value
		if json.Unmarshal(body["messages"], &many, lenient) != nil || len(many) == 0 {
			return in.Marks(ctx, c.Principal, about(body))
		}
		var all []intake.About
		for _, m := range many {
			all = append(all, about(members(m)))
		}
		return in.Marks(ctx, c.Principal, all...)
	}
}

var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// members are those of an object; none of anything else.
func members(b []byte) map[string]jsontext.Value {
	var out map[string]jsontext.Value
	if json.Unmarshal(b, &out, lenient) != nil {
		return nil
	}
	return out
}

func about(m map[string]jsontext.Value) intake.About {
	a := intake.About{Tenant: text(m["tenant"]), Channel: message.Channel(text(m["channel"])), Reference: text(m["reference"])}
	var list []jsontext.Value
	switch to := m["to"]; to.Kind() {
	case '[':
		if json.Unmarshal(to, &list, lenient) != nil {
			return a
		}
	case '{':
		for _, v := range members(to) {
			list = append(list, v)
		}
	default:
		list = append(list, to)
	}
	for _, v := range list {
		if s := text(v); s != "" {
			a.To = append(a.To, s)
		}
	}
	return a
}

// text is a string's, or a number's: a phone number without quotes is a common mistake.
func text(v jsontext.Value) string {
	var s string
	switch {
	case v.Kind() == '0':
		return string(v)
	case json.Unmarshal(v, &s, lenient) != nil:
		return ""
	}
	return s
}

// refuseItems takes down the items of a batch that were refused, as one refused request.
func refuseItems(ctx context.Context, in Intake, c *httpapi.Call, r *BatchRequest, a *BatchAnswer) {
	var faults []problem.Field
	var all []intake.About
	for i, item := range a.Results {
		if item.Problem == nil {
			continue
		}
		if len(item.Problem.Errors) == 0 {
			faults = append(faults, problem.At("/messages/"+strconv.Itoa(i), item.Problem.Code, "%s", item.Problem.Detail))
		}
		faults = append(faults, item.Problem.Errors...)
		m := &r.Messages[i]
		all = append(all, intake.About{Tenant: m.Tenant, Channel: m.Channel, Reference: m.Reference, To: append(append([]string{m.To.One}, m.To.List...), slices.Collect(maps.Values(m.To.Ways))...)})
	}
	c.RefuseInPart(problem.Invalid(faults...), in.Marks(ctx, c.Principal, all...))
}
