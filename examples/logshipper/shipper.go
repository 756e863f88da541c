package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A sink stores objects. To put one that it has already under this key succeeds, and
// changes nothing. An error that says what the sink has answered has a method
// HTTPStatusCode, as those of the AWS SDK have.
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
	retry   atomic.Int64  // when to try again, in Unix ns; of the past while nothing fails
	again   chan struct{} // has an element when that time has come
	idle    chan struct{} // has an element when nothing waits, or an attempt has failed

	cause    error     // of the last failure, since an attempt succeeded
	failures int       // since an attempt succeeded
	said     time.Time // that they fail, the last time
	outage   bool      // said since an attempt succeeded
}

func newShipper(b *buffer, to sink, log *slog.Logger) *shipper {
	return &shipper{buffer: b, sink: to, log: log, again: make(chan struct{}, 1), idle: make(chan struct{}, 1)}
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

// hold waits until nothing is left to store, an attempt fails, or the time is over. The
// function runs meanwhile; the environment is not frozen.
//
// While S3 fails it waits for no pause between attempts. The first attempt after a
// pause is made at once: a freeze may have stopped the timer of the pause.
func (s *shipper) hold(most time.Duration) {
	drain(s.idle)
	s.buffer.due()
	pause := time.Unix(0, s.retry.Load()).Sub(s.buffer.now())
	if !s.buffer.waits() || pause > 0 && pause <= patience { // more if the clock went back
		return
	}
	signal(s.again)
	select {
	case <-s.idle:
	case <-time.After(most):
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func drain(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}

// finish stores what there is until ctx ends. An attempt that is under way is given up
// for a new one: Lambda may have frozen it an hour ago.
func (s *shipper) finish(ctx context.Context) {
	s.stop()
	s.running.Wait()
	s.buffer.sealAll()
	s.storeAll(ctx)
	cause := s.cause
	if cause == nil {
		cause = ctx.Err()
	}
	lost, unknown := s.buffer.left()
	if lost.records > 0 {
		s.log.Error("records are lost", "records", lost.records, "bytes", lost.bytes, "cause", cause.Error())
	}
	if unknown.records > 0 {
		s.log.Error("records may be lost: they were sent, and there was no answer", "records", unknown.records, "bytes", unknown.bytes, "cause", cause.Error())
	}
}

// storeAll stores all objects that wait. It ends with ctx.
func (s *shipper) storeAll(ctx context.Context) {
	for failed := 0; ctx.Err() == nil; {
		o := s.buffer.next()
		if o == nil {
			signal(s.idle)
			return
		}
		if s.store(ctx, o) == nil {
			s.buffer.stored()
			failed = 0
			continue
		}
		pause := backoff(failed)
		failed++
		drain(s.again) // of before
		s.retry.Store(s.buffer.now().Add(pause).UnixNano())
		signal(s.idle)
		select {
		case <-time.After(pause):
		case <-s.again:
		case <-ctx.Done():
		}
	}
}

// backoff is random: all environments of a function fail at the same time. Those of a
// snapshot would draw the same from math/rand.
func backoff(failed int) time.Duration {
	longest := min(soon<<min(failed, 16), patience)
	n, _ := rand.Int(rand.Reader, big.NewInt(int64(longest))) // never fails
	return time.Duration(n.Int64())
}

func (s *shipper) store(ctx context.Context, o *object) error {
	limit := attempt
	if end, ok := ctx.Deadline(); ok { // leave time for another one
		limit = min(limit, max(soon, time.Until(end)/2))
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := s.sink.put(within, o.key, o.body)
	if err == nil {
		if s.outage {
			s.log.Info("records are stored again", "failures", s.failures)
		}
		s.cause, s.failures, s.outage = nil, 0, false
		return nil
	}
	if !refused(err) {
		s.buffer.unanswered()
	}
	if ctx.Err() == nil {
		s.failed(err)
	}
	return err
}

// refused reports whether an error says that the object was not stored: it did not get
// there, or the answer was no.
func refused(err error) bool {
	if sent, ok := errors.AsType[*net.OpError](err); ok && sent.Op == "dial" {
		return true
	}
	answer, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err)
	return ok && answer.HTTPStatusCode() >= 300 && answer.HTTPStatusCode() < 500
}

// failed writes a line, but not one for each failure.
func (s *shipper) failed(err error) {
	s.cause = err
	s.failures++
	now := s.buffer.now()
	if since := now.Sub(s.said); since >= 0 && since < quiet {
		return
	}
	s.said, s.outage = now, true
	certain, unknown := s.buffer.left()
	s.log.Error("records cannot be stored", "cause", err.Error(), "failures", s.failures, "records", certain.records+unknown.records)
}
