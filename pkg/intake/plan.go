package intake

import (
	"context"
	stdjson "encoding/json"
	"errors"
	"mime"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/route"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/suppress"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/pkg/tenant"
)

// plan is a request that was understood: what would be recorded, before anything is.
type plan struct {
	kind   store.GroupKind // "" for a single message
	drafts []*planned
}

// planned is one message of a plan.
type planned struct {
	store.Draft
	kind     message.AddressKind
	key      message.Address // of the recipient, as it is searched
	content  message.Content
	subject  route.Subject
	stopped  *suppress.Entry
	warnings []string
	pointer  string // of the address
	person   bool   // the recipient is one, and not what many read
	took     taken
}

// planner understands one request.
type planner struct {
	in     *Intake
	p      tenant.Principal
	req    *Request
	now    message.Time
	f      faults
	sender tenant.Tenant
	ref    message.Ref
	tmpl   *template.Compiled
	class  message.Class
	routes []route.Route
	tell   message.Tell
	idle   map[message.Channel]bool // channels that nothing carries, where a test key may name them
	at     message.Time             // of sending
	vars   []byte
	same   []byte
}

// target is a channel and an address on the way to a draft.
type target struct {
	channel message.Channel
	info    provider.Channel
	raw     string
	pointer string
	watch   int
	hold    bool
}

// plan understands a request, or returns a *problem.Error that names all that is wrong with it.
func (in *Intake) plan(ctx context.Context, p tenant.Principal, req *Request, now message.Time) (*plan, error) {
	pl := &planner{in: in, p: p, req: req, now: now, f: faults{pointer: req.Pointer}, idle: map[message.Channel]bool{}, at: now}
	req.check(&pl.f, now)
	if at := message.At(req.SendAt); at > now {
		pl.at = at
	}
	if err := pl.who(ctx); err != nil {
		return nil, err
	}
	if err := pl.what(ctx); err != nil {
		return nil, err
	}
	if err := pl.f.err(); err != nil {
		return nil, err
	}
	var err error
	if pl.routes, err = in.Config.Routes(ctx); err != nil {
		return nil, unavailable(err)
	}
	if pl.tell, err = in.told(ctx, pl.sender.Name, now); err != nil {
		return nil, err
	}
	out := &plan{}
	targets, err := pl.targets(ctx, out)
	if err != nil {
		return nil, err
	}
	for i, t := range targets {
		d, err := pl.draft(ctx, t, i, out.kind)
		if err != nil {
			return nil, err
		}
		if d != nil {
			out.drafts = append(out.drafts, d)
		}
	}
	if err := pl.f.err(); err != nil {
		return nil, err
	}
	out.release(now)
	return out, nil
}

// release lets the first of a fallback go that is not stopped at once.
func (pl *plan) release(now message.Time) {
	if pl.kind != store.GroupFallback {
		return
	}
	for _, d := range pl.drafts {
		if m := &d.Message; !m.Status.Terminal() {
			m.Hold = false
			*m = message.New(*m, now)
			return
		}
	}
}

// unavailable is the answer to a fault below us: nothing was accepted.
func unavailable(err error) error {
	var p *problem.Error
	if errors.As(err, &p) {
		return p
	}
	after := time.Second
	if errors.Is(err, store.ErrFull) {
		after = time.Minute
	}
	return problem.New(problem.Unavailable, "the request was not accepted; repeat it with the same Idempotency-Key").After(after).Because(err)
}

// who finds the tenant.
func (pl *planner) who(ctx context.Context) error {
	name := pl.req.Tenant
	if name == "" {
		name = pl.p.Tenant
	}
	if name == "" {
		pl.f.add("/tenant", problem.Required, "tenant is missing: this key belongs to none, so the request must name one")
		return pl.f.err()
	}
	if !pl.p.Steers(name) {
		pl.f.add("/tenant", problem.UnknownTenant, "there is no tenant %s for this key; leave tenant out to send as its own", quoted(name))
		return pl.f.err()
	}
	t, ok, err := pl.in.Config.Tenant(ctx, name)
	switch {
	case err != nil:
		return unavailable(err)
	case !ok:
		pl.f.add("/tenant", problem.UnknownTenant, "there is no tenant %s", quoted(name))
	case t.Disabled:
		pl.f.add("/tenant", problem.UnknownTenant, "tenant %q is switched off; an operator can switch it on", name)
	}
	pl.sender = t
	return pl.f.err()
}

