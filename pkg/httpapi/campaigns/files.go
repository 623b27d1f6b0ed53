package campaigns

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/campaign"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Audiences is what /v1/audiences needs.
type Audiences interface {
	Upload(ctx context.Context, p tenant.Principal, of string, size int64) (campaign.Upload, error)
	SourceSecret(ctx context.Context, p tenant.Principal, of string, generation int) (message.Secret, error)
}

// CreateAudience asks for a place for a file.
type CreateAudience struct {
	Tenant string `json:"tenant,omitzero" doc:"Whose; the key's own without it."`
	Size   int64  `json:"size" doc:"Of the file, in bytes: exactly so many can be put." minimum:"1" maximum:"268435456"`
}

// Upload is where a file is put. Afterwards its id names the audience.
type Upload struct {
	ID        string            `json:"id" example:"aud_01kbwersrwg91ydyhc5m2hbze9"`
	Method    string            `json:"method" example:"PUT"`
	URL       string            `json:"url" doc:"Good for an hour, for one file. It is a credential."`
	Headers   map[string]string `json:"headers,omitzero" doc:"To be sent with it."`
	ExpiresAt time.Time         `json:"expires_at"`
}

// SourceSecret asks for the secret of the tenant's source.
type SourceSecret struct {
	Tenant     string `json:"tenant,omitzero" doc:"Whose; the key's own without it."`
	Generation int    `json:"generation,omitzero" minimum:"0"`
}

// Secret is what requests for a tenant's rows are signed with, as Standard Webhooks have it.
type Secret struct {
	Secret string `json:"secret" example:"whsec_…"`
}

func audiences(a Audiences) []httpapi.Endpoint {
	create := op(http.MethodPost, "audiences", "createAudience", "Get an address for a file of recipients", tenant.Send)
	create.Status = http.StatusCreated
	create.Description = "Put the file there: CSV with a header, or JSON lines, in UTF-8, at most 256 MiB and 1,000,000 rows. It is kept for 30 days."
	return []httpapi.Endpoint{
		httpapi.Route(create, func(ctx context.Context, c *httpapi.Call, r *CreateAudience) (*Upload, error) {
			u, err := a.Upload(ctx, c.Principal, of(c, r.Tenant), r.Size)
			if err != nil {
				return nil, err
			}
			out := &Upload{ID: u.ID, Method: u.Grant.Method, URL: u.Grant.URL, ExpiresAt: u.Grant.Until}
			for name := range u.Grant.Header {
				if out.Headers == nil {
					out.Headers = map[string]string{}
				}
				out.Headers[name] = u.Grant.Header.Get(name)
			}
			return out, nil
		}),
		httpapi.Route(op(http.MethodPost, "audiences/secret", "getSourceSecret", "Read the secret with which a tenant's system is asked for rows", tenant.Send),
			func(ctx context.Context, c *httpapi.Call, r *SourceSecret) (*Secret, error) {
				secret, err := a.SourceSecret(ctx, c.Principal, of(c, r.Tenant), r.Generation)
				return &Secret{string(secret)}, err
			}),
	}
}

// BadRow is a row that nothing can be sent to, and why. It holds no more of the row.
type BadRow struct {
	Row    int     `json:"row" doc:"From 1, without the header."`
	Faults []Fault `json:"faults"`
}

// Fault is what is wrong with a cell.
type Fault struct {
	Column string       `json:"column,omitzero" doc:"Absent: the whole row."`
	Code   problem.Code `json:"code"`
	Detail string       `json:"detail"`
}

// BadRows is a page of them.
type BadRows struct {
	Items []BadRow `json:"items"`
	Next  string   `json:"next,omitzero" doc:"Send it as after to go on; absent at the end."`
}

// fileBytes is how much of a file one answer has: what a Lambda may answer, and some room.
const fileBytes = 4 << 20

