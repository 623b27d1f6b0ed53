package main_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// TestBind plays a transcript like those of the verbs, over a service that has an account of Tencent's.
func TestBind(t *testing.T) {
	t.Parallel()
	const file = "testdata/bind.txtar"
	script, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlayer(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, p.url+"/v1/accounts/tencent-main", strings.NewReader(
		`{"provider":"tencent-sms","config":{"secret_id":"id","sdk_app_id":"1400006666"},"secrets":{"secret_key":"k"}}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusCreated {
		t.Fatal(res, err)
	}
	res.Body.Close()
	played := p.play(string(script.Comment))
	if *update {
		if err := os.WriteFile(file, []byte(played), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := gocmp.Diff(string(script.Comment), played); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