// what finds the template and checks the variables, or checks the free content.
func (pl *planner) what(ctx context.Context) error {
	r := pl.req
	pl.class = r.Class
	if r.Content != nil {
		pl.free()
		return nil
	}
	if r.Template == "" {
		return nil // reported already
	}
	head, err := pl.head(ctx)
	if err != nil || head == nil {
		return err
	}
	pl.tmpl, err = pl.in.Config.Version(ctx, pl.ref)
	if errors.Is(err, store.ErrNotFound) {
		pl.f.add("/version", problem.UnknownTemplate, "template %s has no version %d; it has 1 to %d", r.Template, pl.ref.Version, head.Latest)
		return nil
	}
	if err != nil {
		return unavailable(err)
	}
	if pl.class == "" {
		pl.class = head.Class
	} else if pl.class != head.Class {
		pl.f.add("/class", problem.BadValue, "template %s is of class %s; leave class out", r.Template, head.Class)
	}
	vars := r.Vars
	if vars == nil {
		vars = map[string]any{}
	}
	wrong := pl.tmpl.Check(vars)
	for _, field := range wrong {
		pl.f.add(field.Pointer, field.Code, "%s", field.Detail)
	}
	if len(wrong) > 0 {
		return nil
	}
	// The standard library's encoding, because it keeps its Number as it was written; keys are sorted.
	if pl.vars, err = stdjson.Marshal(vars); err != nil {
		return problem.New(problem.BadJSON, "vars cannot be kept").Because(err)
	}
	if len(pl.vars) > MaxMessage {
		pl.f.add("/vars", problem.TooLong, "vars have %d bytes; at most %d are allowed", len(pl.vars), MaxMessage)
	}
	if pl.same, err = stdjson.Marshal([]any{"template", pl.ref.Tenant, pl.ref.Name, pl.tmpl.DedupVars(vars)}); err != nil {
		return problem.New(problem.BadJSON, "vars cannot be kept").Because(err)
	}
	return nil
}

// head finds the template and pins its version.
func (pl *planner) head(ctx context.Context) (*config.Template, error) {
	owner, name, other := strings.Cut(pl.req.Template, "/")
	if !other {
		owner, name = pl.sender.Name, pl.req.Template
	}
	head, ok, err := pl.in.Config.Template(ctx, owner, name)
	if err != nil {
		return nil, unavailable(err)
	}
	if !ok || owner != pl.sender.Name && !head.Shared {
		pl.f.add("/template", problem.UnknownTemplate, "tenant %s has no template %s, and no other tenant shares one of that name; a shared one is written tenant/name", pl.sender.Name, quoted(pl.req.Template))
		return nil, nil
	}
	pl.ref = message.Ref{Tenant: owner, Name: name, Version: pl.req.Version, Locale: pl.req.Locale}
	switch {
	case pl.ref.Version != 0 && pl.ref.Version != head.Published && pl.p.Live && pl.req.Run == nil && pl.req.Origin.Trial == "":
		pl.f.add("/version", problem.NotPublished, "version %d of template %s is not the published one (%d); leave version out, or use a test key", pl.ref.Version, name, head.Published)
		return nil, nil
	case pl.ref.Version != 0:
	case head.Published != 0:
		pl.ref.Version = head.Published
	case pl.p.Live && pl.req.Origin.Trial == "":
		pl.f.add("/template", problem.NotPublished, "template %s has no published version; publish version %d, or use a test key", name, head.Latest)
		return nil, nil
	default:
		pl.ref.Version = head.Latest
	}
	return &head, nil
}

// free checks content that is no template's.
func (pl *planner) free() {
	c := pl.req.Content
	if !pl.sender.FreeContent && pl.req.Origin.Trial == "" {
		pl.f.add("/content", problem.ContentRefused, "tenant %s may send templates only; use a template, or ask an operator for free_content", pl.sender.Name)
	}
	if pl.class == "" {
		pl.class = message.Transactional
	}
	if strings.ContainsFunc(c.Subject, unicode.IsControl) {
		pl.f.add("/content/subject", problem.BadValue, "subject may not hold line breaks or other control characters")
	}
	for i, a := range c.Attachments {
		if a.Name == "" || strings.ContainsFunc(a.Name, unicode.IsControl) {
			pl.f.add(index("/content/attachments", i)+"/name", problem.BadValue, "name is the file's name, without control characters")
		}
		if _, _, err := mime.ParseMediaType(a.Type); err != nil || !strings.Contains(a.Type, "/") || strings.ContainsFunc(a.Type, unicode.IsControl) {
			pl.f.add(index("/content/attachments", i)+"/type", problem.BadValue, "type is a MIME type, such as application/pdf")
		}
	}
	b, err := json.Marshal(c)
	if err != nil || len(b) > MaxMessage {
		pl.f.add("/content", problem.TooLong, "content has %d bytes; at most %d are allowed", len(b), MaxMessage)
	}
	pl.same = append([]byte("content"), b...)
}

// locale is what the content is rendered in.
func (pl *planner) locale() string {
	if pl.req.Locale != "" {
		return pl.req.Locale
	}
	return pl.sender.Locale
}

func index(base string, i int) string { return base + "/" + strconv.Itoa(i) }
