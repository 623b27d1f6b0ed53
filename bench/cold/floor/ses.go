//go:build ses

package main

// With the client for mail, as the functions that send have it.
import _ "github.com/aws/aws-sdk-go-v2/service/sesv2"
