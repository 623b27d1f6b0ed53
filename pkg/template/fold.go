package template

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// folded is a text as it is compared: without white space and invisible characters, full-width forms
// made plain.
type folded struct {
	text string
	from []int32 // from[i] is where byte i of text stands in the original; one more for the end
}

func fold(s string) folded {
	var b strings.Builder
	from := make([]int32, 0, len(s)+1)
	for i, r := range s {
		if unicode.IsSpace(r) || r == '\u00ad' || r == '\ufe0f' || unicode.Is(unicode.Cf, r) {
			continue
		}
		if r >= '！' && r <= '～' {
			r = r - '！' + '!'
		}
		for range utf8.RuneLen(r) {
			from = append(from, int32(i))
		}
		b.WriteRune(r)
	}
	return folded{b.String(), append(from, int32(len(s)))}
}

// runes is the number of characters.
func runes(s string) int { return utf8.RuneCountInString(s) }

// reading is one way to read a pasted text.
type reading struct {
	folded
	cut bool // the end is missing
}

// original is what the pasted text has for a range of the folded one.
func (r reading) original(text string, from, to int) string {
	start, end := int(r.from[from]), int(r.from[from])
	if to > from {
		_, size := utf8.DecodeRuneInString(text[r.from[to-1]:])
		end = int(r.from[to-1]) + size
	}
	return text[start:end]
}

func (r reading) slice(from, to int) reading {
	return reading{folded: folded{r.text[from:to], r.from[from : to+1]}}
}

// maxSign is how long a carrier's 【sign】 may be, in bytes.
const maxSign = 90

// readings are the text as it is, without a sign in front, behind, or both, and as one that was cut off.
func readings(text string) []reading {
	whole := reading{folded: fold(text)}
	if whole.text == "" {
		return nil
	}
	out := []reading{whole}
	from, to := 0, len(whole.text)
	if i := strings.Index(whole.text, "】"); i >= 0 && i < maxSign && strings.HasPrefix(whole.text, "【") {
		from = i + len("】")
		out = append(out, whole.slice(from, to))
	}
	if i := strings.LastIndex(whole.text, "【"); i > from && to-i < maxSign && strings.HasSuffix(whole.text, "】") {
		to = i
		out = append(out, whole.slice(0, to))
		if from > 0 {
			out = append(out, whole.slice(from, to))
		}
	}
	for _, r := range out {
		end := strings.TrimRight(r.text, ".…")
		if strings.HasSuffix(r.text, "...") || strings.HasSuffix(r.text, "…") {
			cut := r.slice(0, len(end))
			cut.cut = true
			out = append(out, cut)
		}
	}
	return out
}
