package message_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"
	"pgregory.net/rapid"

	m "github.com/opennotify/notify/pkg/message"
)

func TestMask(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                 "",
		"a":                "*",
		"abcd":             "****",
		"王小明您好":            "王****好",
		"+8613812345678":   "+86138****5678",
		"+15005550006":     "+150****0006",
		"+1234567890":      "+12****7890",
		"+123456":          "+****6",
		"wang@example.com": "w***@example.com",
		"明@example.com":    "明***@example.com",
		"a@b@example.com":  "a***@example.com",
		"https://hooks.example.com/services/T0/B0":  "https://hooks.example.com/…",
		"https://hooks.example.com?token=s3cret":    "https://hooks.example.com/…",
		"https://hooks.example.com#s3cret":          "https://hooks.example.com/…",
		`https://hooks.example.com\s3cret`:          "https://hooks.example.com/…",
		"https://user:s3cret@hooks.example.com/x":   "https://hooks.example.com/…",
		"HTTPS://hooks.example.com:8443/x@y":        "HTTPS://hooks.example.com:8443/…",
		"s3cret://abcdefghijklm":                    "s3cr****jklm",
		"ops-alerts":                                "op****ts",
		"d3b07384d113edec49eaa6238ad5ff00d3b07384d": "d3b0****384d",
	} {
		if got := m.Mask(in); got != want {
			t.Errorf("Mask(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzMask(f *testing.F) {
	for _, s := range []string{"+8613812345678", "a@b.c", "https://x/y", "\xff\xfe\xfd\xfc\xfb", "@", "://", "+", "http://@?", "*", "é@é", strings.Repeat("€", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := m.Mask(s)
		if masked := strings.Contains(s, "*") || strings.HasSuffix(s, "/…"); got == s && s != "" && !masked {
			t.Fatalf("Mask(%q) hides nothing", s)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Fatalf("Mask(%q) = %q", s, got)
		}
		if strings.ContainsAny(s, "@/*") || !utf8.ValidString(s) {
			return
		}
		n, shown := utf8.RuneCountInString(s), utf8.RuneCountInString(strings.ReplaceAll(got, "*", ""))
		if hidden := n - shown; s != "" && hidden < 4 && hidden < (n+1)/2 {
			t.Fatalf("Mask(%q) = %q hides %d of %d", s, got, hidden, n)
		}
	})
}

func TestNothingPrintsAddressesAndSecrets(t *testing.T) {
	t.Parallel()
	const number, canary = "+8613812345678", "s3cret-canary"
	address, secret := m.Address(number), m.Secret(canary)
	type pair struct {
		A m.Address `json:"-"` // JSON carries addresses: records and requests are JSON
		S m.Secret
		P *m.Secret
		L []m.Secret
	}
	p := pair{address, secret, &secret, []m.Secret{secret}}
	values := []any{address, secret, &address, &secret, p, &p, []m.Address{address}, map[string]m.Secret{"k": secret}, map[m.Address]int{address: 1},
		map[string]any{"a": []any{address, p}}, fmt.Errorf("send to %s with %s", address, secret), errors.Join(fmt.Errorf("%v", p))}
	leaks := func(s string) bool {
		return strings.Contains(s, "12345678") || strings.Contains(s, canary) || strings.Contains(s, fmt.Sprintf("%x", canary)) || strings.Contains(s, fmt.Sprintf("%x", number))
	}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%20s", "%-9.3q", "%U"} {
			if got := fmt.Sprintf(verb, v); leaks(got) {
				t.Errorf("%s of %T: %s", verb, v, got)
			}
		}
		var b bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
			log := slog.New(h).With("w", v).WithGroup("g")
			if _, ok := v.([]m.Address); ok {
				log = slog.New(h) // a slice is logged as JSON, which carries addresses
			}
			log.Info("sent", "secret", secret, "to", address, "n", p.S)
		}
		switch v.(type) {
		case *m.Address, map[m.Address]int, map[string]any, []m.Address: // so do these
		default:
			if leaks(b.String()) {
				t.Errorf("slog of %T: %s", v, b.String())
			}
		}
	}
	for _, v := range []any{secret, &secret, p, &p, []m.Secret{secret}, map[string]m.Secret{"k": secret}, map[string]any{"k": p}} {
		if got, err := json.Marshal(v); err != nil || leaks(string(got)) {
			t.Errorf("JSON of %T: %s, %v", v, got, err)
		}
	}
	if got := fmt.Sprintf("%s|%q|%20s", address, address, address); got != `+86138****5678|"+86138****5678"|      +86138****5678` {
		t.Error(got)
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	part := "0123456789abcdefghjkmnpq7"
	at := t0.Add(123 * time.Millisecond)
	u := strings.ToLower(ulid.MustNew(uint64(at), bytes.NewReader(bytes.Repeat([]byte{0xA5}, 10))).String())
	id := m.NewID(part, u)
	got, err := m.ParseID(string(id))
	if err != nil || got != id || got.Partition() != part || got.ULID() != u || got.Created() != at {
		t.Errorf("%s: %v, %s %s %s", got, err, got.Partition(), got.ULID(), got.Created())
	}
	for _, bad := range []string{"", "msg_", string(id)[:len(id)-1], string(id) + "0", strings.ToUpper(string(id)), "grp_" + string(id)[4:], string(id[:10]) + "u" + string(id[11:]),
		string(id[:10]) + "é" + string(id[12:]), string(id[:10]) + "\xff" + string(id[11:]), string(m.NewID(part, "8"+u[1:])), string(id[:len(id)-1]) + "\n"} {
		if _, err := m.ParseID(bad); !errors.Is(err, m.ErrBadID) {
			t.Errorf("ParseID(%q): %v", bad, err)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("msg_0123456789abcdefghjkmnpq701kdwt6000000000000000000w")
	f.Add("msg_" + strings.Repeat("z", 51))
	f.Fuzz(func(t *testing.T, s string) {
		id, err := m.ParseID(s)
		if err != nil {
			return
		}
		u, err := ulid.ParseStrict(strings.ToUpper(id.ULID()))
		if err != nil || string(id) != s || m.NewID(id.Partition(), id.ULID()) != id || m.Time(u.Time()) != id.Created() {
			t.Fatalf("%q: %v, created %d, want %d", s, err, id.Created(), u.Time())
		}
	})
}

func TestULIDsAgreeWithTheirLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Uint64Range(0, ulid.MaxTime()).Draw(t, "ms")
		entropy := rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, "entropy")
		var floor ulid.ULID
		_ = floor.SetTime(ms)
		some := strings.ToLower(ulid.MustNew(ms, bytes.NewReader(entropy)).String())
		got := m.ULIDFloor(m.Time(ms))
		if of := m.ULIDOf(m.Time(ms), [10]byte(entropy)); of != some {
			t.Fatalf("%s of %d and %x, want %s", of, ms, entropy, some)
		}
		if want := strings.ToLower(floor.String()); got != want || got > some || m.ULIDTime(some) != m.Time(ms) || m.ULIDTime(got) != m.Time(ms) {
			t.Fatalf("floor %s, want %s; time of %s %d, want %d", got, want, some, m.ULIDTime(some), ms)
		}
	})
	for _, bad := range []string{"", "01kdwt600", "01KDWT6000", "éééééé"} {
		if got := m.ULIDTime(bad); got != 0 {
			t.Errorf("ULIDTime(%q) = %d", bad, got)
		}
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SampledFrom(m.Classes()).Draw(t, "class").Defaults()
		tries, r := rapid.IntRange(-3, 1000).Draw(t, "tries"), rapid.Float64Range(0, 0.999999999).Draw(t, "r")
		top := d.BackoffMax
		if tries < 30 {
			top = min(d.BackoffMin<<max(tries-1, 0), d.BackoffMax)
		}
		if got := d.Backoff(tries, r); got < top/10 || got >= top {
			t.Fatalf("try %d: %s is not in [%s, %s)", tries, got, top/10, top)
		}
	})
}

