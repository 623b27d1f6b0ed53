package template

import (
	"fmt"
	"strings"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
)

// waysOut are what tells a reader of an SMS how to get no more, by language, and what may be added where none of
// it is there. Rules of carriers and countries ask for it in marketing.
var waysOut = map[string]struct {
	words []string
	add   string
}{
	"zh": {[]string{"退订", "退訂", "拒收", "回T", "回复T", "回R", "回复R", "TD"}, "拒收请回复R"},
	"en": {[]string{"stop", "unsubscribe", "opt out", "opt-out"}, "Reply STOP to opt out"},
	"es": {[]string{"baja", "stop", "cancelar"}, "Responda BAJA para no recibir más"},
	"fr": {[]string{"stop", "désabonner", "desabonner"}, "Répondez STOP pour ne plus en recevoir"},
	"de": {[]string{"stop", "abmelden"}, "Abmelden mit STOP"},
}

// WaysOut finds the text messages of a marketing template that tell nobody how to get no more. It is no fault of
// form: what is in force already goes on being sent.
func WaysOut(t Template) []problem.Field {
	if !t.Class.Defaults().Unsubscribe {
		return nil
	}
	var out []problem.Field
	for i, v := range t.Variants {
		language, _, _ := strings.Cut(strings.ToLower(v.Locale), "-")
		way, known := waysOut[language]
		if !known {
			way = waysOut["en"]
		}
		if v.Channel == message.SMS && !contains(v.Text, way.words) {
			out = append(out, problem.At(fmt.Sprintf("/variants/%d/text", i), problem.Required,
				"marketing by sms must say how to get no more: add %q, or another text with one of %s", way.add, strings.Join(way.words, ", ")))
		}
	}
	return out
}

func contains(text string, words []string) bool {
	text = strings.ToLower(text)
	for _, w := range words {
		if strings.Contains(text, strings.ToLower(w)) {
			return true
		}
	}
	return false
}
