package receipt_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/receipts"
	"github.com/opennotify/notify/pkg/message"
)

// One click opts out of the tenant's marketing, a look at the page does not; and no token but ours does anything,
// with one answer for all that are not.
func TestOptOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.sendTo("+12025550100", "a")
	token := w.store.OptOutToken(r.ID)
	if strings.Contains(token, "2025550100") {
		t.Error("the token shows the address")
	}
	srv := httptest.NewServer(httpapi.New(httpapi.Config{Now: time.Now, NewRequestID: func() string { return "req" }, Log: slog.New(slog.DiscardHandler)}, receipts.Endpoints(w.receipts)...))
	defer srv.Close()
	call := func(method, token, language string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+"/v1/unsubscribe/"+token, strings.NewReader("List-Unsubscribe=One-Click"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Accept-Language", language)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	if status, page := call(http.MethodGet, token, "zh-CN,zh"); status != http.StatusOK || !strings.Contains(page, "退订") || !strings.Contains(page, `<form method="post">`) {
		t.Error(status, page)
	}
	if w.stops("shop", message.Marketing, "+12025550100") {
		t.Error("a look opted out")
	}
	gone := w.store.OptOutToken(message.NewID(r.ID.Partition(), message.ULIDFloor(0)))
	_, want := call(http.MethodPost, gone, "en")
	for _, forged := range []string{"x", token[:len(token)-1] + "!", token[1:] + token[:1], strings.ToUpper(token), token + "0", strings.Repeat("0", len(token))} {
		if status, body := call(http.MethodPost, forged, "en"); status != http.StatusNotFound || body != want {
			t.Errorf("%s: %d %s", forged, status, body)
		}
	}
	for range 2 {
		if status, page := call(http.MethodPost, token, "en"); status != http.StatusOK || !strings.Contains(page, "Done.") {
			t.Error(status, page)
		}
	}
	if !w.stops("shop", message.Marketing, "+12025550100") || w.stops("shop", message.Transactional, "+12025550100") || w.stops("bank", message.Marketing, "+12025550100") {
		t.Error("marketing of the tenant, and nothing else")
	}
}