// A callback is tried for a day and more, and no longer than it lives.
func TestCallbacksWaits(t *testing.T) {
	t.Parallel()
	d := m.Callback.Defaults()
	for _, r := range []float64{0, 0.999999999} {
		var at time.Duration
		tries := 1
		for ; at+d.Backoff(tries, r) < d.TTL; tries++ {
			at += d.Backoff(tries, r)
		}
		if at < 24*time.Hour || tries != 8 {
			t.Errorf("%d tries, the last after %s", tries, at)
		}
	}
	if first := d.Backoff(0, 0); first != 5*time.Second {
		t.Error(first)
	}
}

func TestTell(t *testing.T) {
	t.Parallel()
	ends := m.TellEnds()
	for _, s := range m.Statuses() {
		if ends.Has(s) != s.Terminal() || !m.TellOf(s, m.Sent).Has(s) || m.Tell(0).Has(s) || m.TellOf("x").Has(s) {
			t.Error(s)
		}
	}
	if ends.Has("x") || m.TellOf(m.Statuses()...) != 1<<15-1 {
		t.Errorf("%b", ends)
	}
	x := fresh(m.OTP)
	x.Tell = ends
	if x.End(m.Suppressed, "bounce", t0); x.Todo != m.TellTenant || x.Told != t0 || x.Due == 0 || x.Base != m.Suppressed {
		t.Errorf("%+v", x)
	}
	x = fresh(m.OTP)
	if x.End(m.Simulated, "test_key", t0); x.Todo != 0 || x.Due != 0 {
		t.Errorf("%+v", x)
	}
}

func TestNamesRoundTrip(t *testing.T) {
	t.Parallel()
	for o := m.Unknown; o <= m.Defer; o++ {
		if got, ok := m.ParseOutcome(o.String()); got != o || !ok {
			t.Errorf("outcome %d: %s", o, o)
		}
	}
	for s := m.ReceiptSent; s <= m.ReceiptComplained; s++ {
		if got, ok := m.ParseReceiptState(s.String()); got != s || !ok {
			t.Errorf("receipt state %d: %s", s, s)
		}
	}
	if o, ok := m.ParseOutcome("Sent"); o != m.Unknown || ok || m.Outcome(99).String() != "unknown" || m.ReceiptState(99).String() != "none" {
		t.Error("an unknown name must mean that nothing is known")
	}
	for _, c := range m.Classes() {
		d := c.Defaults()
		if !c.Valid() || d.Attempts < 1 || d.TTL <= 0 || d.BackoffMin <= 0 || d.BackoffMax < d.BackoffMin || d.KeepRecord < d.KeepVars || d.KeepVars < m.MaxTTL || d.TTL > m.MaxTTL || d.DedupWindow <= 0 {
			t.Errorf("%s: %+v", c, d)
		}
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 5_000_000, time.UTC)
	if got := m.At(at); got.String() != "2026-01-01T00:00:00.005Z" || !got.Std().Equal(at) || m.At(time.Time{}) != 0 || !m.Time(0).Std().IsZero() {
		t.Error(got)
	}
}
