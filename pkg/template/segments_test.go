package template_test

import (
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/template"
)

func TestCountSegments(t *testing.T) {
	t.Parallel()
	type segments = template.Segments
	for _, c := range []struct {
		name, text string
		want       segments
	}{
		{"empty", "", segments{"GSM-7", 0, 0, 160}},
		{"one", "a", segments{"GSM-7", 1, 1, 159}},
		{"160", strings.Repeat("a", 160), segments{"GSM-7", 160, 1, 0}},
		{"161", strings.Repeat("a", 161), segments{"GSM-7", 161, 2, 145}},
		{"306", strings.Repeat("a", 306), segments{"GSM-7", 306, 2, 0}},
		{"307", strings.Repeat("a", 307), segments{"GSM-7", 307, 3, 152}},
		{"euro is two", strings.Repeat("a", 159) + "€", segments{"GSM-7", 161, 2, 145}},
		{"80 euros", strings.Repeat("€", 80), segments{"GSM-7", 160, 1, 0}},
		{"an escape pair is not split", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 10), segments{"GSM-7", 164, 2, 141}},
		{"the alphabet", "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ ¤§¿ÄÖÑÜäöñüà", segments{"GSM-7", 44, 1, 116}},
		{"the extension", "\f^{}\\[~]|€", segments{"GSM-7", 20, 1, 140}},
		{"a backtick is not in it", "`", segments{"UCS-2", 1, 1, 69}},
		{"a small c with cedilla is not in it", "ç", segments{"UCS-2", 1, 1, 69}},
		{"70", strings.Repeat("中", 70), segments{"UCS-2", 70, 1, 0}},
		{"71", strings.Repeat("中", 71), segments{"UCS-2", 71, 2, 63}},
		{"134", strings.Repeat("中", 134), segments{"UCS-2", 134, 2, 0}},
		{"135", strings.Repeat("中", 135), segments{"UCS-2", 135, 3, 66}},
		{"35 emoji", strings.Repeat("😀", 35), segments{"UCS-2", 70, 1, 0}},
		{"a surrogate pair is not split", strings.Repeat("中", 66) + "😀" + strings.Repeat("中", 10), segments{"UCS-2", 78, 2, 55}},
		{"euros count once in UCS-2", strings.Repeat("€", 69) + "中", segments{"UCS-2", 70, 1, 0}},
		{"one emoji among letters", strings.Repeat("a", 100) + "😀", segments{"UCS-2", 102, 2, 32}},
	} {
		if got := template.CountSegments(c.text); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// The alphabet has 128 places, one of them the escape; ten more characters follow an escape.
func TestAlphabet(t *testing.T) {
	t.Parallel()
	count := map[int]int{}
	for r := range rune(0x3000) {
		if s := template.CountSegments(string(r)); s.Encoding == template.GSM7 {
			count[s.Units]++
		}
	}
	if count[1] != 127 || count[2] != 10 || len(count) != 2 {
		t.Errorf("%v", count)
	}
}

func TestSegmentsHoldTheText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("aé€{中😀\n"))).Draw(t, "text")
		s := template.CountSegments(text)
		single, part := 160, 153
		if s.Encoding == template.UCS2 {
			single, part = 70, 67
			if n := len(utf16.Encode([]rune(text))); n != s.Units {
				t.Fatalf("%d units, want %d", s.Units, n)
			}
		}
		if s.Count <= 1 && s.Units+s.Remaining != single {
			t.Fatalf("%+v", s)
		}
		// Every part but the last wastes at most one unit.
		if s.Count > 1 && (s.Units <= single || s.Count*part < s.Units+s.Remaining || s.Count*part-(s.Count-1) > s.Units+s.Remaining) {
			t.Fatalf("%+v", s)
		}
	})
}
