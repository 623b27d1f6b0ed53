package provider

import (
	"net/http"
	"slices"

	"github.com/opennotify/notify/pkg/message"
)

// Promise is an answer that something between us and a provider gives, and what may come of it: none of them
// says that a message was refused for good, none but a provider's own word that it was taken.
type Promise struct {
	Name   string
	Status int
	Body   string
	May    []message.Outcome
}

// Holds tells whether an outcome is one of those that may come of it.
func (p Promise) Holds(o message.Outcome) bool { return slices.Contains(p.May, o) }

// Promises lists those that every Sender keeps, coded or a recipe.
func Promises() []Promise {
	taken := []message.Outcome{message.Accepted, message.Unknown}
	return []Promise{
		{"redirect is not followed", http.StatusTemporaryRedirect, `{"moved":true}`, []message.Outcome{
			message.Permanent, message.AccountFault, message.Retry, message.Unknown}},
		{"page instead of an answer is not refused", http.StatusOK, "<html>ok</html>", taken},
		{"empty answer is not refused", http.StatusOK, "", taken},
		{"torn answer is not refused", http.StatusOK, `{"code":`, taken},
		{"null is not refused", http.StatusOK, `null`, taken},
		{"server error is not final", http.StatusServiceUnavailable, "<html>try later</html>", []message.Outcome{
			message.Retry, message.Throttled, message.Unknown}},
	}
}
