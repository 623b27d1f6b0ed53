package client

import (
	"context"
	"net/http"
	"net/url"
)

// why is a reason for the record.
type why struct {
	Reason string `json:"reason,omitzero"`
}

// Cancel cancels a message that is not with a provider yet; one that is too late is an Error with
// CodeNotAllowedNow. The reason is kept in the timeline and may be "".
func (c *Client) Cancel(ctx context.Context, id, reason string) (*Sent, error) {
	out := &Sent{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages/" + url.PathEscape(id) + "/cancel", body: why{reason}}, out)
	return orNil(out, err)
}

// Resend sends a message again as a new one, whatever the window for equal content says.
func (c *Client) Resend(ctx context.Context, id, reason string) (*Sent, error) {
	out := &Sent{}
	h, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages/" + url.PathEscape(id) + "/resend", body: why{reason}, key: keyOr(""), repeat: true}, out)
	if err != nil {
		return nil, err
	}
	out.Replayed = replayed(h)
	return out, nil
}

// StopRequest names what to stop; what is left out does not narrow.
type StopRequest struct {
	Tenant   string `json:"tenant,omitzero"`   // the key's without it
	Template string `json:"template,omitzero"` // name, or tenant/name
	Version  int    `json:"version,omitzero"`  // of the template
	Group    string `json:"group,omitzero"`
	After    string `json:"after,omitzero"` // the Next of an earlier answer, to go on where it stopped
	DryRun   bool   `json:"dry_run"`        // counts only
	Reason   string `json:"reason,omitzero"`
}

// StopAnswer counts.
type StopAnswer struct {
	DryRun    bool   `json:"dry_run"`
	Matched   int    `json:"matched"` // waiting messages that match
	Cancelled int    `json:"cancelled"`
	TooLate   int    `json:"too_late"`      // that a worker took in the meantime
	More      bool   `json:"more,omitzero"` // one call's bound was reached: call again, with Next as After
	Next      string `json:"next,omitzero"`
}

// Stop cancels everything waiting that matches, or counts it, or a part of it: see StopAnswer.More. It may be
// repeated: what is cancelled does not match any more.
func (c *Client) Stop(ctx context.Context, r StopRequest) (*StopAnswer, error) {
	out := &StopAnswer{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/messages/stop", body: r, repeat: r.DryRun}, out)
	return orNil(out, err)
}
