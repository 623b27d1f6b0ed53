package stats

import (
	"context"
	"net/http"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/tenant"
)

// Alarms is what is wrong now.
type Alarms struct {
	Items []Alarm `json:"items"`
}

// Alarm is a rule that holds, for a channel or for notify as a whole.
type Alarm struct {
	Name      string  `json:"name" doc:"That of the rule and of its entry in the runbook."`
	Channel   string  `json:"channel,omitzero" doc:"Absent where it is about notify as a whole."`
	Value     float64 `json:"value" doc:"A share in percent, seconds, or a number, as the rule is."`
	Threshold float64 `json:"threshold"`
	Page      bool    `json:"page,omitzero" doc:"Somebody should be woken for it."`
	Title     Title   `json:"title" doc:"What is wrong."`
	Runbook   string  `json:"runbook" doc:"Where it stands what to do."`
}

// Title is in both languages.
type Title struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

// runbook is where the entries are.
const runbook = "https://github.com/opennotify/notify/blob/main/docs/runbook.md#"

func alarms(s Stats) httpapi.Endpoint {
	op := httpapi.Op{Method: http.MethodGet, Path: "/v1/alarms", ID: "listAlarms", Tags: []string{"stats"}, Scope: tenant.Operate,
		Summary:     "List what is wrong now: the same rules that alarm in CloudWatch, by what was counted lately, and on one machine by what is measured, as the age of queues and how full limits are",
		Description: "On AWS the rules about what is measured are CloudWatch's alone, and so are everywhere those about functions."}
	return httpapi.Route(op, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Alarms, error) {
		open, err := s.Alarms(ctx, c.Principal)
		if err != nil {
			return nil, err
		}
		out := &Alarms{Items: make([]Alarm, len(open))}
		for i, a := range open {
			out.Items[i] = Alarm{Name: a.Name, Channel: a.Channel, Value: a.At, Threshold: a.Threshold, Page: a.Page, Title: Title{a.Title[0], a.Title[1]}, Runbook: runbook + a.Name}
		}
		return out, nil
	})
}