func files(s Runs) []httpapi.Endpoint {
	rows := op(http.MethodGet, "campaigns/{id}/rows", "listBadRows", "List the rows that nothing can be sent to, with their faults", tenant.Read, problem.NotFound)
	rows.Query = []httpapi.Param{httpapi.AfterParam()}
	rowsCSV := op(http.MethodGet, "campaigns/{id}/rows.csv", "downloadBadRows", "Download those rows as they were, with a column error", tenant.Read, problem.NotFound)
	rowsCSV.Query = []httpapi.Param{httpapi.AfterParam()}
	rowsCSV.Description = "Mend them and send the file as another audience. What the list says is left out for who may neither send for the tenant, operate nor reveal. A Link header with rel=next has the address of what did not fit."
	failuresCSV := op(http.MethodGet, "campaigns/{id}/failures.csv", "downloadFailures", "Download whom a run did not reach, with the provider's reason", tenant.Read, problem.NotFound)
	failuresCSV.Query, failuresCSV.Description = []httpapi.Param{httpapi.AfterParam()}, "Recipients are in full for a key of the tenant's that may send, and for who may reveal, which is in the audit; else masked. A Link header with rel=next has the address of what did not fit."
	rowsCSV.Media, failuresCSV.Media = "text/csv", "text/csv"
	return []httpapi.Endpoint{
		httpapi.Route(rows, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*BadRows, error) {
			_, bad, next, err := s.BadRows(ctx, c.Principal, c.Path("id"), c.Query("after"))
			if err != nil {
				return nil, err
			}
			out := &BadRows{make([]BadRow, len(bad)), next}
			for i, r := range bad {
				out.Items[i] = BadRow{Row: r.Row, Faults: make([]Fault, len(r.Faults))}
				for k, f := range r.Faults {
					out.Items[i].Faults[k] = Fault(f)
				}
			}
			return out, nil
		}),
		httpapi.Raw(rowsCSV, func(ctx context.Context, c *httpapi.Call, w http.ResponseWriter, _ *http.Request) error {
			return file(c, w, "rows.csv", func(b *bytes.Buffer, after string) (string, error) {
				columns, bad, next, err := s.BadRows(ctx, c.Principal, c.Path("id"), after)
				if err != nil {
					return "", err
				}
				return next, audience.WriteCSV(b, badTable(columns, bad, b.Len() == 0)...)
			})
		}),
		httpapi.Raw(failuresCSV, func(ctx context.Context, c *httpapi.Call, w http.ResponseWriter, _ *http.Request) error {
			failed, err := s.Failures(ctx, c.Principal, c.Path("id"))
			if err != nil {
				return err
			}
			return file(c, w, "failures.csv", func(b *bytes.Buffer, after string) (string, error) {
				failures, next, err := failed.Page(ctx, 200, after)
				if err != nil {
					return "", err
				}
				return next, audience.WriteCSV(b, failureTable(failures, b.Len() == 0)...)
			})
		}),
	}
}

// file answers a CSV file, of as many pages as fit.
func file(c *httpapi.Call, w http.ResponseWriter, name string, page func(b *bytes.Buffer, after string) (next string, err error)) error {
	var b bytes.Buffer
	after := c.Query("after")
	for more := true; more; more = after != "" && b.Len() < fileBytes {
		var err error
		if after, err = page(&b, after); err != nil {
			return err
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	if after != "" {
		h.Set("Link", "</v1/campaigns/"+url.PathEscape(c.Path("id"))+"/"+name+"?after="+url.QueryEscape(after)+`>; rel="next"`)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func badTable(columns []string, bad []campaign.BadRow, head bool) (out [][]string) {
	lines := len(columns) == 0
	if lines {
		columns = []string{"line"}
	}
	if head && len(bad) > 0 {
		out = append(out, append(append([]string{}, columns...), "error"))
	}
	for _, r := range bad {
		cells := append([]string{}, r.Cells...)
		if lines {
			cells = []string{r.Line}
		}
		for len(cells) < len(columns) {
			cells = append(cells, "")
		}
		var why []string
		for _, f := range r.Faults {
			text := f.Detail
			if f.Column != "" {
				text = f.Column + ": " + text
			}
			why = append(why, text)
		}
		out = append(out, append(cells[:len(columns)], strings.Join(why, "; ")))
	}
	return out
}

func failureTable(failures []campaign.Failure, head bool) (out [][]string) {
	if head {
		out = append(out, []string{"row", "to", "channel", "status", "code", "text", "message"})
	}
	for _, f := range failures {
		out = append(out, []string{strconv.Itoa(f.Row), f.To, string(f.Channel), string(f.Status), f.Code, f.Text, string(f.ID)})
	}
	return out
}
