package receipts

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/problem"
)

// optOut mounts the address in List-Unsubscribe of marketing mail. GET changes nothing, because scanners of
// mail follow links; POST opts out, from the page's button or by the mail program's one click (RFC 8058).
func optOut(rs Receipts) []httpapi.Endpoint {
	op := httpapi.Op{Path: "/v1/unsubscribe/{token}", Tags: []string{"receipts"}, MaxBody: 4 << 10, Codes: []problem.Code{problem.NotFound}}
	page, post := op, op
	page.Method, page.ID, page.Summary = http.MethodGet, "unsubscribePage", "Show the page by which a recipient opts out of marketing"
	post.Method, post.ID, post.Summary = http.MethodPost, "unsubscribe", "Opt the recipient out of the tenant's marketing, by one click"
	return []httpapi.Endpoint{
		httpapi.Raw(page, func(ctx context.Context, c *httpapi.Call, w http.ResponseWriter, _ *http.Request) error {
			if _, err := rs.Recipient(ctx, c.Path("token")); err != nil {
				return err
			}
			return show(w, c, `<form method="post"><button>$BUTTON</button></form>`)
		}),
		httpapi.Raw(post, func(ctx context.Context, c *httpapi.Call, w http.ResponseWriter, _ *http.Request) error {
			if err := rs.OptOut(ctx, c.Path("token")); err != nil {
				return err
			}
			return show(w, c, `<p>$DONE</p>`)
		}),
	}
}

// show writes a page in the reader's language. It has nothing of the message.
func show(w http.ResponseWriter, c *httpapi.Call, body string) error {
	words := []string{"$LANG", "en", "$TITLE", "Unsubscribe", "$BUTTON", "Stop marketing messages to me", "$DONE", "Done. You get no more marketing messages from this sender."}
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(c.Header("Accept-Language"))), "zh") {
		words = []string{"$LANG", "zh-CN", "$TITLE", "退订", "$BUTTON", "不再接收营销消息", "$DONE", "已退订，您不会再收到该发件方的营销消息。"}
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	_, err := io.WriteString(w, strings.NewReplacer(words...).Replace(`<!doctype html><html lang="$LANG"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>$TITLE</title><h1>$TITLE</h1>`+body+"</html>\n"))
	return err
}
