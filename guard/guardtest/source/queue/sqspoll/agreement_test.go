package sqspoll_test

import (
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// The same function, once before a queue in memory and once before one of moto: what it
// is sent and what becomes of it is the same, and so are the checksums. Nothing fails in
// the FIFO queue: moto 5 delivers a later message of a group first when both become
// visible during a receipt, and the ledger reports that.
func TestQueueInMemoryAgreesWithSQS(t *testing.T) {
	for _, suffix := range []string{"", ".fifo"} {
		t.Run("orders"+suffix, func(t *testing.T) {
			attributes := map[string]string{"VisibilityTimeout": "1"}
			if suffix != "" {
				attributes["FifoQueue"] = "true"
			}
			real := newQueue(t, suffix, attributes)
			memory, err := func() (*outcome, error) {
				o := newOutcome(suffix == "")
				q := queue.New(o.invoker(), queue.Config{
					Name: "orders" + suffix, Clock: source.NewClock(begin), Mapping: queue.Mapping{ReportBatchItemFailures: true, MaximumConcurrency: 1},
				})
				for i := range 20 {
					if _, err := q.Send(memoryMessage(suffix, i)); err != nil {
						return nil, err
					}
				}
				if err := q.Drain(within(t)); err != nil {
					return nil, err
				}
				return o, q.Ledger().Check()
			}()
			if err != nil {
				t.Fatal(err)
			}
			o := newOutcome(suffix == "")
			for i := range 20 {
				if _, err := real.SendMessage(within(t), sdkMessage(real.url, memoryMessage(suffix, i))); err != nil {
					t.Fatal(err)
				}
			}
			poller := run(t, real, o.invoker(), queue.Mapping{MaximumConcurrency: 1}, func(c source.Counts) bool { return c.Done == 20 })
			if err := poller.Ledger().Check(); err != nil {
				t.Error(err)
			}
			if !maps.Equal(memory.seen, o.seen) {
				t.Errorf("in memory the messages were\n%v\nand of moto\n%v", memory.seen, o.seen)
			}
			for _, o := range []*outcome{memory, o} {
				for group, done := range o.done {
					if suffix != "" && !slices.IsSorted(done) {
						t.Errorf("group %s was done as %v", group, done)
					}
				}
			}
		})
	}
}

func memoryMessage(suffix string, i int) queue.Message {
	m := queue.Message{
		Body: fmt.Sprintf("%c-%02d ü", 'a'+i%3, i),
		Attributes: map[string]source.Attribute{
			"kind": {String: "order"}, "n": {DataType: "Number", String: fmt.Sprint(i)}, "raw": {Binary: []byte{0, byte(i), 255}},
		},
	}
	if suffix != "" {
		m.Group, m.Deduplication = m.Body[:1], fmt.Sprint(i)
	}
	return m
}

func sdkMessage(url string, m queue.Message) *sqs.SendMessageInput {
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &m.Body, MessageAttributes: map[string]types.MessageAttributeValue{
		"kind": {DataType: aws.String("String"), StringValue: aws.String("order")},
		"n":    {DataType: aws.String("Number"), StringValue: aws.String(m.Attributes["n"].String)},
		"raw":  {DataType: aws.String("Binary"), BinaryValue: m.Attributes["raw"].Binary},
	}}
	if m.Group != "" {
		in.MessageGroupId, in.MessageDeduplicationId = &m.Group, &m.Deduplication
	}
	return in
}

// An outcome is what a function saw of each message, and the order in which it was done.
type outcome struct {
	fails bool // every fifth message fails once
	seen  map[string]string
	done  map[string][]string
}

func newOutcome(fails bool) *outcome {
	return &outcome{fails, map[string]string{}, map[string][]string{}}
}

func (o *outcome) invoker() guardtest.Invoker {
	return guardtest.NewInProcess(batch.SQS(func(_ context.Context, m events.SQSMessage) error {
		first := m.Attributes["ApproximateReceiveCount"] == "1"
		if first {
			o.seen[m.Body] = strings.Join([]string{
				m.Md5OfBody, m.Md5OfMessageAttributes, m.EventSource, m.Attributes["MessageGroupId"], m.Attributes["MessageDeduplicationId"],
				*m.MessageAttributes["kind"].StringValue, m.MessageAttributes["n"].DataType, fmt.Sprint(m.MessageAttributes["raw"].BinaryValue),
			}, " ")
		}
		if o.fails && first && strings.Contains("05", m.Body[3:4]) {
			return fmt.Errorf("not yet")
		}
		o.done[m.Body[:1]] = append(o.done[m.Body[:1]], m.Body)
		return nil
	}), guardtest.Config{Timeout: patient})
}

// The poller and the queue in memory over the SDK: here groups fail as well.
func TestGroupsKeepTheirOrderWhenTheyFail(t *testing.T) {
	memory := queue.New(nil, queue.Config{Name: "orders.fifo", VisibilityTimeout: time.Second})
	server := httptest.NewServer(queue.API(memory))
	t.Cleanup(server.Close)
	real := realQueue{Client: sqs.NewFromConfig(awstest.Config(server.URL)), url: server.URL + "/123456789012/orders.fifo"}
	o := newOutcome(true)
	for i := range 20 {
		if _, err := real.SendMessage(within(t), sdkMessage(real.url, memoryMessage(".fifo", i))); err != nil {
			t.Fatal(err)
		}
	}
	poller := run(t, real, o.invoker(), queue.Mapping{MaximumConcurrency: 1}, func(c source.Counts) bool { return c.Done == 20 })
	for _, ledger := range []source.Ledger{poller.Ledger(), memory.Ledger()} {
		if err := ledger.Check(); err != nil {
			t.Error(err)
		}
		if counts := ledger.Counts(); counts.Done != 20 || counts.Deliveries < 24 {
			t.Errorf("the counts are %+v", counts)
		}
	}
	for group, done := range o.done {
		if !slices.IsSorted(done) {
			t.Errorf("group %s was done as %v", group, done)
		}
	}
}
