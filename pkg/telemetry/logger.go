package telemetry

import (
	"encoding/json"
	"io"
	"log/slog"
	"regexp"
	"strings"

	"github.com/opennotify/notify/pkg/message"
)

// NewLogger writes one JSON object a line.
//
// Types that hold secrets or personal data redact themselves; that is the first net. This is the second: it
// masks, in messages and in values, whatever looks like a key of ours, a mail address or a phone number. It
// knows a phone number by a leading + or 00, or as a mainland Chinese mobile number; numbers of a numeric
// type are left alone, and so are keys of attributes. A line that is logged InTrace has its id as trace.
func NewLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	replace := func(_ []string, a slog.Attr) slog.Attr { return Mask(a) }
	return slog.New(Traced(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: replace})))
}

// Mask is the attribute as NewLogger writes it.
func Mask(a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		if s := a.Value.String(); suspicious(s) {
			a.Value = slog.StringValue(mask(s))
		}
	case slog.KindAny:
		a.Value = maskAny(a.Value)
	}
	return a
}

// maskAny looks at what the handler would write. A value in which something is found is written as text.
func maskAny(v slog.Value) slog.Value {
	if level, ok := v.Any().(slog.Level); ok {
		return slog.StringValue(level.String())
	}
	var text string
	if err, ok := v.Any().(error); ok {
		text = err.Error()
	} else if b, err := json.Marshal(v.Any()); err == nil {
		text = string(b)
	}
	if !suspicious(text) {
		return v
	}
	if masked := mask(text); masked != text {
		return slog.StringValue(masked)
	}
	return v
}

var (
	keyLike   = regexp.MustCompile(`nfy_[0-9A-Za-z_]+`)
	mailLike  = regexp.MustCompile(`[\pL\pN.!#$%&'*+/=?^_{|}~-]+@[\pL\pN-]+(\.[\pL\pN-]+)+`)
	phoneLike = regexp.MustCompile(`\+[0-9][0-9 ().-]{5,20}[0-9]|\b00[1-9][0-9]{7,14}\b|\b(86[ -]?)?1[3-9][0-9]([ -]?[0-9]{4}){2}\b`)
)

func mask(s string) string {
	s = keyLike.ReplaceAllString(s, "nfy_…")
	s = mailLike.ReplaceAllStringFunc(s, message.Mask)
	return phoneLike.ReplaceAllStringFunc(s, message.Mask)
}

// suspicious spares most lines the regular expressions: none of them can match where it says no.
func suspicious(s string) bool {
	if strings.Contains(s, "nfy_") {
		return true
	}
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '@' || c == '+':
			return true
		case c >= '0' && c <= '9':
			if digits++; digits >= minPhone {
				return true
			}
		case c != ' ' && c != '-':
			digits = 0
		}
	}
	return false
}

// minPhone is the fewest digits that phoneLike takes without a +.
const minPhone = 10
