package campaigns

import (
	"context"
	"net/http"
	"time"

	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Schedules is what /v1/schedules needs.
type Schedules interface {
	Preview(ctx context.Context, p tenant.Principal, w campaign.When) ([]time.Time, error)
	Schedules(ctx context.Context, p tenant.Principal, of string, next int) ([]campaign.Versioned, error)
	Schedule(ctx context.Context, p tenant.Principal, of, name string) (campaign.Versioned, error)
	ScheduleHistory(ctx context.Context, p tenant.Principal, of, name string) ([]campaign.Versioned, error)
	PutSchedule(ctx context.Context, p tenant.Principal, s campaign.Schedule, d campaign.AudienceDraft, change campaign.Change) (campaign.Versioned, error)
	PauseSchedule(ctx context.Context, p tenant.Principal, of, name string, paused bool, why string) (campaign.Versioned, error)
	DeleteSchedule(ctx context.Context, p tenant.Principal, of, name string, change campaign.Change) error
	RunSchedule(ctx context.Context, p tenant.Principal, of, name, date, why string) (campaign.Run, error)
	Runs(ctx context.Context, p tenant.Principal, of, schedule string, limit int, after string) ([]campaign.Run, string, error)
}

// Schedule is a timed send.
type Schedule struct {
	Tenant string `json:"tenant"`
	Name   string `json:"name"`
	Title  string `json:"title,omitzero"`
	When
	Content
	Class       message.Class  `json:"class,omitzero" enum:"otp,transactional,marketing" doc:"The template's."`
	Audience    AudienceSource `json:"audience"`
	LateMinutes int            `json:"late_minutes,omitzero"`
	Paused      bool           `json:"paused,omitzero"`
	External    bool           `json:"external,omitzero" doc:"Somebody made it with AWS tools; it is known by what it did, and steered with them."`
	Owner       string         `json:"owner,omitzero" doc:"Whom to call."`
	Next        []time.Time    `json:"next" doc:"When it is due next: five times, if no other number was asked for; none of an external one."`
	Meta
}

// PutSchedule makes or changes a schedule; what is left out is empty afterwards.
type PutSchedule struct {
	Title string `json:"title,omitzero" maxLength:"100"`
	When
	Content
	Audience    Audience `json:"audience"`
	LateMinutes int      `json:"late_minutes,omitzero" doc:"How late a run may begin; 60 without it. One that is later is recorded as missed." minimum:"1" maximum:"1440"`
	Version     int64    `json:"version,omitzero" doc:"The version that you read and replace; leave it out to make a new one. Another one is a 409." minimum:"0"`
	Reason      string   `json:"reason,omitzero" doc:"Why: kept in the history, with the key." maxLength:"200"`
}

// ScheduleList is the schedules by tenant and name, or the history of one.
type ScheduleList struct {
	Items []Schedule `json:"items"`
}

// RunNow starts a run by hand.
type RunNow struct {
	Date   string `json:"run_date,omitzero" doc:"{run_date} of the run; today in the schedule's zone without it." example:"2026-03-31"`
	Reason string `json:"reason,omitzero" doc:"Why: kept in the record, with the key." maxLength:"200"`
}

// Preview is when a schedule would be due.
type Preview struct {
	Next []time.Time `json:"next" doc:"The next five, in UTC."`
}

func scheduleOf(v campaign.Versioned) Schedule {
	s := v.Schedule
	return Schedule{Tenant: s.Tenant, Name: s.Name, Title: s.Title, When: whenOf(s.When), Content: contentOf(s.Content), Class: s.Class, Audience: sourceOf(s.Audience),
		LateMinutes: s.LateMinutes, Paused: s.Paused, External: s.External, Owner: s.Owner, Next: v.Next,
		Meta: Meta{v.Meta.Version, v.Author, v.Reason, v.Meta.At.Std(), v.Deleted}}
}

func listOf(list []campaign.Versioned, err error) (*ScheduleList, error) {
	if err != nil {
		return nil, err
	}
	out := &ScheduleList{make([]Schedule, len(list))}
	for i, v := range list {
		out.Items[i] = scheduleOf(v)
	}
	return out, nil
}

func schedules(s Schedules) []httpapi.Endpoint {
	const path = "schedules/{tenant}/{name}"
	list := op(http.MethodGet, "schedules", "listSchedules", "List the schedules, those too that somebody made with AWS tools", tenant.Read)
	list.Query = []httpapi.Param{{Name: "tenant", Description: "Only this tenant's."}, {Name: "next", Description: "How many of the next times of each are told: 1 to 200; 5 without it.", Example: "50"}}
	preview := op(http.MethodPost, "schedules/preview", "previewSchedule", "Say when a schedule would be due, before it is saved", tenant.Send, problem.BadTime)
	del := op(http.MethodDelete, path, "deleteSchedule", "Cancel a schedule, and stop the runs that it has under way", tenant.Send, problem.NotFound, problem.Conflict)
	del.Query = []httpapi.Param{versionParam, reasonParam}
	run := op(http.MethodPost, path+"/run", "runSchedule", "Start a run now, whatever the time", tenant.Send, problem.NotFound, problem.NotAllowedNow)
	run.BodyOptional, run.Status = true, http.StatusAccepted
	runs := op(http.MethodGet, path+"/runs", "listScheduleRuns", "List a schedule's runs, the newest first", tenant.Read, problem.NotFound)
	runs.Query = httpapi.PageParams()
	return []httpapi.Endpoint{
		httpapi.Route(list, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*ScheduleList, error) {
			n, err := c.Number("next", 5, 1, 200)
			if err != nil {
				return nil, err
			}
			return listOf(s.Schedules(ctx, c.Principal, c.Query("tenant"), n))
		}),
		httpapi.Route(preview, func(ctx context.Context, c *httpapi.Call, w *When) (*Preview, error) {
			when, err := w.when()
			if err != nil {
				return nil, err
			}
			next, err := s.Preview(ctx, c.Principal, when)
			return &Preview{next}, err
		}),
		httpapi.Route(op(http.MethodGet, path, "getSchedule", "Read a schedule", tenant.Read, problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Schedule, error) {
				return one(scheduleOf)(s.Schedule(ctx, c.Principal, c.Path("tenant"), c.Path("name")))
			}),
		httpapi.Route(op(http.MethodGet, path+"/history", "listScheduleHistory", "List a schedule's versions, the newest first", tenant.Read, problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*ScheduleList, error) {
				return listOf(s.ScheduleHistory(ctx, c.Principal, c.Path("tenant"), c.Path("name")))
			}),
		putSchedule(s, path),
		httpapi.Route(del, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*struct{}, error) {
			n, err := c.Number("version", 0, 1, 1<<31-1)
			if err == nil {
				err = s.DeleteSchedule(ctx, c.Principal, c.Path("tenant"), c.Path("name"), campaign.Change{Version: int64(n), Reason: c.Query("reason")})
			}
			return nil, err
		}),
		pause(s, path, "pause", "pauseSchedule", "Keep a schedule from starting runs; runs that go on, go on", true),
		pause(s, path, "resume", "resumeSchedule", "Let a paused schedule start runs again", false),
		httpapi.Route(run, func(ctx context.Context, c *httpapi.Call, r *RunNow) (*Run, error) {
			return one(runOf)(s.RunSchedule(ctx, c.Principal, c.Path("tenant"), c.Path("name"), r.Date, r.Reason))
		}),
		httpapi.Route(runs, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*RunList, error) {
			limit, err := c.Limit()
			if err != nil {
				return nil, err
			}
			return runsOf(s.Runs(ctx, c.Principal, c.Path("tenant"), c.Path("name"), limit, c.Query("after")))
		}),
	}
}

