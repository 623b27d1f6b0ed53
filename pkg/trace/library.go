package trace

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// library is every text that we may have sent, prepared for comparing.
type library struct {
	taken   time.Time
	matcher *template.Matcher
	heads   map[string]config.Template // by tenant/name
	// signs are what stands in 【】 in our texts and accounts: which templates have it. One of an account is
	// seen by everybody who gets a message through it, so it belongs to "".
	signs map[string][]string
}

// libraryAge is how old a library may be: as old as any other configuration.
const libraryAge = config.MaxAge

// library gives the texts of now. Making it is the work of tens of milliseconds, and callers who come
// meanwhile wait for it.
func (t *Trace) library(ctx context.Context) (*library, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.Now()
	if t.known != nil && now.Sub(t.known.taken) < libraryAge {
		return t.known, nil
	}
	heads, err := t.Config.Templates(ctx)
	if err != nil {
		return nil, err
	}
	versions, err := t.Config.Versions(ctx)
	if err != nil {
		return nil, err
	}
	accounts, err := t.Config.Accounts(ctx, "")
	if err != nil {
		return nil, err
	}
	l := &library{taken: now, heads: make(map[string]config.Template, len(heads)), signs: map[string][]string{}}
	for _, h := range heads {
		l.heads[h.Tenant+"/"+h.Name] = h
	}
	versions = slices.DeleteFunc(slices.Clone(versions), func(c *template.Compiled) bool {
		_, there := l.heads[nameOf(c)]
		return !there // what was deleted may have been sent all the same, but nobody answers for it any more
	})
	l.matcher = template.NewMatcher(versions)
	for _, c := range versions {
		for _, v := range c.Template().Variants {
			for _, sign := range signsIn(v.Text) {
				l.signs[sign] = append(l.signs[sign], nameOf(c))
			}
		}
	}
	for _, a := range accounts {
		for _, field := range slices.Sorted(maps.Keys(a.Config)) {
			if sign := strings.Trim(a.Config[field], "【】 "); sign != "" && strings.Contains(field, "sign") {
				l.signs[sign] = append(l.signs[sign], "")
			}
		}
	}
	t.known = l
	return l, nil
}

func nameOf(c *template.Compiled) string { return c.Template().Tenant + "/" + c.Template().Name }

// opens tells whether a principal may know of a template: its own tenant's, a shared one, or all for
// operators.
func (l *library) opens(p tenant.Principal, name string) bool {
	h, ok := l.heads[name]
	return ok && (h.Shared || p.Sees(h.Tenant))
}

// knows tells whether a sign is ours, as far as the principal may know.
func (l *library) knows(p tenant.Principal, sign string) bool {
	return slices.ContainsFunc(l.signs[sign], func(name string) bool { return name == "" || l.opens(p, name) })
}

// signForm is a carrier's sign. MIIT allows 2 to 18 characters; some carriers are laxer.
var signForm = regexp.MustCompile(`【([^【】{}]{1,30})】`)

// signsIn finds the signs of a text that has them in front or behind.
func signsIn(text string) (signs []string) {
	text = strings.TrimSpace(text)
	all := signForm.FindAllStringSubmatchIndex(text, -1)
	for _, at := range all {
		if at[0] == 0 || at[1] == len(text) {
			signs = append(signs, strings.TrimSpace(text[at[2]:at[3]]))
		}
	}
	return signs
}
