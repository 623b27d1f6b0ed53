package audience

import (
	"bytes"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"
)

// Vars are variables that keep their numbers as they are written: 12.50 stays 12.50.
type Vars map[string]any

// MarshalJSONTo writes an object.
func (v Vars) MarshalJSONTo(enc *jsontext.Encoder) error {
	b, err := json.Marshal(map[string]any(v)) // which knows its own Number
	if err != nil {
		return err
	}
	return enc.WriteValue(b)
}

// UnmarshalJSONFrom reads one.
func (v *Vars) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	b, err := dec.ReadValue()
	if err != nil {
		return err
	}
	in := json.NewDecoder(bytes.NewReader(b))
	in.UseNumber()
	return in.Decode((*map[string]any)(v))
}
