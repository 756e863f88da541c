package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
)

// recorder is a function that keeps its events. It answers with what answer says.
type recorder struct {
	events [][]byte
	answer func(event []byte) (string, error)
}

func (r *recorder) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	r.events = append(r.events, slices.Clone(payload))
	if r.answer == nil {
		return nil, nil
	}
	answer, err := r.answer(payload)
	return []byte(answer), err
}

func record(cfg stream.Config, r *recorder) *stream.Stream {
	if cfg.Clock == nil {
		cfg.Clock = source.NewClock(began)
	}
	return stream.New(guardtest.NewInProcess(r, guardtest.Config{}), cfg)
}

func attribute(text string) events.DynamoDBAttributeValue { return events.NewStringAttribute(text) }

func item(id, status string) map[string]events.DynamoDBAttributeValue {
	return map[string]events.DynamoDBAttributeValue{"id": attribute(id), "status": attribute(status)}
}

func change(id string, before, after string) (c events.DynamoDBEventRecord) {
	c.Change.Keys = map[string]events.DynamoDBAttributeValue{"id": attribute(id)}
	if before != "" {
		c.Change.OldImage = item(id, before)
	}
	if after != "" {
		c.Change.NewImage = item(id, after)
	}
	return c
}

// members are the names of an event's members, without what the user puts into it.
func members(t *testing.T, event []byte) []string {
	t.Helper()
	var root any
	if err := json.Unmarshal(event, &root); err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	found := map[string]bool{}
	var walk func(pointer string, v any)
	walk = func(pointer string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, value := range v {
				switch name {
				case "Keys", "NewImage", "OldImage", "headers":
					value = nil
				}
				walk(pointer+"/"+name, value)
			}
		case []any:
			for i, value := range v {
				walk(fmt.Sprintf("%s/%d", pointer, i), value)
			}
		default:
			found[pointer] = true
		}
	}
	walk("", root)
	return slices.Sorted(maps.Keys(found))
}

