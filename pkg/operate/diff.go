package operate

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// How says what became of a part from one version to another.
type How string

// The ways.
const (
	Added   How = "added"
	Removed How = "removed"
	Changed How = "changed"
)

// TemplateDiff is what differs between two versions. What is equal is left out.
type TemplateDiff struct {
	From, To     int
	Class        [2]message.Class // before and after; both "" when equal
	Variables    []VariableDiff
	Variants     []VariantDiff
	DedupExclude [2][]string // before and after; both nil when equal
}

// VariableDiff is a declaration that differs.
type VariableDiff struct {
	Name          string
	How           How
	Before, After *template.Variable
}

// VariantDiff is a variant that differs, with the lines of its fields that do.
type VariantDiff struct {
	Channel message.Channel
	Locale  string
	How     How
	Fields  []FieldDiff
}

// FieldDiff is the lines of one field of a variant, those that stay too.
type FieldDiff struct {
	Name  string
	Lines []Line
}

// Line is a line of a text: kept ' ', removed '-', or added '+'.
type Line struct {
	Op   byte
	Text string
}

// DiffTemplate compares two versions.
func (o *Operate) DiffTemplate(ctx context.Context, p tenant.Principal, owner, name string, from, to int) (TemplateDiff, error) {
	if _, _, _, err := o.template(ctx, p, owner, name); err != nil {
		return TemplateDiff{}, err
	}
	a, err := o.version(ctx, owner, name, from)
	if err != nil {
		return TemplateDiff{}, err
	}
	b, err := o.version(ctx, owner, name, to)
	if err != nil {
		return TemplateDiff{}, err
	}
	return diff(a.Body, b.Body), nil
}

func diff(a, b template.Template) TemplateDiff {
	d := TemplateDiff{From: a.Version, To: b.Version}
	if a.Class != b.Class {
		d.Class = [2]message.Class{a.Class, b.Class}
	}
	if !slices.Equal(a.DedupExclude, b.DedupExclude) {
		d.DedupExclude = [2][]string{a.DedupExclude, b.DedupExclude}
	}
	pairs(a.Variables, b.Variables, func(v template.Variable) string { return v.Name }, func(how How, before, after *template.Variable) {
		d.Variables = append(d.Variables, VariableDiff{either(before, after).Name, how, before, after})
	})
	place := func(v template.Variant) string { return string(v.Channel) + " " + strings.ToLower(v.Locale) }
	pairs(a.Variants, b.Variants, place, func(how How, before, after *template.Variant) {
		v := either(before, after)
		d.Variants = append(d.Variants, VariantDiff{v.Channel, v.Locale, how, fieldDiffs(before, after)})
	})
	return d
}

// pairs yields what is in one list only, and what has one key in both and differs: in the order of the
// first, then what is new in the order of the second.
func pairs[T any](before, after []T, key func(T) string, yield func(how How, before, after *T)) {
	find := func(in []T, k string) *T {
		if i := slices.IndexFunc(in, func(v T) bool { return key(v) == k }); i >= 0 {
			return &in[i]
		}
		return nil
	}
	for i := range before {
		other := find(after, key(before[i]))
		switch {
		case other == nil:
			yield(Removed, &before[i], nil)
		case !reflect.DeepEqual(before[i], *other):
			yield(Changed, &before[i], other)
		}
	}
	for i := range after {
		if find(before, key(after[i])) == nil {
			yield(Added, nil, &after[i])
		}
	}
}

func either[T any](before, after *T) *T {
	if after != nil {
		return after
	}
	return before
}

func fieldDiffs(before, after *template.Variant) []FieldDiff {
	a, b := texts(before), texts(after)
	var out []FieldDiff
	for i, f := range variantFields {
		if a[i] != b[i] {
			out = append(out, FieldDiff{f.name, lines(a[i], b[i])})
		}
	}
	return out
}

// variantFields are the texts of a variant.
var variantFields = [...]struct {
	name string
	of   func(*template.Variant) *string
}{
	{"subject", func(v *template.Variant) *string { return &v.Subject }},
	{"title", func(v *template.Variant) *string { return &v.Title }},
	{"text", func(v *template.Variant) *string { return &v.Text }},
	{"html", func(v *template.Variant) *string { return &v.HTML }},
	{"data", func(v *template.Variant) *string { return &v.Data }},
}

// texts are a variant's texts in the order of variantFields; nil has none.
func texts(v *template.Variant) (out [len(variantFields)]string) {
	if v != nil {
		for i, f := range variantFields {
			out[i] = *f.of(v)
		}
	}
	return out
}

// maxCells bounds the table of the longest common subsequence: some milliseconds, some megabytes. Beyond
// it all lines in between are shown as replaced.
const maxCells = 1 << 20

// lines compares two texts line by line.
func lines(a, b string) []Line {
	x, y := split(a), split(b)
	head := 0
	for head < len(x) && head < len(y) && x[head] == y[head] {
		head++
	}
	tail := 0
	for tail < len(x)-head && tail < len(y)-head && x[len(x)-1-tail] == y[len(y)-1-tail] {
		tail++
	}
	var out []Line
	add := func(op byte, texts []string) {
		for _, t := range texts {
			out = append(out, Line{op, t})
		}
	}
	add(' ', x[:head])
	mx, my := x[head:len(x)-tail], y[head:len(y)-tail]
	if len(mx)*len(my) > maxCells {
		add('-', mx)
		add('+', my)
	} else {
		out = append(out, align(mx, my)...)
	}
	add(' ', x[len(x)-tail:])
	return out
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// align keeps the longest common subsequence.
func align(x, y []string) []Line {
	width := len(y) + 1
	longest := make([]int32, (len(x)+1)*width) // of x[i:] and y[j:]
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				longest[i*width+j] = longest[(i+1)*width+j+1] + 1
			} else {
				longest[i*width+j] = max(longest[(i+1)*width+j], longest[i*width+j+1])
			}
		}
	}
	var out []Line
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			out = append(out, Line{' ', x[i]})
			i, j = i+1, j+1
		case j == len(y) || i < len(x) && longest[(i+1)*width+j] >= longest[i*width+j+1]:
			out = append(out, Line{'-', x[i]})
			i++
		default:
			out = append(out, Line{'+', y[j]})
			j++
		}
	}
	return out
}
