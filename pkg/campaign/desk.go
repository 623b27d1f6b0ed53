package campaign

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/blob"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/tenant"
)

// AudienceDraft is where the rows are, as it is asked for. Exactly one of Rows, Upload, Path, URL and Unchanged is set.
type AudienceDraft struct {
	Rows    []audience.Recipient
	Upload  string // id of an upload
	Path    string
	URL     string
	Format  audience.Format // csv without it, but for rows and a URL
	Columns audience.Columns
	// Generation of the secret that a URL is asked with.
	Generation int
	// Unchanged is the audience of the schedule as it is; nothing else is set then.
	Unchanged bool
}

// check tells whether it is one thing.
func (d *AudienceDraft) check() error {
	set := 0
	for _, is := range []bool{len(d.Rows) > 0, d.Upload != "", d.Path != "", d.URL != "", d.Unchanged} {
		if is {
			set++
		}
	}
	if set != 1 {
		return problem.Invalid(problem.At("/audience", problem.Required, "an audience is one of rows, upload, path and url; of a schedule that is changed it may be unchanged"))
	}
	return nil
}

// MaxInline is how many rows may come with an order.
const MaxInline = 1000

// may refuses a principal that has none of the scopes.
func may(p tenant.Principal, scopes ...tenant.Scope) error {
	if slices.ContainsFunc(scopes, p.May) {
		return nil
	}
	return problem.New(problem.Forbidden, "this needs a key with the scope %v", scopes)
}

// reads refuses who may not see what tenants have.
func reads(p tenant.Principal) error { return may(p, tenant.Read, tenant.Operate) }

// changes refuses who may not change what a tenant has: who sends, but for another, though it sees that one's messages
// too. What is not seen at all is refused where it is looked for.
func changes(p tenant.Principal, of string) error {
	if err := may(p, tenant.Send, tenant.Operate); err != nil {
		return err
	}
	if p.Sees(of) && !p.Steers(of) {
		return problem.New(problem.Forbidden, "this key sees what other tenants have, and changes what its own has only")
	}
	return nil
}

// unavailable is a fault below us.
func unavailable(err error) error {
	if p := (*problem.Error)(nil); errors.As(err, &p) {
		return p
	}
	if errors.Is(err, store.ErrCursor) {
		return problem.Invalid(problem.At("query:after", problem.BadValue, "after must be the next of an earlier answer; leave it out to begin"))
	}
	return problem.New(problem.Unavailable, "it cannot be done right now; try again").After(time.Second).Because(err)
}

// sees refuses what is another tenant's, or of no tenant; at points to where the caller named it.
func (c *Campaigns) sees(ctx context.Context, p tenant.Principal, name, at string) (tenant.Tenant, error) {
	none := problem.Invalid(problem.At(at, problem.UnknownTenant, "there is no such tenant for this key"))
	if !tenant.ValidName(name) || !p.Sees(name) {
		return tenant.Tenant{}, none
	}
	t, ok, err := c.Config.Tenant(ctx, name)
	switch {
	case err != nil:
		return t, unavailable(err)
	case !ok:
		return t, none
	}
	return t, nil
}

// checkContent tells what is wrong with a content but for its rows.
func (c *Campaigns) checkContent(ctx context.Context, of string, live bool, content Content) error {
	if content.Template == "" {
		return problem.Invalid(problem.At("/template", problem.Required, "template is missing: the name of a template, or tenant/name of one that another tenant shares"))
	}
	owner, name := templateOf(of, content.Template)
	head, ok, err := c.Config.Template(ctx, owner, name)
	switch {
	case err != nil:
		return unavailable(err)
	case !ok || owner != of && !head.Shared:
		return problem.Invalid(problem.At("/template", problem.UnknownTemplate, "the tenant has no such template, and no other shares one of that name"))
	case live && head.Published == 0:
		return problem.Invalid(problem.At("/template", problem.NotPublished, "the template has no published version; publish one, or use a test key"))
	case live && content.Version != 0 && content.Version != head.Published:
		return problem.Invalid(problem.At("/version", problem.NotPublished, "version %d is not the published one (%d); leave version out, or use a test key", content.Version, head.Published))
	case content.Version < 0 || content.Version > head.Latest:
		return problem.Invalid(problem.At("/version", problem.UnknownTemplate, "the template has the versions 1 to %d", head.Latest))
	case head.Class == message.OTP:
		return problem.Invalid(problem.At("/template", problem.BadValue, "the template is of the class otp: a code is for one person who waits for it"))
	case content.TTLSeconds < 0 || content.TTLSeconds > int(message.MaxTTL.Seconds()):
		return problem.Invalid(problem.At("/ttl_seconds", problem.BadValue, "ttl_seconds is 1 to %d; leave it out for the class's", int(message.MaxTTL.Seconds())))
	}
	return c.fits(ctx, of, live, content)
}

