package main_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/client"
)

// TestAnswers runs the command against answers that a real service rarely gives: texts of providers that
// would steer a terminal, dead messages over several pages, a clock that is off, an overloaded service, and
// something that is no notify at all.
func TestAnswers(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	dead := client.DeadLetter{ID: "msg_1", Status: client.StatusDead, Reason: "attempts", Tenant: "shop", Channel: "sms", Template: "shop/code", Account: "main",
		Code: "E1", Text: "no\x1b[31m balance\u202e", Attempts: 5}
	mux.HandleFunc("GET /v1/dlq", func(w http.ResponseWriter, r *http.Request) {
		page := client.DeadPage{Items: []client.DeadLetter{dead}, Next: "2"}
		if r.URL.Query().Get("after") == "2" {
			page.Next, page.Items[0].ID = "", "msg_2"
		}
		_ = json.NewEncoder(w).Encode(page)
	})
	mux.HandleFunc("POST /v1/dlq/{id}/retry", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(client.DeadLetter{ID: r.PathValue("id"), Status: client.StatusQueued})
	})
	mux.HandleFunc("GET /v1/messages/{id}", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(client.Message{ID: r.PathValue("id"), Status: client.StatusFailed, Content: &client.Content{Text: "a\x1b]0;b\x07"}})
	})
	mux.HandleFunc("GET /v1/keys", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "120")
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"code":"unavailable","detail":"not right now"}`))
	})
	redrive := client.Redrive{ID: "rdr_1", State: "running", Redriven: 10}
	mux.HandleFunc("POST /v1/dlq/redrive", func(w http.ResponseWriter, r *http.Request) {
		var in client.RedriveRequest
		_ = json.NewDecoder(r.Body).Decode(&in)
		if in.DryRun {
			_ = json.NewEncoder(w).Encode(map[string]any{"dry_run": client.RedriveCount{Matched: 12, Expired: 2, Reasons: []client.RedriveReason{{Reason: "balance", Matched: 12, Expired: 2}}}})
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"redrive": redrive})
	})
	mux.HandleFunc("GET /v1/redrives/{id}", func(w http.ResponseWriter, r *http.Request) {
		ended := redrive
		ended.State, ended.Expired = "done", 2
		if r.PathValue("id") == "rdr_2" {
			ended.ID, ended.State, ended.StoppedBy, ended.StopReason = "rdr_2", "stopped", "key:op", "wrong"
		}
		_ = json.NewEncoder(w).Encode(ended)
	})
	mux.HandleFunc("POST /v1/redrives/{id}/stop", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(client.Redrive{ID: r.PathValue("id"), State: "stopping"})
	})
	mux.HandleFunc("GET /v1/stats", func(w http.ResponseWriter, r *http.Request) {
		at := time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)
		peak := map[string]client.StatsPeak{"sent": {At: at.Add(7 * time.Second), N: 12}}
		f := client.Stats{From: at, To: at.Add(time.Hour), Step: "minute", By: r.URL.Query().Get("by"), Total: client.StatsGroup{
			Counts: map[string]int64{"accepted": 1010, "sent": 990, "failed": 10, "delivered": 40}, Peaks: peak,
			FailureRate: client.StatsRate{Value: 0.01, Of: 1000}, DeliveryRate: client.StatsRate{Value: 0.8889, Of: 45, TooFew: true},
			Points: []client.StatsPoint{{At: at, Counts: map[string]int64{"sent": 990}, Peaks: peak}}}}
		if f.By == "account" {
			f.Groups = []client.StatsGroup{{Name: "a\x1b[1m", Counts: map[string]int64{"sent": 990}}}
			f.Other = &client.StatsGroup{Counts: map[string]int64{"accepted": 1010}}
		}
		if f.By == "status" {
			f.Groups = []client.StatsGroup{{Name: "accepted", Counts: map[string]int64{"accepted": 1010}}, {Name: "sent", Counts: map[string]int64{"sent": 990}}}
		}
		_ = json.NewEncoder(w).Encode(f)
	})
	mux.HandleFunc("GET /v1/refused", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(client.RefusedPage{Items: []client.Refusal{
			{RequestID: "req_1", Tenant: "shop", Key: "k1", Method: "POST", Route: "/v1/messages", Status: 422, Code: "invalid_request", Errors: []client.RefusedMember{{Pointer: "/vars/code", Code: "missing_variable"}}},
			{RequestID: "req_2", Method: "GET", Route: "-", Status: 401, Code: "unauthorized"}}})
	})
	mux.HandleFunc("GET /v1/keys/{id}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		_ = json.NewEncoder(w).Encode(client.APIKey{Tenant: "shop", Scopes: []client.Scope{"operate"}, ExpiresAt: time.Now().Add(time.Hour)})
	})
	mux.HandleFunc("GET /v1/settings", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		_ = json.NewEncoder(w).Encode(client.Settings{PublicURL: "https://notify.example.com"})
	})
	mux.HandleFunc("GET /v1/alarms", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		_ = json.NewEncoder(w).Encode(map[string]any{"items": []client.Alarm{{Channel: "sms", Title: client.Bilingual{En: "messages fail"}, Value: 0.5, Threshold: 0.05, Runbook: "docs/runbook.md#failed"}}})
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	p := newPlayer(t)
	p.url = s.URL
	script := `$ notify dlq ls
