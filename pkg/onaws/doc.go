// Package onaws makes the Backend of a Lambda function from its environment: DynamoDB, SQS, KMS, Secrets
// Manager. AWS_ENDPOINT_URL is honoured, so the same code runs against an emulator.
package onaws
