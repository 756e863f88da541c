package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
)

// patient is more than anything takes that works.
const patient = 2 * time.Minute

// began is when the streams of these tests begin.
var began = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

// A consumer is a function that reads a Kinesis stream. Its records are texts.
type consumer struct {
	// answer is called with the texts of a batch, one batch at a time.
	answer func(batch []events.KinesisEventRecord) (string, error)

	mu      sync.Mutex
	batches [][]string
	times   []time.Time
	clock   *source.Clock
}

func (c *consumer) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var event events.KinesisEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batches = append(c.batches, texts(event.Records))
	c.times = append(c.times, c.clock.Now())
	answer, err := c.answer(event.Records)
	return []byte(answer), err
}

func texts(batch []events.KinesisEventRecord) (all []string) {
	for _, r := range batch {
		all = append(all, string(r.Kinesis.Data))
	}
	return all
}

// reporting answers that the records with a text failed.
func reporting(failed ...string) func([]events.KinesisEventRecord) (string, error) {
	return func(batch []events.KinesisEventRecord) (string, error) {
		items := []string{}
		for _, r := range batch {
			if slices.Contains(failed, string(r.Kinesis.Data)) {
				items = append(items, fmt.Sprintf(`{"itemIdentifier":%q}`, r.Kinesis.SequenceNumber))
			}
		}
		return `{"batchItemFailures":[` + strings.Join(items, ",") + `]}`, nil
	}
}

// throwing fails for a batch that has one of the texts.
func throwing(failed ...string) func([]events.KinesisEventRecord) (string, error) {
	return func(batch []events.KinesisEventRecord) (string, error) {
		for _, text := range texts(batch) {
			if slices.Contains(failed, text) {
				return "", errors.New("no")
			}
		}
		return "null", nil
	}
}

// newStream puts records into a stream of one key.
func newStream(c *consumer, cfg stream.Config, records ...string) *stream.Stream {
	c.clock = source.NewClock(began)
	cfg.Clock = c.clock
	s := stream.New(guardtest.NewInProcess(c, guardtest.Config{}), cfg)
	for _, text := range records {
		s.Put("key", []byte(text))
	}
	return s
}

func drainStream(t *testing.T, s *stream.Stream) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	if err := s.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}

func toDeadQueue(take func(message []byte)) source.Target {
	return source.To("arn:aws:sqs:us-east-1:123456789012:dead", func(l source.Letter) error { take([]byte(l.Body)); return nil })
}

func toBucket(take func(object []byte)) source.Target {
	return source.To("arn:aws:s3:::dead", func(l source.Letter) error { take([]byte(l.Body)); return nil })
}

