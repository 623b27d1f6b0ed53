package deploy_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"testing"

	"github.com/opennotify/notify/deploy/emulators"
)

// An operator signs in to the deployed console with the link of bootstrap, and answers both questions in a browser.
func (d *deployment) operator(t *testing.T) {
	// Whether there is a browser, and where, is the console's own tests' to know.
	look := exec.CommandContext(t.Context(), "node", "--input-type=module", "-e", `import { browserPath } from "./world.mjs"; if (!browserPath) throw new Error("no Chromium")`)
	look.Dir = "../web/test"
	if _, err := look.Output(); err != nil {
		emulators.Skip(t, "a browser", "the deployed console was not tried; tools/browser.sh ready brings what it needs")
	}
	target, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	// A domain of its own, as API Gateway gives one: the emulator has the API below a path.
	domain := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}, ErrorLog: log.New(io.Discard, "", 0)}) // a page that is left lets go of its requests
	defer domain.Close()
	d.call(t, http.StatusCreated, http.MethodPut, "/v1/templates/shop/doorstep", map[string]any{"class": "transactional", "variables": []map[string]any{{"name": "n", "example": "1"}},
		"variants": []map[string]any{{"channel": "email", "locale": "en", "subject": "At the door", "text": "Parcel {{n}} waits at your door"}}})
	d.soon(t, http.StatusOK, http.MethodPost, "/v1/templates/shop/doorstep/publish", map[string]any{"version": 1})
	var id string
	eventually(t, "the template is in force", func() (string, bool) { // within 30 s
		got, err := d.try(t.Context(), http.MethodPost, "/v1/messages", map[string]any{"to": "asked@example.com", "channel": "email", "template": "doorstep", "locale": "en", "vars": map[string]any{"n": "4711"}})
		id = got.text("id")
		return fmt.Sprint(got.body, err), err == nil && got.status == http.StatusAccepted
	})
	d.until(t, id, "sent")
	cmd := exec.CommandContext(t.Context(), "node", "../web/test/deployed.mjs")
	cmd.Env = append(os.Environ(), "CONSOLE="+domain.URL+d.console, "MAIL=asked@example.com", "TEXT=Parcel 4711 waits at your door", "OWNER=Wang Li", "TEMPLATE=shop/doorstep")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
