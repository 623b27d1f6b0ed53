package operate

import (
	"context"
	"strconv"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/template"
)

// TemplateDiff is what differs between two versions; what is equal is left out.
type TemplateDiff struct {
	From         int            `json:"from"`
	To           int            `json:"to"`
	Class        *ClassDiff     `json:"class,omitzero"`
	DedupExclude *NamesDiff     `json:"dedup_exclude,omitzero"`
	Variables    []VariableDiff `json:"variables"`
	Variants     []VariantDiff  `json:"variants"`
}

// ClassDiff is the class before and after.
type ClassDiff struct {
	Before message.Class `json:"before"`
	After  message.Class `json:"after"`
}

// NamesDiff is names before and after.
type NamesDiff struct {
	Before []string `json:"before"`
	After  []string `json:"after"`
}

// VariableDiff is a declaration that differs.
type VariableDiff struct {
	Name   string            `json:"name"`
	Change operate.How       `json:"change" enum:"added,removed,changed"`
	Before *TemplateVariable `json:"before,omitzero"`
	After  *TemplateVariable `json:"after,omitzero"`
}

// VariantDiff is a variant that differs.
type VariantDiff struct {
	Channel message.Channel `json:"channel"`
	Locale  string          `json:"locale"`
	Change  operate.How     `json:"change" enum:"added,removed,changed"`
	Fields  []FieldDiff     `json:"fields"`
}

// FieldDiff is the lines of a field that differs.
type FieldDiff struct {
	Name  string     `json:"name" enum:"subject,title,text,html,data"`
	Lines []DiffLine `json:"lines"`
}

// DiffLine is a line of a text.
type DiffLine struct {
	Op   string `json:"op" enum:"keep,remove,add"`
	Text string `json:"text"`
}

func diffOf(d operate.TemplateDiff) TemplateDiff {
	out := TemplateDiff{From: d.From, To: d.To, Variables: []VariableDiff{}, Variants: []VariantDiff{}}
	if d.Class[0] != d.Class[1] {
		out.Class = &ClassDiff{d.Class[0], d.Class[1]}
	}
	if b, a := d.DedupExclude[0], d.DedupExclude[1]; len(b)+len(a) > 0 {
		out.DedupExclude = &NamesDiff{append([]string{}, b...), append([]string{}, a...)}
	}
	for _, v := range d.Variables {
		out.Variables = append(out.Variables, VariableDiff{v.Name, v.How, declaration(v.Before), declaration(v.After)})
	}
	for _, v := range d.Variants {
		x := VariantDiff{Channel: v.Channel, Locale: v.Locale, Change: v.How, Fields: []FieldDiff{}}
		for _, f := range v.Fields {
			x.Fields = append(x.Fields, FieldDiff{f.Name, linesOf(f.Lines)})
		}
		out.Variants = append(out.Variants, x)
	}
	return out
}

func declaration(v *template.Variable) *TemplateVariable {
	if v == nil {
		return nil
	}
	out := TemplateVariable(*v)
	return &out
}

func linesOf(lines []operate.Line) []DiffLine {
	out := make([]DiffLine, len(lines))
	for i, l := range lines {
		out[i] = DiffLine{map[byte]string{' ': "keep", '-': "remove", '+': "add"}[l.Op], l.Text}
	}
	return out
}

// pathVersion reads the version that a path names.
func pathVersion(c *httpapi.Call) (int, error) {
	n, err := strconv.Atoi(c.Path("version"))
	if err != nil || n < 1 {
		return 0, problem.New(problem.NotFound, "there is no such version; versions count from 1")
	}
	return n, nil
}

func diffTemplate(o Templates) httpapi.Endpoint {
	d := op(get, "templates/{tenant}/{name}/diff", "diffTemplate", "Compare two versions of a template, line by line", readers(), problem.NotFound)
	d.Query = []httpapi.Param{
		{Name: "from", Required: true, Description: "The version before.", Example: "1"},
		{Name: "to", Required: true, Description: "The version after.", Example: "2"},
	}
	return httpapi.Route(d, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*TemplateDiff, error) {
		from, err := c.Number("from", 0, 1, 1<<31-1)
		if err != nil {
			return nil, err
		}
		to, err := c.Number("to", 0, 1, 1<<31-1)
		if err != nil {
			return nil, err
		}
		return one(diffOf)(o.DiffTemplate(ctx, c.Principal, c.Path("tenant"), c.Path("name"), from, to))
	})
}
