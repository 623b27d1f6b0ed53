package template_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/template"
)

func spoken() template.Template {
	return template.Template{Name: "n", Tenant: "shop", Class: message.OTP,
		Variables: []template.Variable{{Name: "code"}, {Name: "minutes", Type: "number"}, {Name: "shop", Optional: true}},
		Variants: []template.Variant{
			{Channel: message.SMS, Locale: "zh", Text: "{{code}} {{minutes}}"}, {Channel: message.SMS, Locale: "en", Text: "Code {{code}}"},
			{Channel: message.Email, Locale: "zh", Subject: "{{shop}}", Text: "{{code}}"},
		}}
}

func TestSame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change     func(*template.Template)
		sms, email bool
	}{
		"nothing":          {func(*template.Template) {}, true, true},
		"order":            {func(x *template.Template) { x.Variants[0], x.Variants[1] = x.Variants[1], x.Variants[0] }, true, true},
		"order of names":   {func(x *template.Template) { x.Variables[0], x.Variables[1] = x.Variables[1], x.Variables[0] }, true, true},
		"type spelled out": {func(x *template.Template) { x.Variables[0].Type = "string" }, true, true},
		"example":          {func(x *template.Template) { x.Variables[0].Example = "1" }, true, true},
		"class":            {func(x *template.Template) { x.Class = message.Transactional }, true, true},
		"one more":         {func(x *template.Template) { x.Variables = append(x.Variables, template.Variable{Name: "new"}) }, true, true},
		"a word":           {func(x *template.Template) { x.Variants[1].Text += "!" }, false, true},
		"another variable": {func(x *template.Template) { x.Variants[1].Text = "Code {{minutes}}" }, false, true},
		"another type":     {func(x *template.Template) { x.Variables[1].Type = "string" }, false, true},
		"a subject":        {func(x *template.Template) { x.Variants[2].Subject = "x" }, true, false},
		"a locale less":    {func(x *template.Template) { x.Variants = x.Variants[1:] }, false, true},
		"a channel less":   {func(x *template.Template) { x.Variants = x.Variants[:2] }, true, false},
	} {
		b := spoken()
		c.change(&b)
		if sms, email := template.Same(spoken(), b, message.SMS), template.Same(spoken(), b, message.Email); sms != c.sms || email != c.email {
			t.Errorf("%s: the same on sms %v, on email %v", name, sms, email)
		}
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	c, faults := template.Compile(spoken())
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	vars := map[string]any{"code": "1", "minutes": 5}
	if diff := cmp.Diff(map[string]any{"code": "1", "minutes": 5, "shop": nil}, c.Complete(vars)); diff != "" || len(vars) != 2 {
		t.Error(diff)
	}
}
