package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

// Parse reads one descriptor. The file's name is only for the error. Unknown keys are errors.
func Parse(name string, data []byte) (provider.Descriptor, error) {
	d, dec, err := first(name, data)
	if err != nil {
		return d, err
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return d, fmt.Errorf("%s: more than one document", name)
	}
	if d.Own != nil {
		return d, fmt.Errorf("%s: only a recipe declares a channel; a coded one has its row in message/channels.go", name)
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
	if err := dec.Decode(&d); err != nil {
		return d, nil, Located(name, err)
	}
	if err := Validate(d); err != nil {
		return d, nil, errors.New(name + ": " + strings.ReplaceAll(err.Error(), "\n", "\n"+name+": "))
	}
	return d, dec, nil
}

// Located turns yaml's "line 3: …" into "name:3: …".
func Located(name string, err error) error {
	faults := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	var typed *yaml.TypeError
	if errors.As(err, &typed) {
		faults = typed.Errors
	}
	var errs []error
	for _, f := range faults {
		sep := ": "
		if rest, ok := strings.CutPrefix(f, "line "); ok {
			f, sep = rest, ":"
		}
		errs = append(errs, errors.New(name+sep+f))
	}
	return errors.Join(errs...)
}

// Validate says everything that is wrong with a descriptor's content.
func Validate(d provider.Descriptor) error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(plainName(d.Name, '-'), "name %q must be lower-case letters, digits and -", d.Name)
	check(both(d.Title), "title needs zh and en")
	check(https(d.Docs), "docs must be the https URL of the vendor's page")
	check(len(d.Channels) > 0, "channels is empty")
	for i, c := range d.Channels {
		_, known := c.Info()
		known = known || d.Own != nil && d.Own.Name == c
		check(known, "channel %q is not in the table of channels", c)
		check(!slices.Contains(d.Channels[:i], c), "channel %q is listed twice", c)
	}
	errs = append(errs, form(d.Fields), form(d.Binding))
	for _, f := range d.Fields {
		check(f.Type != provider.Variables, "field %q: an account knows no variables", f.Name)
	}
	for _, f := range d.Binding {
		check(!f.Secret, "field %q: a binding holds no secrets", f.Name)
	}
	check(!d.Approvals || len(d.Binding) > 0, "approvals belong to a binding")
	check(d.Receipts || !d.ReceiptsByID, "receipts_by_id needs receipts")
	if d.Own != nil {
		errs = append(errs, own(*d.Own, d.Channels))
	}
	for code, t := range d.Codes {
		check(code != "" && both(t), "code %q needs zh and en", code)
	}
	l := d.Limits
	for _, n := range []int{l.PerSecond, l.PerMinute, l.PerDay, l.Concurrency, l.Payload, l.Recipient.PerMinute, l.Recipient.PerHour, l.Recipient.PerDay} {
		check(n >= 0, "a limit is negative")
	}
	_, err := l.Ahead()
	check(err == nil, "limits.zone: %v", err)
	check(l == (provider.Limits{}) || https(l.Source), "limits.source must be the https URL of the page that states the limits")
	return errors.Join(errs...)
}

// own checks a channel that a recipe declares.
func own(c provider.Own, channels []message.Channel) error {
	var errs []error
	check := func(ok bool, what string) {
		if !ok {
			errs = append(errs, fmt.Errorf("channel: %s", what))
		}
	}
	check(plainName(string(c.Name), '-') && c.Name != message.Other, "the name must be lower-case letters, digits and -")
	_, known := c.Name.Info()
	check(!known, "the table of channels has it already")
	check(slices.Contains(channels, c.Name), "the recipe does not list it in channels")
	check(both(c.Title), "title needs zh and en")
	kinds := []message.ContentKind{message.PlainText, message.ChatText, message.PushText, message.DataBody}
	check(slices.Contains(kinds, c.Content), fmt.Sprintf("content must be one of %v", kinds))
	re, err := regexp.Compile("^(?:" + c.Address + ")$")
	check(c.Address != "" && err == nil, "address is not a regular expression")
	check(err != nil || re.MatchString(c.Example), "the example does not match address")
	return errors.Join(errs...)
}

func form(fields []provider.Field) error {
	var errs []error
	for i, f := range fields {
		if slices.ContainsFunc(fields[:i], func(g provider.Field) bool { return g.Name == f.Name }) {
			errs = append(errs, fmt.Errorf("field %q is listed twice", f.Name))
		}
		errs = append(errs, field(f))
	}
	return errors.Join(errs...)
}

func field(f provider.Field) error {
	var errs []error
	check := func(ok bool, what string) {
		if !ok {
			errs = append(errs, fmt.Errorf("field %q: %s", f.Name, what))
		}
	}
	check(plainName(f.Name, '_'), "the name must be lower-case letters, digits and _")
	check(both(f.Label), "label needs zh and en")
	check(f.Help == (provider.Text{}) || both(f.Help), "help needs zh and en, or neither")
	types := []string{"string", "text", "number", "boolean", "url", "select", provider.Variables}
	check(slices.Contains(types, f.Type), "type must be one of "+strings.Join(types, ", "))
	check((f.Type == "select") == (len(f.Options) > 0), "options belong to a select, and a select needs them")
	_, err := regexp.Compile(f.Pattern)
	check(err == nil, "pattern is not a regular expression")
	if f.Default != "" && err == nil {
		check(!f.Required, "a required field has no use for a default")
		check(!f.Secret, "a secret has no default")
		_, err := f.Fit("")
		check(err == nil, "the default does not pass the field's own check")
	}
	return errors.Join(errs...)
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
