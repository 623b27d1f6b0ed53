package client_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/opennotify/notify/client"
)

// TestDownloadInParts: a file that comes in several answers has one header, even one that spans lines.
func TestDownloadInParts(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		after := r.URL.Query().Get("after")
		if after != "3" {
			w.Header().Set("Link", fmt.Sprintf(`</v1/campaigns/run_1/rows.csv?after=%s3>; rel="next"`, map[string]string{"": "1"}[after]))
		}
		fmt.Fprintf(w, "\"phone\nnumber\",error\n12%s,\"no \"\"number\"\"\"\n", after)
	}))
	t.Cleanup(s.Close)
	c, err := client.New(client.Options{URL: s.URL, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	want := "\"phone\nnumber\",error\n12,\"no \"\"number\"\"\"\n1213,\"no \"\"number\"\"\"\n123,\"no \"\"number\"\"\"\n"
	if err := c.DownloadBadRows(t.Context(), "run_1", &b); err != nil || b.String() != want {
		t.Errorf("%q, %v", b.String(), err)
	}
}
