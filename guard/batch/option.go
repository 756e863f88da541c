package batch

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/internal/random"
)

// Option changes how a batch is handled.
type Option struct{ set func(*config) }

type config struct {
	concurrency int
	reserve     time.Duration
	failWhole   bool
	failAll     bool
	continues   bool
	sink        Sink
	maxReceives int
	delayer     Delayer
	backoff     func(attempt int) time.Duration
}

func newConfig(name string, isSQS bool, opts []Option) *config {
	c := &config{concurrency: 1, reserve: time.Second}
	for _, opt := range opts {
		opt.set(c)
	}
	switch {
	case c.maxReceives > 0 && c.sink == nil:
		panic(name + ": MaxReceives without DeadLetters; without a sink use the redrive policy of the queue")
	case c.maxReceives > 0 && !isSQS:
		panic(name + ": MaxReceives is for SQS, as a stream does not count; set MaximumRetryAttempts of the mapping")
	case c.delayer != nil && !isSQS:
		panic(name + ": RetryLater is for SQS, as a stream has no visibility timeout")
	case c.continues && isSQS:
		panic(name + ": ContinueAfterFailure is for streams; a queue continues by itself")
	}
	return c
}

// Concurrency sets how many records run at the same time, 1 by default. With more,
// the function is called concurrently. What must stay in order does: the messages of
// a group of a FIFO queue, the records with one partition key of Kinesis, the changes
// of one item of DynamoDB, and a partition of Kafka. It panics if n is less than 1.
func Concurrency(n int) Option {
	if n < 1 {
		panic("batch: Concurrency of less than 1")
	}
	return Option{func(c *config) { c.concurrency = n }}
}

// Reserve sets how much time a record must have at its start, 1 s by default. Set
// it to what the slowest record takes. A record that would start later does not
// start, and is reported as failed, so that it comes again.
//
// The context of a record ends 100 ms before that of the batch. So nothing starts in
// a function whose timeout is shorter than d, these 100 ms and the reserve of
// [guard.Deadline] together; [guard.Default] reserves 300 ms. Reserve panics if d is
// negative.
func Reserve(d time.Duration) Option {
	if d < 0 {
		panic("batch: Reserve of a negative time")
	}
	return Option{func(c *config) { c.reserve = d }}
}

// FailWhole returns an error with code batch_failed if any record failed, in place
// of a list of failures. Every record then comes again, those that are done
// included. It is for an event source mapping that cannot have
// ReportBatchItemFailures: such a mapping ignores the list, and takes every record
// for done.
func FailWhole() Option { return Option{func(c *config) { c.failWhole = true }} }

// FailWhenAllFail returns an error with code batch_failed if no record is done, in
// place of a list of failures. Every record comes again either way. With the error,
// the Errors metric of the function counts the batch.
func FailWhenAllFail() Option { return Option{func(c *config) { c.failAll = true }} }

// ContinueAfterFailure runs the records of a stream after one that failed, except
// those that must follow it: with the same partition key, of the same item. By
// default nothing that comes after the first failure runs, because Lambda delivers it
// again anyway. With this option such records run twice or more. It changes nothing
// for Kafka.
func ContinueAfterFailure() Option { return Option{func(c *config) { c.continues = true }} }

// DeadLetters sends a record that can never succeed to s, with the reason. The
// record then counts as done, and what follows it in its group, key or partition
// runs. An error can never succeed if its kind is not [guard.Kind.Retryable]:
// Invalid, for example. If s fails, the record has failed, and comes again. Without a
// sink such a record fails until its source gives it up.
func DeadLetters(s Sink) Option {
	if s == nil {
		panic("batch: DeadLetters with a nil sink")
	}
	return Option{func(c *config) { c.sink = s }}
}

// MaxReceives sends a message of SQS to the sink of [DeadLetters] if it fails and
// was received n times, for the error that it failed with. One that was received
// more often goes there without running, with code too_many_receives: it may be
// what ended the process each time. Of a group of a FIFO queue the first message in
// the event does, because the others were received with it. With each further
// receive one more does, until what ends the process is among them.
//
// A message is also received if it does not start, or if its process ends for
// another one. So a dead letter of this code may be without fault, and may have
// run. Set n below maxReceiveCount of the queue's redrive policy, or the message
// goes there first. It panics if n is less than 1.
func MaxReceives(n int) Option {
	if n < 1 {
		panic("batch: MaxReceives of less than 1")
	}
	return Option{func(c *config) { c.maxReceives = n }}
}

// A Delayer makes a message of SQS visible again after d. Package visibility has
// one for the AWS SDK.
type Delayer interface {
	Delay(ctx context.Context, message events.SQSMessage, d time.Duration) error
}

// longestDelay is the longest visibility timeout of SQS.
const longestDelay = 12 * time.Hour

// RetryLater makes a message that failed visible again after the RetryAfter of its
// error, and up to a tenth more. For an error without one the time is
// backoff(attempt), where attempt is 1 for the first. Where that is 0, and with a
// nil backoff, the visibility timeout of the queue stays. In a group of a FIFO queue
// only the message that failed is delayed, and holds the others back. The time is
// at most 12 hours. SQS counts these from the receive; package visibility allows for
// that. If the delayer fails, that is logged.
func RetryLater(d Delayer, backoff func(attempt int) time.Duration) Option {
	if d == nil {
		panic("batch: RetryLater with a nil Delayer")
	}
	if backoff == nil {
		backoff = func(int) time.Duration { return 0 }
	}
	return Option{func(c *config) { c.delayer, c.backoff = d, backoff }}
}

// Backoff returns a backoff for [RetryLater]. It doubles from first to longest, and
// each time is a random one between its half and its whole. It panics unless
// 0 < first <= longest.
func Backoff(first, longest time.Duration) func(attempt int) time.Duration {
	if first <= 0 || longest < first {
		panic("batch: Backoff needs 0 < first <= longest")
	}
	return func(attempt int) time.Duration {
		d := first
		for range attempt - 1 {
			if d >= longest/2 {
				d = longest
				break
			}
			d *= 2
		}
		return d/2 + random.N(d/2+1)
	}
}
