package operate

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"

	"github.com/opennotify/notify/pkg/problem"
)

// cursor makes a place in a list a text for the caller. Its checksum tells a text that was cut or made up
// from a fault of ours; it keeps nothing secret.
func cursor(place any) string {
	b, _ := json.Marshal(place) // of strings: it cannot fail
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
}

// openCursor reads what cursor made; "" leaves place as it is.
func openCursor(text string, place any) error {
	if text == "" {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if n := len(b) - 4; err == nil && n >= 0 && binary.BigEndian.Uint32(b[n:]) == crc32.ChecksumIEEE(b[:n]) && json.Unmarshal(b[:n], place) == nil {
		return nil
	}
	return problem.Invalid(problem.At("query:after", problem.BadValue, "after must be the next of an earlier answer; leave it out to begin"))
}
