// Package secretsmanager keeps providers' credentials in AWS Secrets Manager: one secret for each account,
// <stack>/accounts/<name>, a JSON object of its fields. It keeps no copy: whoever opens accounts does.
//
// A removed account's secret can be restored by hand for seven days; putting the name again replaces it.
//
// The caller needs secretsmanager:GetSecretValue, and to Put also CreateSecret, PutSecretValue, DeleteSecret,
// RestoreSecret and DescribeSecret, all on <stack>/accounts/*; kms:Decrypt and kms:GenerateDataKey on the key
// if there is one.
package secretsmanager
