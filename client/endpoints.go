package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Endpoint is where a tenant is told what becomes of its messages.
type Endpoint struct {
	Tenant    string    `json:"tenant"`
	Name      string    `json:"name"`
	URL       string    `json:"url,omitzero"`    // where callbacks are posted
	Until     time.Time `json:"until,omitzero"`  // in place of a URL: callbacks are kept to be read until then
	Events    []Status  `json:"events,omitzero"` // that it is told of; none are all in which a message ends
	Off       bool      `json:"off,omitzero"`
	OffWhy    string    `json:"off_why,omitzero"` // by_hand, gone, failing
	Since     time.Time `json:"since"`            // when it is on, or off, at this URL
	BothUntil time.Time `json:"both_until,omitzero"`
	Meta
}

// PutEndpointRequest makes or changes an endpoint; what is left out is empty afterwards.
type PutEndpointRequest struct {
	URL     string    `json:"url,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Events  []Status  `json:"events,omitzero"`
	Off     bool      `json:"off,omitzero"`
	Version int64     `json:"version,omitzero"` // the one that you read; 0 makes a new endpoint
	Reason  string    `json:"reason,omitzero"`
}

// RotateEndpointRequest asks for a new secret.
type RotateEndpointRequest struct {
	BothSeconds *int   `json:"both_seconds,omitzero"` // how long the old secret signs, too; nil is 24 hours
	Version     int64  `json:"version,omitzero"`
	Reason      string `json:"reason,omitzero"`
}

// EndpointSecret is an endpoint with its new secret, this once.
type EndpointSecret struct {
	Endpoint
	Secret Key `json:"secret,omitzero"` // store string(Secret) now; "" where none was made
}

// EndpointHealth is how an endpoint has answered of late.
type EndpointHealth struct {
	LastSuccessAt time.Time `json:"last_success_at,omitzero"` // to the hour, while all is well
	FailingSince  time.Time `json:"failing_since,omitzero"`
	Failures      int       `json:"failures"` // since then, at least
	LastFailureAt time.Time `json:"last_failure_at,omitzero"`
	LastStatus    int       `json:"last_http_status,omitzero"`
	LastCode      string    `json:"last_code,omitzero"`
}

// Callback is one event on its way to one endpoint.
type Callback struct {
	ID          string            `json:"id"`
	WebhookID   string            `json:"webhook_id"` // what the receiver knows it by
	URL         string            `json:"url"`
	Status      Status            `json:"status"` // sent: the receiver took it
	Reason      string            `json:"reason,omitzero"`
	CreatedAt   time.Time         `json:"created_at"`
	NextTryAt   time.Time         `json:"next_try_at,omitzero"`
	CompletedAt time.Time         `json:"completed_at,omitzero"`
	Calls       int               `json:"calls"`
	Attempts    []CallbackAttempt `json:"attempts"` // the newest last
	ResendOf    string            `json:"resend_of,omitzero"`
	Event       json.RawMessage   `json:"event,omitzero"` // what is posted; nil when it is erased
}

// CallbackAttempt is one call of an endpoint.
type CallbackAttempt struct {
	At         time.Time `json:"at"`
	Outcome    string    `json:"outcome,omitzero"` // "" while no answer is recorded
	HTTPStatus int       `json:"http_status,omitzero"`
	Code       string    `json:"code,omitzero"`
	Millis     int64     `json:"ms,omitzero"`
	Repeats    int       `json:"repeats,omitzero"`
}

// CallbackFilter narrows a list of callbacks.
type CallbackFilter struct {
	From, To time.Time // of their making
	Limit    int       // of a page, 1 to 100; 50 without it
	After    string    // Next of the page before
}

// CallbackPage is a page of callbacks, the newest first.
type CallbackPage struct {
	Items []Callback `json:"items"`
	Next  string     `json:"next,omitzero"`
}

// ResendCallbacksRequest says what is sent again: a message or a callback by its ID, or those of a time.
type ResendCallbacksRequest struct {
	ID    string    `json:"id,omitzero"`
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"`
	All   bool      `json:"all,omitzero"` // those that arrived, too
	After string    `json:"after,omitzero"`
}

// Resent is what was sent again.
type Resent struct {
	Callback *Callback `json:"callback,omitzero"` // the new one, where an ID was named
	Matched  int       `json:"matched"`
	Made     int       `json:"made"`
	Next     string    `json:"next,omitzero"` // go on with it as After
}

func endpointPath(tenant, name, verb string) string {
	return "/v1/endpoints/" + url.PathEscape(tenant) + "/" + url.PathEscape(name) + verb
}

// Endpoints lists the endpoints that the key may know of; of one tenant, or all of "".
func (c *Client) Endpoints(ctx context.Context, tenant string) ([]Endpoint, error) {
	return listOf[Endpoint](ctx, c, query("/v1/endpoints", "tenant", tenant))
}

// Endpoint reads one.
func (c *Client) Endpoint(ctx context.Context, tenant, name string) (*Endpoint, error) {
	return get[Endpoint](ctx, c, endpointPath(tenant, name, ""))
}

// PutEndpoint makes or changes an endpoint. A new one's secret is in this answer only, so it is not tried
// again when the answer is lost: rotate it then.
func (c *Client) PutEndpoint(ctx context.Context, tenant, name string, r PutEndpointRequest) (*EndpointSecret, error) {
	out := &EndpointSecret{}
	_, err := c.do(ctx, call{method: http.MethodPut, path: endpointPath(tenant, name, ""), body: r}, out)
	return orNil(out, err)
}

// RotateEndpoint gives an endpoint a new secret; the old one signs too, for a time.
func (c *Client) RotateEndpoint(ctx context.Context, tenant, name string, r RotateEndpointRequest) (*EndpointSecret, error) {
	out := &EndpointSecret{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: endpointPath(tenant, name, "/rotate"), body: r}, out)
	return orNil(out, err)
}

// DeleteEndpoint deletes an endpoint in the version that was read.
func (c *Client) DeleteEndpoint(ctx context.Context, tenant, name string, version int64, reason string) error {
	_, err := c.do(ctx, call{method: http.MethodDelete, path: query(endpointPath(tenant, name, ""), "version", number(int(version)), "reason", reason)}, nil)
	return err
}

// EndpointHealth reads how an endpoint has answered of late.
func (c *Client) EndpointHealth(ctx context.Context, tenant, name string) (*EndpointHealth, error) {
	return get[EndpointHealth](ctx, c, endpointPath(tenant, name, "/health"))
}

// Callbacks reads a page of what an endpoint was sent, or is being sent.
func (c *Client) Callbacks(ctx context.Context, tenant, name string, f CallbackFilter) (*CallbackPage, error) {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	return get[CallbackPage](ctx, c, query(endpointPath(tenant, name, "/attempts"), "from", at(f.From), "to", at(f.To), "limit", number(f.Limit), "after", f.After))
}

// TestEndpoint sends an event of type endpoint.test.
func (c *Client) TestEndpoint(ctx context.Context, tenant, name string) (*Callback, error) {
	out := &Callback{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: endpointPath(tenant, name, "/test")}, out)
	return orNil(out, err)
}

// ResendCallbacks sends again what one ID or a range of time names.
func (c *Client) ResendCallbacks(ctx context.Context, tenant, name string, r ResendCallbacksRequest) (*Resent, error) {
	out := &Resent{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: endpointPath(tenant, name, "/resend"), body: r}, out)
	return orNil(out, err)
}
