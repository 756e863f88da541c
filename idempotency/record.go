package idempotency

import "time"

// Status is the state of a [Record].
type Status string

// The states of a record. The first and the last are stored; an abandoned
// claim is one whose lease is over, told by the store's own clock.
const (
	InProgress Status = "INPROGRESS"
	Abandoned  Status = "ABANDONED"
	Completed  Status = "COMPLETED"
)

// Record is what a store keeps of one key.
type Record struct {
	// Key names the record. It is a hash of the function, the operation, the
	// caller and the key that the key function gave.
	Key string
	// Owner is the random token of the attempt that holds or completed the key.
	// It is "" in a record that another library wrote.
	Owner string
	// Epoch counts the attempts: 1 for the first, one more for each that takes
	// over an abandoned claim. It is 1 in a record of another library.
	Epoch int64
	// Status is Completed or InProgress; a store also answers Abandoned.
	Status Status
	// Fingerprint is a hash of the request. "" is one that was not taken.
	Fingerprint string
	// Lease is until when an attempt in progress holds the key. Stores keep it
	// to the millisecond.
	Lease time.Time
	// Expires is until when the record counts. Stores keep it to the second.
	Expires time.Time
	// Result is the answer to replay.
	Result []byte
	// NoResult says that the attempt completed and its answer was not kept.
	NoResult bool
}
