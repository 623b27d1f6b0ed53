package config

import "github.com/opennotify/notify/pkg/message"

// What was read serves for MaxAge. Who meets something that is not there yet, and would draw a conclusion for good from
// that, has it read again if it was read before an instant.

// RenewEndpoints reads the endpoints again: for who works on what one led to.
func (s *Source) RenewEndpoints(since message.Time) { s.endpoints.renew(since.Std()) }

// RenewAccounts reads the accounts again: for who is told by one's provider.
func (s *Source) RenewAccounts(since message.Time) { s.accounts.renew(since.Std()) }

// RenewTemplates reads again which templates there are and which version of each is published: for who begins what
// somebody ordered with one.
func (s *Source) RenewTemplates(since message.Time) { s.templates.renew(since.Std()) }
