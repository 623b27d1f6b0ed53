// Package senders is the list of the coded providers. Only what really sends links it: a function that
// needs no more than a provider's form or limits uses the catalog.
package senders

import (
	"github.com/opennotify/notify/pkg/provider"
	awssms "github.com/opennotify/notify/pkg/provider/aws-sms"
	"github.com/opennotify/notify/pkg/provider/devinbox"
	"github.com/opennotify/notify/pkg/provider/ses"
	"github.com/opennotify/notify/pkg/provider/smtp"
	"github.com/opennotify/notify/pkg/provider/webhook"
	"github.com/opennotify/notify/pkg/receipt"
)

// List is THE list: one line per coded provider. Messages of the development provider land in the
// inbox; without one (on AWS) that provider does not exist.
func List(inbox *devinbox.Inbox) map[string]provider.OpenFunc {
	list := map[string]provider.OpenFunc{
		"aws-sms": awssms.Open,
		"ses":     ses.Open,
		"smtp":    smtp.Open,
		"webhook": webhook.Open,
	}
	if inbox != nil {
		list["devinbox"] = inbox.Open
	}
	return list
}

// Foreign reads the receipts that cloud services put into the queue of receipts themselves.
func Foreign() []receipt.Foreign { return []receipt.Foreign{awssms.Foreign, ses.Foreign} }
