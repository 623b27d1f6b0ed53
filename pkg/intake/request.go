package intake

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
)

// Request is one request to send: one content to one person, to many, or to one person over several
// channels.
type Request struct {
	// Tenant is who sends; "" is the key's tenant. Only operators may name another.
	Tenant string
	To     To
	// Channel fixes the channel; "" lets the route choose.
	Channel message.Channel
	// Template is name or tenant/name; Version 0 is the published one.
	Template string
	Version  int
	Locale   string
	Vars     map[string]any
	// Content is free content, instead of a template.
	Content *message.Content
	// Class is the template's when empty.
	Class     message.Class
	Reference string
	// SendAt is not before; the zero time is now.
	SendAt time.Time
	// TTL is from SendAt to expiry; 0 is the class's. ExpiresAt says the same as an instant.
	TTL       time.Duration
	ExpiresAt time.Time
	// DedupSeconds is the content window; nil is the route's or class's, 0 none.
	DedupSeconds *int

	// IdempotencyKey and Hash identify the request and its body; "" is no key.
	IdempotencyKey string
	Hash           []byte

	Origin Origin
	// Run is set on a row of a run.
	Run *Run
	// Pointer is put in front of the pointers of problems: "/messages/3".
	Pointer string
}

// To is the recipients. Exactly one of its fields is used.
type To struct {
	One  string
	List []string
	Ways map[message.Channel]string // one person's addresses
}

// Origin is where a request came from.
type Origin struct {
	IP, Trace, RequestID string
	ResendOf             message.ID
	// Trial is the account that an operator tests with it; Why is in the timeline, of a resend too.
	Trial, Why string
}

// The bounds of a request.
const (
	MaxRecipients = 100
	MaxBatch      = 500
	MaxReference  = 128
	MaxKey        = 255
	MaxAhead      = 365 * 24 * time.Hour
	MaxMessage    = 256 << 10
	keyKept       = 24 * time.Hour
	maxDedup      = 7 * 24 * time.Hour
)

// faults collects what is wrong, so that a caller is told of everything at once.
type faults struct {
	pointer string
	fields  []problem.Field
}

func (f *faults) add(pointer string, code problem.Code, format string, args ...any) {
	if len(f.fields) < 100 {
		f.fields = append(f.fields, problem.At(f.pointer+shown(pointer), code, format, args...))
	}
}

// nameForm is what a name looks like, and neither an address nor a secret does.
var nameForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,39}$`)

// shown cuts a pointer before the first name, made up by the caller, that may not be repeated.
func shown(pointer string) string {
	at := 0
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if _, err := strconv.ParseUint(token, 10, 16); err != nil && !nameForm.MatchString(token) {
			return pointer[:at]
		}
		at += 1 + len(token)
	}
	return pointer
}

// quoted repeats a name that a caller sent, if it looks like one.
func quoted(name string) string {
	for part := range strings.SplitSeq(name, "/") {
		if !nameForm.MatchString(part) {
			return "of that name"
		}
	}
	if len(name) > 2*40 {
		return "of that name"
	}
	return strconv.Quote(name)
}

func (f *faults) err() error {
	if len(f.fields) == 0 {
		return nil
	}
	return problem.Invalid(f.fields...)
}

// check looks at what needs nothing but the request.
func (r *Request) check(f *faults, now message.Time) {
	ways := 0
	for _, used := range []bool{r.To.One != "", len(r.To.List) > 0, len(r.To.Ways) > 0} {
		if used {
			ways++
		}
	}
	switch {
	case ways == 0:
		f.add("/to", problem.Required, "to is missing: an address, a list of at most %d, or an object of addresses by channel", MaxRecipients)
	case max(len(r.To.List), len(r.To.Ways)) > MaxRecipients:
		f.add("/to", problem.TooMany, "to has %d addresses; at most %d are allowed: split the request, or use a campaign", max(len(r.To.List), len(r.To.Ways)), MaxRecipients)
	case len(r.To.Ways) > 0 && r.Channel != "":
		f.add("/channel", problem.BadValue, "to names the channels already; leave channel out")
	}
	switch {
	case r.Template == "" && r.Content == nil:
		f.add("/template", problem.Required, "template is missing: the name of a template, or content where the tenant may")
	case r.Template != "" && r.Content != nil:
		f.add("/content", problem.BadValue, "send template or content, not both")
	case r.Content != nil && len(r.Vars) > 0:
		f.add("/vars", problem.BadValue, "vars go with a template; content is sent as it is")
	}
	if r.Version < 0 {
		f.add("/version", problem.BadValue, "version must be 1 or more; leave it out for the published one")
	}
	if r.Class != "" && !r.Class.Valid() {
		f.add("/class", problem.BadValue, "class must be one of otp, transactional, marketing")
	}
	if n := utf8.RuneCountInString(r.Reference); n > MaxReference {
		f.add("/reference", problem.TooLong, "reference has %d characters; at most %d are allowed", n, MaxReference)
	} else if strings.ContainsFunc(r.Reference, unicode.IsControl) {
		f.add("/reference", problem.BadValue, "reference may not hold control characters")
	}
	if r.DedupSeconds != nil && (*r.DedupSeconds < 0 || *r.DedupSeconds > int(maxDedup/time.Second)) {
		f.add("/dedup_seconds", problem.BadValue, "dedup_seconds must be 0 (off) to %d", int(maxDedup.Seconds()))
	}
	r.checkTimes(f, now)
	if k := r.IdempotencyKey; len(k) > MaxKey {
		f.fields = append(f.fields, problem.At("header:Idempotency-Key", problem.TooLong, "the key has %d bytes; at most %d are allowed", len(k), MaxKey))
	}
}

// late is how far in the past send_at may lie: clocks differ.
const late = 2 * time.Minute

func (r *Request) checkTimes(f *faults, now message.Time) {
	at := message.At(r.SendAt)
	switch {
	case r.SendAt.IsZero():
		at = now
	case at.Add(late) < now:
		f.add("/send_at", problem.BadTime, "send_at is in the past; leave it out to send now")
	case at > now.Add(MaxAhead):
		f.add("/send_at", problem.BadTime, "send_at is more than 365 days ahead")
	}
	at = max(at, now)
	switch {
	case r.TTL != 0 && !r.ExpiresAt.IsZero():
		f.add("/ttl_seconds", problem.BadValue, "send ttl_seconds or expires_at, not both")
	case r.TTL < 0 || r.TTL > message.MaxTTL:
		f.add("/ttl_seconds", problem.BadValue, "ttl_seconds must be 1 to %d, as variables are kept", int(message.MaxTTL.Seconds()))
	case !r.ExpiresAt.IsZero() && message.At(r.ExpiresAt) <= at:
		f.add("/expires_at", problem.BadTime, "expires_at is not after the time of sending: it would never be sent")
	case !r.ExpiresAt.IsZero() && message.At(r.ExpiresAt) > at.Add(message.MaxTTL):
		f.add("/expires_at", problem.BadTime, "expires_at is more than 30 days after the time of sending: variables are kept no longer")
	}
}
