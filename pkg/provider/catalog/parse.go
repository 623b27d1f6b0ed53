package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/tenant"
)

// Parse reads one descriptor. The file's name is only for the error. Unknown keys are errors.
func Parse(name string, data []byte) (provider.Descriptor, error) {
	d, dec, err := first(name, data)
	if err != nil {
		return d, err
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return d, &Fault{File: name, Reason: "more than one document"}
	}
	if d.Own != nil {
		return d, &Fault{File: name, Reason: "only a recipe declares a channel; a coded one has its row in message/channels.go"}
	}
	return d, nil
}

// ParseRecipe reads the descriptor of a recipe: the first of its two documents. The second one is the
// engine's, and is not looked at.
func ParseRecipe(name string, data []byte) (provider.Descriptor, error) {
	d, _, err := first(name, data)
	return d, err
}

func first(name string, data []byte) (provider.Descriptor, *yaml.Decoder, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	var d provider.Descriptor
	if err := dec.Decode(&d); errors.Is(err, io.EOF) {
		return d, nil, &Fault{File: name, Reason: "is empty"}
	} else if err != nil {
		return d, nil, Located(name, err)
	}
	v := validator{file: name, places: PlacesOf(data, 0)}
	v.descriptor(d)
	return d, dec, errors.Join(v.errs...)
}

// validator collects everything that is wrong with a descriptor's content.
type validator struct {
	file   string
	places *Places
	errs   []error
}

// place leads to a value of the descriptor.
type place []any

func (v *validator) check(ok bool, at place, format string, args ...any) {
	if !ok {
		v.errs = append(v.errs, &Fault{File: v.file, Line: v.places.Line(at...), Reason: fmt.Sprintf(format, args...)})
	}
}

func (v *validator) descriptor(d provider.Descriptor) {
	v.check(plainName(d.Name, '-'), place{"name"}, "name %q must be lower-case letters, digits and -", d.Name)
	v.check(both(d.Title), place{"title"}, "title needs zh and en")
	v.check(https(d.Docs), place{"docs"}, "docs must be the https URL of the vendor's page")
	v.check(len(d.Channels) > 0, place{"channels"}, "channels is empty")
	for i, c := range d.Channels {
		_, known := c.Info()
		known = known || d.Own != nil && d.Own.Name == c
		v.check(known, place{"channels", i}, "channel %q is not in the table of channels", c)
		v.check(!slices.Contains(d.Channels[:i], c), place{"channels", i}, "channel %q is listed twice", c)
	}
	v.form("fields", d.Fields)
	v.form("binding", d.Binding)
	for i, f := range d.Fields {
		v.check(f.Type != provider.Variables, place{"fields", i, "type"}, "field %q: an account knows no variables", f.Name)
	}
	for i, f := range d.Binding {
		v.check(!f.Secret, place{"binding", i, "secret"}, "field %q: a binding holds no secrets", f.Name)
	}
	v.check(!d.Approvals || len(d.Binding) > 0, place{"approvals"}, "approvals belong to a binding")
	v.check(d.Receipts || !d.ReceiptsByID, place{"receipts_by_id"}, "receipts_by_id needs receipts")
	if d.Polls != nil {
		v.polls(*d.Polls, d)
	}
	for _, code := range slices.Sorted(maps.Keys(d.Suppresses)) {
		reasons := []string{string(suppress.Bounce), string(suppress.OptOut), string(suppress.Complaint)}
		v.check(slices.Contains(reasons, d.Suppresses[code]), place{"suppresses", code}, "code %q must be one of %v", code, reasons)
		_, said := d.Say(code)
		v.check(said, place{"suppresses", code}, "code %q has no sentence in codes", code)
	}
	for i, code := range d.AllowList {
		_, said := d.Codes[code]
		v.check(said, place{"allow_list", i}, "code %q has no sentence in codes", code)
	}
	if d.Own != nil {
		v.own(*d.Own, d.Channels)
	}
	for _, code := range slices.Sorted(maps.Keys(d.Codes)) {
		v.check(code != "" && both(d.Codes[code]), place{"codes", code}, "code %q needs zh and en", code)
	}
	v.limits(d.Limits)
}

// The bounds of polls, in seconds.
const (
	minEvery = 10        // a pass of the sweep comes three times a minute
	maxEvery = 24 * 3600 // a vendor keeps what was not asked for some days at most
	maxUntil = 6 * maxEvery
)