// fits tells whether the version has the channel and the variables of a content; those that are missing may come with
// the rows. Of rows that are read later only, each would be found wrong, and a schedule's every day.
func (c *Campaigns) fits(ctx context.Context, of string, live bool, content Content) error {
	version, _, err := c.version(ctx, of, live, content)
	if err != nil {
		return err
	}
	owner, name := templateOf(of, content.Template)
	t, err := c.Config.Version(ctx, message.Ref{Tenant: owner, Name: name, Version: version})
	if err != nil {
		return unavailable(err)
	}
	var faults []problem.Field
	has := map[message.Channel]bool{}
	for _, v := range t.Template().Variants {
		has[v.Channel] = true
	}
	if content.Channel != "" && !has[content.Channel] {
		faults = append(faults, problem.At("/channel", problem.NoVariant, "the template has no variant for this channel; it has %s", slices.Sorted(maps.Keys(has))))
	}
	for _, f := range t.Check(content.Vars) {
		if f.Code != problem.MissingVariable {
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		return problem.Invalid(faults...)
	}
	return nil
}

// version is the one that a content is checked with, and class the template's.
func (c *Campaigns) version(ctx context.Context, of string, live bool, content Content) (int, message.Class, error) {
	owner, name := templateOf(of, content.Template)
	head, _, err := c.Config.Template(ctx, owner, name)
	switch {
	case err != nil:
		return 0, "", unavailable(err)
	case content.Version != 0:
		return content.Version, head.Class, nil
	case live || head.Published != 0:
		return head.Published, head.Class, nil
	}
	return head.Latest, head.Class, nil
}

// keep checks an audience and keeps its rows, if it has any, under a folder.
func (c *Campaigns) keep(ctx context.Context, p tenant.Principal, of, folder string, content Content, d AudienceDraft) (Audience, error) {
	if err := d.check(); err != nil {
		return Audience{}, err
	}
	if d.Unchanged {
		return Audience{}, problem.Invalid(problem.At("/audience/unchanged", problem.BadValue, "there is no schedule yet whose audience could stay: give rows, upload, path or url"))
	}
	out := Audience{Format: d.Format, Columns: d.Columns, Path: d.Path, URL: d.URL, Generation: d.Generation}
	switch {
	case len(d.Rows) > 0:
		return c.keepRows(ctx, p, of, folder, content, d.Rows)
	case d.URL != "":
		out.Format = audience.JSONL
		return out, c.checkURL(d.URL)
	}
	if out.Format == "" && strings.HasSuffix(d.Path, ".jsonl") {
		out.Format = audience.JSONL
	}
	if out.Format == "" {
		out.Format = audience.CSV
	}
	if out.Format != audience.CSV && out.Format != audience.JSONL {
		return out, problem.Invalid(problem.At("/audience/format", problem.BadValue, "format must be csv or jsonl"))
	}
	if d.Path != "" {
		if !blob.ValidKey(strings.ReplaceAll(d.Path, "{run_date}", "2006-01-02")) || len(d.Path) > 200 {
			return out, problem.Invalid(problem.At("/audience/path", problem.BadValue, "path is a file in the tenant's folder of sources, such as bills/{run_date}.csv: letters, digits and . _ = - with / between"))
		}
		return out, nil
	}
	out.Kept = uploadKey(of, d.Upload)
	if _, err := c.size(ctx, of, d.Upload); err != nil {
		return out, err
	}
	return out, nil
}

func (c *Campaigns) checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && !(u.Scheme == "http" && c.PlainHTTP) || u.Host == "" || u.User != nil || len(text) > 1000 {
		return problem.Invalid(problem.At("/audience/url", problem.BadValue, "url is an https address of the tenant's own system, without a user name"))
	}
	return nil
}

