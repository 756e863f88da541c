package idempotency

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
	"github.com/lambdarmor/lambdarmor/internal/canonicaljson"
)

// Operation is something inside a handler that [Do] does once per key. Make it
// with [NewOperation]; it may be used concurrently.
type Operation struct{ *config }

// NewOperation names an operation. Two operations of different names, or of
// different functions, never meet. [Name] and [Fingerprint] have no effect on an
// operation. The other options mean for [Do] what they mean for [Once].
func NewOperation(name string, store Store, opts ...Option) Operation {
	if name == "" {
		panic("idempotency: NewOperation without a name")
	}
	c := newConfig(store, opts)
	c.name = name
	return Operation{c}
}

// Do calls fn once for each key of an operation. A repeat returns what fn
// returned, encoded and decoded by encoding/json. Do has a record of its own,
// also inside [Once], and is what a batch wants: one key per record.
//
// Input is what has to be equal in a repeat, compared by its canonical JSON; a
// nil input compares nothing. The key is scoped by function, operation and
// tenant, not by caller: a key that a caller has chosen needs a [Scope], or the
// caller in it. It is "" where [KeyFrom] makes it of the input.
//
// A result that JSON cannot express is returned as well, and not kept: repeats
// get idempotency_result_unavailable, and [OnStoreError] hears of it.
//
// An error of fn is returned as it is and releases the key, unless it is unknown
// what was done, see [AfterTimeout]. Other errors are those of Once.
func Do[T any](ctx context.Context, op Operation, key string, input any, fn func(context.Context) (T, error)) (T, error) {
	call := &call[T]{config: op.config, fn: fn}
	done, replay, err := op.do(ctx, key, input, call)
	switch {
	case call.err != nil:
		return call.value, call.err
	case err != nil:
		var none T
		return none, err
	case replay:
		return call.decode(done.Result)
	default:
		return call.value, call.err
	}
}

// do is what Do does for any type.
func (op Operation) do(ctx context.Context, key string, input any, e effect) (done Record, replay bool, err error) {
	if op.config == nil {
		panic("idempotency: Do with an Operation that NewOperation has not made")
	}
	k, err := op.keyOf(ctx, key, input)
	switch {
	case op.allowMissingKey && errors.Is(err, ErrNoKey):
		e.run(unprotected(ctx))
		return Record{}, false, nil
	case err != nil:
		return Record{}, false, err
	}
	t, err := op.task(ctx, k, input)
	if err != nil {
		return Record{}, false, err
	}
	done, replay, err = op.attempt(ctx, t, e)
	if replay {
		_, err = op.replayed(ctx, done)
	}
	return done, replay, err
}

// doKey is what a call of Do is known by.
type doKey struct {
	key         string
	id          string // of the record, where the KeyFunc has said so
	fingerprint string // which goes with that
}

// keyOf makes the key of an input as Once makes it of an event, or takes the one
// that is given.
func (op Operation) keyOf(ctx context.Context, given string, input any) (k doKey, err error) {
	switch {
	case op.keyFrom == nil:
		k.key = given
	case given != "":
		return k, fmt.Errorf("idempotency: Do of operation %s with a key, which KeyFrom makes", op.name)
	default:
		text, err := json.Marshal(input)
		if err != nil {
			return k, op.badInput(err)
		}
		ev := guard.EventOf(context.Background(), text) // not the one that the layers share
		asked, chosen := keys.WithRecord(ctx)
		if k.key, err = op.keyFrom(asked, ev); err != nil {
			return k, err
		}
		if chosen.Key == k.key {
			k.id, k.fingerprint = chosen.Key, chosen.Fingerprint
		}
	}
	if k.key == "" {
		return k, keys.Missing("The request has no idempotency key.")
	}
	return k, nil
}

func (op Operation) task(ctx context.Context, k doKey, input any) (t task, err error) {
	t = task{key: k.key, storedKey: k.id, fingerprint: k.fingerprint}
	isID := k.id == k.key
	if !isID {
		if t.storedKey, err = op.storedKey(ctx, nil, k.key); err != nil {
			return t, err
		}
	}
	if input == nil {
		return t, nil
	}
	if t.payload, err = canonicaljson.Marshal(input); err != nil {
		return t, op.badInput(err)
	}
	if !isID && t.fingerprint == "" {
		t.fingerprint = digest(t.payload)
	}
	return t, nil
}

func (op Operation) badInput(err error) error {
	return fmt.Errorf("idempotency: input of operation %s: %w", op.name, err)
}

// call is one call of fn, an effect.
type call[T any] struct {
	*config
	fn func(context.Context) (T, error)

	value T
	err   error
}

func (c *call[T]) run(ctx context.Context) outcome {
	c.value, c.err = c.fn(ctx)
	if c.err != nil {
		return outcome{fate: c.afterError(ctx, c.err), failed: true}
	}
	answer, err := json.Marshal(c.value)
	switch {
	case err != nil: // it is done all the same, and must not be done again
		return outcome{fate: keep, lossy: fmt.Errorf("idempotency: the result of operation %s: %w", c.name, err)}
	case !c.keep(0, answer):
		return outcome{fate: release}
	default:
		return outcome{fate: keep, result: answer}
	}
}

func (c *call[T]) adopt(answer []byte) outcome {
	if c.value, c.err = c.decode(answer); c.err != nil {
		return outcome{fate: unknown}
	}
	return outcome{fate: keep, result: answer}
}

func (c *call[T]) decode(answer []byte) (value T, err error) {
	if err := json.Unmarshal(answer, &value); err != nil {
		return value, unreadable(fmt.Errorf("idempotency: the result of operation %s: %w", c.name, err))
	}
	return value, nil
}
