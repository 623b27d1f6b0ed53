package smtp

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/mail"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/opennotify/notify/pkg/provider"
)

// mailing is a mail ready to be sent.
type mailing struct {
	id       string // the Message-ID, without its brackets
	from, to string // of the envelope
	body     []byte // header and body
}

// compose writes the mail before anything is dialled, so that its faults are told from the server's. The
// errors hold nothing of the content.
func (s *sender) compose(c provider.Call) (mailing, error) {
	to, err := mail.ParseAddress(string(c.To))
	if err != nil || broken(to.Address) {
		return mailing{}, errors.New("the recipient is not a mail address")
	}
	if broken(c.Content.Subject) {
		return mailing{}, errors.New("the subject has a line break")
	}
	out := mailing{id: fmt.Sprintf("%s.%d@%s", c.ID, c.Epoch, s.domain), from: s.envelope, to: to.Address}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(&s.from)
	m.ToMailAddress(&mail.Address{Address: to.Address}) // a display name could decode to anything
	if s.replyTo != "" {
		m.ReplyToMailAddress(&mail.Address{Address: s.replyTo})
	}
	m.Subject(c.Content.Subject)
	m.SetDateWithValue(s.now())
	m.SetMessageIDWithValue(out.id)
	m.SetGenHeader("X-Notify-ID", string(c.ID))
	if err := unsubscribe(m, cmp.Or(c.Binding[provider.BindingUnsubscribe], c.Unsubscribe)); err != nil {
		return mailing{}, err
	}
	switch {
	case c.Content.HTML == "":
		m.SetBodyString(gomail.TypeTextPlain, c.Content.Text)
	case c.Content.Text == "":
		m.SetBodyString(gomail.TypeTextHTML, c.Content.HTML)
	default:
		m.SetBodyString(gomail.TypeTextPlain, c.Content.Text)
		m.AddAlternativeString(gomail.TypeTextHTML, c.Content.HTML)
	}
	for _, a := range c.Content.Attachments {
		if a.Name == "" || broken(a.Name) || broken(a.Type) {
			return mailing{}, errors.New("an attachment's name or type is not one line")
		}
		kind := gomail.ContentType(orElse(a.Type, "application/octet-stream"))
		m.AttachReadSeeker(a.Name, bytes.NewReader(a.Data), gomail.WithFileContentType(kind))
	}
	var buf bytes.Buffer
	if _, err := m.WriteTo(&buf); err != nil {
		return mailing{}, errors.New("the mail could not be composed")
	}
	out.body = buf.Bytes()
	return out, nil
}

func unsubscribe(m *gomail.Msg, uri string) error {
	switch {
	case uri == "":
		return nil
	case strings.ContainsAny(uri, "<> ,") || broken(uri):
	case strings.HasPrefix(uri, "https://"):
		if m.SetListUnsubscribeOneClick(uri) == nil {
			return nil
		}
	case strings.HasPrefix(uri, "mailto:"):
		m.SetListUnsubscribe(uri)
		return nil
	}
	return fmt.Errorf("the binding's %s is neither an https nor a mailto URL", provider.BindingUnsubscribe)
}
