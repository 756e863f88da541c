package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// A sink stores objects. To put one that it has already under this key succeeds, and
// changes nothing.
type sink interface {
	put(ctx context.Context, key string, body []byte) error
}

const (
	attempt  = 5 * time.Second        // of one PUT, at most
	soon     = 100 * time.Millisecond // until the first retry, at most; then twice that, and so on
	patience = 20 * time.Second       // until any other, at most
	quiet    = time.Minute            // between two lines in the log about failures
)

// shipper stores the objects of a buffer, one after the other.
type shipper struct {
	buffer *buffer
	sink   sink
	log    *slog.Logger

	stop    context.CancelFunc
	running sync.WaitGroup
	failing atomic.Bool
	idle    chan struct{} // has an element when nothing waits, or S3 fails

	failures int       // since an attempt succeeded
	said     time.Time // that they fail, the last time
	outage   bool      // said since an attempt succeeded
}

func newShipper(b *buffer, to sink, log *slog.Logger) *shipper {
	return &shipper{buffer: b, sink: to, log: log, idle: make(chan struct{}, 1)}
}

// start stores objects in the background, until finish. It goes on after a freeze: an
// upload that did not survive it fails, and is tried again with the same key and the
// same bytes.
func (s *shipper) start(ctx context.Context) {
	ctx, s.stop = context.WithCancel(ctx)
	s.running.Go(func() {
		for ctx.Err() == nil {
			s.storeAll(ctx)
			select {
			case <-s.buffer.changed:
			case <-time.After(s.buffer.due()):
			case <-ctx.Done():
			}
		}
	})
}

// hold waits until nothing is left to store, S3 fails, or the time is over. The
// function runs meanwhile; the environment is not frozen.
func (s *shipper) hold(most time.Duration) {
	select {
	case <-s.idle: // of before
	default:
	}
	s.buffer.due()
	if s.failing.Load() || !s.buffer.waits() {
		return
	}
	select {
	case <-s.idle:
	case <-time.After(most):
	}
}

// finish stores what there is until ctx ends. An attempt that is under way is given up
// for a new one: Lambda may have frozen it an hour ago.
func (s *shipper) finish(ctx context.Context) {
	s.stop()
	s.running.Wait()
	s.buffer.sealAll()
	s.storeAll(ctx)
	if left := s.buffer.left(); left.records > 0 {
		s.log.Error("records are lost", "records", left.records, "bytes", left.bytes)
	}
}

// storeAll stores all objects that wait. It ends with ctx.
func (s *shipper) storeAll(ctx context.Context) {
	for failed := 0; ctx.Err() == nil; {
		o := s.buffer.next()
		if o == nil {
			s.report(false)
			return
		}
		if s.store(ctx, o) == nil {
			s.buffer.stored()
			failed = 0
			continue
		}
		s.report(true)
		select {
		case <-time.After(backoff(failed)):
		case <-ctx.Done():
		}
		failed++
	}
}

// report tells hold.
func (s *shipper) report(failing bool) {
	s.failing.Store(failing)
	select {
	case s.idle <- struct{}{}:
	default:
	}
}

// backoff is random: all environments of a function fail at the same time.
func backoff(failed int) time.Duration {
	return rand.N(min(soon<<min(failed, 16), patience))
}

func (s *shipper) store(ctx context.Context, o *object) error {
	limit := attempt
	if end, ok := ctx.Deadline(); ok { // leave time for another one
		limit = min(limit, max(soon, time.Until(end)/2))
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := s.sink.put(within, o.key, o.body)
	switch {
	case err == nil:
		if s.outage {
			s.log.Info("records are stored again", "failures", s.failures)
		}
		s.failures, s.outage = 0, false
	case ctx.Err() == nil:
		s.failed(err)
	}
	return err
}

// failed writes a line, but not one for each failure.
func (s *shipper) failed(err error) {
	s.failures++
	now := s.buffer.now()
	if since := now.Sub(s.said); since >= 0 && since < quiet {
		return
	}
	s.said, s.outage = now, true
	s.log.Error("records cannot be stored", "cause", err.Error(), "failures", s.failures, "records", s.buffer.left().records)
}
