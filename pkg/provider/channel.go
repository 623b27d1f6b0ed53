package provider

import (
	"fmt"
	"regexp"

	"github.com/opennotify/notify/pkg/address"
	"github.com/opennotify/notify/pkg/message"
)

// MaxPattern bounds a regular expression in a descriptor, in bytes.
const MaxPattern = 500

// Channel is a channel as everybody who reads addresses or contents sees it: a row of the table, or what a
// recipe declares.
type Channel struct {
	message.ChannelInfo
	// Title, Example and form are a recipe's.
	Title   Text
	Example string
	form    *regexp.Regexp
}

// BuiltIn is a channel of the table; false if the table has none of that name.
func BuiltIn(name message.Channel) (Channel, bool) {
	info, ok := name.Info()
	return Channel{ChannelInfo: info}, ok
}

// Undeclared is how a channel is read that is neither in the table nor declared by any recipe, as when its
// recipe is gone and its messages are not. Addresses of a recipe's channel are kept like those of an account.
func Undeclared(name message.Channel) Channel {
	return Channel{ChannelInfo: message.ChannelInfo{Channel: name, Address: message.Account, Content: message.ChatText, Shards: 1}}
}

// Kept is how a channel's records are kept: like its row in the table, else like those of every recipe's channel,
// so that they are found whatever recipes there are.
func Kept(name message.Channel) message.ChannelInfo {
	if c, ok := BuiltIn(name); ok {
		return c.ChannelInfo
	}
	return Undeclared(name).ChannelInfo
}

// OwnChannel is the channel that the recipe declares; false if it declares none.
func (d Descriptor) OwnChannel() (Channel, bool) {
	if d.Own == nil {
		return Channel{}, false
	}
	form, err := d.Own.Form()
	if err != nil {
		return Channel{}, false
	}
	c := Undeclared(d.Own.Name)
	c.Content, c.Receipts = d.Own.Content, d.Receipts
	c.Title, c.Example, c.form = d.Own.Title, d.Own.Example, form
	return c, true
}

// Form is the regular expression for a whole address.
func (o Own) Form() (*regexp.Regexp, error) {
	if o.Address == "" || len(o.Address) > MaxPattern {
		return nil, fmt.Errorf("a pattern has 1 to %d bytes", MaxPattern)
	}
	if _, err := regexp.Compile(o.Address); err != nil { // by itself first: a)(b would pass within the group
		return nil, err
	}
	return regexp.Compile(`\A(?:` + o.Address + `)\z`)
}

// Own tells that a recipe declares it.
func (c Channel) Own() bool { return c.form != nil }

// Fits tells whether a text looks like an address of a channel that a recipe declares.
func (c Channel) Fits(raw string) bool { return c.form != nil && c.form.MatchString(raw) }

// Read reads an address of the channel. Region is the country of phone numbers written without one.
func (c Channel) Read(r address.Reader, raw, region string) (address.Normal, error) {
	if c.form == nil {
		return r.Normalise(c.Address, raw, region)
	}
	return r.Own(raw, c.form, c.Example)
}
