package recipe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
)

// The bounds of a recipe that is uploaded. Those that are shipped have a tenth of it.
const (
	MaxUpload = 64 << 10 // bytes
	maxParts  = 4000     // nodes of its YAML
	maxDepth  = 2 * maxTree
)

// Upload reads a recipe that nobody has reviewed: whatever Parse wants of it, and besides that it is no larger
// than it must be, asks over https only, and keeps those promises of a Sender that show without sending. The
// error lists all that is wrong, as Parse's does.
func Upload(name string, data []byte) (*Recipe, error) {
	if len(data) > MaxUpload {
		return nil, &catalog.Fault{File: name, Reason: fmt.Sprintf("the recipe has %d bytes; at most %d are allowed", len(data), MaxUpload)}
	}
	if !utf8.Valid(data) {
		return nil, &catalog.Fault{File: name, Reason: "the recipe is not valid UTF-8"}
	}
	if err := bounded(name, data); err != nil {
		return nil, err
	}
	r, err := parse(name, data, true)
	if err != nil {
		return nil, err
	}
	return r, r.promised(name, catalog.PlacesOf(data, 1))
}

// bounded counts the nodes before anything is made of them.
func bounded(name string, data []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	left := maxParts
	for {
		var n yaml.Node
		if err := dec.Decode(&n); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return catalog.Located(name, err)
		}
		if f := count(&n, &left, 0); f != nil {
			f.File = name
			return f
		}
	}
}

func count(n *yaml.Node, left *int, depth int) *catalog.Fault {
	*left--
	switch {
	case *left < 0:
		return &catalog.Fault{Line: n.Line, Reason: fmt.Sprintf("the recipe has more than %d values", maxParts)}
	case depth > maxDepth:
		return &catalog.Fault{Line: n.Line, Reason: fmt.Sprintf("more than %d levels", maxDepth)}
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return &catalog.Fault{Line: n.Line, Reason: "no anchors and no aliases"}
	}
	for _, child := range n.Content {
		if f := count(child, left, depth+1); f != nil {
			return f
		}
	}
	return nil
}

// promised holds the table of answers to the promises that need no request.
func (r *Recipe) promised(name string, at *catalog.Places) error {
	var errs []error
	fault := func(format string, args ...any) {
		errs = append(errs, &catalog.Fault{File: name, Line: at.Line("answer", "table"), Path: "answer.table", Reason: fmt.Sprintf(format, args...)})
	}
	if !slices.ContainsFunc(r.answer.rules, func(row rule) bool { return row.outcome == message.Accepted }) {
		fault("no row says sent")
	}
	for _, p := range provider.Promises() {
		blank := &sender{recipe: r, env: provider.Env{Now: epoch, Nonce: func() string { return "" }}, config: map[string]any{}, secret: map[string]any{}}
		for _, f := range r.Descriptor.Fields {
			blank.config[f.Name], blank.secret[f.Name] = f.Default, ""
		}
		read := func(a *answer) message.Outcome {
			return a.read(provider.Answer{Status: p.Status, Body: []byte(p.Body)}, blank.own(), epoch()).Outcome
		}
		if got := read(r.answer); !p.Holds(got) {
			fault("status %d with %q would mean %s; %s: it may mean %v only", p.Status, p.Body, got, p.Name, p.May)
		}
		for i := range r.polls {
			if read(r.polls[i].answer) == message.Accepted { // the next question would begin behind what was not heard
				errs = append(errs, &catalog.Fault{File: name, Line: at.Line("polls", i, "answer", "table"), Path: "polls.answer.table",
					Reason: fmt.Sprintf("status %d with %q would count as an answer; %s", p.Status, p.Body, p.Name)})
			}
		}
	}
	return errors.Join(errs...)
}

// epoch is a moment: no promise depends on which.
func epoch() time.Time { return time.Unix(0, 0) }
