package audit

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/opennotify/notify/pkg/store"
)

// What was done to a document.
const (
	Made    = "made"
	Changed = "changed"
	Deleted = "deleted"
)

func entryOf(a *store.Audited) Entry {
	if d := a.Deed; d != nil {
		return Entry{At: d.At, By: d.By, What: d.What, Kind: d.Kind, Name: d.Object, Tenant: d.Tenant, Reason: d.Reason, IP: d.IP, Request: d.Request, Changes: d.Changes}
	}
	d := a.Doc
	e := Entry{At: d.At, By: d.Author, What: Changed, Kind: string(d.Kind), Name: d.Name, Tenant: d.Tenant, Version: d.Version, Reason: d.Reason}
	var before []byte
	if a.Before != nil && !a.Before.Deleted {
		before = a.Before.Body
	}
	after := []byte(d.Body)
	switch {
	case d.Deleted:
		e.What, after = Deleted, nil
	case before == nil:
		e.What = Made
	}
	e.Changes = changes(before, after)
	return e
}

// changes compares two bodies, value by value.
func changes(before, after []byte) []store.Change {
	was, is := flat(before), flat(after)
	paths := map[string]bool{}
	for path := range was {
		paths[path] = true
	}
	for path := range is {
		paths[path] = true
	}
	var out []store.Change
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if was[path] != is[path] {
			out = append(out, store.Change{Path: path, Before: cut(was[path]), After: cut(is[path])})
		}
	}
	return out
}

// flat is a body's values by their paths. The hash of a key's secret is nobody's business.
func flat(body []byte) map[string]string {
	out := map[string]string{}
	var tree any
	if len(body) == 0 || json.Unmarshal(body, &tree) != nil {
		return out
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, x := range v {
				walk(path+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), x)
			}
		case []any:
			for i, x := range v {
				walk(path+"/"+strconv.Itoa(i), x)
			}
		default:
			switch text, _ := json.Marshal(v); string(text) { // it was JSON
			case "0", "false", `""`, "null": // not set
			default:
				out[path] = string(text)
			}
		}
	}
	walk("", tree)
	delete(out, "/hash")
	return out
}

// most is how long a value is shown: a recipe, or a template's text, is compared on its own page.
const most = 400

func cut(s string) string {
	if len(s) <= most {
		return s
	}
	n := most
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
