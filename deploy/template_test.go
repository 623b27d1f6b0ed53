package deploy_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// template is a CloudFormation template as a tree of maps, lists and texts; functions are in their long form.
type template struct {
	Parameters map[string]map[string]any `yaml:"Parameters"`
	Conditions map[string]any            `yaml:"Conditions"`
	Rules      map[string]rule           `yaml:"Rules"`
	Globals    map[string]map[string]any `yaml:"Globals"`
	Resources  map[string]resource       `yaml:"Resources"`
	holds      func(condition any) bool
}

type rule struct {
	RuleCondition any              `yaml:"RuleCondition"`
	Assertions    []map[string]any `yaml:"Assertions"`
}

type resource struct {
	Type                string         `yaml:"Type"`
	Condition           string         `yaml:"Condition"`
	DeletionPolicy      string         `yaml:"DeletionPolicy"`
	UpdateReplacePolicy string         `yaml:"UpdateReplacePolicy"`
	Properties          map[string]any `yaml:"Properties"`
}

// parse reads a template, and resolves it for some parameters: conditions are decided, references to
// parameters and to the stack are replaced, those to resources stand as <Name> or <Name.Attribute>.
func parse(t *testing.T, path, stack string, parameters map[string]string) template {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var whole template
	if err := long(doc.Content[0]).Decode(&whole); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"AWS::StackName": stack, "AWS::Partition": "aws", "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012", "AWS::URLSuffix": "amazonaws.com"}
	for name, p := range whole.Parameters {
		if d, ok := p["Default"]; ok {
			values[name] = fmt.Sprint(d)
		}
	}
	for name, v := range parameters {
		if whole.Parameters[name] == nil {
			t.Errorf("%s has no parameter %s", path, name)
		}
		values[name] = v
	}
	r := &resolver{t, whole, values}
	out := template{Parameters: whole.Parameters, Rules: whole.Rules, holds: r.holds, Globals: map[string]map[string]any{}, Resources: map[string]resource{}}
	for kind, g := range whole.Globals {
		out.Globals[kind], _ = r.value(g).(map[string]any)
	}
	for name, res := range whole.Resources {
		if res.Condition == "" || r.holds(res.Condition) {
			res.Properties, _ = r.value(res.Properties).(map[string]any)
			out.Resources[name] = res
		}
	}
	return out
}

// long turns tags, as !Ref, into functions.
func long(n *yaml.Node) *yaml.Node {
	for i, c := range n.Content {
		n.Content[i] = long(c)
	}
	name, tagged := strings.CutPrefix(n.Tag, "!")
	if !tagged || strings.HasPrefix(name, "!") {
		return n
	}
	inner := *n
	switch inner.Tag = ""; n.Kind {
	case yaml.ScalarNode:
		inner.Tag = "!!str"
	case yaml.SequenceNode:
		inner.Tag = "!!seq"
	case yaml.MappingNode:
		inner.Tag = "!!map"
	}
	if name != "Ref" && name != "Condition" {
		name = "Fn::" + name
	}
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, &inner}}
}

type resolver struct {
	t      *testing.T
	whole  template
	values map[string]string
}

type none struct{}

// value resolves what is below v.
func (r *resolver) value(v any) any {
	switch v := v.(type) {
	case []any:
		out := []any{}
		for _, e := range v {
			if e = r.value(e); e != (any)(none{}) {
				out = append(out, e)
			}
		}
		return out
	case map[string]any:
		if len(v) == 1 {
			for name, arg := range v {
				if name == "Ref" || strings.HasPrefix(name, "Fn::") {
					return r.function(name, arg)
				}
			}
		}
		out := map[string]any{}
		for k, e := range v {
			if e = r.value(e); e != (any)(none{}) {
				out[k] = e
			}
		}
		return out
	}
	return v
}

var inText = regexp.MustCompile(`\$\{([A-Za-z0-9:.]+)\}`)

func (r *resolver) function(name string, arg any) any {
	switch name {
	case "Ref":
		return r.ref(arg.(string))
	case "Fn::GetAtt":
		return "<" + arg.(string) + ">"
	case "Fn::Sub":
		return inText.ReplaceAllStringFunc(arg.(string), func(s string) string {
			return fmt.Sprint(r.ref(strings.Trim(s, "${}")))
		})
	case "Fn::If":
		branch := arg.([]any)
		if r.holds(branch[0].(string)) {
			return r.value(branch[1])
		}
		return r.value(branch[2])
	case "Fn::Split":
		list := []any{}
		for _, part := range strings.Split(fmt.Sprint(r.value(arg.([]any)[1])), arg.([]any)[0].(string)) {
			list = append(list, part)
		}
		return list
	case "Fn::Join":
		var parts []string
		for _, p := range r.value(arg.([]any)[1]).([]any) {
			parts = append(parts, fmt.Sprint(p))
		}
		return strings.Join(parts, arg.([]any)[0].(string))
	}
	r.t.Fatalf("the template uses %s, which this test cannot resolve", name)
	return nil
}

func (r *resolver) ref(name string) any {
	if name == "AWS::NoValue" {
		return none{}
	}
	if v, ok := r.values[name]; ok {
		return v
	}
	if _, ok := r.whole.Resources[strings.Split(name, ".")[0]]; !ok {
		r.t.Errorf("a reference to %s, which there is not", name)
	}
	return "<" + name + ">"
}

// holds decides a condition, by its name or as it is written.
func (r *resolver) holds(c any) bool {
	if name, ok := c.(string); ok {
		c = r.whole.Conditions[name]
	}
	for name, arg := range c.(map[string]any) {
		args, _ := arg.([]any)
		switch name {
		case "Fn::Equals":
			return fmt.Sprint(r.value(args[0])) == fmt.Sprint(r.value(args[1]))
		case "Fn::Not":
			return !r.holds(args[0])
		case "Fn::And":
			return r.holds(args[0]) && r.holds(args[1])
		case "Fn::Or":
			return r.holds(args[0]) || r.holds(args[1])
		case "Condition":
			return r.holds(arg)
		}
	}
	r.t.Fatalf("no such condition: %v", c)
	return false
}
