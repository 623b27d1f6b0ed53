package dynamo

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/store"
)

// attributes is an item as DynamoDB has it.
type attributes map[string]types.AttributeValue

func text(s string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: s} }
func binary(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }
func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func keyAttributes(k store.Key) attributes {
	return attributes{attrPK: text(k.PK), attrSK: text(k.SK)}
}

// encode leaves out what is not set: an item without an index's key is not in the index, and what is not
// there costs nothing.
func encode(it *store.Item) attributes {
	a := keyAttributes(it.Key)
	a[attrRev] = number(it.Rev)
	if len(it.Data) > 0 {
		a[attrData] = binary(it.Data)
	}
	for name, s := range map[string]string{attrList: it.List, attrListSort: it.ListSort, attrDueShard: it.DueShard, attrTrouble: it.Trouble} {
		if s != "" {
			a[name] = text(s)
		}
	}
	if it.DueShard != "" || it.DueAt != 0 {
		a[attrDueAt] = number(int64(it.DueAt))
	}
	if it.Expires != 0 {
		a[attrExpires] = number(it.Expires)
	}
	return a
}

// errForeign: another program writes to the table.
var errForeign = errors.New("an item is not one of this driver's")

// decode reads a whole item.
func (a attributes) decode() (*store.Item, error) {
	it, err := a.decodeKeys()
	if err != nil {
		return nil, err
	}
	if it.Rev, err = a.number(attrRev); err != nil {
		return nil, err
	}
	if it.Expires, err = a.number(attrExpires); err != nil {
		return nil, err
	}
	it.List, it.DueShard, it.Trouble = a.text(attrList), a.text(attrDueShard), a.text(attrTrouble)
	if b, ok := a[attrData].(*types.AttributeValueMemberB); ok {
		it.Data = b.Value
	}
	if a[attrRev] == nil {
		it.Data, err = a.counters()
	}
	return &it, err
}

// decodeKeys reads what a page of an index has.
func (a attributes) decodeKeys() (it store.Item, err error) {
	it.Key, it.ListSort = a.key(), a.text(attrListSort)
	if it.PK == "" || it.SK == "" {
		return it, errForeign
	}
	due, err := a.number(attrDueAt)
	it.DueAt = message.Time(due)
	return it, err
}

// counters are what an item without a revision holds, as a JSON object.
func (a attributes) counters() ([]byte, error) {
	sums := map[string]int64{}
	for name := range a {
		field, ok := strings.CutPrefix(name, counterPrefix)
		if !ok {
			continue
		}
		n, err := a.number(name)
		if err != nil {
			return nil, err
		}
		sums[field] = n
	}
	return json.Marshal(sums)
}

func (a attributes) key() store.Key { return store.Key{PK: a.text(attrPK), SK: a.text(attrSK)} }

// text is "" when there is no such attribute.
func (a attributes) text(name string) string {
	if s, ok := a[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// number is 0 when there is no such attribute.
func (a attributes) number(name string) (int64, error) {
	if a[name] == nil {
		return 0, nil
	}
	n, ok := a[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0, errForeign
	}
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return 0, errForeign
	}
	return i, nil
}

// maxItem is the size of the largest item, in bytes as [attributes.size] counts them:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const maxItem = 400 << 10

// size counts as DynamoDB does: names and values in bytes, a number one byte and one for each two digits.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func (a attributes) size() int {
	n := 0
	for name, value := range a {
		n += len(name)
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			n += len(v.Value)
		case *types.AttributeValueMemberB:
			n += len(v.Value)
		case *types.AttributeValueMemberN:
			n += len(v.Value)/2 + 2
		}
	}
	return n
}

// checkItem refuses what the table cannot keep, before anything is sent.
func checkItem(it *store.Item) error {
	switch {
	case it.Rev <= 0:
		return errors.New("the revision must be above 0")
	case it.DueAt < 0:
		return errors.New("the due time is before 1970")
	case it.List != "" && it.ListSort == "":
		return errors.New("an item of a list needs a place in it")
	}
	return nil
}

// checkKey holds keys to what every driver can keep. It does not repeat them: they may derive from what
// is nobody else's business.
func checkKey(k store.Key) error {
	if err := checkText(k.PK); err != nil {
		return err
	}
	return checkText(k.SK)
}

func checkText(s string) error {
	if len(s) < 1 || len(s) > 512 {
		return fmt.Errorf("a key has %d bytes, 1 to 512 are allowed", len(s))
	}
	for i := range len(s) {
		if s[i] == 0 || s[i] > 0x7f {
			return errors.New("a key must be ASCII")
		}
	}
	return nil
}