func (v *validator) polls(p provider.Polls, d provider.Descriptor) {
	check := func(ok bool, field, format string, args ...any) {
		v.check(ok, place{"polls", field}, "polls."+field+" "+format, args...)
	}
	check(p.Every >= minEvery && p.Every <= maxEvery, "every_seconds", "is %d; it must be %d to %d", p.Every, minEvery, maxEvery)
	switch p.Of {
	case provider.OfAccount:
		check(p.After == 0, "after_seconds", "belongs to polls of message")
		check(p.Until == 0, "until_seconds", "belongs to polls of message")
	case provider.OfMessage:
		check(p.After >= 0 && p.After < p.Until, "after_seconds", "is %d; it must be less than until_seconds", p.After)
		check(p.Until <= maxUntil, "until_seconds", "is %d; it must be %d at most", p.Until, maxUntil)
		check(d.ReceiptsByID, "of", "is message: the question names the provider's own id, so there must be receipts_by_id: true")
	default:
		check(false, "of", "must be %s or %s", provider.OfAccount, provider.OfMessage)
	}
	known := slices.ContainsFunc(d.Fields, func(f provider.Field) bool { return f.Name == p.Switch && f.Type == "boolean" && !f.Secret })
	check(p.Switch == "" || known, "switch", "is %q: the form has no boolean field of that name", p.Switch)
}

func (v *validator) limits(l provider.Limits) {
	for _, n := range []int{l.PerSecond, l.PerMinute, l.PerDay, l.Concurrency, l.Payload, l.Recipient.PerMinute, l.Recipient.PerHour, l.Recipient.PerDay} {
		v.check(n >= 0, place{"limits"}, "a limit is negative")
	}
	_, err := l.Ahead()
	v.check(err == nil, place{"limits", "zone"}, "limits.zone: %v", err)
	v.check(l == (provider.Limits{}) || https(l.Source), place{"limits", "source"}, "limits.source must be the https URL of the page that states the limits")
}

// own checks a channel that a recipe declares.
func (v *validator) own(c provider.Own, channels []message.Channel) {
	check := func(ok bool, field, format string, args ...any) {
		v.check(ok, place{"channel", field}, "channel: "+format, args...)
	}
	check(tenant.ValidName(string(c.Name)) && c.Name != message.Other, "name", "the name must be 1 to 32 lower-case letters, digits and -, and begin with a letter")
	_, known := c.Name.Info()
	check(!known, "name", "the table of channels has it already")
	check(slices.Contains(channels, c.Name), "name", "the recipe does not list it in channels")
	check(both(c.Title), "title", "title needs zh and en")
	kinds := []message.ContentKind{message.PlainText, message.ChatText, message.PushText, message.DataBody}
	check(slices.Contains(kinds, c.Content), "content", "content must be one of %v", kinds)
	re, err := c.Form()
	check(err == nil, "address", "address is not a regular expression of 1 to %d bytes", provider.MaxPattern)
	check(err != nil || re.MatchString(c.Example), "example", "the example does not match address")
}

func (v *validator) form(list string, fields []provider.Field) {
	for i, f := range fields {
		twin := slices.ContainsFunc(fields[:i], func(g provider.Field) bool { return g.Name == f.Name })
		v.check(!twin, place{list, i}, "field %q is listed twice", f.Name)
		v.field(list, i, f)
	}
}

func (v *validator) field(list string, i int, f provider.Field) {
	check := func(ok bool, part, what string) {
		v.check(ok, place{list, i, part}, "field %q: %s", f.Name, what)
	}
	check(plainName(f.Name, '_'), "name", "the name must be lower-case letters, digits and _")
	check(both(f.Label), "label", "label needs zh and en")
	check(f.Help == (provider.Text{}) || both(f.Help), "help", "help needs zh and en, or neither")
	types := []string{"string", "text", "number", "boolean", "url", "select", provider.Variables}
	check(slices.Contains(types, f.Type), "type", "type must be one of "+strings.Join(types, ", "))
	check((f.Type == "select") == (len(f.Options) > 0), "options", "options belong to a select, and a select needs them")
	_, err := regexp.Compile(f.Pattern)
	check(err == nil, "pattern", "pattern is not a regular expression")
	if f.Default != "" && err == nil {
		check(!f.Required, "default", "a required field has no use for a default")
		check(!f.Secret, "default", "a secret has no default")
		_, err := f.Fit("")
		check(err == nil, "default", "the default does not pass the field's own check")
	}
}

func both(t provider.Text) bool {
	return strings.TrimSpace(t.Zh) != "" && strings.TrimSpace(t.En) != ""
}

func https(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

func plainName(s string, sep rune) bool {
	outside := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != sep }
	return s != "" && len(s) <= 40 && !strings.ContainsFunc(s, outside)
}
