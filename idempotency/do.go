package idempotency

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/content"
	"github.com/lambdarmor/lambdarmor/idempotency/internal/keys"
	"github.com/lambdarmor/lambdarmor/internal/canonicaljson"
)

// Operation is a part of a handler that [Do] carries out once per key. It may be
// used concurrently. Make it with [NewOperation].
type Operation struct{ c *config }

// NewOperation returns an operation. Operations of different names, or of
// different functions, never share a key. [Name] and [Fingerprint] have no effect
// on an operation. The other options apply to [Do] as to [Once].
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
// also inside [Once]. Use it for batches, with one key per record.
//
// A repeat must have an equal input, compared by its canonical JSON. With a nil
// input nothing is compared. Set key to "" if [KeyFrom] derives it from the input.
// The key is scoped by function, operation and tenant, but not by caller: if
// callers choose keys, add a [Scope], or the caller to the key.
//
// A result that JSON cannot express is returned and not stored: repeats get
// idempotency_result_unavailable, and [OnStoreError] is called.
//
// Do returns an error of fn unchanged and releases the key, unless the outcome is
// unknown, see [AfterTimeout]. Other errors are listed at [Once].
func Do[T any](ctx context.Context, op Operation, key string, input any, fn func(context.Context) (T, error)) (T, error) {
	call := &call[T]{config: op.c, fn: fn}
	done, err := op.do(ctx, key, input, call)
	var none T
	switch {
	case call.err != nil:
		return call.value, call.err
	case err != nil:
		return none, err
	case done == nil:
		return call.value, nil
	default:
		return call.replay(ctx, *done)
	}
}

// do is the part of Do that does not depend on its type.
func (op Operation) do(ctx context.Context, key string, input any, e effect) (done *Record, err error) {
	if op.c == nil {
		panic("idempotency: Do with a zero Operation; use NewOperation")
	}
	var chosen keys.Record
	if op.c.keyFrom != nil {
		key, chosen, err = op.c.keyOfInput(ctx, key, input)
	}
	if err == nil && key == "" {
		err = keys.Missing("The request has no idempotency key.")
	}
	switch {
	case op.c.allowMissingKey && errors.Is(err, ErrNoKey):
		e.run(unprotected(ctx))
		return nil, nil
	case err != nil:
		return nil, err
	}
	t, err := op.c.callTask(ctx, key, chosen, input)
	if err != nil {
		return nil, err
	}
	return op.c.attempt(ctx, t, e)
}

// callTask returns the task of a call of Do.
func (c *config) callTask(ctx context.Context, key string, chosen keys.Record, input any) (t task, err error) {
	t.key = key
	if input != nil {
		if t.payload, err = canonicaljson.Marshal(input); err != nil {
			return t, c.badInput(err)
		}
	}
	if key == chosen.Key {
		t.storedKey, t.fingerprint = chosen.Key, chosen.Fingerprint
		return t, nil
	}
	if input != nil {
		t.fingerprint = content.Sum(string(t.payload))
	}
	t.storedKey, err = c.storedKey(ctx, nil, key)
	return t, err
}

// keyOfInput derives the key from an input as Once does from an event.
func (c *config) keyOfInput(ctx context.Context, given string, input any) (string, keys.Record, error) {
	if given != "" {
		return "", keys.Record{}, fmt.Errorf("idempotency: Do of operation %s with a key; KeyFrom makes it", c.name)
	}
	text, err := json.Marshal(input)
	if err != nil {
		return "", keys.Record{}, c.badInput(err)
	}
	ev := guard.EventOf(context.Background(), text) // not the invocation's event
	inner, chosen := keys.WithRecord(ctx)
	key, err := c.keyFrom(inner, ev)
	return key, *chosen, err
}

func (c *config) badInput(err error) error {
	return fmt.Errorf("idempotency: input of operation %s: %w", c.name, err)
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
	case err != nil: // fn must not run again all the same
		return outcome{fate: keep, noResult: fmt.Errorf("idempotency: the result of operation %s: %w", c.name, err)}
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

// replay returns the result of an earlier call.
func (c *call[T]) replay(ctx context.Context, done Record) (value T, err error) {
	if !done.NoResult { // which beforeReplay refuses
		if value, err = c.decode(done.Result); err != nil {
			return value, err
		}
	}
	_, err = c.beforeReplay(ctx, done)
	return value, err
}

func (c *call[T]) decode(answer []byte) (value T, err error) {
	if err := json.Unmarshal(answer, &value); err != nil {
		return value, unreadable(fmt.Errorf("idempotency: the result of operation %s: %w", c.name, err))
	}
	return value, nil
}
