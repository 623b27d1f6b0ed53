package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
)

func TestLoggerMasks(t *testing.T) {
	t.Parallel()
	type record struct{ Phone, Note string }
	for _, tc := range []struct {
		name  string
		value any
		want  any
	}{
		{"E.164", "to +8613800138000 failed", "to +86138****8000 failed"},
		{"E.164, spaced", "+1 (415) 555-2671", "+1 (41****2671"},
		{"bare Chinese mobile", "13800138000", "13****00"},
		{"with country code", "8613800138000", "861****000"},
		{"spaced", "138 0013 8000", "138****000"},
		{"00", "0044123456789012", "0044****9012"},
		{"mail", "to wang.li@example.com:", "to w***@example.com:"},
		{"mail, not ASCII", "王@例子.中国", "王***@例子.中国"},
		{"key", "Bearer nfy_live_0123456789_abcdef01", "Bearer nfy_…"},
		{"error", errors.New("dial +8613800138000"), "dial +86138****8000"},
		{"struct", record{Phone: "+8613800138000"}, `{"Phone":"+86138****8000","Note":""}`},
		{"list", []string{"a@b.co"}, `["a***@b.co"]`},
		{"map", map[string]any{"k": "nfy_test_x"}, `{"k":"nfy_…"}`},
		{"a type that hides itself", message.Secret("13800138000"), "[redacted]"},
		{"nothing", record{Note: "fine"}, map[string]any{"Phone": "", "Note": "fine"}},
		{"plain error", errors.New("refused"), "refused"},
		{"a number", 13800138000, 13800138000.0},
		{"milliseconds", "1767323045000", "1767323045000"},
		{"a time", "2026-01-02T15:04:05+08:00", "2026-01-02T15:04:05+08:00"},
		{"an ARN", "arn:aws:sqs:us-east-1:123456789012:main-sms-urgent", "arn:aws:sqs:us-east-1:123456789012:main-sms-urgent"},
		{"an id", "msg_0123456789abcdefghjkmnpqr01kdynf5z8000000000000000", "msg_0123456789abcdefghjkmnpqr01kdynf5z8000000000000000"},
		{"a trace id", "1-67891233-138001380001380013800001", "1-67891233-138001380001380013800001"},
		{"several", "a@b.co and 13800138000", "a***@b.co and 13****00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log := NewLogger(&out, slog.LevelInfo)
			log.Debug("not shown")
			log.Info("hello 13800138000", "v", tc.value, slog.Group("g", "v", tc.value))
			var got map[string]any
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			delete(got, "time")
			want := map[string]any{"level": "INFO", "msg": "hello 13****00", "v": tc.want, "g": map[string]any{"v": tc.want}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoggerMasksWith(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	NewLogger(&out, slog.LevelWarn).With("to", "+8613800138000").WithGroup("g").Warn("x", "mail", "a@b.co")
	if strings.Contains(out.String(), "13800138000") || strings.Contains(out.String(), "a@b.co") || !strings.Contains(out.String(), `"level":"WARN"`) {
		t.Error(out.String())
	}
}

// The quick look must never spare what the expressions would find.
func TestSuspiciousSparesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom([]rune("0123456789138 -()+@.nfy_livea中"))).Draw(t, "s")
		if masked := mask(s); masked != s && !suspicious(s) {
			t.Fatalf("%q would be %q", s, masked)
		}
	})
}
