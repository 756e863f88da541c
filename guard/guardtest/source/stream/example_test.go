package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
)

// A reading that can never be booked does not hold the others up, and is not lost.
func ExampleNew() {
	type reading struct {
		Meter string  `json:"meter"`
		KWh   float64 `json:"kwh"`
	}
	consume := batch.Kinesis(batch.JSON[events.KinesisEventRecord](func(_ context.Context, r reading) error {
		if r.KWh < 0 {
			return errors.New("negative")
		}
		fmt.Println("booked", r.KWh)
		return nil
	}))
	clock := source.NewClock(time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC))
	dead := queue.New(nil, queue.Config{Name: "readings-dead", Clock: clock})
	s := stream.New(guardtest.NewInProcess(consume, guardtest.Config{}), stream.Config{
		Name:                       "readings",
		ReportBatchItemFailures:    true,
		BisectBatchOnFunctionError: true,
		MaximumRetryAttempts:       new(2),
		OnFailure:                  dead.Target(),
		Clock:                      clock,
	})
	s.Put("meter-1", []byte(`{"meter":"meter-1","kwh":1.5}`))
	s.Put("meter-1", []byte(`{"meter":"meter-1","kwh":-1}`))
	s.Put("meter-1", []byte(`{"meter":"meter-1","kwh":2.5}`))

	if err := s.Drain(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(s.Ledger().Check())
	counts := s.Ledger().Counts()
	fmt.Println(counts.Done, "done and", counts.DeadLettered, "discarded after", clock.Now().Format("15:04:05"))
	fmt.Println(dead.Ledger().Counts().Waiting, "message about it")
	// Output:
	// booked 1.5
	// booked 2.5
	// <nil>
	// 2 done and 1 discarded after 09:00:02
	// 1 message about it
}

// The mapping's filter decides which changes of a table are delivered.
func ExampleStream_PutChange() {
	paid := batch.DynamoDB(func(_ context.Context, change events.DynamoDBEventRecord) error {
		fmt.Println(change.EventName, change.Change.Keys["id"].String(), change.Change.NewImage["status"].String())
		return nil
	})
	s := stream.New(guardtest.NewInProcess(paid, guardtest.Config{}), stream.Config{
		Type:                    stream.DynamoDB,
		Name:                    "orders",
		ReportBatchItemFailures: true,
		Filter:                  pattern.MustFilter(pattern.DynamoDB, `{"dynamodb": {"NewImage": {"status": {"S": ["paid"]}}}}`),
		Clock:                   source.NewClock(time.Now()),
	})
	for _, status := range []string{"placed", "paid", "sent"} {
		var change events.DynamoDBEventRecord
		change.Change.Keys = map[string]events.DynamoDBAttributeValue{"id": events.NewStringAttribute("42")}
		change.Change.NewImage = map[string]events.DynamoDBAttributeValue{
			"id": events.NewStringAttribute("42"), "status": events.NewStringAttribute(status),
		}
		s.PutChange(change)
	}
	if err := s.Drain(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(s.Ledger().Counts().Filtered, "filtered")
	// Output:
	// INSERT 42 paid
	// 2 filtered
}

// A test of the binary that would be deployed. The ledger fails the test if a record is lost
// or overtakes another of its shard.
func ExampleStream_Drain() {
	_ = func(t *testing.T) {
		dead := queue.New(nil, queue.Config{Name: "readings-dead"})
		fn := guardtest.Start(t, guardtest.Build(t, "."), guardtest.Config{Instances: 8, Env: []string{"AWS_SAM_LOCAL=true"}})
		s := stream.New(fn, stream.Config{
			Shards:                  8,
			ReportBatchItemFailures: true,
			MaximumRetryAttempts:    new(3),
			MaximumRecordAge:        time.Hour,
			OnFailure:               dead.Target(),
			Clock:                   source.NewClock(time.Now()),
		})
		for i := range 10_000 {
			s.Put(fmt.Sprintf("meter-%d", i%100), fmt.Appendf(nil, `{"kwh":%d}`, i))
		}
		if err := s.Drain(t.Context()); err != nil {
			t.Fatalf("%v, and the function wrote\n%s", err, fn.Log())
		}
		if err := s.Ledger().Check(); err != nil {
			t.Error(err)
		}
		if discarded := s.Ledger().Entries(source.DeadLettered); len(discarded) > 0 {
			t.Errorf("records were discarded: %+v", discarded)
		}
	}
}

// A topic, whose partitions fail alone.
func ExampleStream_Put() {
	consume := batch.Kafka(func(_ context.Context, r events.KafkaRecord) error {
		if r.Offset == 0 && r.Partition == 1 {
			return guard.Errorf(guard.Unavailable, "warehouse_closed", "The warehouse is closed.")
		}
		return nil
	})
	topic := stream.New(guardtest.NewInProcess(consume, guardtest.Config{}), stream.Config{
		Type:                       stream.Kafka,
		Name:                       "orders",
		Shards:                     2,
		ReportBatchItemFailures:    true,
		BisectBatchOnFunctionError: true,
		MaximumRetryAttempts:       new(1),
		OnFailure: source.To("arn:aws:sns:us-east-1:123456789012:discarded", func(l source.Letter) error {
			var m struct {
				KafkaBatchInfo struct{ RecordsInfo json.RawMessage }
			}
			err := json.Unmarshal([]byte(l.Body), &m)
			fmt.Println(string(m.KafkaBatchInfo.RecordsInfo))
			return err
		}),
		Clock: source.NewClock(time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)),
	})
	for _, customer := range []string{"c-1", "c-2", "c-3"} {
		fmt.Println(topic.Put(customer, []byte(`{}`)))
	}
	if err := topic.Drain(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// orders-0-0
	// orders-1-0
	// orders-1-1
	// {"orders-1":{"firstRecordOffset":"0","lastRecordOffset":"0","firstRecordTimestamp":"2026-12-01T09:00:00.000Z","lastRecordTimestamp":"2026-12-01T09:00:00.000Z"}}
}
