package largemessage_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/largemessage"
)

// objects stand for a client of AWS, s3.NewFromConfig(cfg).
type objects map[string]string

func (o objects) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(o[*in.Key]))}, nil
}

type order struct {
	SKU string `json:"sku"`
}

func Example() {
	client := objects{"9f86d081": `{"sku":"KB-101"}`}
	book := func(_ context.Context, o order) error {
		fmt.Println("book", o.SKU)
		return nil
	}
	handler := batch.SQS(batch.Chain(batch.JSON[events.SQSMessage](book), largemessage.Fetch(client, "order-payloads")))

	answer, err := handler.Invoke(context.Background(), []byte(`{"Records":[{
		"messageId": "059f36b4", "attributes": {"ApproximateReceiveCount": "1"},
		"body": "[\"software.amazon.payloadoffloading.PayloadS3Pointer\",{\"s3BucketName\":\"order-payloads\",\"s3Key\":\"9f86d081\"}]",
		"messageAttributes": {"ExtendedPayloadSize": {"dataType": "Number", "stringValue": "16"}},
		"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:orders"
	}]}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(answer))
	// Output:
	// book KB-101
	// {"batchItemFailures":[]}
}

// A pointer to a bucket that is not named is never followed.
func Example_foreignBucket() {
	fetch := largemessage.Fetch(objects{}, "order-payloads")
	handle := fetch(func(context.Context, events.SQSMessage) error { return nil })

	size := "16"
	err := handle(context.Background(), events.SQSMessage{
		Body:              `["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"payroll","s3Key":"2026"}]`,
		MessageAttributes: map[string]events.SQSMessageAttribute{"ExtendedPayloadSize": {DataType: "Number", StringValue: &size}},
	})
	fmt.Println(err)
	fmt.Println(guard.KindOf(err).Retryable())
	// Output:
	// foreign_bucket: The payload is in a bucket that is not allowed.
	// false
}

// Two buckets of one account, and payloads of at most 1 MiB.
func ExampleFetch() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fetch := largemessage.Fetch(s3.NewFromConfig(cfg), os.Getenv("PAYLOADS"),
		largemessage.Bucket(os.Getenv("PARTNER_PAYLOADS")),
		largemessage.BucketOwner("111122223333"),
		largemessage.MaxBytes(1<<20),
	)
	book := func(context.Context, order) error { return nil }
	guard.Start(batch.SQS(batch.Chain(batch.JSON[events.SQSMessage](book), fetch)))
}
