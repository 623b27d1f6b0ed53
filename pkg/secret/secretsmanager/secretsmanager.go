package secretsmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/secret"
)

// Client is what a Vault uses of *secretsmanager.Client.
type Client interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	CreateSecret(context.Context, *secretsmanager.CreateSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.CreateSecretOutput, error)
	DeleteSecret(context.Context, *secretsmanager.DeleteSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DeleteSecretOutput, error)
	RestoreSecret(context.Context, *secretsmanager.RestoreSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.RestoreSecretOutput, error)
	DescribeSecret(context.Context, *secretsmanager.DescribeSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error)
}

// Options are what a Vault may have.
type Options struct {
	Stack string // in front of every name
	Key   string // id or ARN of a KMS key for new secrets; "" is the service's own
}

// Vault is a secret.Vault in Secrets Manager. It is safe for concurrent use.
type Vault struct {
	client Client
	opts   Options
}

var _ secret.Vault = (*Vault)(nil)

// Open makes a Vault. It asks for nothing yet.
func Open(client Client, opts Options) *Vault { return &Vault{client: client, opts: opts} }

// recoveryDays is how long a removed secret can be restored by hand: the shortest that there is.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
const recoveryDays = 7

// Get reads an account's secrets.
func (v *Vault) Get(ctx context.Context, name string) (map[string]message.Secret, error) {
	id := v.id(name)
	out, err := v.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: id})
	switch {
	case isMissing(err), err != nil && v.removed(ctx, id, err):
		return nil, secret.ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("secret: get %s: %w", name, err)
	}
	var plain map[string]string
	if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &plain) != nil { // its error would quote the secret
		return nil, fmt.Errorf("secret: get %s: it is not a JSON object of texts", name)
	}
	fields := make(map[string]message.Secret, len(plain))
	for k, s := range plain {
		fields[k] = message.Secret(s)
	}
	return fields, nil
}

// Put replaces an account's secrets; an empty map removes them.
func (v *Vault) Put(ctx context.Context, name string, fields map[string]message.Secret) error {
	id := v.id(name)
	var err error
	if len(fields) == 0 {
		err = v.remove(ctx, id)
	} else {
		err = v.write(ctx, id, fields)
	}
	if err != nil {
		return fmt.Errorf("secret: keep %s: %w", name, err)
	}
	return nil
}

func (v *Vault) write(ctx context.Context, id *string, fields map[string]message.Secret) error {
	plain := make(map[string]string, len(fields))
	for k, s := range fields {
		plain[k] = string(s)
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return errors.New("the fields cannot be written as JSON")
	}
	value := &secretsmanager.PutSecretValueInput{SecretId: id, SecretString: aws.String(string(text))}
	_, err = v.client.PutSecretValue(ctx, value)
	switch {
	case isMissing(err):
		in := &secretsmanager.CreateSecretInput{Name: id, SecretString: value.SecretString}
		if v.opts.Key != "" {
			in.KmsKeyId = &v.opts.Key
		}
		_, err = v.client.CreateSecret(ctx, in)
		var exists *types.ResourceExistsException // somebody else was faster
		if !errors.As(err, &exists) {
			return err
		}
	case err != nil && v.removed(ctx, id, err):
		if _, err := v.client.RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: id}); err != nil {
			return err
		}
	default:
		return err
	}
	value.ClientRequestToken = nil // the SDK wrote the first call's here
	_, err = v.client.PutSecretValue(ctx, value)
	return err
}

func (v *Vault) remove(ctx context.Context, id *string) error {
	_, err := v.client.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: id, RecoveryWindowInDays: aws.Int64(recoveryDays)})
	if isMissing(err) || err != nil && v.removed(ctx, id, err) {
		return nil
	}
	return err
}

func (v *Vault) id(name string) *string { return aws.String(v.opts.Stack + "/accounts/" + name) }

func isMissing(err error) bool {
	var missing *types.ResourceNotFoundException
	return errors.As(err, &missing)
}

// removed tells whether a call failed because the secret is waiting for its deletion. The service has one
// exception for all that a secret's state forbids.
func (v *Vault) removed(ctx context.Context, id *string, err error) bool {
	var invalid *types.InvalidRequestException
	if !errors.As(err, &invalid) {
		return false
	}
	out, err := v.client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: id})
	return err == nil && out.DeletedDate != nil
}
