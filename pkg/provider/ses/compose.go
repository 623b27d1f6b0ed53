package ses

import (
	"cmp"
	"errors"
	"fmt"
	"net/mail"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/amazon"
)

// maxHeader is the length of the longest value of a header.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageHeader.html
const maxHeader = 995

// compose is the mail as SES takes it; SES writes the MIME. The errors hold nothing of the content.
func (s *sender) compose(c provider.Call) (*sesv2.SendEmailInput, error) {
	to, err := mail.ParseAddress(string(c.To))
	if err != nil || broken(to.Address) {
		return nil, errors.New("the recipient is not a mail address")
	}
	if broken(c.Content.Subject) {
		return nil, errors.New("the subject has a line break")
	}
	headers, err := unsubscribe(cmp.Or(c.Binding[provider.BindingUnsubscribe], c.Unsubscribe))
	if err != nil {
		return nil, err
	}
	files, err := attachments(c.Content.Attachments)
	if err != nil {
		return nil, err
	}
	m := &types.Message{Subject: inUTF8(c.Content.Subject), Body: &types.Body{}, Headers: headers, Attachments: files}
	if c.Content.HTML != "" {
		m.Body.Html = inUTF8(c.Content.HTML)
	}
	if c.Content.Text != "" || c.Content.HTML == "" {
		m.Body.Text = inUTF8(c.Content.Text)
	}
	in := &sesv2.SendEmailInput{
		FromEmailAddress: &s.from,
		ReplyToAddresses: s.replyTo,
		Destination:      &types.Destination{ToAddresses: []string{to.Address}}, // a display name could decode to anything
		Content:          &types.EmailContent{Simple: m},
		// Their values may have letters, digits, - and _, as our ids do.
		// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageTag.html
		EmailTags: []types.MessageTag{
			{Name: aws.String(amazon.TagID), Value: aws.String(string(c.ID))},
			{Name: aws.String(amazon.TagEpoch), Value: aws.String(strconv.Itoa(c.Epoch))},
		},
	}
	if set := s.account.Config["configuration_set"]; set != "" {
		in.ConfigurationSetName = &set
	}
	return in, nil
}

func inUTF8(s string) *types.Content { return &types.Content{Data: &s, Charset: aws.String("UTF-8")} }

func attachments(files []message.Attachment) ([]types.Attachment, error) {
	var out []types.Attachment
	for _, f := range files {
		if f.Name == "" || broken(f.Name) || broken(f.Type) {
			return nil, errors.New("an attachment's name or type is not one line")
		}
		a := types.Attachment{FileName: aws.String(f.Name), RawContent: f.Data, ContentDisposition: types.AttachmentContentDispositionAttachment}
		if f.Type != "" {
			a.ContentType = aws.String(f.Type)
		}
		out = append(out, a)
	}
	return out, nil
}

func unsubscribe(uri string) ([]types.MessageHeader, error) {
	if uri == "" {
		return nil, nil
	}
	header := func(name, value string) types.MessageHeader { return types.MessageHeader{Name: &name, Value: &value} }
	oneClick, byMail := strings.HasPrefix(uri, "https://"), strings.HasPrefix(uri, "mailto:")
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' || r == ',' }
	if !oneClick && !byMail || strings.ContainsFunc(uri, odd) || len(uri) > maxHeader-len("<>") {
		return nil, fmt.Errorf("the binding's %s is neither an https nor a mailto URL", provider.BindingUnsubscribe)
	}
	out := []types.MessageHeader{header("List-Unsubscribe", "<"+uri+">")}
	if oneClick {
		out = append(out, header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
	}
	return out, nil
}
