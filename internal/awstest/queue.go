package awstest

import (
	"crypto/rand"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// SQS returns a real client for the server at a URL.
func SQS(url string) *sqs.Client { return sqs.NewFromConfig(Config(url)) }

// S3 returns a real client for the server at a URL, which has no name for each
// bucket.
func S3(url string) *s3.Client {
	return s3.NewFromConfig(Config(url), func(o *s3.Options) { o.UsePathStyle = true })
}

// Queue makes a queue of this test and returns its URL. It is a FIFO queue if the
// suffix is ".fifo".
func Queue(t testing.TB, client *sqs.Client, suffix string, attributes map[string]string) (url string) {
	t.Helper()
	in := &sqs.CreateQueueInput{QueueName: aws.String("q-" + rand.Text() + suffix), Attributes: map[string]string{}}
	for name, value := range attributes {
		in.Attributes[name] = value
	}
	if suffix == ".fifo" {
		in.Attributes["FifoQueue"] = "true"
	}
	out, err := client.CreateQueue(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.QueueUrl
}

// Receive returns up to ten messages that are visible now, with all that they have.
func Receive(t testing.TB, client *sqs.Client, url string) []types.Message {
	t.Helper()
	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Messages
}

// Bucket makes a bucket of this test and returns its name.
func Bucket(t testing.TB, client *s3.Client) string {
	t.Helper()
	name := "b-" + strings.ToLower(rand.Text())
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket:                    &name,
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-central-1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// Objects returns what is in a bucket, by key.
func Objects(t testing.TB, client *s3.Client, bucket string) map[string]string {
	t.Helper()
	objects := map[string]string{}
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: o.Key})
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(out.Body)
			_ = out.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			objects[*o.Key] = string(body)
		}
	}
	return objects
}
