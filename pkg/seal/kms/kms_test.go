package kms_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/seal"
	"github.com/opennotify/notify/pkg/seal/kms"
)

// The emulator checks the purpose, but neither the ciphertext nor which key it is of: for those there is
// TestRefusals.
func TestKeeper(t *testing.T) {
	t.Parallel()
	client := awskms.NewFromConfig(emulators.Need(t, emulators.MiniStack).AWS())
	master, err := client.CreateKey(t.Context(), &awskms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	k := kms.New(client, aws.ToString(master.KeyMetadata.KeyId))
	key, wrapped, err := k.Generate(t.Context(), "vars")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seal.NewBox(key); err != nil || len(key) != seal.KeySize || bytes.Contains(wrapped, key) {
		t.Errorf("a key of %d bytes, %v", len(key), err)
	}
	other, _, err := k.Generate(t.Context(), "vars")
	if err != nil || bytes.Equal(key, other) {
		t.Errorf("the second key equals the first, or %v", err)
	}
	if got, err := k.Unwrap(t.Context(), wrapped, "vars"); err != nil || !bytes.Equal(got, key) {
		t.Errorf("unwrapped is another key, or %v", err)
	}
	for name, unwrap := range map[string]func() ([]byte, error){
		"another purpose": func() ([]byte, error) { return k.Unwrap(t.Context(), wrapped, "to") },
		"garbage":         func() ([]byte, error) { return k.Unwrap(t.Context(), []byte("garbage"), "vars") },
	} {
		if got, err := unwrap(); !errors.Is(err, seal.ErrOpen) || got != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if _, _, err := kms.New(client, "alias/none").Generate(t.Context(), "vars"); err == nil || errors.Is(err, seal.ErrOpen) {
		t.Errorf("a missing key: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Unwrap(ctx, wrapped, "vars"); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

// What KMS refuses for good is ErrOpen; what it refuses for now is not.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for code, open := range map[string]bool{
		"InvalidCiphertextException": true, "IncorrectKeyException": true,
		"DisabledException": false, "KMSInvalidStateException": false, "AccessDeniedException": false,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			var asked string
			client := awskms.New(awskms.Options{
				Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
				HTTPClient: doer(func(r *http.Request) (*http.Response, error) {
					body, err := io.ReadAll(r.Body)
					asked = string(body)
					return &http.Response{StatusCode: 400, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
						Body: io.NopCloser(strings.NewReader(`{"__type":"` + code + `","message":"no"}`))}, err
				}),
			})
			_, err := kms.New(client, "alias/mine").Unwrap(t.Context(), []byte("wrapped"), "vars")
			if err == nil || errors.Is(err, seal.ErrOpen) != open {
				t.Errorf("error is %v", err)
			}
			for _, part := range []string{`"KeyId":"alias/mine"`, `"EncryptionContext":{"purpose":"vars"}`} {
				if !strings.Contains(asked, part) {
					t.Errorf("%s is not in the request %s", part, asked)
				}
			}
		})
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }
