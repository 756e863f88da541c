package s3dead_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/s3dead"
	"github.com/lambdarmor/lambdarmor/guard/batch/sqsdead"
)

// inMemory stands for a client of AWS, s3.NewFromConfig(cfg).
type inMemory map[string][]byte

func (m inMemory) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	body, err := io.ReadAll(in.Body)
	m[*in.Key] = body
	return new(s3.PutObjectOutput), err
}

// A dead letter is one object, and is read back with json.Unmarshal.
func Example() {
	bucket := inMemory{}
	sink := s3dead.New(bucket, "dead-letters", s3dead.Prefix("orders/"))
	err := sink.Send(context.Background(), batch.DeadLetter{
		Trigger: guard.SQS, Source: "arn:aws:sqs:eu-central-1:111122223333:orders", ID: "059f36b4-87a3-44ab-83d2-661975830001",
		Record: json.RawMessage(`{"body":"{\"sku\":\"XX-000\"}"}`), Code: "unknown_sku", FirstFailure: time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC),
	})
	if err != nil {
		log.Fatal(err)
	}
	for key, object := range bucket {
		var letter batch.DeadLetter
		if err := json.Unmarshal(object, &letter); err != nil {
			log.Fatal(err)
		}
		fmt.Println(key)
		fmt.Println(letter.Code, string(letter.Record))
	}
	// Output:
	// orders/2026/12/01/orders.e1d78ae457bb940b/059f36b4-87a3-44ab-83d2-661975830001.json
	// unknown_sku {"body":"{\"sku\":\"XX-000\"}"}
}

// A function that stores what can never succeed, in a bucket of its own account.
func ExampleNew() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	sink := s3dead.New(s3.NewFromConfig(cfg), os.Getenv("DEAD_LETTERS"), s3dead.BucketOwner("111122223333"))
	handle := func(context.Context, events.KinesisEventRecord) error { return nil }
	guard.Start(batch.Kinesis(handle, batch.DeadLetters(sink)))
}

// Dead letters go to a queue, and to a bucket if they are too large for that.
func ExampleNewPayloads() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	payloads := s3dead.NewPayloads(s3.NewFromConfig(cfg), os.Getenv("DEAD_PAYLOADS"))
	sink := sqsdead.New(sqs.NewFromConfig(cfg), os.Getenv("DEAD_LETTERS_URL"), sqsdead.Large(payloads))
	handle := func(context.Context, events.DynamoDBEventRecord) error { return nil }
	guard.Start(batch.DynamoDB(handle, batch.DeadLetters(sink)))
}