DIED  ID     TENANT  TEMPLATE   ACCOUNT  ATTEMPTS  WHY                             EXPIRES
-     msg_1  shop    shop/code  main     5         attempts, E1, no�[31m balance�  -
-     msg_2  shop    shop/code  main     5         attempts, E1, no�[31m balance�  -
$ notify dlq ls --limit 1 --json > one.json
! there are more; see them with --limit
$ notify dlq retry msg_1
msg_1  queued
! next: notify trace msg_1
$ notify dlq redrive --account main --dry-run
! 12 dead, 2 of them too late
!   12 balance, 2 too late
$ notify dlq redrive --account main --reason test
! 12 dead, 2 of them too late
!   12 balance, 2 too late
! notify: nobody is there to confirm it; use --yes
exit 1
$ notify dlq redrive --account main --reason test --yes
rdr_1  done: 10 tried again, 2 too late, 0 skipped
! 12 dead, 2 of them too late
!   12 balance, 2 too late
! rdr_1 started; notify dlq stop rdr_1 stops it
! 10 tried again, 0 too late, 0 skipped
$ notify dlq status rdr_2
rdr_2  stopped: 10 tried again, 2 too late, 0 skipped
! notify: rdr_2 was stopped by key:op: wrong
exit 1
$ notify dlq stop rdr_1 --reason "wrong account"
rdr_1  stopping
$ notify stats --by account
TIME to TIME, by the minute
NAME     ACCEPTED  SENT  DELIVERED  FAILED  DEAD  EXPIRED  SUPPRESSED  THROTTLED  IN DOUBT  FAILURE  DELIVERY  PEAK
a�[1m    0         990   0          0       0     0        0           0          0         -        -         -
(other)  1010      0     0          0       0     0        0           0          0         -        -         -
total    1010      990   40         10      0     0        0           0          0         1.00 %   (88.9 %)  12/s at 10:00:07
$ notify stats --points --since 1h
TIME to TIME, by the minute
TIME                 ACCEPTED  SENT  DELIVERED  FAILED  DEAD  EXPIRED  SUPPRESSED  THROTTLED  IN DOUBT  FAILURE  DELIVERY  PEAK
TIME  0         990   0          0       0     0        0           0          0                            12/s at 10:00:07
total                1010      990   40         10      0     0        0           0          0         1.00 %   (88.9 %)  12/s at 10:00:07
$ notify stats --by status
TIME to TIME, by the minute
accepted  1010
sent      990
$ notify stats --json > stats.txt
$ notify stats refused
TIME  TENANT  KEY  REQUEST            STATUS  CODE              WHERE       ID
-     shop    k1   POST /v1/messages  422     missing_variable  /vars/code  req_1
-     -       -    GET -              401     unauthorized                  req_2
$ notify stats --since 1h --from 2026-01-02T00:00:00Z
! notify: give --since or --from, not both
exit 1
$ notify stats --to tomorrow
! notify: --to must be a time such as TIME
exit 1
$ notify key list
! notify: not right now (unavailable)
!   fix: Nothing was accepted. Repeat it with the same Idempotency-Key after Retry-After.
!   try again in 2m0s
exit 1
$ notify template list
! notify: Not Found, not from notify itself (HTTP 404)
exit 1
$ notify trace msg_1 > trace.txt
$ notify doctor > doctor.txt
`
	if diff := cmp.Diff(script, p.play(script)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for file, want := range map[string]string{
		"trace.txt": "a�]0;b�", "doctor.txt": "warning  alarms   sms: messages fail (0.5, the threshold is 0.05); docs/runbook.md#failed\nwarning  clock    this machine's clock is 1h0m", "one.json": `"id":"msg_1"`} {
		if text, err := os.ReadFile(filepath.Join(p.dir, file)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q: %q, %v", file, want, text, err)
		}
	}
}

// TestFirstMinute: what notify local leaves in its folder is enough, and only for this machine.
func TestFirstMinute(t *testing.T) {
	t.Parallel()
	p := newPlayer(t)
	for _, dir := range []string{"data", "elsewhere"} {
		if err := os.MkdirAll(filepath.Join(p.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.dir, dir, "demo.key"), []byte(p.key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := strings.ReplaceAll(`$ NOTIFY_KEY= NOTIFY_URL= NOTIFY_ADDR=@ notify send login-code +8613800130007 code=482913 --wait=20s
msg_ID  delivered
  The carrier confirmed delivery AGO.
$ NOTIFY_KEY= NOTIFY_DATA=elsewhere notify doctor
ok       login    $URL with the key of elsewhere/demo.key
ok       service  answers
ok       key      works: tenant demo, scopes send,read,operate,admin
warning  address  the service knows no public https address of its own (NOTIFY_PUBLIC_URL, the template's PublicUrl): marketing mail goes without List-Unsubscribe
ok       alarms   none is open
ok       clock    agrees with the service's
$ NOTIFY_KEY= notify key list --url http://notify.example.com
! notify: no API key for http://notify.example.com; set NOTIFY_URL and NOTIFY_KEY, or run notify login; to try it here, run notify local in this folder first
exit 1
`, "@", strings.TrimPrefix(p.url, "http://"))
	if diff := cmp.Diff(script, p.play(script)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLoginIsPrivate: a file that others can read is not used.
func TestLoginIsPrivate(t *testing.T) {
	t.Parallel()
	p := newPlayer(t)
	p.play("$ NOTIFY_KEY= notify login < $KEY\n")
	path := filepath.Join(p.dir, "home", ".config", "notify", "config.yaml")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	want := `$ NOTIFY_KEY= notify key list
! notify: $WORK/home/.config/notify/config.yaml holds keys and others can read it (mode 0640); run: chmod 600 $WORK/home/.config/notify/config.yaml
exit 1
`
	if diff := cmp.Diff(want, p.play(want)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDoctorOfAFolder: a folder is in use, then whole, then its key is missing and its file damaged.
func TestDoctorOfAFolder(t *testing.T) {
	t.Parallel()
	p := newPlayer(t)
	judge := func(want string) {
		t.Helper()
		if diff := cmp.Diff(want, p.play("$ notify doctor --data $DATA\n")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	judge(`$ notify doctor --data $DATA
ok       folder   $DATA
FAILED   database a running notify uses it; stop that first
exit 1
`)
	p.stop()
	judge(`$ notify doctor --data $DATA
ok       folder   $DATA
ok       database is whole
`)
	db := filepath.Join(p.data, "notify.db")
	text, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	clear(text[len(text)/2:])
	if err := os.WriteFile(db, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(p.data, "master.key")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(p.data, "demo.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := p.play("$ notify doctor --data $DATA\n")
	for _, want := range []string{"FAILED   key      master.key is missing", "FAILED   files    others can read demo.key", "FAILED   database", "exit 1"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
}
