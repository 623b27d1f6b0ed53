package message

// Channel is a kind of address and content: sms, email, …
type Channel string

// The built-in channels. A recipe may declare more; those travel through the queues of Other.
const (
	SMS      Channel = "sms"
	Email    Channel = "email"
	Push     Channel = "push"
	Feishu   Channel = "feishu"
	DingTalk Channel = "dingtalk"
	WeCom    Channel = "wecom"
	WeChat   Channel = "wechat"
	WhatsApp Channel = "whatsapp"
	Slack    Channel = "slack"
	Telegram Channel = "telegram"
	Discord  Channel = "discord"
	Webhook  Channel = "webhook"
	Other    Channel = "other"
)

// AddressKind says how an address of a channel is read and normalised.
type AddressKind string

// The kinds of address.
const (
	Phone   AddressKind = "phone" // E.164
	Mail    AddressKind = "mail"
	URL     AddressKind = "url"     // https
	Token   AddressKind = "token"   // a device's push token
	Account AddressKind = "account" // a user's id at the provider, or the alias of a bot
)

// ContentKind says how variables are escaped and what a variant holds.
type ContentKind string

// The kinds of content.
const (
	PlainText ContentKind = "text" // nothing is escaped; segments are counted for sms
	MailText  ContentKind = "mail" // subject, text and HTML
	ChatText  ContentKind = "chat" // title and Markdown; mentions in variables are defused
	PushText  ContentKind = "push" // title and body
	DataBody  ContentKind = "data" // JSON
)

// ChannelInfo is a row of the one table of the channels.
type ChannelInfo struct {
	Channel Channel
	Address AddressKind
	Content ContentKind
	// Shards spreads the messages of one busy endpoint over so many partitions; 1 for people.
	Shards int
	// Templated: text that no template allows is never sent, whatever the tenant may elsewhere.
	Templated bool
	// Receipts tells whether providers of this channel usually say what became of a message.
	Receipts bool
}

var channels = []ChannelInfo{
	{SMS, Phone, PlainText, 1, true, true},
	{Email, Mail, MailText, 1, false, true},
	{Push, Token, PushText, 1, false, false},
	{Feishu, Account, ChatText, 8, false, false},
	{DingTalk, Account, ChatText, 8, false, false},
	{WeCom, Account, ChatText, 8, false, false},
	{WeChat, Account, ChatText, 1, false, true},
	{WhatsApp, Phone, ChatText, 1, true, true},
	{Slack, Account, ChatText, 8, false, false},
	{Telegram, Account, ChatText, 8, false, false},
	{Discord, Account, ChatText, 8, false, false},
	{Webhook, URL, DataBody, 8, false, false},
}

// Channels lists the built-in channels.
func Channels() []ChannelInfo { return append([]ChannelInfo(nil), channels...) }

// Info is the channel's row, and whether it is a built-in one.
func (c Channel) Info() (ChannelInfo, bool) {
	for _, row := range channels {
		if row.Channel == c {
			return row, true
		}
	}
	return ChannelInfo{}, false
}

// Queue is the channel whose queues carry c: c itself, or Other.
func (c Channel) Queue() Channel {
	if _, ok := c.Info(); ok {
		return c
	}
	return Other
}
