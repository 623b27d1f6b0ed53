package s3_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/opennotify/notify/deploy/emulators"
	"github.com/opennotify/notify/pkg/blob/blobtest"
	"github.com/opennotify/notify/pkg/blob/s3"
)

// MiniStack checks no signatures.
func TestMiniStack(t *testing.T) {
	t.Parallel()
	stack := emulators.Need(t, emulators.MiniStack)
	client := awss3.NewFromConfig(stack.AWS(), func(o *awss3.Options) { o.UsePathStyle = true })
	bucket := "test-" + strings.ToLower(rand.Text()[:10])
	if _, err := client.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	blobtest.Run(t, s3.Open(client, bucket, time.Now), blobtest.Features{})
}