func checkBatches(t *testing.T, got [][]string, want ...string) {
	t.Helper()
	var lines []string
	for _, batch := range got {
		lines = append(lines, strings.Join(batch, " "))
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got the batches\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

// Each rule of a failed or partly failed batch, with three records and one retry.
func TestWhatComesAgainAfterAFailure(t *testing.T) {
	first := func(items string) func([]events.KinesisEventRecord) (string, error) {
		return func(batch []events.KinesisEventRecord) (string, error) {
			return strings.ReplaceAll(items, "SEQUENCE", batch[0].Kinesis.SequenceNumber), nil
		}
	}
	once := []string{"a b c"}
	twice := []string{"a b c", "a b c"}
	for _, tc := range []struct {
		rule    string
		answer  func([]events.KinesisEventRecord) (string, error)
		ignored bool // ReportBatchItemFailures is off
		bisect  bool
		want    []string
		dropped []string
	}{
		{rule: "an empty list is success", answer: first(`{"batchItemFailures":[]}`), want: once},
		{rule: "a null list is success", answer: first(`{"batchItemFailures":null}`), want: once},
		{rule: "an empty answer is success", answer: first(`{}`), want: once},
		{rule: "a null answer is success", answer: first(`null`), want: once},
		{rule: "no answer is success", answer: first(``), want: once},
		{rule: "an empty text is success", answer: first(`""`), want: once},
		{rule: "an empty array is success", answer: first(`[]`), want: once},
		{rule: "a list under another name is no list", answer: first(`{"BatchItemFailures":[{"itemIdentifier":"SEQUENCE"}]}`), want: once},

		{rule: "an empty identifier fails the batch", answer: first(`{"batchItemFailures":[{"itemIdentifier":""}]}`), want: twice, dropped: []string{"a b c"}},
		{rule: "a null identifier fails the batch", answer: first(`{"batchItemFailures":[{"itemIdentifier":null}]}`), want: twice, dropped: []string{"a b c"}},
		{rule: "a number fails the batch", answer: first(`{"batchItemFailures":[{"itemIdentifier":123}]}`), want: twice, dropped: []string{"a b c"}},
		{rule: "an identifier under another name fails the batch", answer: first(`{"batchItemFailures":[{"itemidentifier":"SEQUENCE"}]}`), want: twice, dropped: []string{"a b c"}},
		{rule: "an identifier of another batch fails the batch", answer: first(`{"batchItemFailures":[{"itemIdentifier":"SEQUENCE"},{"itemIdentifier":"1"}]}`), want: twice, dropped: []string{"a b c"}},
		{rule: "null in the list fails the batch", answer: first(`{"batchItemFailures":[null]}`), want: twice, dropped: []string{"a b c"}},
		{rule: "a list that is none fails the batch", answer: first(`{"batchItemFailures":{}}`), want: twice, dropped: []string{"a b c"}},
		{rule: "an answer that is another text fails the batch", answer: first(`"done"`), want: twice, dropped: []string{"a b c"}},
		{rule: "an answer that is no JSON fails the batch", answer: first(`done`), want: twice, dropped: []string{"a b c"}},
		{rule: "an error fails the batch", answer: throwing("c"), want: twice, dropped: []string{"a b c"}},

		{rule: "the first failed record fails the batch", answer: reporting("a"), want: twice, dropped: []string{"a b c"}},
		{rule: "the rest is another batch with retries of its own", answer: reporting("b"), want: []string{"a b c", "b c", "b c"}, dropped: []string{"b c"}},
		{rule: "the lowest sequence number is the checkpoint", answer: reporting("c", "b"), want: []string{"a b c", "b c", "b c"}, dropped: []string{"b c"}},
		{rule: "the last record alone comes again", answer: reporting("c"), want: []string{"a b c", "c", "c"}, dropped: []string{"c"}},

		{rule: "without ReportBatchItemFailures no answer is read", answer: reporting("a", "b", "c"), ignored: true, want: once},
		{rule: "without ReportBatchItemFailures an error fails the batch", answer: throwing("c"), ignored: true, want: twice, dropped: []string{"a b c"}},

		{rule: "an error splits the batch, and a split is no retry", answer: throwing("c"), bisect: true, want: []string{"a b c", "a", "b c", "b", "c", "c"}, dropped: []string{"c"}},
		{rule: "the first half is done with before the second comes", answer: throwing("a"), bisect: true, want: []string{"a b c", "a", "a", "b c"}, dropped: []string{"a"}},
		{rule: "an unreadable answer splits the batch", answer: first(`done`), bisect: true, want: []string{"a b c", "a", "a", "b c", "b", "b", "c", "c"}, dropped: []string{"a", "b", "c"}},
		{rule: "an error splits the batch without ReportBatchItemFailures", answer: throwing("b"), ignored: true, bisect: true, want: []string{"a b c", "a", "b c", "b", "b", "c"}, dropped: []string{"b"}},
		{rule: "a report cuts the batch at the returned number", answer: reporting("c"), bisect: true, want: []string{"a b c", "c", "c"}, dropped: []string{"c"}},
		{rule: "a report of the first record splits the rest", answer: reporting("b"), bisect: true, want: []string{"a b c", "b c", "b", "b", "c"}, dropped: []string{"b"}},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			c := &consumer{answer: tc.answer}
			var messages [][]byte
			s := newStream(c, stream.Config{
				ReportBatchItemFailures:    !tc.ignored,
				BisectBatchOnFunctionError: tc.bisect,
				MaximumRetryAttempts:       new(1),
				OnFailure:                  toBucket(func(object []byte) { messages = append(messages, object) }),
			}, "a", "b", "c")
			drainStream(t, s)
			checkBatches(t, c.batches, tc.want...)
			var dropped [][]string
			for _, message := range messages {
				var object struct{ Payload events.KinesisEvent }
				if err := json.Unmarshal(message, &object); err != nil {
					t.Fatal(err)
				}
				dropped = append(dropped, texts(object.Payload.Records))
			}
			checkBatches(t, dropped, tc.dropped...)
			if err := s.Ledger().Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBisectIsolatesOnePoisonRecordAmongAHundred(t *testing.T) {
	c := &consumer{answer: throwing("r-42")}
	var messages [][]byte
	s := newStream(c, stream.Config{
		BisectBatchOnFunctionError: true,
		MaximumRetryAttempts:       new(0),
		OnFailure:                  toDeadQueue(func(message []byte) { messages = append(messages, message) }),
	})
	poison := ""
	for i := range 100 {
		id := s.Put("key", fmt.Appendf(nil, "r-%d", i))
		if i == 42 {
			poison = id
		}
	}
	drainStream(t, s)
	got := s.Ledger().Entries(source.DeadLettered)
	if len(got) != 1 || got[0].ID != poison || len(messages) != 1 {
		t.Errorf("given up: %d records in %d messages, want the poison alone: %+v", len(got), len(messages), got)
	}
	if err := s.Ledger().Check(); err != nil {
		t.Error(err)
	}
	if counts := s.Ledger().Counts(); counts.Done != 99 || counts.Batches > 15 {
		t.Errorf("got %+v, want 99 done by halving the batch", counts)
	}
}

// Without an end to retries a batch holds its shard, and the records behind it wait.
func TestABatchThatFailsHoldsItsShardUntilItExpires(t *testing.T) {
	c := &consumer{answer: throwing("bad")}
	s := newStream(c, stream.Config{BatchSize: 1}, "bad")
	c.clock.Advance(time.Hour)
	s.Put("key", []byte("good"))
	drainStream(t, s)
	n := len(c.batches)
	if last := c.batches[n-1]; last[0] != "good" {
		t.Errorf("the last batch is %q, want the record behind the bad one", last)
	}
	if first := slices.IndexFunc(c.batches, func(b []string) bool { return b[0] == "good" }); first != n-1 {
		t.Errorf("the good record came in delivery %d of %d, before the bad one had expired", first, n)
	}
	counts := s.Ledger().Counts()
	if counts.Expired != 1 || counts.Done != 1 {
		t.Errorf("got %+v, want one expired and one done", counts)
	}
	if err := s.Ledger().Check(); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("got %v, want an error: the record is lost", err)
	}
	if got, want := c.times[n-1].Sub(began), 24*time.Hour; got < want || got > want+time.Minute {
		t.Errorf("the shard went on after %s, want %s, the retention", got, want)
	}
}

func TestPausesBetweenRetriesDouble(t *testing.T) {
	c := &consumer{answer: throwing("bad")}
	s := newStream(c, stream.Config{MaximumRetryAttempts: new(10)}, "bad")
	drainStream(t, s)
	var got []time.Duration
	for i, at := range c.times[1:] {
		got = append(got, at.Sub(c.times[i]))
	}
	second := time.Second
	want := []time.Duration{second / 2, second, 2 * second, 4 * second, 8 * second, 16 * second, 32 * second, time.Minute, time.Minute, time.Minute}
	if !slices.Equal(got, want) {
		t.Errorf("got pauses of %v, want %v", got, want)
	}
	if counts := s.Ledger().Counts(); counts.Dropped != 1 {
		t.Errorf("got %+v, want the record dropped: there is no destination", counts)
	}
}

func TestARecordThatIsTooOldIsGivenUp(t *testing.T) {
	c := &consumer{answer: throwing("bad")}
	var message []byte
	s := newStream(c, stream.Config{MaximumRecordAge: time.Minute, OnFailure: toDeadQueue(func(m []byte) { message = m })}, "bad")
	c.clock.Advance(59 * time.Second)
	s.Put("key", []byte("young"))
	drainStream(t, s)
	checkBatches(t, c.batches, "bad young", "bad young", "young")
	checkMessage(t, message, `{
		"requestContext": {"requestId": "", "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:function",
			"condition": "RecordAgeExceeded", "approximateInvokeCount": 3},
		"version": "1.0", "timestamp": "2026-12-01T09:01:00.500Z",
		"KinesisBatchInfo": {"shardId": "shardId-000000000000",
			"startSequenceNumber": "49590338271490256608559692538361571095921575000000000001",
			"endSequenceNumber": "49590338271490256608559692538361571095921575000000000001",
			"approximateArrivalOfFirstRecord": "2026-12-01T09:00:00.000Z", "approximateArrivalOfLastRecord": "2026-12-01T09:00:00.000Z",
			"batchSize": 1, "streamArn": "arn:aws:kinesis:us-east-1:123456789012:stream/stream"}}`)
}

// checkMessage compares a message to the destination, but for its request id.
func checkMessage(t *testing.T, got []byte, want string) {
	t.Helper()
	var g, w map[string]any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("the message %q: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	request := g["requestContext"].(map[string]any)
	if id, _ := request["requestId"].(string); len(id) != 36 {
		t.Errorf("requestId is %q, want a UUID", id)
	}
	request["requestId"] = ""
	gotText, _ := json.MarshalIndent(g, "", " ")
	wantText, _ := json.MarshalIndent(w, "", " ")
	if string(gotText) != string(wantText) {
		t.Errorf("got the message\n%s\nwant\n%s", gotText, wantText)
	}
}
