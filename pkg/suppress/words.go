package suppress

import (
	"strings"
	"unicode"
)

// Ask is what a recipient asks for with a reply.
type Ask string

// The asks. Anything else is no word of ours.
const (
	Stop  Ask = "stop"
	Start Ask = "start"
	Other Ask = "other"
)

// words are the replies that mean something, in the languages in which texts tell of them. A reply is one of
// them as a whole: within a sentence they may mean anything.
var words = map[Ask][]string{
	Stop: {
		"STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "OPT OUT", "OPT-OUT", "REVOKE", "REMOVE",
		"T", "TD", "R", "N", "退订", "退訂", "取消", "取消订阅", "取消訂閱", "拒收", "停止",
		"ARRET", "ARRÊT", "DESABONNER", "DÉSABONNER", "BAJA", "ALTO", "PARAR", "STOPP", "ABMELDEN", "SAIR", "配信停止", "수신거부",
	},
	Start: {"START", "UNSTOP", "SUBSCRIBE", "RESUBSCRIBE", "恢复订阅", "恢復訂閱", "重新订阅", "重新訂閱"},
}

// Read tells what a reply asks for, whatever its case, width and punctuation. A letter with a figure is another word: R2
// answers a question.
func Read(reply string) Ask {
	text := strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～': // full-width forms of ASCII
			return r - '！' + '!'
		case unicode.In(r, unicode.Mn, unicode.Cf): // accents that are apart, and what is not seen
			return -1
		}
		return r
	}, reply)
	text = strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	text = strings.ToUpper(strings.Join(strings.Fields(text), " "))
	for ask, list := range words {
		for _, w := range list {
			if text == w {
				return ask
			}
		}
	}
	return Other
}
