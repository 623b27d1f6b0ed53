package campaign

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/opennotify/notify/pkg/audience"
	"github.com/opennotify/notify/pkg/job"
	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
)

// The bounds of one answer of a tenant's system.
const (
	maxPulledRows  = 1000
	maxPulledBytes = 2 << 20
	maxPulledPages = 100_000
	maxPullTries   = 10 // of one page: a quarter of an hour
)

// asked is what a tenant's system is asked. The headers are those of Standard Webhooks; the id is the same
// when the same page is asked for again.
type asked struct {
	Type     string `json:"type"` // audience.rows
	Tenant   string `json:"tenant"`
	Schedule string `json:"schedule,omitzero"`
	Run      string `json:"run"`
	RunDate  string `json:"run_date,omitzero"`
	Cursor   string `json:"cursor,omitzero"`
}

// pulled is its answer.
type pulled struct {
	Rows []jsontext.Value `json:"rows"`
	Next string           `json:"next,omitzero"` // the cursor of the next page; "" at the end
}

// pull asks the tenant's system for a page, checks it, and keeps it: a run reads the same rows whenever it
// goes on, whatever the system would say later.
func (c *Campaigns) pull(ctx context.Context, r *run) (job.Step, error) {
	answer, why, err := c.ask(ctx, r)
	if err != nil && r.Tries >= maxPullTries {
		c.Log.WarnContext(ctx, "a tenant's system is given up", "run", r.ID, "error", err)
		return job.Step{Failed: "the tenant's system could not be reached, or did not answer"}, nil
	}
	if why != "" || err != nil {
		return job.Step{Failed: why}, err
	}
	p, err := c.reader(ctx, r)
	if err != nil {
		return job.Step{}, err
	}
	var part bytes.Buffer
	for _, row := range answer.Rows {
		line := bytes.ReplaceAll(row, []byte("\n"), []byte(" ")) // between tokens: in a string it is escaped
		part.Write(line)
		part.WriteByte('\n')
		r.at.At.Row++
		if err := p.row(ctx, nil, audience.Row{N: r.at.At.Row, Line: bytes.Clone(line)}); err != nil {
			return job.Step{}, err
		}
	}
	if err := p.check(ctx); err != nil {
		return job.Step{}, err
	}
	if p.failed != "" {
		return job.Step{Failed: p.failed}, nil
	}
	if part.Len() > 0 {
		if err := c.Blobs.Put(ctx, r.copied(r.at.Parts), part.Bytes()); err != nil {
			return job.Step{}, err
		}
		r.at.Parts++
	}
	if r.at.Next = answer.Next; r.at.Parts > maxPulledPages {
		return job.Step{Failed: "the tenant's system gives pages without an end"}, nil
	}
	return c.wasRead(ctx, r, p, answer.Next == "")
}

// ask makes the request. A refusal is the run's fault, in words; an answer that may be another later is an
// error.
func (c *Campaigns) ask(ctx context.Context, r *run) (out pulled, why string, err error) {
	body, err := json.Marshal(asked{"audience.rows", r.Tenant, r.Schedule, r.ID, r.Date, r.at.Next})
	if err != nil {
		return out, "", fmt.Errorf("campaign: ask for rows: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Audience.URL, bytes.NewReader(body))
	if err != nil {
		return out, "the address of the tenant's system cannot be used", nil
	}
	id, at := r.ID+"-"+strconv.Itoa(r.at.Parts), strconv.FormatInt(c.Now().Unix(), 10)
	signature, err := sign(c.Store.SourceSecret(r.Tenant, r.Audience.Generation), id, at, body)
	if err != nil {
		return out, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", at)
	req.Header.Set("Webhook-Signature", signature)
	res, err := c.HTTP.Do(req)
	if err != nil {
		if way := (*url.Error)(nil); errors.As(err, &way) {
			err = way.Err // the address may hold a token
		}
		return out, "", fmt.Errorf("campaign: the tenant's system: %w", err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode >= 500, res.StatusCode == http.StatusTooManyRequests, res.StatusCode == http.StatusRequestTimeout:
		return out, "", fmt.Errorf("campaign: the tenant's system answered %d", res.StatusCode)
	case res.StatusCode != http.StatusOK:
		return out, fmt.Sprintf("the tenant's system answered %d where its rows were asked for", res.StatusCode), nil
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxPulledBytes+1))
	switch {
	case err != nil:
		return out, "", fmt.Errorf("campaign: the tenant's system: %w", err)
	case len(text) > maxPulledBytes:
		return out, fmt.Sprintf("an answer of the tenant's system has more than %d bytes; give fewer rows at once", maxPulledBytes), nil
	case json.Unmarshal(text, &out, json.RejectUnknownMembers(true)) != nil, len(out.Next) > 1000:
		return out, `an answer of the tenant's system is not {"rows":[{"to":…,"vars":{…}}],"next":"…"}`, nil
	case len(out.Rows) > maxPulledRows:
		return out, fmt.Sprintf("an answer of the tenant's system has more than %d rows", maxPulledRows), nil
	}
	return out, "", nil
}

// sign is a signature of Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks
func sign(secret message.Secret, id, at string, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(secret), "whsec_"))
	if err != nil {
		return "", problem.New(problem.Internal, "the secret of the source cannot be read")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}