func putSchedule(s Schedules, path string) httpapi.Endpoint {
	put := op(http.MethodPut, path, "putSchedule", "Make or change a schedule", tenant.Send, problem.Conflict, problem.BadTime, problem.UnknownTemplate, problem.NotPublished, problem.NoVariant, problem.UnknownVariable)
	put.Instead = http.StatusCreated
	put.Description = "It is due at one instant, every so many minutes, or as a cron expression says in its zone. A run that is under way keeps what it began with."
	return httpapi.Route(put, func(ctx context.Context, c *httpapi.Call, r *PutSchedule) (*Schedule, error) {
		when, err := r.When.when()
		if err != nil {
			return nil, err
		}
		v, err := s.PutSchedule(ctx, c.Principal, campaign.Schedule{Tenant: c.Path("tenant"), Name: c.Path("name"), Title: r.Title, When: when, Content: r.Content.content(),
			LateMinutes: r.LateMinutes}, r.Audience.draft(), campaign.Change{Version: r.Version, Reason: r.Reason})
		if err == nil && r.Version == 0 {
			c.Instead()
		}
		return one(scheduleOf)(v, err)
	})
}

func pause(s Schedules, path, verb, id, summary string, paused bool) httpapi.Endpoint {
	o := op(http.MethodPost, path+"/"+verb, id, summary, tenant.Send, problem.NotFound, problem.NotAllowedNow)
	o.BodyOptional = true
	return httpapi.Route(o, func(ctx context.Context, c *httpapi.Call, w *Why) (*Schedule, error) {
		return one(scheduleOf)(s.PauseSchedule(ctx, c.Principal, c.Path("tenant"), c.Path("name"), paused, w.Reason))
	})
}
