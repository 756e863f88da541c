package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
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

// shipper stores the objects of a buffer, one after the other, in one goroutine.
type shipper struct {
	buffer *buffer
	sink   sink
	log    *slog.Logger

	said     time.Time // that the last one failed
	failures int       // since then
}

// run stores objects until ctx ends. It goes on with what Lambda froze: an upload that
// did not survive fails, and is tried again with the same key and the same bytes.
func (s *shipper) run(ctx context.Context) {
	for ctx.Err() == nil {
		wait := s.buffer.due()
		if s.storeAll(ctx) {
			continue
		}
		select {
		case <-s.buffer.ready:
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// storeAll stores all objects that wait, and reports whether there was any. It ends
// with ctx.
func (s *shipper) storeAll(ctx context.Context) (some bool) {
	for failed := 0; ctx.Err() == nil; {
		o := s.buffer.next()
		if o == nil {
			return some
		}
		some = true
		if s.store(ctx, o) == nil {
			s.buffer.stored()
			failed = 0
			continue
		}
		select {
		case <-time.After(backoff(failed)):
		case <-ctx.Done():
		}
		failed++
	}
	return some
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
	case err == nil && s.failures > 0:
		s.log.Info("records are stored again", "failures", s.failures)
		s.failures, s.said = 0, time.Time{}
	case err != nil && ctx.Err() == nil:
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
	s.said = now
	s.log.Error("records cannot be stored", "cause", err.Error(), "failures", s.failures, "records", s.buffer.left().records)
}

// finish stores what there is until ctx ends. No more is taken.
func (s *shipper) finish(ctx context.Context) {
	s.buffer.finish()
	s.storeAll(ctx)
	if left := s.buffer.left(); left.records > 0 {
		s.log.Error("records are lost", "records", left.records, "bytes", left.bytes)
	}
}
