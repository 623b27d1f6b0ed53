package operate

import (
	"context"
	"maps"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// PreviewRequest asks for a rendering: of Template when it is set, else of a stored version.
type PreviewRequest struct {
	Template *template.Template
	Tenant   string
	Name     string
	Version  int // 0: the newest
	// Channel and Locale choose the variant; without a channel it is the first.
	Channel message.Channel
	Locale  string
	// Vars without a value take the declared example.
	Vars map[string]any
}

// Preview is what a recipient would read, as far as it can be said, and everything that is wrong. What
// cannot be rendered is shown as it is written; a variable without a value shows as {{name}}.
type Preview struct {
	Channel  message.Channel
	Locale   string
	Content  message.Content
	Segments *template.Segments // of an SMS
	// Problems begin with /template or /vars.
	Problems []problem.Field
	Warnings []string
	// Version is the stored one that was rendered, 0 for a posted template.
	Version int
}

// Preview renders for the editor. A faulty template is no error: the faults are in the answer.
func (o *Operate) Preview(ctx context.Context, p tenant.Principal, r PreviewRequest) (Preview, error) {
	if err := o.mayReadTemplates(p); err != nil {
		return Preview{}, err
	}
	t, err := o.previewed(ctx, p, r)
	if err != nil {
		return Preview{}, err
	}
	out := Preview{}
	if r.Template == nil {
		out.Version = t.Version
	}
	var unknown []problem.Field
	if r.Template != nil { // a stored one keeps its kinds
		if unknown, err = o.kinds(ctx, &t); err != nil {
			return Preview{}, err
		}
	}
	c, faults := template.Compile(t)
	for _, f := range append(unknown, faults...) {
		f.Pointer = "/template" + f.Pointer
		out.Problems = append(out.Problems, f)
	}
	if c != nil {
		out.Warnings = c.Warnings()
	}
	if len(t.Variants) > 0 {
		out.render(c, t, r)
	}
	return out, nil
}

func (o *Operate) previewed(ctx context.Context, p tenant.Principal, r PreviewRequest) (template.Template, error) {
	if r.Template != nil {
		t := *r.Template
		t.Tenant = r.Tenant
		if t.Name == "" {
			t.Name = "preview"
		}
		return t, nil
	}
	head, _, _, err := o.template(ctx, p, r.Tenant, r.Name)
	if err != nil {
		return template.Template{}, err
	}
	n := r.Version
	if n == 0 {
		n = head.Body.Latest
	}
	v, err := o.version(ctx, r.Tenant, r.Name, n)
	return v.Body, err
}

// render fills in the content; c is nil where the template has faults.
func (out *Preview) render(c *template.Compiled, t template.Template, r PreviewRequest) {
	v := pick(t, r.Channel, r.Locale)
	if r.Channel != "" && v.Channel != r.Channel {
		out.Problems = append(out.Problems, problem.At("/channel", problem.NoVariant, "there is no variant for channel %s; another is shown", r.Channel))
	}
	out.Channel, out.Locale = v.Channel, v.Locale
	if c != nil {
		content, locale, err := c.Render(v.Channel, r.Locale, out.vars(c, r.Vars))
		out.Content, out.Locale = content, locale
		if err != nil { // too large: show what is written
			out.Problems = append(out.Problems, problem.At("/vars", problem.TooLong, "%s", err))
			out.Content, out.Locale = contentOf(texts(v)), v.Locale
		}
	} else {
		m := mend(t)
		out.Content = m.render(v, out.vars(m.compiled, r.Vars))
	}
	if v.Channel == message.SMS {
		s := template.CountSegments(out.Content.Text)
		out.Segments = &s
	}
}

// vars completes the variables with examples, then with their own names, and reports what is wrong with
// those that were sent and what is missing for good.
func (out *Preview) vars(c *template.Compiled, sent map[string]any) map[string]any {
	full := maps.Clone(sent)
	if full == nil {
		full = map[string]any{}
	}
	declared := c.Template().Variables
	for _, v := range declared {
		if x, ok := example(v); ok && full[v.Name] == nil {
			full[v.Name] = x
		}
	}
	out.Problems = append(out.Problems, c.Check(full)...)
	for _, v := range declared {
		if full[v.Name] == nil && !v.Optional && v.Type != "list" {
			full[v.Name] = "{{" + v.Name + "}}"
		}
	}
	return full
}

// pick chooses the variant as Render does, nearly: the channel's exact locale, its first, any first.
func pick(t template.Template, ch message.Channel, locale string) *template.Variant {
	best := 0
	rank := func(v template.Variant) int {
		switch {
		case v.Channel == ch && strings.EqualFold(v.Locale, locale):
			return 2
		case v.Channel == ch:
			return 1
		}
		return 0
	}
	for i := range t.Variants {
		if rank(t.Variants[i]) > rank(t.Variants[best]) {
			best = i
		}
	}
	return &t.Variants[best]
}
