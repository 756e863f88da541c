package queue

import (
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

// A Mapping is an event source mapping: how Lambda reads a queue and calls a function.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
type Mapping struct {
	// BatchSize is how many messages an event has at most, 10 when 0. More than 10 need
	// a BatchWindow of a second, and are at most 10 000.
	BatchSize int

	// BatchWindow is how long a batch waits for more messages after its first one, at
	// most 5 minutes. FIFO queues have none. A window that is not shorter than the
	// queue's visibility timeout brings messages twice.
	BatchWindow time.Duration

	// MaximumConcurrency is how many batches are with the function at once, at most
	// 1000 (ScalingConfig). It is 5 when 0, as Lambda begins with five. Lambda takes no
	// 1; here it makes the order of standard queues repeatable.
	MaximumConcurrency int

	// ReportBatchItemFailures is the function response type: the function's answer says
	// which messages failed. Without it the answer is ignored.
	ReportBatchItemFailures bool

	// Filter decides about each message before it gets into a batch; nil takes all. A
	// message that does not match is deleted.
	Filter source.Filter

	// CountOnly has the ledger forget messages that are done or filtered once they are
	// counted, for a queue that runs for long.
	CountOnly bool

	// OnBatch is called after each invocation, concurrently when there are several.
	OnBatch func(source.BatchReport)

	// OnError is called when messages cannot be received or deleted; the poller then
	// tries again after a second. When it is nil, Run returns the error.
	OnError func(error)
}

// Bounds of a mapping.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html
const (
	defaultConcurrency = 5 // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
	maxConcurrency     = 1000
	maxReceive         = 10
	maxBatch           = 10_000
	maxWindow          = 5 * time.Minute
)

func (m Mapping) withDefaults(fifo bool) Mapping {
	if m.BatchSize == 0 {
		m.BatchSize = maxReceive
	}
	if m.MaximumConcurrency == 0 {
		m.MaximumConcurrency = defaultConcurrency
	}
	switch {
	case m.BatchSize < 0 || m.BatchSize > maxBatch:
		panic("queue: BatchSize is not between 1 and 10000")
	case m.BatchWindow < 0 || m.BatchWindow > maxWindow:
		panic("queue: BatchWindow is not between 0 and 5 minutes")
	case m.MaximumConcurrency < 0 || m.MaximumConcurrency > maxConcurrency:
		panic("queue: MaximumConcurrency is not between 1 and 1000")
	case fifo && m.BatchSize > maxReceive:
		panic("queue: BatchSize of a FIFO queue is over 10")
	case fifo && m.BatchWindow > 0:
		panic("queue: FIFO queues have no BatchWindow")
	case m.BatchSize > maxReceive && m.BatchWindow < time.Second:
		panic("queue: a BatchSize over 10 needs a BatchWindow of at least a second")
	}
	return m
}
