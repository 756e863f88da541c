package stream

import (
	"context"
	"fmt"
	"sync"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

// Drain delivers until no record waits: each is done, filtered, discarded or expired. A
// second call while one is under way, or while the stream runs, waits for its end.
//
// With a [source.Clock] it moves the time to the end of each pause. The error wraps ctx's, or that
// of a function that cannot be called; records that were being delivered then wait.
func (s *Stream) Drain(ctx context.Context) error {
	return s.work(ctx, ctx, func(ctx context.Context) error {
		return s.ledger.Wait(ctx, func(c source.Counts) bool { return c.Waiting == 0 })
	})
}

// Run delivers until ctx ends, waits for the invocations under way, and returns nil. The
// error is that of a function that cannot be called.
func (s *Stream) Run(ctx context.Context) error {
	return s.work(ctx, context.WithoutCancel(ctx), func(running context.Context) error {
		<-running.Done()
		if ctx.Err() != nil {
			return nil
		}
		return context.Cause(running)
	})
}

// work polls all lanes until wait returns. Invocations have a context of their own.
func (s *Stream) work(ctx, invocation context.Context, wait func(context.Context) error) error {
	select {
	case s.polled <- struct{}{}:
		defer func() { <-s.polled }()
	case <-ctx.Done():
		return fmt.Errorf("stream: the stream is being polled: %w", context.Cause(ctx))
	}
	s.start()
	ctx, cancel := context.WithCancelCause(ctx)
	var pollers sync.WaitGroup
	for range s.lanes {
		s.clock.Enter() // all of them, before one may move the time
	}
	for _, l := range s.lanes {
		pollers.Go(func() {
			if err := s.poll(ctx, invocation, l); err != nil {
				cancel(err)
			}
		})
	}
	err := wait(ctx)
	cancel(nil)
	pollers.Wait()
	return err
}

// start skips the records before the starting position, once.
// See https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html and
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
func (s *Stream) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started {
		return
	}
	s.started = true
	if s.cfg.StartingPosition == TrimHorizon {
		return
	}
	for _, l := range s.lanes {
		read := l.waiting[:0]
		for _, r := range l.waiting {
			if s.cfg.StartingPosition == AtTimestamp && !r.at.Before(s.cfg.StartingTimestamp) {
				read = append(read, r)
				continue
			}
			s.ledger.Settle(r.id, source.Filtered, "before the starting position", s.clock.Now())
		}
		l.waiting = read
	}
}
