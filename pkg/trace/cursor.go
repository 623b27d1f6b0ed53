package trace

import (
	"encoding/base64"

	"github.com/go-json-experiment/json"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/problem"
)

// position is how far a search came: what is left was accepted before to, and where before is set is
// older in the order of the index than that message.
type position struct {
	to     message.Time
	before message.ID
}

// after is the position behind a message.
func after(id message.ID) position { return position{id.Created() + 1, id} }

// cursor carries a search from page to page. It never holds another tenant's id, nor what was typed.
type cursor struct {
	Version int          `json:"v"`
	Index   Index        `json:"i"`
	From    message.Time `json:"f"`
	To      message.Time `json:"t"`
	Before  message.ID   `json:"b,omitzero"`
}

const cursorVersion = 1

// String is opaque to callers.
func (c cursor) String() string {
	b, err := json.Marshal(c)
	if err != nil { // numbers and plain strings always can be
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// maxCursor is longer than any that String gives.
const maxCursor = 512

// readCursor reads what String gave for a search of the same index.
func readCursor(s string, index Index) (c cursor, err error) {
	bad := problem.Invalid(problem.At("/cursor", problem.BadValue, "the cursor is not one of this search; send next of the page before with the same filter, or leave it out to begin anew"))
	if len(s) > maxCursor {
		return c, bad
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return c, bad
	}
	if err := json.Unmarshal(b, &c, json.RejectUnknownMembers(true)); err != nil {
		return c, bad
	}
	const never message.Time = 1 << 48 // what a ULID can say
	if c.Version != cursorVersion || c.Index != index || c.From < 0 || c.To < c.From || c.To > never {
		return c, bad
	}
	if c.Before != "" {
		if id, err := message.ParseID(string(c.Before)); err != nil || after(id).to != c.To {
			return c, bad
		}
	}
	return c, nil
}
