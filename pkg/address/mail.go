package address

import (
	"errors"
	"strings"

	"golang.org/x/net/idna"
)

// Limits of RFC 5321 §4.5.3.1, and of erratum 1690 to RFC 3696 for the whole address.
const (
	maxLocal = 64
	maxMail  = 254
)

const mailForm = "; write one plain address such as wang@example.com"

// mail accepts a dot-atom at a domain name. What else RFC 5322 allows (display names, comments, quoted
// local parts, routes, literals) is where injections hide, and no mailbox of a real person needs it.
func mail(s string) (string, error) {
	if err := plainMail(s); err != nil {
		return "", err
	}
	local, domain, _ := strings.Cut(s, "@")
	if err := dotAtom(local); err != nil {
		return "", err
	}
	domain, err := hostName(domain)
	if err != nil {
		return "", err
	}
	if last := domain[strings.LastIndexByte(domain, '.')+1:]; last == domain || strings.Trim(last, "0123456789") == "" {
		return "", errors.New("the domain of the mail address is not complete" + mailForm)
	}
	if len(local)+1+len(domain) > maxMail {
		return "", errors.New("the mail address is longer than 254 characters" + mailForm)
	}
	return local + "@" + domain, nil
}

// plainMail names the form that was sent instead of an address.
func plainMail(s string) error {
	switch {
	case s == "":
		return errors.New("the mail address is empty" + mailForm)
	case len(s) > 4*maxMail:
		return errors.New("the mail address is longer than 254 characters" + mailForm)
	case strings.Contains(s, "=?"):
		return errors.New("an encoded word (=?…?=) is not a mail address" + mailForm)
	case strings.ContainsAny(s, "<>"):
		return errors.New("a display name is not accepted here" + mailForm)
	case strings.ContainsAny(s, `"\`):
		return errors.New("a quoted local part is not accepted" + mailForm)
	case strings.ContainsAny(s, "()"):
		return errors.New("a comment is not accepted" + mailForm)
	case strings.ContainsAny(s, "[]"):
		return errors.New("an IP address in place of the domain is not accepted" + mailForm)
	case strings.ContainsAny(s, ",;，；、"):
		return errors.New("a list is not accepted here" + mailForm)
	case strings.Contains(s, ":"):
		return errors.New("a scheme, a group or a source route is not accepted" + mailForm)
	case strings.Count(s, "@") != 1:
		return errors.New("a mail address has exactly one @" + mailForm)
	}
	return nil
}

func dotAtom(local string) error {
	const atext = "!#$%&'*+-/=?^_`{|}~."
	for _, r := range local {
		switch {
		case r > '~':
			return errors.New("the part before @ must be ASCII: not every mail server accepts other letters" + mailForm)
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', strings.ContainsRune(atext, r):
		default:
			return errors.New("the part before @ has a character that is not allowed, such as a space" + mailForm)
		}
	}
	switch {
	case local == "":
		return errors.New("the part before @ is missing" + mailForm)
	case len(local) > maxLocal:
		return errors.New("the part before @ is longer than 64 characters" + mailForm)
	case strings.HasPrefix(local, "."), strings.HasSuffix(local, "."), strings.Contains(local, ".."):
		return errors.New("the part before @ has a dot too many" + mailForm)
	}
	return nil
}

var errHost = errors.New("the domain name is not valid; write it such as example.com")

// hostName is the lower-case ASCII form of a domain name (IDNA 2008, UTS 46 lookup).
func hostName(s string) (string, error) {
	profile := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.Transitional(false))
	ascii, err := profile.ToASCII(s)
	if err != nil || ascii == "" || len(ascii) > 253 {
		return "", errHost
	}
	for label := range strings.SplitSeq(ascii, ".") {
		if label == "" || len(label) > 63 {
			return "", errHost
		}
	}
	return ascii, nil
}
