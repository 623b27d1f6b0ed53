// Package kms wraps data keys with a key of AWS KMS, which never leaves it. The purpose of a data key is
// its encryption context: CloudTrail shows it, and without it nothing is unwrapped.
package kms

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/opennotify/notify/pkg/seal"
)

// Keeper wraps data keys with one KMS key.
type Keeper struct {
	client *kms.Client
	key    string
}

var _ seal.Keeper = (*Keeper)(nil)

// New makes a keeper of the symmetric KMS key with that id, ARN or alias. It makes no call. The caller
// needs kms:GenerateDataKey and kms:Decrypt on it.
func New(client *kms.Client, key string) *Keeper { return &Keeper{client, key} }

// Generate makes a data key. Purposes are no secrets: KMS logs them in the clear.
func (k *Keeper) Generate(ctx context.Context, purpose string) (key, wrapped []byte, err error) {
	out, err := k.client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: aws.String(k.key), KeySpec: types.DataKeySpecAes256, EncryptionContext: bound(purpose),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("kms: generate data key: %w", err)
	}
	return out.Plaintext, out.CiphertextBlob, nil
}

// Unwrap opens a data key; [seal.ErrOpen] when it was changed, or made by another key or for another
// purpose. KMS may refuse for a time (throttling, a key that is disabled): those errors are its own.
func (k *Keeper) Unwrap(ctx context.Context, wrapped []byte, purpose string) ([]byte, error) {
	// Naming the key keeps somebody who can write to the store from having us use a key of theirs.
	out, err := k.client.Decrypt(ctx, &kms.DecryptInput{
		KeyId: aws.String(k.key), CiphertextBlob: wrapped, EncryptionContext: bound(purpose),
	})
	var (
		invalid *types.InvalidCiphertextException
		other   *types.IncorrectKeyException
	)
	switch {
	case errors.As(err, &invalid), errors.As(err, &other):
		return nil, fmt.Errorf("kms: unwrap data key: %w: %w", seal.ErrOpen, err)
	case err != nil:
		return nil, fmt.Errorf("kms: unwrap data key: %w", err)
	}
	return out.Plaintext, nil
}

func bound(purpose string) map[string]string { return map[string]string{"purpose": purpose} }