// keepRows checks rows and keeps them.
func (c *Campaigns) keepRows(ctx context.Context, p tenant.Principal, of, folder string, content Content, rows []audience.Recipient) (Audience, error) {
	if len(rows) > MaxInline {
		return Audience{}, problem.Invalid(problem.At("/audience/rows", problem.TooMany, "an order may have %d rows; upload a file with more", MaxInline))
	}
	o := Order{Tenant: of, Content: content, Run: "run_", Began: c.now()}
	var b strings.Builder
	for i, r := range rows {
		o.Lines = append(o.Lines, Line{N: i + 1, Recipient: r})
		line, err := json.Marshal(r, json.Deterministic(true))
		if err != nil {
			return Audience{}, problem.New(problem.BadJSON, "the rows cannot be kept").Because(err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	as := c.as
	as.Live = p.Live
	var err error
	if o.Version, _, err = c.version(ctx, of, p.Live, content); err != nil {
		return Audience{}, err
	}
	checked, err := c.Intake.Check(ctx, as, o)
	if err != nil {
		return Audience{}, unavailable(err)
	}
	var faults []problem.Field
	for i, ch := range checked {
		if ch.Problem == nil {
			continue
		}
		for _, f := range ch.Problem.Fields {
			if f.Pointer == "/template" || f.Pointer == "/tenant" {
				return Audience{}, problem.Invalid(f)
			}
			f.Pointer = "/audience/rows/" + strconv.Itoa(i) + f.Pointer
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		return Audience{}, problem.Invalid(faults[:min(len(faults), 100)]...)
	}
	key := folder + "/" + c.NewULID(c.now()) + ".jsonl"
	if err := c.Blobs.Put(ctx, key, []byte(b.String())); err != nil {
		return Audience{}, unavailable(err)
	}
	return Audience{Kept: key, Format: audience.JSONL, Rows: len(rows)}, nil
}

// UploadPrefix is what an upload's id begins with.
const UploadPrefix = "aud_"

// uploadTime is how long an upload's address is good.
const uploadTime = time.Hour

// uploads is the folder of what was uploaded.
const uploads = "uploads/"

func uploadKey(of, id string) string { return uploads + of + "/" + id }

// Upload is a file on its way.
type Upload struct {
	ID    string
	Grant blob.Grant
}

// Upload grants that a file is put as an audience.
func (c *Campaigns) Upload(ctx context.Context, p tenant.Principal, of string, size int64) (Upload, error) {
	if err := changes(p, of); err != nil {
		return Upload{}, err
	}
	if _, err := c.sees(ctx, p, of, "/tenant"); err != nil {
		return Upload{}, err
	}
	if size < 1 || size > audience.MaxBytes {
		return Upload{}, problem.Invalid(problem.At("/size", problem.BadValue, "size is the file's in bytes: 1 to %d", audience.MaxBytes))
	}
	id := UploadPrefix + c.NewULID(c.now())
	if p.ByHand() {
		d := store.Deed{What: "uploaded", Kind: "audience", Object: id, Tenant: of, Changes: []store.Change{{Path: "/bytes", After: strconv.FormatInt(size, 10)}}}
		if err := c.Store.AddDeed(ctx, p, c.now(), d); err != nil {
			return Upload{}, unavailable(err)
		}
	}
	g, err := c.Blobs.Upload(ctx, uploadKey(of, id), size, uploadTime)
	if err != nil {
		return Upload{}, unavailable(err)
	}
	return Upload{id, g}, nil
}

// size is an upload's.
func (c *Campaigns) size(ctx context.Context, of, id string) (int64, error) {
	ulid, ok := strings.CutPrefix(id, UploadPrefix)
	none := problem.Invalid(problem.At("/audience/upload", problem.BadValue, "there is no such upload of this tenant, or its content was not put; see POST /v1/audiences"))
	if !ok || len(ulid) != 26 || strings.Trim(ulid, "0123456789abcdefghjkmnpqrstvwxyz") != "" {
		return 0, none
	}
	n, err := c.Blobs.Size(ctx, uploadKey(of, id))
	if gone(err) {
		return 0, none
	}
	if err != nil {
		return 0, unavailable(err)
	}
	return n, nil
}

// SourceSecret is what a tenant's system checks requests for its rows with.
func (c *Campaigns) SourceSecret(ctx context.Context, p tenant.Principal, of string, generation int) (message.Secret, error) {
	if err := changes(p, of); err != nil {
		return "", err
	}
	if _, err := c.sees(ctx, p, of, "/tenant"); err != nil {
		return "", err
	}
	return c.Store.SourceSecret(of, generation), nil
}

// job reads a run that the principal may know of.
func (c *Campaigns) job(ctx context.Context, p tenant.Principal, id string) (store.Job, error) {
	j, err := c.Store.Job(ctx, p, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && j.Kind != KindRun {
		return j, problem.New(problem.NotFound, "there is no such run; an id begins with run_")
	}
	if err != nil {
		return j, unavailable(fmt.Errorf("campaign: run %s: %w", id, err))
	}
	return j, nil
}

// steered reads a run that the principal may change.
func (c *Campaigns) steered(ctx context.Context, p tenant.Principal, id string) (store.Job, error) {
	if err := may(p, tenant.Send, tenant.Operate); err != nil {
		return store.Job{}, err
	}
	j, err := c.job(ctx, p, id)
	if err == nil {
		err = changes(p, j.Tenant)
	}
	return j, err
}
