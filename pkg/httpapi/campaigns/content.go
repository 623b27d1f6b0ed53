package campaigns

import (
	"time"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
)

// Content is what is sent, but for what is each recipient's own.
type Content struct {
	Template        string          `json:"template" doc:"Name of a template, or tenant/name of one that another tenant shares." example:"bill-reminder"`
	TemplateVersion int             `json:"template_version,omitzero" doc:"The one that is published, as it is when it begins, without it." minimum:"1"`
	Channel         message.Channel `json:"channel,omitzero" doc:"Of all recipients; without it each row's, or what its address is for." example:"sms"`
	Locale          string          `json:"locale,omitzero" doc:"BCP 47, of all; a row's own goes before." example:"zh"`
	Vars            map[string]any  `json:"vars,omitzero" doc:"Variables of all; a row's own go before."`
	Reference       string          `json:"reference,omitzero" doc:"Your own id of it, on every message." maxLength:"128"`
	TTLSeconds      int             `json:"ttl_seconds,omitzero" doc:"How long after it was made a message may still be sent, at most 30 days; the class's without it."`
}

func (c Content) content() campaign.Content {
	return campaign.Content{Template: c.Template, Version: c.TemplateVersion, Channel: c.Channel, Locale: c.Locale, Vars: c.Vars, Reference: c.Reference, TTLSeconds: c.TTLSeconds}
}

func contentOf(c campaign.Content) Content {
	return Content{Template: c.Template, TemplateVersion: c.Version, Channel: c.Channel, Locale: c.Locale, Vars: c.Vars, Reference: c.Reference, TTLSeconds: c.TTLSeconds}
}

// Audience says where the recipients are: one of rows, upload, path, url and unchanged.
type Audience struct {
	Rows       []Row           `json:"rows,omitzero" doc:"The recipients themselves, at most 1000."`
	Upload     string          `json:"upload,omitzero" doc:"Id of an upload, see POST /v1/audiences."`
	Path       string          `json:"path,omitzero" doc:"A file in the tenant's folder of sources, read when it begins. {run_date} is the day of the run in the schedule's zone, as 2026-03-31." example:"bills/{run_date}.csv"`
	URL        string          `json:"url,omitzero" doc:"An https address of the tenant's own system, asked for the rows when it begins: docs/schedules.md." example:"https://billing.example.com/notify/rows"`
	Generation int             `json:"secret_generation,omitzero" doc:"Of the secret that requests to url are signed with; another number is another secret." minimum:"0"`
	Unchanged  bool            `json:"unchanged,omitzero" doc:"Of a schedule that is changed: the audience that it has stays."`
	Format     audience.Format `json:"format,omitzero" enum:"csv,jsonl" doc:"Of an upload or a path; csv without it, or what the path ends in."`
	Columns    Columns         `json:"columns,omitzero" doc:"Which columns of a CSV file are what. What is left out is found by its name."`
}

// Row is one recipient.
type Row struct {
	To      string          `json:"to" example:"+8613800138000"`
	Channel message.Channel `json:"channel,omitzero"`
	Locale  string          `json:"locale,omitzero"`
	Vars    map[string]any  `json:"vars,omitzero"`
}

// Columns are names of columns.
type Columns struct {
	To      string            `json:"to,omitzero" doc:"Known by itself as to, phone, mobile, email, 手机号, 邮箱, …"`
	Channel string            `json:"channel,omitzero"`
	Locale  string            `json:"locale,omitzero"`
	Vars    map[string]string `json:"vars,omitzero" doc:"Columns by variable; a variable without one has the column of its name."`
}

func (a Audience) draft() campaign.AudienceDraft {
	out := campaign.AudienceDraft{Upload: a.Upload, Path: a.Path, URL: a.URL, Generation: a.Generation, Unchanged: a.Unchanged, Format: a.Format, Columns: audience.Columns(a.Columns)}
	for _, r := range a.Rows {
		out.Rows = append(out.Rows, audience.Recipient{To: r.To, Channel: r.Channel, Locale: r.Locale, Vars: r.Vars})
	}
	return out
}

