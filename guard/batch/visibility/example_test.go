package visibility_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/visibility"
)

// queue stands for a client of AWS, sqs.NewFromConfig(cfg).
type queue struct{}

func (queue) ChangeMessageVisibility(_ context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	fmt.Println(*in.QueueUrl, "in", in.VisibilityTimeout, "s")
	return new(sqs.ChangeMessageVisibilityOutput), nil
}

func Example() {
	later := visibility.New(queue{})
	message := events.SQSMessage{ReceiptHandle: "AQEB", EventSourceARN: "arn:aws:sqs:eu-central-1:111122223333:orders"}
	if err := later.Delay(context.Background(), message, 90*time.Second); err != nil {
		log.Fatal(err)
	}
	// Output: https://sqs.eu-central-1.amazonaws.com/111122223333/orders in 90 s
}

// A message that fails is tried again after 10 s, then after 20 s, and so on.
func ExampleNew() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	later := visibility.New(sqs.NewFromConfig(cfg))
	book := func(context.Context, events.SQSMessage) error {
		return &guard.Error{Kind: guard.Unavailable, RetryAfter: time.Minute} // this time after a minute
	}
	guard.Start(batch.SQS(book, batch.RetryLater(later, batch.Backoff(10*time.Second, time.Hour))))
}

// Where the ARN in the event is not that of the queue, as with a server for tests.
func ExampleQueueURL() {
	later := visibility.New(queue{}, visibility.QueueURL("http://127.0.0.1:9324/000000000000/orders"))
	err := later.Delay(context.Background(), events.SQSMessage{ReceiptHandle: "AQEB"}, 1500*time.Millisecond)
	if err != nil {
		log.Fatal(err)
	}
	// Output: http://127.0.0.1:9324/000000000000/orders in 2 s
}
