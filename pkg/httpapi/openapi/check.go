package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Check reports every place where a document breaks the rules that tools stumble over: operations have an id
// of their own, a summary and a success; every reference resolves; the parameters in a path are declared, and
// no others.
func Check(doc []byte) error {
	var d struct {
		OpenAPI  string                                `json:"openapi"`
		Paths    map[string]map[string]json.RawMessage `json:"paths"`
		Webhooks map[string]map[string]json.RawMessage `json:"webhooks"`
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		return fmt.Errorf("openapi: read the document: %w", err)
	}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("openapi: "+format, args...)) }
	if !strings.HasPrefix(d.OpenAPI, "3.1") {
		fault("the version is %q, not 3.1", d.OpenAPI)
	}
	ids := map[string]string{}
	items := maps.Clone(d.Paths)
	for name, item := range d.Webhooks { // nothing is in their path
		items["webhook "+name] = item
	}
	for path, item := range items {
		for method, raw := range item {
			where := strings.ToUpper(method) + " " + path
			var op checked
			if err := json.Unmarshal(raw, &op); err != nil {
				fault("%s: %v", where, err)
				continue
			}
			if other := ids[op.ID]; other != "" || op.ID == "" {
				fault("%s: the operationId %q is empty or that of %s", where, op.ID, other)
			}
			ids[op.ID] = where
			op.check(path, func(format string, args ...any) { fault("%s: "+format, append([]any{where}, args...)...) })
		}
	}
	var tree any
	_ = json.Unmarshal(doc, &tree) // was read above
	for _, ref := range references(tree, nil) {
		if !resolves(tree, ref) {
			fault("the reference %s leads nowhere", ref)
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

type checked struct {
	ID         string                     `json:"operationId"`
	Summary    string                     `json:"summary"`
	Responses  map[string]json.RawMessage `json:"responses"`
	Parameters []struct {
		Name     string `json:"name"`
		In       string `json:"in"`
		Required bool   `json:"required"`
	} `json:"parameters"`
}

var inPath = regexp.MustCompile(`\{([^{}]*)\}`)

func (op checked) check(path string, fault func(string, ...any)) {
	if op.Summary == "" {
		fault("there is no summary")
	}
	success := false
	for status := range op.Responses {
		success = success || status[0] == '2' || status[0] == '3'
	}
	if !success {
		fault("there is no answer of success")
	}
	want := map[string]bool{}
	for _, m := range inPath.FindAllStringSubmatch(path, -1) {
		want[m[1]] = true
	}
	seen := map[string]bool{}
	for _, p := range op.Parameters {
		if seen[p.In+p.Name] {
			fault("the parameter %s is declared twice", p.Name)
		}
		seen[p.In+p.Name] = true
		if p.In == "path" && (!want[p.Name] || !p.Required) {
			fault("the path has no %s, or it is not required", p.Name)
		}
	}
	for name := range want {
		if !seen["path"+name] {
			fault("the parameter %s of the path is not declared", name)
		}
	}
}

func references(v any, out []string) []string {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if ref, ok := x.(string); ok && k == "$ref" {
				out = append(out, ref)
			}
			out = references(x, out)
		}
	case []any:
		for _, x := range v {
			out = references(x, out)
		}
	}
	return out
}

func resolves(tree any, ref string) bool {
	rest, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return false
	}
	for token := range strings.SplitSeq(rest, "/") {
		m, isObject := tree.(map[string]any)
		if !isObject {
			return false
		}
		if tree, ok = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(token)]; !ok {
			return false
		}
	}
	return true
}

// Fresh compares a document with the file that is committed, and names the first line that differs. With
// update it writes the file instead. It is for a test with a flag -update.
func Fresh(file string, doc []byte, update bool) error {
	if update {
		if err := os.WriteFile(file, doc, 0o644); err != nil {
			return fmt.Errorf("openapi: write the document: %w", err)
		}
		return nil
	}
	old, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("openapi: read the committed document (run the test with -update to make it): %w", err)
	}
	if bytes.Equal(old, doc) {
		return nil
	}
	a, b := strings.Split(string(old), "\n"), strings.Split(string(doc), "\n")
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	at := func(lines []string) string {
		if i < len(lines) {
			return strings.TrimSpace(lines[i])
		}
		return "the end"
	}
	return fmt.Errorf("openapi: %s is stale at line %d: it has %q, should have %q; run the test with -update", file, i+1, at(a), at(b))
}
