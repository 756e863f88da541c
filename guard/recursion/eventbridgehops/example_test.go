package eventbridgehops_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/recursion"
	"github.com/lambdarmor/lambdarmor/guard/recursion/eventbridgehops"
)

// wire stands for EventBridge, and prints the details that it is sent.
type wire struct{}

func (wire) Do(r *http.Request) (*http.Response, error) {
	var in struct{ Entries []struct{ Detail string } }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	for _, e := range in.Entries {
		fmt.Println(e.Detail)
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"FailedEntryCount":0}`))}, nil
}

// The third invocation of a chain puts an event with the number 3.
func Example() {
	client := eventbridge.New(eventbridge.Options{
		Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: wire{},
	}, eventbridgehops.Carry)
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		_, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
			Source: aws.String("shop"), DetailType: aws.String("OrderPlaced"), Detail: aws.String(`{"order":42}`),
		}}})
		return nil, err
	}), recursion.Limit(8))
	if _, err := h.Invoke(context.Background(), []byte(`{"detail-type":"OrderPaid","source":"shop","detail":{"_hops":2}}`)); err != nil {
		fmt.Println(err)
	}
	// Output: {"_hops":3,"order":42}
}

// A function behind a rule that puts events to the same bus. If the rule matches those
// too, by mistake, the loop ends.
func ExampleCarry() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	client := eventbridge.NewFromConfig(cfg, eventbridgehops.Carry)
	book := guard.Func(func(ctx context.Context, in events.EventBridgeEvent) (struct{}, error) {
		_, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
			Source: aws.String("shop"), DetailType: aws.String("OrderBooked"), Detail: aws.String(string(in.Detail)),
		}}})
		return struct{}{}, err
	})
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		return // not in Lambda
	}
	guard.Start(book, guard.Default(logging.New(os.Stdout)), recursion.Limit(8))
}

// A detail can be passed on as it was received: its counter is replaced.
func ExampleCarry_passOn() {
	client := eventbridge.New(eventbridge.Options{
		Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: wire{},
	}, eventbridgehops.Carry)
	h := guard.Wrap(guard.Func(func(ctx context.Context, in events.EventBridgeEvent) (struct{}, error) {
		_, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
			Source: &in.Source, DetailType: &in.DetailType, Detail: aws.String(string(in.Detail)),
		}}})
		return struct{}{}, err
	}), recursion.Limit(8))
	if _, err := h.Invoke(context.Background(), []byte(`{"detail-type":"OrderPaid","source":"shop","detail":{"order":42,"_hops":2}}`)); err != nil {
		fmt.Println(err)
	}
	// Output: {"_hops":3,"order":42}
}
