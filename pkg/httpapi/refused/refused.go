// Package refused has requests that were refused: how they are taken down, and how the API shows them, wherever
// it does.
package refused

import (
	"context"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/stats"
	"github.com/opennotify/notify/pkg/store"
	"github.com/opennotify/notify/pkg/telemetry"
)

// Refused is a request that was refused.
type Refused struct {
	At        time.Time    `json:"at"`
	RequestID string       `json:"request_id" doc:"What the answer said, and the log says."`
	Tenant    string       `json:"tenant,omitzero" doc:"Absent where the key was not known."`
	Key       string       `json:"key,omitzero" doc:"The id of the API key."`
	IP        string       `json:"ip,omitzero" doc:"Where it came from."`
	Method    string       `json:"method"`
	Route     string       `json:"route"`
	Status    int          `json:"status"`
	Code      problem.Code `json:"code"`
	Errors    []Faulty     `json:"errors,omitzero"`
}

// Faulty is a value that was refused.
type Faulty struct {
	Pointer string       `json:"pointer"`
	Code    problem.Code `json:"code"`
}

// Of makes the API's form of refusals.
func Of(list []store.Refusal) []Refused {
	out := make([]Refused, len(list))
	for i := range list {
		r := &list[i]
		out[i] = Refused{At: r.At.Std(), RequestID: r.Request, Tenant: r.Tenant, Key: r.Key, IP: r.IP, Method: r.Method, Route: r.Route, Status: r.Status, Code: problem.Code(r.Code)}
		for _, f := range r.Fields {
			out[i].Errors = append(out[i].Errors, Faulty{f.Pointer, problem.Code(f.Code)})
		}
	}
	return out
}

// Watch is a [httpapi.Config.Refused] that counts refusals and takes them down.
func Watch(m telemetry.Metrics, l *stats.Refusals) func(context.Context, httpapi.Refusal) {
	return func(_ context.Context, r httpapi.Refusal) {
		m.Count(telemetry.Refused, 1, telemetry.Labels{Tenant: r.Principal.Tenant})
		n := store.Refusal{At: message.At(r.At), Request: r.RequestID, Tenant: r.Principal.Tenant, Key: r.Principal.KeyID, IP: r.IP,
			Method: r.Method, Route: r.Route, Status: r.Status, Code: string(r.Code), Marks: r.Marks}
		for _, f := range r.Fields[:min(len(r.Fields), mostFields)] {
			n.Fields = append(n.Fields, store.Faulty{Pointer: f.Pointer, Code: string(f.Code)})
		}
		l.Note(n)
	}
}

const mostFields = 5
