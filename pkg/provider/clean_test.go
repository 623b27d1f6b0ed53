package provider_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
)

func TestClean(t *testing.T) {
	t.Parallel()
	a := provider.Account{Secrets: map[string]message.Secret{
		"key": "s3cr3t/key+1", "short": "s3cr", "headers": "Authorization: Bearer tok-1234\nX-Env: production", "bit": "1",
	}}
	for _, c := range []struct{ to, text, want string }{
		{"", "plain words 1", "plain words 1"},
		{"", "bad key s3cr3t/key+1!", "bad key ***!"},
		{"", "bad url /x?k=s3cr3t%2Fkey%2B1&y", "bad url /x?k=***&y"},
		{"", "got tok-1234", "got ***"},
		{"", "a\r\nb\x00c\x1b[31m\xff\u009bd", "a  b c [31m  d"},
		{"+8613812345678", "to +8613812345678, 8613812345678, 13812345678 and 12345", "to ***, ***, *** and 12345"},
		{"+8613812345678", "0008613812345678", "***"},
		{"Wang@Example.org", "<wang@example.ORG>: no such user", "<***>: no such user"},
		{"wang@example.org", "İ <WANG@example.org> no", "İ <***> no"},
		{"https://h.example/in/abc?t=1", "POST https://h.example/in/abc?t=1 or /in/abc?t=1", "POST *** or ***"},
		{"https://h.example", "at h.example/", "at h.example/"},
		{"", strings.Repeat("x", 127) + "é", strings.Repeat("x", 127)},
	} {
		if got := provider.Clean(c.text, a, message.Address(c.to)); got != c.want {
			t.Errorf("%q for %q:\n got %q\nwant %q", c.text, c.to, got, c.want)
		}
	}
}

func TestCleanProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[A-Za-z0-9+/_-]{8,40}`).Draw(t, "secret")
		to := rapid.OneOf(rapid.StringMatching(`\+[1-9][0-9]{8,13}`), rapid.StringMatching(`[a-zA-Z]{3,9}@[a-z]{3,9}\.[a-z]{2,3}`)).Draw(t, "to")
		glue := rapid.SliceOfN(rapid.SampledFrom([]string{"", " ", "\xff", "İ", "=", "%", "\n"}), 3, 3).Draw(t, "glue")
		words := rapid.String().Draw(t, "words")
		a := provider.Account{Secrets: map[string]message.Secret{"k": message.Secret(secret)}}
		got := provider.Clean(glue[0]+secret+glue[1]+strings.ToUpper(to)+glue[2]+words, a, message.Address(to))
		if strings.Contains(got, secret) || strings.Contains(strings.ToLower(got), strings.ToLower(to)) {
			t.Fatalf("%q shows %q or %q", got, secret, to)
		}
		if len(got) > message.MaxText || !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\x00") {
			t.Fatalf("%q is not clean", got)
		}
	})
}
