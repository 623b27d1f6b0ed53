package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Fault is what is wrong at a place of a file.
type Fault struct {
	File   string
	Line   int    // 0: the file has no such line, because it could not be read at all
	Path   string // as request.json.to; "" where the reason says it
	Reason string
}

func (f *Fault) Error() string {
	where := f.File
	if f.Line > 0 {
		where += ":" + strconv.Itoa(f.Line)
	}
	return where + ": " + f.Text()
}

// Text is the fault without file and line.
func (f *Fault) Text() string {
	if f.Path == "" {
		return f.Reason
	}
	return f.Path + ": " + f.Reason
}

// Faults lists all that an error joins; what is no Fault becomes one without a line.
func Faults(err error) []Fault {
	if err == nil {
		return nil
	}
	var one *Fault
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var out []Fault
		for _, e := range many.Unwrap() {
			out = append(out, Faults(e)...)
		}
		return out
	}
	if errors.As(err, &one) {
		return []Fault{*one}
	}
	return []Fault{{Reason: err.Error()}}
}

// Located turns yaml's "line 3: …" into a Fault.
func Located(name string, err error) error {
	faults := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	var typed *yaml.TypeError
	if errors.As(err, &typed) {
		faults = typed.Errors
	}
	var errs []error
	for _, text := range faults {
		f := &Fault{File: name, Reason: text}
		if rest, ok := strings.CutPrefix(text, "line "); ok {
			if line, reason, ok := strings.Cut(rest, ": "); ok {
				if n, err := strconv.Atoi(line); err == nil {
					f.Line, f.Reason = n, reason
				}
			}
		}
		errs = append(errs, f)
	}
	return errors.Join(errs...)
}

// Places finds the lines of a document of a file. It is read a second time only when there is a fault to
// place.
type Places struct {
	data     []byte
	document int
	root     *yaml.Node
}

// PlacesOf is those of a document, counted from 0.
func PlacesOf(data []byte, document int) *Places { return &Places{data: data, document: document} }

// Line is where the value of a path stands: names of fields, and indexes of lists. A value that is missing
// stands where the one around it does.
func (p *Places) Line(path ...any) int {
	if p.root == nil {
		p.root = &yaml.Node{}
		dec := yaml.NewDecoder(bytes.NewReader(p.data))
		for range p.document + 1 {
			*p.root = yaml.Node{}
			if dec.Decode(p.root) != nil {
				return 1
			}
		}
	}
	if len(p.root.Content) == 0 {
		return max(p.root.Line, 1)
	}
	n, line := p.root.Content[0], max(p.root.Content[0].Line, 1)
	for _, step := range path {
		at, next := child(n, step)
		if next == nil {
			break
		}
		n, line = next, at
	}
	return line
}

// child gives a node's member and the line where it begins: that of its name.
func child(n *yaml.Node, step any) (int, *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if i, ok := step.(int); ok && n.Kind == yaml.SequenceNode && i < len(n.Content) {
		return n.Content[i].Line, n.Content[i]
	}
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == fmt.Sprint(step) {
				return n.Content[i].Line, n.Content[i+1]
			}
		}
	}
	return 0, nil
}
