package recipe_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

func hmacOf(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}
