package batch_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

func (j *journal) kinesis(_ context.Context, r events.KinesisEventRecord) error {
	j.add(r.Kinesis.SequenceNumber)
	return outcome(string(r.Kinesis.Data))
}

func TestAStreamStopsAtItsFirstFailure(t *testing.T) {
	for _, tc := range []struct {
		what     string
		options  []batch.Option
		records  []string
		ran      string
		failures string
	}{
		{what: "nothing failed", records: []string{"a=ok", "b=ok"}, ran: "1 2", failures: "none"},
		{what: "one failed", records: []string{"a=ok", "b=fail", "a=ok", "b=ok"}, ran: "1 2", failures: "2"},
		{what: "one panicked", records: []string{"a=panic", "b=ok"}, ran: "1", failures: "1"},
		{
			what: "the rest runs, but for the key that failed", options: []batch.Option{batch.ContinueAfterFailure()},
			records: []string{"a=ok", "b=fail", "a=ok", "b=ok", "c=panic", "a=ok"}, ran: "1 2 3 5 6", failures: "2 4 5",
		},
		{
			what: "a dead letter is done", options: []batch.Option{batch.DeadLetters(&sink{})},
			records: []string{"a=poison", "a=ok"}, ran: "1 2", failures: "none",
		},
		{
			what: "a dead letter that the sink refuses is a failure", options: []batch.Option{batch.DeadLetters(&sink{err: guard.Reason("full")})},
			records: []string{"a=ok", "a=poison", "a=ok"}, ran: "1 2", failures: "2",
		},
	} {
		t.Run(tc.what, func(t *testing.T) {
			var j journal
			if got := invoke(t, batch.Kinesis(j.kinesis, tc.options...), kinesis(tc.records...)); got != tc.failures {
				t.Errorf("got the failures %s, want %s", got, tc.failures)
			}
			if got := j.String(); got != tc.ran {
				t.Errorf("ran %s, want %s", got, tc.ran)
			}
		})
	}
}

// What comes before the first failure still runs, so that the stream gets as far as
// it can. What comes after it does not start.
func TestKeysSideBySideStopBehindAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		h := batch.Kinesis(func(ctx context.Context, r events.KinesisEventRecord) error {
			switch r.Kinesis.PartitionKey {
			case "slow":
				time.Sleep(3 * time.Second)
			case "bad":
				time.Sleep(time.Second)
			}
			return j.kinesis(ctx, r)
		}, batch.Concurrency(2))
		// 1 is running and 3 behind it while 4 fails.
		got := invoke(t, h, kinesis("slow=ok", "bad=ok", "slow=ok", "bad=fail", "other=ok", "slow=ok"))
		if ran := j.String(); got != "4" || ran != "2 4 1 3" {
			t.Errorf("ran %s, got the failures %s; want 2 4 1 3 and the failure 4", ran, got)
		}
	})
}

func TestOrderHoldsPerKeyAndPerItem(t *testing.T) {
	records := make([]string, 200)
	for i := range records {
		records[i] = fmt.Sprintf("k%d=%d", i%7, i/7)
	}
	next := map[string]int{}
	var j journal
	h := batch.Kinesis(func(_ context.Context, r events.KinesisEventRecord) error {
		j.mu.Lock()
		defer j.mu.Unlock()
		key := r.Kinesis.PartitionKey
		if got := string(r.Kinesis.Data); got != fmt.Sprint(next[key]) {
			t.Errorf("key %s: got %s, want %d", key, got, next[key])
		}
		next[key]++
		return nil
	}, batch.Concurrency(5))
	if got := invoke(t, h, kinesis(records...)); got != "none" {
		t.Errorf("got the failures %s, want none", got)
	}

	e := sample.Of(guard.DynamoDB).Repeat(4)
	for i, id := range []string{"a", "b", "a", "b"} {
		e = e.Set(fmt.Sprintf("/Records/%d/dynamodb/Keys", i), map[string]any{"id": map[string]string{"S": id}}).
			Set(fmt.Sprintf("/Records/%d/dynamodb/SequenceNumber", i), fmt.Sprint(i+1))
	}
	var ran journal
	changes := batch.DynamoDB(func(_ context.Context, r events.DynamoDBEventRecord) error {
		ran.add(r.Change.SequenceNumber)
		if r.Change.SequenceNumber == "1" {
			return outcome("fail")
		}
		return nil
	}, batch.ContinueAfterFailure())
	if got := invoke(t, changes, e.Bytes()); got != "1 3" || ran.String() != "1 2 4" {
		t.Errorf("ran %s, got the failures %s; want 1 2 4 and 1 3", &ran, got)
	}
}

// All that is not done is listed: AWS says that Lambda retries only the failed
// records, and not that it continues from the first one, as for Kinesis.
func TestAPartitionOfKafkaStopsAlone(t *testing.T) {
	record := func(partition, offset int, body string) string {
		return fmt.Sprintf(`{"topic":"t","partition":%d,"offset":%d,"timestamp":1584040590390,"value":%q}`, partition, offset, body)
	}
	payload := `{"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:us-east-1:123456789012:cluster/shop/x","records":{` +
		`"t-1":[` + record(1, 7, "ok") + `,` + record(1, 8, "ok") + `],` +
		`"t-0":[` + record(0, 3, "ok") + `,` + record(0, 4, "fail") + `,` + record(0, 5, "ok") + `]}}`
	for _, concurrency := range []int{1, 3} {
		var j journal
		h := batch.Kafka(func(ctx context.Context, r events.KafkaRecord) error {
			info, _ := batch.RecordFrom(ctx)
			j.add(info.ID)
			return outcome(r.Value)
		}, batch.Concurrency(concurrency))
		if got, want := invoke(t, h, []byte(payload)), `{"partition":"t-0","offset":4} {"partition":"t-0","offset":5}`; got != want {
			t.Errorf("got the failures %s, want %s", got, want)
		}
		if ran := j.String(); strings.Contains(ran, "t-0:5") || !strings.Contains(ran, "t-1:8") {
			t.Errorf("ran %s, want all but t-0:5", ran)
		}
	}
}
