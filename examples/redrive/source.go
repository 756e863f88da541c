package main

import (
	"context"
	"time"
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
	since   time.Time // it is in the source
	saved   []byte    // all that the source has of it; nil if that could not be read
	read    func(ctx context.Context) (replay, error)
	remove  func(ctx context.Context) error
}
