package historytest

import (
	"context"
	"errors"
	"runtime"

	"github.com/lambdarmor/lambdarmor/idempotency"
)

// Local makes a store that is in this process one behind a [Network]. Each
// process needs one of its own.
func Local(s idempotency.Store) Process {
	l := &local{store: s}
	return Process{Store: l, Network: l, here: true}
}

type local struct {
	store      idempotency.Store
	lose, lost int
	hold       func(localStep) // not nil while the next step is to be held
}

type localStep func(context.Context) error

var errNoAnswer = errors.New("historytest: no answer")

// Lose implements [Network].
func (l *local) Lose(n int) func() int {
	l.lose, l.lost = n, 0
	return func() int {
		l.lose = 0
		return l.lost
	}
}

// Hold implements [Network].
func (l *local) Hold(caught func()) func() error {
	var held localStep
	l.hold = func(step localStep) { held = step; caught() }
	return func() error { return known(held(context.Background())) }
}

// known takes the answers of a store that are none of its failures for success.
func known(err error) error {
	if errors.Is(err, idempotency.ErrHeld) || errors.Is(err, idempotency.ErrLost) {
		return nil
	}
	return err
}

// Claim implements [idempotency.Store].
func (l *local) Claim(ctx context.Context, r idempotency.Record) (held idempotency.Record, err error) {
	err = l.send(ctx, func(ctx context.Context) (err error) {
		held, err = l.store.Claim(ctx, r)
		return err
	})
	return held, err
}

// Complete implements [idempotency.Store].
func (l *local) Complete(ctx context.Context, r idempotency.Record) error {
	return l.send(ctx, func(ctx context.Context) error { return l.store.Complete(ctx, r) })
}

// Release implements [idempotency.Store].
func (l *local) Release(ctx context.Context, r idempotency.Record) error {
	return l.send(ctx, func(ctx context.Context) error { return l.store.Release(ctx, r) })
}

func (l *local) send(ctx context.Context, step localStep) error {
	runtime.Gosched() // on its way, while others are
	defer runtime.Gosched()
	switch {
	case l.hold != nil:
		l.hold(step)
		l.hold = nil
		<-ctx.Done()
		return ctx.Err()
	case l.lose > 0:
		if err := known(step(ctx)); err != nil {
			return err
		}
		l.lose--
		l.lost++
		return errNoAnswer
	default:
		return step(ctx)
	}
}
