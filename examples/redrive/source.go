package main

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	smithy "github.com/aws/smithy-go/middleware"
)

// source is where dead letters are.
type source interface {
	// next returns one that this run has not had, or nil if there is none.
	next(ctx context.Context) (*entry, error)
	// release makes what was taken and not removed available again.
	release(ctx context.Context) error
}

// entry is one dead letter of a source.
type entry struct {
	id      string
	version string    // of the id: another one is another letter
	since   time.Time // it is in the source, by the clock of this machine
	saved   []byte    // all that the source has of it; nil if that could not be read
	read    func(ctx context.Context) (replay, error)
	remove  func(ctx context.Context) error
}

// ours returns a time of AWS by the clock of this machine, which may be wrong. The
// answer has the time of AWS in whole seconds.
func ours(t time.Time, answer smithy.Metadata) time.Time {
	if skew, ok := middleware.GetAttemptSkew(answer); ok && skew.Abs() > 2*time.Second {
		return t.Add(-skew)
	}
	return t
}
