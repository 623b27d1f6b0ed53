package awssms

import (
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pinpointsmsvoicev2"
	"github.com/aws/aws-sdk-go-v2/service/pinpointsmsvoicev2/types"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/amazon"
)

// The bounds of the API.
// https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
const (
	maxText          = 1600 // characters
	minLive, maxLive = 5 * time.Second, 72 * time.Hour
)

// India's own parameters.
const (
	indiaEntity   = "IN_ENTITY_ID"
	indiaTemplate = "IN_TEMPLATE_ID"
)

// compose is the message as the API takes it. The errors hold nothing of the content.
func (s *sender) compose(c provider.Call) (*pinpointsmsvoicev2.SendTextMessageInput, error) {
	switch n := utf8.RuneCountInString(c.Content.Text); {
	case n == 0:
		return nil, errors.New("the message has no text")
	case n > maxText:
		return nil, fmt.Errorf("the text has %d characters; AWS takes %d", n, maxText)
	}
	in := &pinpointsmsvoicev2.SendTextMessageInput{
		DestinationPhoneNumber: aws.String(string(c.To)),
		MessageBody:            aws.String(c.Content.Text),
		MessageType:            types.MessageTypeTransactional,
		TimeToLive:             aws.Int32(int32(s.live(c).Seconds())),
		Context:                map[string]string{amazon.TagID: string(c.ID), amazon.TagEpoch: strconv.Itoa(c.Epoch)},
		DryRun:                 s.account.Config["dry_run"] == "true",
	}
	if c.Class == message.Marketing {
		in.MessageType = types.MessageTypePromotional
	}
	for field, to := range map[string]**string{
		"origination": &in.OriginationIdentity, "configuration_set": &in.ConfigurationSetName,
		"protect_configuration": &in.ProtectConfigurationId, "max_price": &in.MaxPrice,
	} {
		if v := s.account.Config[field]; v != "" {
			*to = &v
		}
	}
	if entity := s.account.Config["india_entity_id"]; entity != "" {
		in.DestinationCountryParameters = map[string]string{indiaEntity: entity}
		if template := c.Binding["india_template_id"]; template != "" {
			in.DestinationCountryParameters[indiaTemplate] = template
		}
	}
	return in, nil
}

// live is for how long the message may be handed to a carrier: until it expires, within what AWS takes.
func (s *sender) live(c provider.Call) time.Duration {
	return min(max(c.Expires.Sub(message.At(s.now())), minLive), maxLive)
}
