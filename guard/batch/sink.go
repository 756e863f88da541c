package batch

import (
	"context"
	"encoding/json"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// A Sink takes what a function has given up. Packages sqsdead and s3dead send it to
// a queue and to a bucket.
//
// Send returns only after the letter is stored for good. An error means that it may
// not be stored: the record then counts as failed, and comes again. So a letter can
// be sent twice, and a sink that can should store equal letters once. Send may be
// called concurrently.
//
// In a batch, ctx is the context of the record, and ends 50 ms before that of the
// batch, so that there is time to answer. Send is not called later. The time that it
// takes is lost to the records that have not started.
type Sink interface {
	Send(ctx context.Context, letter DeadLetter) error
}

// SinkFunc is a function that is a [Sink].
type SinkFunc func(ctx context.Context, letter DeadLetter) error

// Send calls f.
func (f SinkFunc) Send(ctx context.Context, letter DeadLetter) error { return f(ctx, letter) }

// A DeadLetter is a record that a function has given up, and the reason.
type DeadLetter struct {
	// Trigger is the kind of the source, and decides the form of Record.
	Trigger guard.Trigger `json:"trigger"`
	// Record is the record as the event had it. For an event without records it is
	// the whole event.
	Record json.RawMessage `json:"record"`
	// Source is the ARN of the queue, the stream, the topic or the rule. It is empty
	// if the event names none.
	Source string `json:"source,omitempty"`
	// ID is the id of the record in its source, as in [Info]. It is the request id
	// for an event without one.
	ID string `json:"id"`
	// Group is the message group or the partition key, empty if there is none.
	Group string `json:"group,omitempty"`
	// Attempts is how often the record was delivered, 0 if the source does not count.
	Attempts int `json:"attempts,omitempty"`

	// Code and Detail are those of the error, see [guard.Error].
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"`
	// RequestID is the id of the invocation that gave the record up.
	RequestID string `json:"requestId,omitempty"`
	// FunctionARN is the ARN that was invoked.
	FunctionARN string `json:"functionArn,omitempty"`
	// FirstFailure is when the record was first received, as far as the source says
	// that. Otherwise it equals LastFailure.
	FirstFailure time.Time `json:"firstFailure"`
	// LastFailure is when the record was given up.
	LastFailure time.Time `json:"lastFailure"`
}
