// Package onlambda turns the events of AWS Lambda into what handlers take, and their answers back: HTTP in
// both of API Gateway's payload formats (Function URLs use the second), and SQS batches with partial
// responses. It knows no use case.
package onlambda
