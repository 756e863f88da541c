package source

import (
	"context"
	"time"
)

// A Ledger records what a source did with each of its messages: an SQS message, a
// record of a stream, or an event of an asynchronous invocation. Its methods may be called
// concurrently.
//
// Only the source writes to it. An invocation that succeeds without its messages being
// removed from the source leaves them waiting, whatever the function answered.
type Ledger interface {
	// Counts returns the numbers so far.
	Counts() Counts

	// Entry returns the record of a message, and whether there is one.
	Entry(id string) (Entry, bool)

	// Entries returns the records with one of the outcomes, or all without one, in the
	// order of sending.
	Entries(outcomes ...Outcome) []Entry

	// Wait returns when holds does, which is called at the beginning and after changes.
	// The error wraps ctx's and has the counts in it.
	Wait(ctx context.Context, holds func(Counts) bool) error

	// Check returns an error unless each message is done, dead-lettered or filtered, and
	// each group was handled in order. The error names the messages, at most ten of a
	// kind: those that wait, those that are lost, and those that overtook another of
	// their group. A message overtakes an earlier one when it is delivered or done while
	// the earlier one waits, unless both were delivered together. A message is lost as
	// well that the function deleted itself and then reported as failed: it is done, and
	// does not come again.
	Check() error
}

// An Outcome is what became of a message.
type Outcome string

// The outcomes. Check accepts Done, DeadLettered and Filtered.
const (
	Waiting      Outcome = "waiting"       // still in the source, or being delivered
	Done         Outcome = "done"          // delivered, and then removed as handled
	DeadLettered Outcome = "dead-lettered" // moved to a dead-letter queue or a destination
	Filtered     Outcome = "filtered"      // removed because no filter of the mapping matched it
	Expired      Outcome = "expired"       // removed because it was too old: lost
	Dropped      Outcome = "dropped"       // given up after the last attempt, with nowhere to go: lost
)

// An Entry is the record of one message.
type Entry struct {
	ID      string // message id, sequence number, or the id of an event
	Group   string // whose order is kept: message group, shard or partition key; empty for none
	Sent    time.Time
	Outcome Outcome
	Reason  string    // why it was dead-lettered, expired or dropped
	Settled time.Time // when it stopped waiting

	Deliveries []Delivery
}

// A Delivery is one invocation with the message in its event.
type Delivery struct {
	RequestID string
	At        time.Time
	Attempt   int // ApproximateReceiveCount, or the number of the attempt; from 1
	Batch     int // number of the source's invocation, from 1

	// Failure is why the message was to come again: the error type of a failed
	// invocation, or one of the words of this package. It is empty for a message that
	// succeeded or is being delivered.
	Failure string
}

// Why a message is to come again when that is no error type of the function.
const (
	Reported       = "reported"        // the function's answer names the message
	BadAnswer      = "bad answer"      // the function's partial answer fails the whole batch
	Throttled      = "throttled"       // the function was not called; of a queue, not before the visibility timeout ended
	ServiceFailure = "service failure" // the function was not called, because Lambda itself failed
	NotCalled      = "not called"      // the source was stopped, or the function closed, before the call
	NotDeleted     = "not deleted"     // the function succeeded; another had received the message by then, or the store failed
)

// Counts are the numbers of messages by outcome, and of invocations and deliveries.
// Sent is the sum of all outcomes.
type Counts struct {
	Sent         int `json:"sent"`
	Waiting      int `json:"waiting"`
	Done         int `json:"done"`
	DeadLettered int `json:"deadLettered"`
	Filtered     int `json:"filtered"`
	Expired      int `json:"expired"`
	Dropped      int `json:"dropped"`
	Batches      int `json:"batches"`
	Deliveries   int `json:"deliveries"`
}
