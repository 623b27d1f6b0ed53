package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// BindingUnsubscribe names the entry of a mail template's binding that holds its own address for List-Unsubscribe,
// https or mailto, in place of notify's.
const BindingUnsubscribe = "list_unsubscribe"

// Approval is what is known of a vendor's template that a version of ours is bound to.
type Approval string

// The approvals. Only a rejected template is never tried: what is pending may have been approved since.
const (
	Unchecked Approval = "unchecked"
	Pending   Approval = "pending"
	Approved  Approval = "approved"
	Rejected  Approval = "rejected"
)

// Valid tells whether it is one of them.
func (a Approval) Valid() bool {
	return slices.Contains([]Approval{Unchecked, Pending, Approved, Rejected}, a)
}

// Approver is what a provider can do that can ask its vendor for the state of a bound template.
type Approver interface {
	// Approval gives the state, and the vendor's own words about it. The error says why there is none; it
	// holds no secret.
	Approval(ctx context.Context, binding map[string]string) (Approval, string, error)
}

// BoundTemplate is the field of a binding, where there is one, that holds the vendor's name of its template:
// what an attempt shows.
const BoundTemplate = "template_id"

// Bound tells whether the provider sends nothing but the vendor's own templates: its binding has a field
// that must be filled in.
func (d Descriptor) Bound() bool {
	return slices.ContainsFunc(d.Binding, func(f Field) bool { return f.Required })
}

// CheckBinding compares a binding with the form; it fills in defaults and names the first faulty field.
func (d Descriptor) CheckBinding(binding map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for _, f := range d.Binding {
		value, err := f.Fit(binding[f.Name])
		if err != nil {
			return nil, fmt.Errorf("provider %s: binding: %w", d.Name, err)
		}
		if value != "" {
			out[f.Name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(binding)) {
		if !slices.ContainsFunc(d.Binding, func(f Field) bool { return f.Name == name }) {
			return nil, fmt.Errorf("provider %s: its binding has no field %q", d.Name, name)
		}
	}
	return out, nil
}

// Variables is the type of a binding's field that lists variables of the template, in the vendor's order.
const Variables = "variables"

// Named is a variable under the vendor's name.
type Named struct{ Theirs, Ours string }

// ParseVariables reads a list of variables: names with commas between them, each as theirs=ours where the
// vendor's name is another than ours. It is not ok if a name is missing.
func ParseVariables(list string) (out []Named, ok bool) {
	if strings.TrimSpace(list) == "" {
		return nil, true
	}
	for word := range strings.SplitSeq(list, ",") {
		theirs, ours, both := strings.Cut(word, "=")
		if !both {
			ours = theirs
		}
		n := Named{strings.TrimSpace(theirs), strings.TrimSpace(ours)}
		if n.Theirs == "" || n.Ours == "" || strings.Contains(n.Ours, "=") {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}
