package idempotency

import "time"

// Status is the state of a [Record].
type Status string

// The states of a record. Stores keep the first and the last. They report
// Abandoned for a record in progress whose lease has ended by their own clock.
const (
	InProgress Status = "INPROGRESS"
	Abandoned  Status = "ABANDONED"
	Completed  Status = "COMPLETED"
)

// Record is the stored state of one key.
type Record struct {
	// Key names the record. It is a hash of the function, the operation, the
	// caller and the key that the key function returned.
	Key string
	// Owner is the random token of the attempt that holds or completed the key.
	// It is "" in a record that another library wrote.
	Owner string
	// Epoch counts the attempts: 1 for the first, one more for each that takes
	// over an abandoned key. It is 1 in a record of another library.
	Epoch int64
	// Status is Completed or InProgress; a store also reports Abandoned.
	Status Status
	// Fingerprint is a hash of the request, or "" if none was taken.
	Fingerprint string
	// Lease is when an attempt in progress stops holding the key. Stores keep it
	// to the millisecond.
	Lease time.Time
	// Expires is when the record is ignored and may be removed. Stores keep it to
	// the second.
	Expires time.Time
	// Result is the answer to replay.
	Result []byte
	// NoResult reports that the attempt completed and its answer is not stored.
	NoResult bool
}

// BelongsTo reports whether r is the record of an attempt. This is the fence: a
// store lets only that attempt complete or release the record.
func (r Record) BelongsTo(attempt Record) bool {
	return r.Owner != "" && r.Owner == attempt.Owner && r.Epoch == attempt.Epoch
}

// SameRequest reports whether two records can be of the same request: their
// fingerprints are equal, or one has none.
func (r Record) SameRequest(other Record) bool {
	return r.Fingerprint == other.Fingerprint || r.Fingerprint == "" || other.Fingerprint == ""
}

// TakesOver reports whether the claim r may replace the record that holds its
// key.
func (r Record) TakesOver(held Record) bool {
	return held.Status == Abandoned && held.Epoch+1 == r.Epoch && held.SameRequest(r)
}
