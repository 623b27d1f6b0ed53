package message

import (
	"errors"
	"strings"
)

// ID is a message's public id: "msg_", the partition of its recipient (24 characters of a keyed hash and
// one shard character), and a ULID, all in Crockford's base 32, lower case. Because it carries both keys
// of the record, reading by id needs no index; the hash is keyed, so an id tells nothing of a recipient.
type ID string

const (
	idPrefix = "msg_"
	// PartitionLen is the length of a partition: 24 characters of the hash (120 bits) and the shard.
	PartitionLen = 25
	ulidLen      = 26
	crockford    = "0123456789abcdefghjkmnpqrstvwxyz"
)

// ErrBadID is returned by ParseID for anything that is not a message id.
var ErrBadID = errors.New("message: not a message id")

// NewID joins a recipient's partition and a ULID in lower case.
func NewID(partition, ulid string) ID { return ID(idPrefix + partition + ulid) }

// ParseID checks the form of an id that came from outside.
func ParseID(s string) (ID, error) {
	if len(s) != len(idPrefix)+PartitionLen+ulidLen || !strings.HasPrefix(s, idPrefix) {
		return "", ErrBadID
	}
	if s[len(idPrefix)+PartitionLen] > '7' { // a ULID has 128 bits, its text room for 130
		return "", ErrBadID
	}
	for _, c := range s[len(idPrefix):] {
		if !strings.ContainsRune(crockford, c) {
			return "", ErrBadID
		}
	}
	return ID(s), nil
}

// Partition is the part that all messages to one recipient share.
func (id ID) Partition() string { return string(id[len(idPrefix) : len(idPrefix)+PartitionLen]) }

// ULID is the part that sorts by time.
func (id ID) ULID() string { return string(id[len(idPrefix)+PartitionLen:]) }

// Created is the instant in the ULID.
func (id ID) Created() Time { return ULIDTime(id.ULID()) }

// ULIDTime reads the 48 bits of milliseconds in front of a lower-case ULID; 0 when it is too short.
func ULIDTime(ulid string) Time {
	if len(ulid) < 10 {
		return 0
	}
	var ms int64
	for _, c := range ulid[:10] {
		i := strings.IndexRune(crockford, c)
		if i < 0 {
			return 0
		}
		ms = ms<<5 | int64(i)
	}
	return Time(ms)
}

// ULIDOf makes the ULID of an instant and of what tells it from others of that instant.
func ULIDOf(t Time, rest [10]byte) string {
	b := []byte(ULIDFloor(t))
	var acc uint32
	var bits uint
	at := 10
	for _, c := range rest {
		acc, bits = acc<<8|uint32(c), bits+8
		for ; bits >= 5; bits -= 5 {
			b[at] = crockford[acc>>(bits-5)&31]
			at++
		}
	}
	return string(b)
}

// ULIDFloor is the smallest ULID of an instant: what a search by time starts from.
func ULIDFloor(t Time) string {
	ms := max(t, 0)
	var b [ulidLen]byte
	for i := 9; i >= 0; i-- {
		b[i] = crockford[ms&31]
		ms >>= 5
	}
	for i := 10; i < ulidLen; i++ {
		b[i] = '0'
	}
	return string(b[:])
}
