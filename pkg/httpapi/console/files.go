package console

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/problem"
)

// file is one of the page's files, as it is sent. Compressing is the build's: a function has no time for it,
// and API Gateway does not do it.
type file struct {
	kind   string
	gzip   []byte // nil: only plain
	plain  []byte
	hashed bool // its name changes with its content
}

// policy is the page's Content-Security-Policy: everything from here, nothing inline. Frames and forms are
// for the preview of mails alone. Beside here the page connects to where audiences are uploaded.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'%s; " +
	"frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// policyNow is the policy with the origin of uploads. Where that cannot be told now the page gets none: it
// works but for uploads, and the next load asks again.
func (c *Console) policyNow(ctx context.Context) string {
	if c.Uploads == nil {
		return fmt.Sprintf(policy, "")
	}
	origin, err := c.Uploads(ctx)
	if err != nil {
		c.Log.ErrorContext(ctx, "origin of uploads", "error", err)
		return fmt.Sprintf(policy, "")
	}
	return fmt.Sprintf(policy, " "+origin)
}

// mailPolicy shows a stranger's HTML: no scripts, no forms, nothing fetched, an origin of its own.
const mailPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"

func (c *Console) load() error {
	c.files = map[string]file{}
	entries, err := fs.ReadDir(c.Files, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		body, err := fs.ReadFile(c.Files, e.Name())
		if err != nil {
			return err
		}
		name, compressed := strings.CutSuffix(e.Name(), ".gz")
		f := file{kind: mime.TypeByExtension(path.Ext(name)), plain: body, hashed: strings.Count(name, ".") > 1}
		if compressed {
			f.gzip = body
			if f.plain, err = unzip(body); err != nil {
				return err
			}
		}
		c.files[name] = f
	}
	page, built := c.files["index.html"]
	if !built {
		page, built = c.files["placeholder.html"]
	}
	if !built {
		return errors.New("there is neither index.html.gz nor placeholder.html")
	}
	c.page = page
	return nil
}

func unzip(b []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// serve answers a file, or the page for every path that the page itself routes.
func (c *Console) serve(ctx context.Context, call *httpapi.Call, w http.ResponseWriter, r *http.Request) error {
	name := call.Path("path")
	f, found := c.files[name]
	if !found || !f.hashed {
		if path.Ext(name) != "" {
			return problem.New(problem.NotFound, "there is no such file; reload the console, it may have been updated")
		}
		f = c.page
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Content-Security-Policy", c.policyNow(ctx))
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if f.hashed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := f.plain
	if f.gzip != nil && acceptsGzip(r) {
		body = f.gzip
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, err := w.Write(body)
	return err
}

// acceptsGzip is as simple as browsers are; who refuses gzip with a weight gets it plain.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		if coding, q, _ := strings.Cut(strings.TrimSpace(part), ";"); coding == "gzip" && !strings.HasPrefix(strings.TrimSpace(q), "q=0") {
			return true
		}
	}
	return false
}

// preview sends a mail's HTML back as a page that can do nothing. A frame with srcdoc would inherit the
// console's policy and lose all styles.
func (c *Console) preview(_ context.Context, _ *httpapi.Call, w http.ResponseWriter, r *http.Request) error {
	if err := c.Sessions.Ours(r); err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return problem.New(problem.InvalidRequest, "send the form field html").Because(err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", mailPolicy)
	_, err := io.WriteString(w, r.PostForm.Get("html"))
	return err
}
