// Command floor is the least that a function could be: the same SDK clients, and the two calls without
// which no request can be served (the key of the hashes from DynamoDB, unwrapped by KMS).
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func main() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		panic(err)
	}
	db, keys := dynamodb.NewFromConfig(cfg), kms.NewFromConfig(cfg)
	clients := []any{sqs.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg)}
	if _, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(os.Getenv("NOTIFY_TABLE")),
		Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "key"}, "sk": &types.AttributeValueMemberS{Value: "hmac"}}}); err != nil {
		panic(err)
	}
	if _, err := keys.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: []byte("wrapped")}); err != nil {
		panic(err)
	}
	lambda.Start(func(context.Context, json.RawMessage) (int, error) { return len(clients), nil })
}
