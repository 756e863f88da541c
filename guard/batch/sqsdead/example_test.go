package sqsdead_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/s3dead"
	"github.com/lambdarmor/lambdarmor/guard/batch/sqsdead"
)

type order struct {
	SKU string `json:"sku"`
}

func book(context.Context, order) error {
	return guard.Errorf(guard.Unprocessable, "unknown_sku", "No such item.")
}

// queue stands for a client of AWS, sqs.NewFromConfig(cfg).
type queue struct{ messages []types.Message }

func (q *queue) SendMessage(_ context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	q.messages = append(q.messages, types.Message{Body: in.MessageBody, MessageAttributes: in.MessageAttributes})
	return new(sqs.SendMessageOutput), nil
}

// A function that sends what it cannot book to a dead-letter queue, with the reason.
func Example() {
	client := new(queue)
	sink := sqsdead.New(client, "https://sqs.eu-central-1.amazonaws.com/111122223333/orders-dead")
	handler := batch.SQS(batch.JSON[events.SQSMessage](book), batch.DeadLetters(sink))

	answer, err := handler.Invoke(context.Background(), []byte(`{"Records":[{
		"messageId": "059f36b4", "body": "{\"sku\":\"XX-000\"}", "attributes": {"ApproximateReceiveCount": "1"},
		"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:orders"
	}]}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(answer))
	for _, m := range client.messages {
		fmt.Println(*m.Body, *m.MessageAttributes["lambdarmor.code"].StringValue)
	}
	// Output:
	// {"batchItemFailures":[]}
	// {"sku":"XX-000"} unknown_sku
}

// Letters that are larger than a message go to a bucket.
func ExampleLarge() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	payloads := s3dead.NewPayloads(s3.NewFromConfig(cfg), os.Getenv("DEAD_PAYLOADS"))
	sink := sqsdead.New(sqs.NewFromConfig(cfg), os.Getenv("DEAD_LETTERS_URL"), sqsdead.Large(payloads))
	guard.Start(batch.SQS(batch.JSON[events.SQSMessage](book), batch.DeadLetters(sink)))
}

// A consumer of the dead-letter queue reads why a record is there.
func ExampleLetter() {
	client := new(queue)
	sink := sqsdead.New(client, "https://sqs.eu-central-1.amazonaws.com/111122223333/clicks-dead")
	err := sink.Send(context.Background(), batch.DeadLetter{
		Trigger: guard.Kinesis, Source: "arn:aws:kinesis:eu-central-1:111122223333:stream/clicks", ID: "4959033827149",
		Record: json.RawMessage(`{"eventSource":"aws:kinesis","kinesis":{"data":"e30="}}`),
		Code:   "malformed_json", LastFailure: time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC),
	})
	if err != nil {
		log.Fatal(err)
	}

	letter, ok, err := sqsdead.Letter(client.messages[0])
	if err != nil || !ok {
		log.Fatal(ok, err)
	}
	fmt.Println(letter.Trigger, letter.ID, letter.Code, letter.LastFailure)
	fmt.Println(string(letter.Record))
	// Output:
	// kinesis 4959033827149 malformed_json 2026-12-01 12:00:00 +0000 UTC
	// {"eventSource":"aws:kinesis","kinesis":{"data":"e30="}}
}
