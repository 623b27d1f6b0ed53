package template

import "strings"

// Segments is how an SMS travels, and so what it costs.
type Segments struct {
	Encoding  string `json:"encoding"`  // "GSM-7" or "UCS-2"
	Units     int    `json:"units"`     // septets, or UTF-16 code units
	Count     int    `json:"count"`     // messages on the wire
	Remaining int    `json:"remaining"` // units that still fit into the last one
}

// The two encodings of an SMS, by the names that vendors show.
const (
	GSM7 = "GSM-7"
	UCS2 = "UCS-2"
)

// The default alphabet and its extension table, whose characters take two septets: 3GPP TS 23.038
// §6.2.1. https://www.3gpp.org/dynareport/23038.htm
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "\f^{}\\[~]|€"
)

// CountSegments counts the segments that a text takes. One message holds 160 septets or 70 UTF-16 units;
// of a longer text every part loses six bytes to the header that joins them, so 153 or 67 (3GPP TS 23.040
// §9.2.3.24.1). A pair, of an escape and its character or of two surrogates, is never split.
func CountSegments(text string) Segments {
	s, units, single, part := Segments{Encoding: GSM7}, gsmUnits, 160, 153
	for _, r := range text {
		n := gsmUnits(r)
		if n == 0 {
			s.Encoding, units, single, part = UCS2, utf16Units, 70, 67
			break
		}
		s.Units += n
	}
	if s.Encoding == UCS2 {
		s.Units = 0
		for _, r := range text {
			s.Units += utf16Units(r)
		}
	}
	switch {
	case s.Units == 0:
		s.Remaining = single
		return s
	case s.Units <= single:
		s.Count, s.Remaining = 1, single-s.Units
		return s
	}
	used := part // the part before the first is full
	for _, r := range text {
		n := units(r)
		if used+n > part {
			s.Count++
			used = 0
		}
		used += n
	}
	s.Remaining = part - used
	return s
}

// gsmUnits is 0 for what the alphabet does not have.
func gsmUnits(r rune) int {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == ' ': // most of most texts
		return 1
	case r > '€':
		return 0
	case strings.ContainsRune(gsmBasic, r):
		return 1
	case strings.ContainsRune(gsmExtension, r):
		return 2
	}
	return 0
}

func utf16Units(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}
