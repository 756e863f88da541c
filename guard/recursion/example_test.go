package recursion_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/outgoing"
	"github.com/lambdarmor/lambdarmor/guard/recursion"
	"github.com/lambdarmor/lambdarmor/guard/recursion/sqshops"
)

// An event of EventBridge that a chain of three functions has sent.
func ExampleLimit() {
	hello := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		return fmt.Appendf(nil, `"invocation %d"`, recursion.Hops(ctx)), nil
	})
	event := sample.Of(guard.EventBridge).Set("/detail/_hops", 3).Bytes()
	for _, limit := range []int{4, 3} {
		out, err := guard.Wrap(hello, recursion.Limit(limit)).Invoke(context.Background(), event)
		if err != nil {
			fmt.Println(guard.Public(err).Code)
			continue
		}
		fmt.Println(string(out))
	}
	// Output:
	// "invocation 4"
	// loop
}

// Each record of a batch has a counter of its own. Here the second one has come too far,
// and a sink for dead letters would take it.
func ExampleRecords() {
	book := func(ctx context.Context, m events.SQSMessage) error {
		fmt.Println(m.Body, recursion.Hops(ctx))
		return nil
	}
	h := guard.Wrap(batch.SQS(batch.Chain(book, recursion.Records[events.SQSMessage](8))))
	event := sample.Of(guard.SQS).Messages("first", "second").
		Set("/Records/1/messageAttributes", map[string]any{
			recursion.Attribute: map[string]string{"dataType": "Number", "stringValue": "8"},
		})
	out, err := h.Invoke(context.Background(), event.Bytes())
	fmt.Println(string(out), err)
	// Output:
	// first 1
	// {"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975830002"}]} <nil>
}

// A client of a service of one's own, and a client of SQS.
func Example() {
	web := &http.Client{Transport: outgoing.Transport(nil, outgoing.Hosts("stock.example.com"))}
	queue := sqs.NewFromConfig(aws.Config{Region: "eu-central-1"}, sqshops.Carry)
	forward := func(ctx context.Context, order string) error {
		if order == "" {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://stock.example.com/orders", nil)
			if err != nil {
				return err
			}
			resp, err := web.Do(req)
			if err != nil {
				return err
			}
			return resp.Body.Close()
		}
		_, err := queue.SendMessage(ctx, &sqs.SendMessageInput{
			QueueUrl:    aws.String("https://sqs.eu-central-1.amazonaws.com/123456789012/orders"),
			MessageBody: &order,
		})
		return err
	}
	_ = guard.Wrap(guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		return nil, forward(ctx, string(payload))
	}), recursion.Limit(8))
}