func TestTheEventsHaveTheFormOfAWS(t *testing.T) {
	order := `{"customer":"c-42"}`
	for _, tc := range []struct {
		cfg  stream.Config
		put  func(s *stream.Stream)
		want sample.Event
	}{
		{cfg: stream.Config{}, put: func(s *stream.Stream) { s.Put("c-42", []byte(order)) }, want: sample.Of(guard.Kinesis)},
		{
			cfg: stream.Config{Type: stream.DynamoDB}, put: func(s *stream.Stream) { s.PutChange(change("42", "", "placed")) },
			want: sample.Of(guard.DynamoDB),
		},
		{
			cfg: stream.Config{Type: stream.DynamoDB}, put: func(s *stream.Stream) { s.PutChange(change("42", "placed", "paid")) },
			want: sample.Of(guard.DynamoDB, "modify"),
		},
		{cfg: stream.Config{Type: stream.Kafka, Name: "orders"}, put: func(s *stream.Stream) { s.Put("c-42", []byte(order)) }, want: sample.Of(guard.Kafka)},
	} {
		r := &recorder{}
		s := record(tc.cfg, r)
		tc.put(s)
		drainStream(t, s)
		if got, want := members(t, r.events[0]), members(t, tc.want.Bytes()); !slices.Equal(got, want) {
			t.Errorf("%s: the event has the members\n%s\nwant\n%s", tc.cfg.Type, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestTheNameOfAChangeIsThatOfItsImages(t *testing.T) {
	r := &recorder{}
	s := record(stream.Config{Type: stream.DynamoDB, Name: "orders"}, r)
	s.PutChange(change("1", "", "placed"))
	s.PutChange(change("1", "placed", "paid"))
	s.PutChange(change("1", "paid", ""))
	byTTL := change("2", "paid", "")
	byTTL.UserIdentity = &events.DynamoDBUserIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
	s.PutChange(byTTL)
	drainStream(t, s)
	var event events.DynamoDBEvent
	if err := json.Unmarshal(r.events[0], &event); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range event.Records {
		names = append(names, r.EventName)
	}
	if want := []string{"INSERT", "MODIFY", "REMOVE", "REMOVE"}; !slices.Equal(names, want) {
		t.Errorf("got the changes %q, want %q", names, want)
	}
	if last := event.Records[3]; last.UserIdentity == nil || last.Change.SequenceNumber <= event.Records[2].Change.SequenceNumber {
		t.Errorf("got %+v, want the user identity, and a sequence number that rises", last)
	}
}

// A topic has a checkpoint for each partition.
func TestKafkaPartitionsFailAlone(t *testing.T) {
	r := &recorder{}
	first := true
	r.answer = func(event []byte) (string, error) {
		var e events.KafkaEvent
		if err := json.Unmarshal(event, &e); err != nil {
			return "", err
		}
		if !first {
			return `{"batchItemFailures":[]}`, nil
		}
		first = false
		p := e.Records["orders-1"]
		return fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":{"partition":"orders-1","offset":%d}},{"itemIdentifier":{"partition":"orders-1","offset":%d}}]}`,
			p[len(p)-1].Offset, p[1].Offset), nil
	}
	s := record(stream.Config{Type: stream.Kafka, Name: "orders", Shards: 3, ReportBatchItemFailures: true}, r)
	count := map[string]int{}
	for i := range 60 {
		id := s.Put(fmt.Sprintf("key-%d", i), []byte("0"))
		count[id[:len("orders-0")]]++
	}
	drainStream(t, s)
	var batches []events.KafkaEvent
	for _, text := range r.events {
		var e events.KafkaEvent
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatal(err)
		}
		batches = append(batches, e)
	}
	if len(batches) != 2 || len(batches[0].Records) != 3 || len(batches[1].Records) != 1 {
		t.Fatalf("got %d batches, want one of three partitions and one of the partition that failed", len(batches))
	}
	if again := batches[1].Records["orders-1"]; len(again) != count["orders-1"]-1 || again[0].Offset != 1 {
		t.Errorf("%d records came again from offset %d, want %d from 1", len(again), again[0].Offset, count["orders-1"]-1)
	}
	if err := s.Ledger().Check(); err != nil {
		t.Error(err)
	}
	if done := s.Ledger().Counts().Done; done != 60 {
		t.Errorf("%d records are done, want 60", done)
	}
}

// A text is no identifier of Kafka, nor is an object with a topic.
func TestWhatIdentifiesARecordOfKafka(t *testing.T) {
	for _, tc := range []struct {
		identifier string
		whole      bool
	}{
		{identifier: `{"partition":"orders-0","offset":1}`},
		{identifier: `{"partition":"orders-0","offset":"1"}`, whole: true},
		{identifier: `{"topic":"orders","partition":0,"offset":1}`, whole: true},
		{identifier: `{"partition":"orders-0"}`, whole: true},
		{identifier: `{"partition":"orders-0","offset":7}`, whole: true},
		{identifier: `{"Partition":"orders-0","Offset":1}`, whole: true},
		{identifier: `"orders-0-1"`, whole: true},
		{identifier: `null`, whole: true},
	} {
		r := &recorder{answer: func([]byte) (string, error) {
			return `{"batchItemFailures":[{"itemIdentifier":` + tc.identifier + `}]}`, nil
		}}
		s := record(stream.Config{Type: stream.Kafka, Name: "orders", ReportBatchItemFailures: true, MaximumRetryAttempts: new(0)}, r)
		s.Put("k", []byte("0"))
		s.Put("k", []byte("1"))
		drainStream(t, s)
		want := 1
		if tc.whole {
			want = 0
		}
		if done := s.Ledger().Counts().Done; done != want {
			t.Errorf("%s: %d records are done, want %d", tc.identifier, done, want)
		}
	}
}

func TestTheMessageAboutRecordsThatAreGivenUp(t *testing.T) {
	failing := func([]byte) (string, error) { return "", errors.New("no") }
	for _, tc := range []struct {
		name   string
		cfg    stream.Config
		answer func([]byte) (string, error)
		put    func(*stream.Stream)
		want   string
	}{
		{
			name: "Kinesis", cfg: stream.Config{Name: "orders", FunctionARN: "arn:aws:lambda:us-east-1:123456789012:function:book"},
			answer: failing, put: func(s *stream.Stream) { s.Put("k", []byte("0")); s.Put("k", []byte("1")) },
			want: `{"requestContext":{"requestId":"","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:book","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},
				"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2026-12-01T09:00:00.500Z",
				"KinesisBatchInfo":{"shardId":"shardId-000000000000","startSequenceNumber":"49590338271490256608559692538361571095921575000000000001",
				"endSequenceNumber":"49590338271490256608559692538361571095921575000000000002","approximateArrivalOfFirstRecord":"2026-12-01T09:00:00.000Z",
				"approximateArrivalOfLastRecord":"2026-12-01T09:00:00.000Z","batchSize":2,"streamArn":"arn:aws:kinesis:us-east-1:123456789012:stream/orders"}}`,
		},
		{
			name: "DynamoDB, of a record that the answer names", cfg: stream.Config{Type: stream.DynamoDB, Name: "orders", ReportBatchItemFailures: true},
			answer: func([]byte) (string, error) {
				return `{"batchItemFailures":[{"itemIdentifier":"4421584500000000000000001"}]}`, nil
			},
			put: func(s *stream.Stream) { s.PutChange(change("42", "", "placed")) },
			want: `{"requestContext":{"requestId":"","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:function","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},
				"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":null},"version":"1.0","timestamp":"2026-12-01T09:00:00.500Z",
				"DDBStreamBatchInfo":{"shardId":"shardId-00000001584040590390-00000000","startSequenceNumber":"4421584500000000000000001","endSequenceNumber":"4421584500000000000000001",
				"approximateArrivalOfFirstRecord":"2026-12-01T09:00:00Z","approximateArrivalOfLastRecord":"2026-12-01T09:00:00Z","batchSize":1,
				"streamArn":"arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2020-03-01T00:00:00.000"}}`,
		},
		{
			name: "Kafka", cfg: stream.Config{Type: stream.Kafka, Name: "orders"},
			answer: failing, put: func(s *stream.Stream) { s.Put("k", []byte("0")); s.Put("k", []byte("1")) },
			want: `{"requestContext":{"requestId":"","functionArn":"arn:aws:lambda:us-east-1:123456789012:function:function","condition":"RetryAttemptsExhausted","approximateInvokeCount":2},
				"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"version":"1.0","timestamp":"2026-12-01T09:00:00.500Z",
				"KafkaBatchInfo":{"batchSize":2,"eventSourceArn":"arn:aws:kafka:us-east-1:123456789012:cluster/shop/751d2973-a626-431c-9d4e-d7975eb44dd7-2",
				"bootstrapServers":"b-1.shop.a1bcde.c1.kafka.us-east-1.amazonaws.com:9092","payloadSize":517,
				"recordsInfo":{"orders-0":{"firstRecordOffset":"0","lastRecordOffset":"1","firstRecordTimestamp":"2026-12-01T09:00:00.000Z","lastRecordTimestamp":"2026-12-01T09:00:00.000Z"}}}}`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &recorder{answer: tc.answer}
			var message []byte
			tc.cfg.MaximumRetryAttempts = new(1)
			tc.cfg.OnFailure = toDeadQueue(func(m []byte) { message = m })
			s := record(tc.cfg, r)
			tc.put(s)
			drainStream(t, s)
			checkMessage(t, message, tc.want)
		})
	}
}

// The object in a bucket has the event besides.
func TestTheObjectAboutRecordsThatAreGivenUpHasThem(t *testing.T) {
	r := &recorder{answer: func([]byte) (string, error) { return "", errors.New("no") }}
	var object struct {
		Payload          json.RawMessage
		KinesisBatchInfo struct{ BatchSize int }
	}
	key := ""
	s := record(stream.Config{MaximumRetryAttempts: new(0), OnFailure: source.To("arn:aws:s3:::dead", func(l source.Letter) error {
		key = l.Key
		return json.Unmarshal([]byte(l.Body), &object)
	})}, r)
	s.Put("k", []byte("<a&b>"))
	drainStream(t, s)
	if string(object.Payload) != string(r.events[0]) || object.KinesisBatchInfo.BatchSize != 1 {
		t.Errorf("got the payload %s, want %s", object.Payload, r.events[0])
	}
	if want := regexp.MustCompile(`^aws/lambda/[0-9a-f-]{36}/shardId-000000000000/2026/12/01/2026-12-01T09\.00\.00-[0-9a-f-]{36}$`); !want.MatchString(key) {
		t.Errorf("the object is named %q, want %s", key, want)
	}
}

// What the destination does not take is lost.
func TestADestinationThatFailsLosesRecords(t *testing.T) {
	r := &recorder{answer: func([]byte) (string, error) { return "", errors.New("no") }}
	s := record(stream.Config{MaximumRetryAttempts: new(0), OnFailure: source.To("arn:aws:sqs:us-east-1:123456789012:dead", func(source.Letter) error {
		return errors.New("access denied")
	})}, r)
	id := s.Put("k", []byte("0"))
	drainStream(t, s)
	if entry, _ := s.Ledger().Entry(id); entry.Outcome != source.Dropped || !strings.Contains(entry.Reason, "access denied") {
		t.Errorf("got %+v, want it dropped and why", entry)
	}
}

// The destination can be a queue with a consumer of its own.
func TestTheDestinationIsAQueue(t *testing.T) {
	dead := queue.New(nil, queue.Config{Name: "dead"})
	r := &recorder{answer: func([]byte) (string, error) { return "", errors.New("no") }}
	s := record(stream.Config{MaximumRetryAttempts: new(0), OnFailure: dead.Target()}, r)
	s.Put("k", []byte("0"))
	drainStream(t, s)
	if waiting := dead.Ledger().Counts().Waiting; waiting != 1 {
		t.Errorf("%d messages are in the queue, want 1", waiting)
	}
}

// A function of one invocation at once is refused most batches of many shards. None uses
// up a retry.
func TestAReservedConcurrencyOfOneDeliversAll(t *testing.T) {
	fn := handlerFunc(func(context.Context, []byte) ([]byte, error) { runtime.Gosched(); return nil, nil })
	s := stream.New(source.ReservedConcurrency(guardtest.NewInProcess(fn, guardtest.Config{}), 1), stream.Config{
		Shards: 8, BatchSize: 5, MaximumRetryAttempts: new(0), Clock: source.NewClock(began),
	})
	for i := range 400 {
		s.Put(fmt.Sprint(i), []byte("0"))
	}
	drainStream(t, s)
	if counts := s.Ledger().Counts(); counts.Done != 400 {
		t.Errorf("got %+v, want all done", counts)
	}
}

func TestRetriesOfATopicWithADestinationEnd(t *testing.T) {
	r := &recorder{answer: func([]byte) (string, error) { return "", errors.New("no") }}
	s := record(stream.Config{Type: stream.Kafka, OnFailure: toDeadQueue(func([]byte) {})}, r)
	s.Put("k", []byte("0"))
	drainStream(t, s)
	if len(r.events) != 11 {
		t.Errorf("got %d deliveries, want 11: ten retries", len(r.events))
	}
}

func TestFiltersDecideWhatIsDelivered(t *testing.T) {
	for _, tc := range []struct {
		rule string
		cfg  stream.Config
		put  func(*stream.Stream)
		want int // delivered
	}{
		{
			rule: "Kinesis: the data, decoded as JSON",
			cfg:  stream.Config{Filter: pattern.MustFilter(pattern.Kinesis, `{"data":{"total":[{"numeric":[">",100]}]}}`)},
			put: func(s *stream.Stream) {
				s.Put("a", []byte(`{"total":101}`))
				s.Put("b", []byte(`{"total":100}`))
				s.Put("c", []byte(`no JSON`))
			},
			want: 1,
		},
		{
			rule: "DynamoDB: the change and its name",
			cfg:  stream.Config{Type: stream.DynamoDB, Filter: pattern.MustFilter(pattern.DynamoDB, `{"eventName":["MODIFY"],"dynamodb":{"NewImage":{"status":{"S":["paid"]}}}}`)},
			put: func(s *stream.Stream) {
				s.PutChange(change("1", "", "paid"))
				s.PutChange(change("1", "placed", "paid"))
				s.PutChange(change("1", "paid", "sent"))
			},
			want: 1,
		},
		{
			rule: "Kafka: the value",
			cfg:  stream.Config{Type: stream.Kafka, Filter: pattern.MustFilter(pattern.Kafka, `{"value":{"total":[101]}}`, `{"value":{"gift":[true]}}`)},
			put: func(s *stream.Stream) {
				s.Put("a", []byte(`{"total":101}`))
				s.Put("b", []byte(`{"total":100}`))
				s.Put("b", []byte(`{"gift":true}`))
			},
			want: 2,
		},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			tc.cfg.BatchSize = 1
			r := &recorder{}
			s := record(tc.cfg, r)
			tc.put(s)
			drainStream(t, s)
			counts := s.Ledger().Counts()
			if len(r.events) != tc.want || counts.Done != tc.want || counts.Filtered != 3-tc.want {
				t.Errorf("got %d events and %+v, want %d delivered and the others filtered", len(r.events), counts, tc.want)
			}
			if err := s.Ledger().Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A hundred records of 100 kB are 13.4 MB in base64.
func TestAnEventHasAtMostSixMegabytes(t *testing.T) {
	r := &recorder{}
	s := record(stream.Config{BatchSize: 1000}, r)
	for range 100 {
		s.Put("k", make([]byte, 100_000))
	}
	drainStream(t, s)
	if len(r.events) != 3 {
		t.Errorf("got %d events, want 3", len(r.events))
	}
	for _, event := range r.events[:2] {
		if n := len(event); n > 6<<20 || n < 6<<20-134_000 {
			t.Errorf("an event has %d bytes, want as many records as there is room for", n)
		}
	}
}

// The names of a topic's partitions are in the event as well.
func TestAnEventOfATopicHasAtMostSixMegabytes(t *testing.T) {
	for size := 2_359_000; size < 2_359_150; size += 3 { // about 6 MiB in two records
		r := &recorder{}
		s := record(stream.Config{Type: stream.Kafka, Name: "orders", Shards: 2}, r)
		s.Put("c-1", make([]byte, size)) // into partition 0
		s.Put("c-2", make([]byte, size)) // and 1
		drainStream(t, s)
		if done := s.Ledger().Counts().Done; done != 2 {
			t.Fatalf("two records of %d bytes: got %d done in %d events, want both", size, done, len(r.events))
		}
		if n := len(r.events[0]); n > 6<<20 {
			t.Fatalf("an event has %d bytes", n)
		}
	}
}

// A Kinesis record may have 10 MiB, an invocation has at most 6.
func TestARecordThatFitsIntoNoEventIsGivenUp(t *testing.T) {
	r := &recorder{}
	var message []byte
	s := record(stream.Config{OnFailure: toDeadQueue(func(m []byte) { message = m })}, r)
	s.Put("k", []byte("before"))
	s.Put("k", make([]byte, 5<<20))
	s.Put("k", []byte("after"))
	drainStream(t, s)
	counts := s.Ledger().Counts()
	if counts.Done != 2 || counts.DeadLettered != 1 || !strings.Contains(string(message), `"condition":"MaximumPayloadSizeExceeded"`) {
		t.Errorf("got %+v and the message %s, want the large record given up", counts, message)
	}
	if strings.Contains(string(message), "responseContext") {
		t.Errorf("the message has the response of an invocation that was none: %s", message)
	}
}

func TestABatchWaitsForItsWindow(t *testing.T) {
	c := &consumer{answer: throwing()}
	s := newStream(c, stream.Config{BatchSize: 3, BatchWindow: time.Minute}, "a", "b", "c", "d")
	drainStream(t, s)
	checkBatches(t, c.batches, "a b c", "d")
	if got := []time.Duration{c.times[0].Sub(began), c.times[1].Sub(began)}; got[0] != 0 || got[1] != time.Minute {
		t.Errorf("the batches came after %v, want the full one at once and the other after a minute", got)
	}
}

// "The next window begins as soon as the previous function invocation completes."
func TestAWindowBeginsWhenTheLastInvocationHasEnded(t *testing.T) {
	c := &consumer{}
	c.answer = func(batch []events.KinesisEventRecord) (string, error) {
		if string(batch[0].Kinesis.Data) == "a" {
			c.clock.Advance(10 * time.Minute) // it takes that long
		}
		return "", nil
	}
	s := newStream(c, stream.Config{BatchSize: 3, BatchWindow: time.Minute}, "a", "b", "c", "d")
	drainStream(t, s)
	checkBatches(t, c.batches, "a b c", "d")
	if got := c.times[1].Sub(began); got != 11*time.Minute {
		t.Errorf("the second batch came after %s, want a minute after the first had ended", got)
	}
}

func TestWhereAMappingBegins(t *testing.T) {
	for _, tc := range []struct {
		name string
		cfg  stream.Config
		want []string
	}{
		{name: "the oldest record", want: []string{"early late new"}},
		{name: "the newest", cfg: stream.Config{StartingPosition: stream.Latest}, want: []string{"new"}},
		{name: "a time", cfg: stream.Config{StartingPosition: stream.AtTimestamp, StartingTimestamp: began.Add(time.Minute)}, want: []string{"late", "new"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &consumer{answer: throwing()}
			s := newStream(c, tc.cfg, "early")
			c.clock.Advance(time.Minute)
			s.Put("key", []byte("late"))
			if tc.cfg.StartingPosition != "" {
				drainStream(t, s) // it begins
			}
			s.Put("key", []byte("new"))
			drainStream(t, s)
			checkBatches(t, c.batches, tc.want...)
		})
	}
}

// A function that Lambda cannot call is no failed attempt.
func TestAThrottledBatchComesAgainWithoutARetry(t *testing.T) {
	r := &recorder{}
	fn := &throttled{Invoker: guardtest.NewInProcess(r, guardtest.Config{}), times: 20}
	s := stream.New(fn, stream.Config{MaximumRetryAttempts: new(0), Clock: source.NewClock(began)})
	id := s.Put("k", []byte("0"))
	drainStream(t, s)
	entry, _ := s.Ledger().Entry(id)
	if entry.Outcome != source.Done || len(r.events) != 1 {
		t.Errorf("got %+v after %d events, want it done", entry, len(r.events))
	}
}

type throttled struct {
	guardtest.Invoker
	times int
}

func (f *throttled) Do(ctx context.Context, call guardtest.Call) (guardtest.Result, error) {
	if f.times--; f.times >= 0 {
		return guardtest.Result{}, source.ErrThrottled
	}
	return f.Invoker.Do(ctx, call)
}

// When nobody waits any more, or the function is closed, records that were being delivered
// wait, and the next call delivers them.
func TestWhatIsInterruptedComesAgain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	blocked := true
	fn := guardtest.NewInProcess(handlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		if blocked {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return nil, nil
	}), guardtest.Config{Timeout: patient})
	s := stream.New(fn, stream.Config{MaximumRetryAttempts: new(0), Clock: source.NewClock(began)})
	s.Put("k", []byte("0"))
	if err := s.Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
	if counts := s.Ledger().Counts(); counts.Waiting != 1 {
		t.Errorf("got %+v, want one that waits", counts)
	}
	if err := s.Ledger().Check(); err == nil {
		t.Error("the ledger has nothing to say of a record that waits")
	}
	blocked = false
	drainStream(t, s)
	if counts := s.Ledger().Counts(); counts.Done != 1 {
		t.Errorf("got %+v, want one done", counts)
	}

	closed := stream.New(invokerFunc(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		return guardtest.Result{}, guardtest.ErrClosed
	}), stream.Config{Clock: source.NewClock(began)})
	closed.Put("k", []byte("0"))
	if err := closed.Drain(t.Context()); !errors.Is(err, guardtest.ErrClosed) {
		t.Errorf("Drain: got %v, want that the function is closed", err)
	}
	if err := closed.Run(t.Context()); !errors.Is(err, guardtest.ErrClosed) {
		t.Errorf("Run: got %v, want that the function is closed", err)
	}
}

