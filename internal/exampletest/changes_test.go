package exampletest_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// Changes of orders go through the stream, the binary of examples/changes, a bus and one of
// its rules to a queue.
func TestChangesOfATableReachARuleOfTheBus(t *testing.T) {
	t.Parallel()
	moto := servers.Moto(t).URL()
	cfg := awstest.Config(moto)
	cfg.Region = "us-east-1"
	bus, queues := eventbridge.NewFromConfig(cfg), queueClient(moto)
	const name = "orders-bus"
	if _, err := bus.CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String(name)}); err != nil {
		t.Fatal(err)
	}
	queue := awstest.Queue(t, queues, "", nil)
	attributes, err := queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &queue, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bus.PutRule(t.Context(), &eventbridge.PutRuleInput{
		Name: aws.String("paid"), EventBusName: aws.String(name),
		EventPattern: aws.String(`{"source":["shop.orders"],"detail-type":["Order Changed"],"detail":{"status":["paid"]}}`),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.PutTargets(t.Context(), &eventbridge.PutTargetsInput{
		Rule: aws.String("paid"), EventBusName: aws.String(name),
		Targets: []ebtypes.Target{{Id: aws.String("1"), Arn: aws.String(attributes.Attributes["QueueArn"])}},
	}); err != nil {
		t.Fatal(err)
	}

	fn := guardtest.Start(t, built.of(t, "examples/changes"), guardtest.Config{
		Timeout: 25 * time.Second, InitTimeout: patient,
		Env: []string{"BUS_NAME=" + name, "AWS_ENDPOINT_URL_EVENTBRIDGE=" + moto, "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret"},
	})
	s := stream.New(fn, stream.Config{
		Type: stream.DynamoDB, Name: "orders", ReportBatchItemFailures: true, MaximumRetryAttempts: new(3), Clock: source.NewClock(time.Now()),
	})
	const orders = 20
	for i := range orders {
		id := fmt.Sprint("o-", i)
		for _, status := range [][2]string{{"", "placed"}, {"placed", "paid"}, {"paid", "sent"}} {
			var c events.DynamoDBEventRecord
			c.Change.Keys = map[string]events.DynamoDBAttributeValue{"id": events.NewStringAttribute(id)}
			for image, text := range map[*map[string]events.DynamoDBAttributeValue]string{&c.Change.OldImage: status[0], &c.Change.NewImage: status[1]} {
				if text != "" {
					*image = map[string]events.DynamoDBAttributeValue{"id": events.NewStringAttribute(id), "status": events.NewStringAttribute(text)}
				}
			}
			s.PutChange(c)
		}
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Fatalf("%v; the function wrote\n%s", err, fn.Log())
	}
	if err := s.Ledger().Check(); err != nil {
		t.Error(err)
	}
	got := map[string]int{}
	for messages := awstest.Receive(t, queues, queue); len(messages) > 0; messages = awstest.Receive(t, queues, queue) {
		for _, m := range messages {
			var event struct {
				Source string
				Detail struct{ Order, Status, StatusBefore string }
			}
			if err := json.Unmarshal([]byte(*m.Body), &event); err != nil {
				t.Fatalf("%s: %v", *m.Body, err)
			}
			if event.Source != "shop.orders" || event.Detail.Status != "paid" || event.Detail.StatusBefore != "placed" {
				t.Errorf("got the event %s, want that of a payment", *m.Body)
			}
			got[event.Detail.Order]++
		}
	}
	for i := range orders {
		if n := got[fmt.Sprint("o-", i)]; n != 1 {
			t.Errorf("order %d: got %d events, want 1", i, n)
		}
	}
}