// AudienceSource is where the recipients of a schedule or a run are, without them.
type AudienceSource struct {
	Kind       string          `json:"kind" enum:"rows,path,url,failures" doc:"rows: they are kept here; failures: of another run."`
	Count      int             `json:"count,omitzero" doc:"How many, where that is known without reading."`
	Path       string          `json:"path,omitzero"`
	URL        string          `json:"url,omitzero"`
	Generation int             `json:"secret_generation,omitzero"`
	Run        string          `json:"run,omitzero" doc:"Whose failures."`
	Format     audience.Format `json:"format,omitzero"`
	Columns    *Columns        `json:"columns,omitzero"`
}

func sourceOf(a campaign.Audience) AudienceSource {
	out := AudienceSource{Kind: "rows", Count: a.Rows, Path: a.Path, URL: a.URL, Generation: a.Generation, Run: a.Failures, Format: a.Format}
	switch {
	case a.Path != "":
		out.Kind = "path"
	case a.URL != "":
		out.Kind = "url"
	case a.Failures != "":
		out.Kind = "failures"
	}
	if c := Columns(a.Columns); c.To != "" || c.Channel != "" || c.Locale != "" || len(c.Vars) > 0 {
		out.Columns = &c
	}
	return out
}

// When says when: one of at, every_minutes and cron.
type When struct {
	At    string     `json:"at,omitzero" doc:"Once: RFC 3339, or without an offset in the zone." example:"2026-03-31T09:00"`
	Every int        `json:"every_minutes,omitzero" doc:"Again and again, counted from start." minimum:"1"`
	Cron  string     `json:"cron,omitzero" doc:"Six fields as EventBridge has them: minutes hours day-of-month month day-of-week year." example:"0 9 * * ? *"`
	Zone  string     `json:"zone,omitzero" doc:"IANA time zone of at and cron; UTC without it. In the night when clocks are put forward, what falls into the gap comes after it; when they are put back, nothing comes twice." example:"Asia/Shanghai"`
	Start *time.Time `json:"start,omitzero" doc:"Not before."`
	End   *time.Time `json:"end,omitzero" doc:"Not after."`
}

// when reads the times.
func (w When) when() (campaign.When, error) {
	out := campaign.When{Every: w.Every, Cron: w.Cron, Zone: w.Zone}
	if w.Start != nil {
		out.Start = message.At(*w.Start)
	}
	if w.End != nil {
		out.End = message.At(*w.End)
	}
	if w.At == "" {
		return out, nil
	}
	t, err := time.Parse(time.RFC3339, w.At)
	if err != nil {
		t, err = local(w.At, w.Zone)
	}
	if err != nil {
		return out, problem.Invalid(problem.At("/at", problem.BadTime, "at is RFC 3339 as 2026-03-31T09:00:00+08:00, or 2026-03-31T09:00 with a zone, and a time that there is on that day"))
	}
	out.At = message.At(t)
	return out, nil
}

// local reads a time of a zone's clock: the first, where the clock shows it twice.
func local(text, zone string) (time.Time, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil || zone == "" || zone == "Local" {
		return time.Time{}, problem.New(problem.BadTime, "no zone")
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		t, err := time.ParseInLocation(layout, text, loc)
		if err != nil {
			continue
		}
		if t.Format(layout) != text { // the clock was put over it
			return t, problem.New(problem.BadTime, "no such time")
		}
		if earlier := t.Add(-time.Hour); earlier.Format(layout) == text {
			t = earlier
		}
		return t, nil
	}
	return time.Time{}, problem.New(problem.BadTime, "no time")
}

func whenOf(w campaign.When) When {
	out := When{Every: w.Every, Cron: w.Cron, Zone: w.Zone, Start: at(w.Start), End: at(w.End)}
	if w.At > 0 {
		out.At = w.At.Std().Format(time.RFC3339)
	}
	return out
}
