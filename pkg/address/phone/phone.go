package phone

import (
	"errors"
	"regexp"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

const form = "; write it with + and the country code, such as +8613800138000"

// nonGeographic are the country codes that ITU-T E.164 gives to no country: freephone and shared cost
// (800, 808), satellites (870, 881), international networks (882, 883), personal (878), disaster relief
// (888) and premium rate (979). A message to them is lost, or dear.
// https://www.itu.int/pub/T-SP-E.164D
var nonGeographic = [...]int32{800, 808, 870, 878, 881, 882, 883, 888, 979}

// Normalise reads one phone number: E.164, the 00 prefix, or the national form of region (ISO 3166-1
// alpha-2, may be ""), with the usual punctuation and full-width digits. It returns E.164 and the
// number's own country. Errors name the expected form and never repeat the number.
func Normalise(raw, region string) (e164, country string, err error) {
	plain, err := clean(raw)
	if err != nil {
		return "", "", err
	}
	if plain[0] != '+' && region == "" {
		return "", "", errors.New("the phone number has no country code" + form)
	}
	n, err := phonenumbers.Parse(plain, strings.ToUpper(region))
	if err != nil {
		return "", "", parseError(err)
	}
	if err := reachable(n); err != nil {
		return "", "", err
	}
	return phonenumbers.Format(n, phonenumbers.E164), phonenumbers.GetRegionCodeForNumber(n), nil
}

// clean leaves digits and one leading plus. It is stricter than the library, which also finds numbers
// within text, turns letters into digits and understands extensions: none of these can be sent to.
func clean(raw string) (string, error) {
	s := strings.Map(halfWidth, strings.Trim(raw, " \u3000"))
	if len(s) > 4 && strings.EqualFold(s[:4], "tel:") {
		s = s[4:]
	}
	if len(s) > 64 {
		return "", errors.New("the phone number is too long" + form)
	}
	if rounded.MatchString(s) {
		return "", errors.New("a spreadsheet rounded the phone number, so that its last digits are lost; make the column text, and fill it again" + form)
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && b.Len() == 0:
			b.WriteRune(r)
		case strings.ContainsRune(" -.()/\u00a0\u2010\u2011\u2012\u2013\u2014\u2015\u2212", r):
			// Means nothing. The 0 of "+44 (0)20 …" is dropped by the numbering plan, which knows that Italy keeps it.
		case strings.ContainsRune("xX#*,;~", r):
			return "", errors.New("the phone number has an extension; a message cannot be sent to one" + form)
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
			return "", errors.New("the phone number has letters; write digits" + form)
		default:
			return "", errors.New("the phone number has a character that does not belong there" + form)
		}
	}
	digits := b.String()
	if after, ok := strings.CutPrefix(digits, "00"); ok {
		digits = "+" + after
	}
	switch {
	case digits == "" || digits == "+":
		return "", errors.New("the phone number is empty" + form)
	case strings.HasPrefix(digits, "+0"):
		return "", errors.New("no country code begins with 0" + form)
	}
	return digits, nil
}

// rounded is how spreadsheets write numbers that are long.
var rounded = regexp.MustCompile(`^[0-9]+([.,][0-9]+)?[eE][+]?[0-9]+$`)

func halfWidth(r rune) rune {
	if r >= '！' && r <= '～' {
		return r - '！' + '!'
	}
	if r == '\u3000' {
		return ' '
	}
	return r
}

func parseError(err error) error {
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return errors.New("there is no such country code" + form)
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return errors.New("the phone number is too long" + form)
	case errors.Is(err, phonenumbers.ErrTooShortNSN), errors.Is(err, phonenumbers.ErrTooShortAfterIDD):
		return errors.New("the phone number is too short" + form)
	}
	return errors.New("this is not a phone number" + form)
}

// reachable refuses what is in no numbering plan, and what costs somebody money by being called.
func reachable(n *phonenumbers.PhoneNumber) error {
	for _, code := range nonGeographic {
		if n.GetCountryCode() == code {
			return errors.New("satellite, international network and premium numbers are not served; give a number of a country, such as +8613800138000")
		}
	}
	switch phonenumbers.IsPossibleNumberWithReason(n) {
	case phonenumbers.TOO_SHORT, phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return errors.New("the phone number is too short" + form)
	case phonenumbers.TOO_LONG:
		return errors.New("the phone number is too long" + form)
	case phonenumbers.INVALID_LENGTH:
		return errors.New("no phone number of this country is that long" + form)
	}
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.UNKNOWN:
		return errors.New("the country's numbering plan has no such phone number" + form)
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST:
		return errors.New("premium-rate and shared-cost numbers are not served; give a mobile number, such as +8613800138000")
	}
	return nil
}