type invokerFunc func(context.Context, guardtest.Call) (guardtest.Result, error)

func (f invokerFunc) Do(ctx context.Context, call guardtest.Call) (guardtest.Result, error) {
	return f(ctx, call)
}

// Without a Clock the pauses are real.
func TestAStreamInRealTime(t *testing.T) {
	tried := false
	r := &recorder{answer: func([]byte) (string, error) {
		if !tried {
			tried = true
			return "", errors.New("no")
		}
		return "", nil
	}}
	s := stream.New(guardtest.NewInProcess(r, guardtest.Config{}), stream.Config{})
	id := s.Put("k", []byte("0"))
	drainStream(t, s)
	entry, _ := s.Ledger().Entry(id)
	if len(entry.Deliveries) != 2 || entry.Deliveries[1].At.Sub(entry.Deliveries[0].At) < 500*time.Millisecond {
		t.Errorf("got %+v, want two deliveries half a second apart", entry.Deliveries)
	}
}

func TestWhatNoStreamCanBe(t *testing.T) {
	fn := guardtest.NewInProcess(&recorder{}, guardtest.Config{})
	for want, make := range map[string]func(){
		"needs a function":            func() { stream.New(nil, stream.Config{}) },
		`no Type "sqs"`:               func() { stream.New(fn, stream.Config{Type: "sqs"}) },
		"-1 Shards":                   func() { stream.New(fn, stream.Config{Shards: -1}) },
		"BatchSize of 10001":          func() { stream.New(fn, stream.Config{BatchSize: 10_001}) },
		"BatchWindow":                 func() { stream.New(fn, stream.Config{BatchWindow: time.Hour}) },
		"ParallelizationFactor of 11": func() { stream.New(fn, stream.Config{ParallelizationFactor: 11}) },
		"a topic has no":              func() { stream.New(fn, stream.Config{Type: stream.Kafka, ParallelizationFactor: 2}) },
		"MaximumRetryAttempts of -1":  func() { stream.New(fn, stream.Config{MaximumRetryAttempts: new(-1)}) },
		"MaximumRecordAge of 59s":     func() { stream.New(fn, stream.Config{MaximumRecordAge: 59 * time.Second}) },
		"Retention of -1ns":           func() { stream.New(fn, stream.Config{Retention: -1}) },
		"a queue, a topic or a bucket": func() {
			stream.New(fn, stream.Config{OnFailure: source.To("arn:aws:events:us-east-1:123456789012:event-bus/shop", func(source.Letter) error { return nil })})
		},
		`StartingPosition "NOW"`:    func() { stream.New(fn, stream.Config{StartingPosition: "NOW"}) },
		"needs a StartingTimestamp": func() { stream.New(fn, stream.Config{StartingPosition: stream.AtTimestamp}) },
		"PutChange":                 func() { stream.New(fn, stream.Config{Type: stream.DynamoDB}).Put("k", nil) },
		"have Put":                  func() { stream.New(fn, stream.Config{}).PutChange(change("1", "", "new")) },
		"has the Keys": func() {
			stream.New(fn, stream.Config{Type: stream.DynamoDB}).PutChange(events.DynamoDBEventRecord{})
		},
		"a key has 1 to 256": func() { stream.New(fn, stream.Config{}).Put("", nil) },
		"of UTF-8":           func() { stream.New(fn, stream.Config{}).Put("\xff", nil) },
		"the data is over":   func() { stream.New(fn, stream.Config{}).Put("k", make([]byte, 10<<20+1)) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "stream: ") || !strings.Contains(got, want) {
					t.Errorf("got the panic %q, want one that begins with source: and has %q", got, want)
				}
			}()
			make()
		}()
	}
}

