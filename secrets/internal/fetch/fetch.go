// Package fetch makes several requests at a time, and reports which errors quote
// what they have read.
package fetch

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// Concurrently makes requests, at most atOnce of them at a time, and returns when
// all have ended. It panics if one of them panics; others may not run then.
func Concurrently(atOnce int, requests []func()) {
	var taken atomic.Int64
	var once sync.Once
	var panicked any
	work := func() {
		defer func() {
			if r := recover(); r != nil {
				once.Do(func() { panicked = r })
			}
		}()
		for i := taken.Add(1) - 1; i < int64(len(requests)); i = taken.Add(1) - 1 {
			requests[i]()
		}
	}
	var others sync.WaitGroup
	for range min(atOnce, len(requests)) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	if panicked != nil {
		panic(panicked)
	}
}

// Each fetches every ref by itself, at most atOnce of them at a time, and returns
// the values in the order of refs.
func Each(refs []secrets.Ref, atOnce int, fetch func(secrets.Ref) secrets.Value) []secrets.Value {
	values := make([]secrets.Value, len(refs))
	requests := make([]func(), len(refs))
	for i, ref := range refs {
		requests[i] = func() { values[i] = fetch(ref) }
	}
	Concurrently(atOnce, requests)
	return values
}

// Quotes reports whether an error of net/http may contain a part of the answer
// that it could not read, which may be a secret. An error of a connection does
// not. The caller unwraps a [net/url.Error].
func Quotes(err error) bool {
	for _, end := range []error{context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, end) {
			return false
		}
	}
	var network net.Error
	return !errors.As(err, &network)
}
