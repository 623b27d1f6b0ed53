package client

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"
)

// upload is where a file is put.
type upload struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers,omitzero"`
	ExpiresAt time.Time         `json:"expires_at"`
}

// createUpload asks for a place for a file.
type createUpload struct {
	Tenant string `json:"tenant,omitzero"`
	Size   int64  `json:"size"`
}

// UploadAudience puts a file of recipients, of exactly so many bytes, and gives the id that names it in an
// Audience: CSV with a header, or JSON lines, in UTF-8. It is sent as it is read and never held whole, so it
// is tried once, and as long as ctx lasts. The tenant may be "", which is the key's.
func (c *Client) UploadAudience(ctx context.Context, tenant string, size int64, file io.Reader) (id string, err error) {
	var u upload
	if _, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/audiences", body: createUpload{tenant, size}, repeat: true}, &u); err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, u.Method, u.URL, file)
	if err != nil {
		return "", errors.New("notify: the address for the upload cannot be used") // which is a credential
	}
	r.ContentLength = size
	for name, value := range u.Headers {
		r.Header.Set(name, value)
	}
	h := *c.http
	h.Timeout = 0 // a large file takes its time
	resp, err := h.Do(r)
	if err != nil {
		if way := errors.Unwrap(err); way != nil { // without the address
			err = way
		}
		return "", fmt.Errorf("notify: upload: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err == nil && resp.StatusCode/100 != 2 {
		err = problemOf(resp, text)
	}
	if err != nil {
		return "", fmt.Errorf("notify: upload: %w", err)
	}
	return u.ID, nil
}

// BadRow is a row that nothing can be sent to, and why. It holds no more of the row.
type BadRow struct {
	Row    int        `json:"row"` // from 1, without the header
	Faults []RowFault `json:"faults"`
}

// RowFault is what is wrong with a cell.
type RowFault struct {
	Column string `json:"column,omitzero"` // "": the whole row
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// BadRowPage is a page of them.
type BadRowPage struct {
	Items []BadRow `json:"items"`
	Next  string   `json:"next,omitzero"`
}

// BadRows reads a page of a run's rows that nothing can be sent to; after is Next of the page before.
func (c *Client) BadRows(ctx context.Context, id, after string) (*BadRowPage, error) {
	return get[BadRowPage](ctx, c, query(campaignPath(id, "/rows"), "after", after))
}

// AllBadRows goes through them. It ends with the first error.
func (c *Client) AllBadRows(ctx context.Context, id string) iter.Seq2[*BadRow, error] {
	return pages("", func(after string) ([]BadRow, string, error) {
		page, err := c.BadRows(ctx, id, after)
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.Next, nil
	})
}

// DownloadBadRows writes a run's bad rows as they were, as CSV with a column error: mended, they are another
// audience.
func (c *Client) DownloadBadRows(ctx context.Context, id string, w io.Writer) error {
	return c.download(ctx, campaignPath(id, "/rows.csv"), w)
}

// DownloadFailures writes whom a run did not reach, with the provider's reason, as CSV.
func (c *Client) DownloadFailures(ctx context.Context, id string, w io.Writer) error {
	return c.download(ctx, campaignPath(id, "/failures.csv"), w)
}

// download writes a file that comes in answers of some megabytes. Each has the header, of which one is kept.
func (c *Client) download(ctx context.Context, path string, w io.Writer) error {
	for first := true; path != ""; first = false {
		var text []byte
		h, err := c.do(ctx, call{method: http.MethodGet, path: path, repeat: true}, &text)
		if err != nil {
			return err
		}
		if !first {
			head := csv.NewReader(bytes.NewReader(text))
			if _, err := head.Read(); err != nil && !errors.Is(err, io.EOF) {
				return fmt.Errorf("notify: the next part of the file cannot be read: %w", err)
			}
			text = text[head.InputOffset():]
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		path = nextOf(h)
	}
	return nil
}

// nextOf is the path of what follows (RFC 8288), as notify writes it; "" at the end.
func nextOf(h http.Header) string {
	link, _, ok := strings.Cut(h.Get("Link"), ">")
	if !ok || !strings.HasPrefix(link, "</v1/") {
		return ""
	}
	return link[1:]
}
