// Package receipts mounts the address that providers call: /v1/receipts/{account}/{secret}.
package receipts

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/store"
)

// Receipts is what callbacks need of the use case.
type Receipts interface {
	Callback(ctx context.Context, account, secret string, r *http.Request, body []byte) (provider.Callback, error)
	Recipient(ctx context.Context, token string) (*store.Record, error)
	OptOut(ctx context.Context, token string) error
}

// maxBody is more than any provider sends in one callback.
const maxBody = 512 << 10

// Endpoints mounts the callbacks. Some providers check an address with GET first.
func Endpoints(rs Receipts) []httpapi.Endpoint {
	take := func(ctx context.Context, c *httpapi.Call, w http.ResponseWriter, r *http.Request) error {
		cb, err := rs.Callback(ctx, c.Path("account"), c.Path("secret"), r, c.Body())
		if err != nil {
			return err
		}
		status := cb.Status
		if status == 0 {
			status = http.StatusOK
		}
		if len(cb.Body) > 0 { // it may echo what was sent: never as a page
			kind := "text/plain; charset=utf-8"
			if json.Valid(cb.Body) {
				kind = "application/json"
			}
			w.Header().Set("Content-Type", kind)
		}
		w.WriteHeader(status)
		_, err = w.Write(cb.Body)
		return err
	}
	op := httpapi.Op{Path: "/v1/receipts/{account}/{secret}", Tags: []string{"receipts"}, MaxBody: maxBody, Codes: []problem.Code{problem.NotFound}}
	post, get := op, op
	post.Method, post.ID, post.Summary = http.MethodPost, "receiveReceipt", "Take what a provider says later"
	get.Method, get.ID, get.Summary = http.MethodGet, "verifyReceiptAddress", "Answer a provider that checks the address"
	return append([]httpapi.Endpoint{httpapi.Raw(post, take), httpapi.Raw(get, take)}, optOut(rs)...)
}
