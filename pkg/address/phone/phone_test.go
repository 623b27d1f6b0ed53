package phone_test

import (
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/address/phone"
)

func TestNormalise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, region, want, country string }{
		{"+86 138-0013-8000", "", "+8613800138000", "CN"},
		{"+8613800138000", "US", "+8613800138000", "CN"},
		{"008613800138000", "", "+8613800138000", "CN"},
		{"0086 138 0013 8000", "US", "+8613800138000", "CN"},
		{"13800138000", "CN", "+8613800138000", "CN"},
		{"8613800138000", "CN", "+8613800138000", "CN"},
		{"13800138000", "cn", "+8613800138000", "CN"},
		{"＋８６１３８００１３８０００", "", "+8613800138000", "CN"},
		{"１３８００１３８０００", "CN", "+8613800138000", "CN"},
		{"　138 0013 8000 ", "CN", "+8613800138000", "CN"},
		{"tel:+86-138-0013-8000", "", "+8613800138000", "CN"},
		{"TEL:13800138000", "CN", "+8613800138000", "CN"},
		{"(+86) 138 0013 8000", "", "+8613800138000", "CN"},
		{"+44 (0)20 7946 0018", "", "+442079460018", "GB"},
		{"020 7946 0018", "GB", "+442079460018", "GB"},
		{"+49 (0) 151 23456789", "", "+4915123456789", "DE"},
		{"+39 06 8290 2123", "", "+390682902123", "IT"},
		{"(202) 555-0100", "US", "+12025550100", "US"},
		{"+1 416 555 0123", "", "+14165550123", "CA"},
		{"+1 876 555 0123", "", "+18765550123", "JM"},
		{"+7 701 123 45 67", "", "+77011234567", "KZ"},
		{"010 8888 8888", "CN", "+861088888888", "CN"},
		{"+86\u00a0138\u20110013\u20118000", "", "+8613800138000", "CN"},
	} {
		got, country, err := phone.Normalise(c.raw, c.region)
		if err != nil || got != c.want || country != c.country {
			t.Errorf("Normalise(%q, %q) = %q, %q, %v; want %q, %q", c.raw, c.region, got, country, err, c.want, c.country)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, region, says string }{
		{"", "CN", "empty"},
		{"+", "CN", "empty"},
		{"00", "CN", "empty"},
		{"+0138001380", "", "begins with 0"},
		{"++8613800138000", "", "character"},
		{"+86+13800138000", "", "character"},
		{"13800138000", "", "no country code"},
		{"+999123456789", "", "country code"},
		{"+86138001380001", "", "numbering plan"},
		{"+861380013", "", "numbering plan"},
		{"+86138", "", "short"},
		{"+861380013800012345", "", "long"},
		{"138001380001234567", "CN", "long"},
		{"12", "CN", "short"},
		{"+8612345678901", "", "numbering plan"},
		{"+12025550100 ext. 5", "", "letters"},
		{"+12025550100x5", "", "extension"},
		{"+12025550100;ext=5", "", "extension"},
		{"+12025550100,,5#", "", "extension"},
		{"1-800-FLOWERS", "US", "letters"},
		{"1.38E+10", "CN", "a spreadsheet rounded"},
		{"8,61E12", "", "a spreadsheet rounded"},
		{"1e", "", "letters"},
		{"+881 612 345 678", "", "satellite"},
		{"+882 16 12345678", "", "satellite"},
		{"+883 510 012345678", "", "satellite"},
		{"+979 1 2345 6789", "", "premium"},
		{"+870 773 111 632", "", "satellite"},
		{"+1 900 234 5678", "", "premium"},
		{"+44 909 8790000", "", "premium"},
		{"+8613800138000\n", "", "character"},
		{"\n+8613800138000", "", "character"},
		{"+86\x0013800138000", "", "character"},
		{"+86\u202e13800138000", "", "character"},
		{"+86\u200b13800138000", "", "character"},
		{"+٨٦١٣٨٠٠١٣٨٠٠٠", "", "character"},
		{"+8613800138000, +8613800138001", "", "extension"},
		{strings.Repeat("1", 100), "CN", "long"},
		{"13800138000", "XX", "country code"},
	} {
		got, _, err := phone.Normalise(c.raw, c.region)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("Normalise(%q, %q) = %q, %v; want an error with %q", c.raw, c.region, got, err, c.says)
			continue
		}
		if text := strings.ReplaceAll(err.Error(), "+8613800138000", ""); len(c.raw) > 6 && strings.Contains(text, c.raw) {
			t.Errorf("the error repeats the number: %v", err)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"+86 138-0013-8000", "0086", "+44 (0)20 7946 0018", "tel:1", "+39 06 6982 1234", "+1", "+54 9 11 2345 6789", "+52 1 55 1234 5678"} {
		f.Add(s, "CN")
		f.Add(s, "AR")
	}
	f.Fuzz(func(t *testing.T, raw, region string) {
		once, country, err := phone.Normalise(raw, region)
		if err != nil {
			return
		}
		if len(once) < 5 || len(once) > 16 || once[0] != '+' || strings.Trim(once[1:], "0123456789") != "" {
			t.Fatalf("%q is not E.164", once)
		}
		twice, country2, err := phone.Normalise(once, "")
		if err != nil || twice != once || country2 != country {
			t.Fatalf("%q, again %q, %v", once, twice, err)
		}
	})
}
