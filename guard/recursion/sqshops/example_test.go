package sqshops_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/recursion"
	"github.com/lambdarmor/lambdarmor/guard/recursion/sqshops"
)

// wire stands for SQS, and prints the counter that it is sent.
type wire struct{}

func (wire) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_, counter, _ := strings.Cut(string(body), `"lambdarmor.hops":`)
	counter, _, _ = strings.Cut(counter, "}")
	fmt.Println(counter + "}")
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(`{}`))}, nil
}

// The third invocation of a chain sends a message with the number 3.
func Example() {
	client := sqs.New(sqs.Options{
		Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: wire{}, DisableMessageChecksumValidation: true,
	}, sqshops.Carry)
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String("https://sqs.example.com/orders"), MessageBody: aws.String("KB-101")})
		return nil, err
	}), recursion.Limit(8))
	if _, err := h.Invoke(context.Background(), []byte(`{"_hops":2}`)); err != nil {
		fmt.Println(err)
	}
	// Output: {"DataType":"Number","StringValue":"3"}
}

// A consumer that passes messages on to another queue.
func ExampleCarry() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	client := sqs.NewFromConfig(cfg, sqshops.Carry)
	forward := func(ctx context.Context, m events.SQSMessage) error {
		_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(os.Getenv("NEXT_QUEUE")), MessageBody: &m.Body})
		return err
	}
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		return // not in Lambda
	}
	guard.Start(batch.SQS(batch.Chain(forward, recursion.Records[events.SQSMessage](8))), guard.Default(logging.New(os.Stdout)))
}

// Several messages in one call have the counter of the context that they are sent with.
func ExampleCarry_batch() {
	client := sqs.New(sqs.Options{Region: "eu-central-1"}, sqshops.Carry)
	_ = func(ctx context.Context, orders []string) error {
		in := &sqs.SendMessageBatchInput{QueueUrl: aws.String("https://sqs.eu-central-1.amazonaws.com/123456789012/orders")}
		for i, o := range orders {
			in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: &o})
		}
		out, err := client.SendMessageBatch(ctx, in)
		if err == nil && len(out.Failed) > 0 {
			err = guard.Errorf(guard.Unavailable, "orders_not_sent", "%d orders were not sent.", len(out.Failed))
		}
		return err
	}
}