// A record of exactly the maximum age is too old.
func TestTheAgeFromWhichARecordIsDiscarded(t *testing.T) {
	for _, tc := range []struct {
		age  time.Duration
		want source.Outcome
	}{
		{age: time.Minute - 1, want: source.Done},
		{age: time.Minute, want: source.Dropped},
	} {
		c := &consumer{answer: throwing()}
		s := newStream(c, stream.Config{MaximumRecordAge: time.Minute})
		id := s.Put("key", []byte("a"))
		c.clock.Advance(tc.age)
		drainStream(t, s)
		if entry, _ := s.Ledger().Entry(id); entry.Outcome != tc.want {
			t.Errorf("a record %s old is %s, want %s", tc.age, entry.Outcome, tc.want)
		}
	}
}

func TestEachBatchIsReported(t *testing.T) {
	var got []string
	c := &consumer{answer: reporting("b")}
	s := newStream(c, stream.Config{
		ReportBatchItemFailures: true, MaximumRetryAttempts: new(1), CountOnly: true,
		OnBatch: func(r source.BatchReport) { got = append(got, fmt.Sprint(r.Number, r.Messages, r.Failed, r.Err)) },
	}, "a", "b", "c")
	drainStream(t, s)
	if want := []string{"1 3 2 <nil>", "2 2 2 <nil>", "3 2 2 <nil>"}; !slices.Equal(got, want) {
		t.Errorf("got the reports %q, want %q", got, want)
	}
	if left := s.Ledger().Entries(); len(left) != 2 || s.Ledger().Counts().Done != 1 {
		t.Errorf("the ledger has %d entries, want the two that are dropped", len(left))
	}
}
