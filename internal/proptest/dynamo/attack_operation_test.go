package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// subject is what a key stands for, of one caller.
type subject struct {
	name   string
	n      int // of the key
	caller string
	http   bool // it is for Once, and otherwise for Do

	// Guarded by the world's mu.
	operations []*operation // that have begun
	confirmed  string       // the mark of the answer that the store has
	since      time.Time    // it is known
	replay     string       // as HTTP has it
	told       []string     // the marks of answers that the store has not confirmed
	charged    []*operation // in the order of their effects, where those are not staged
	denied     []*operation // whose effects are said not to be there
}

// operation is a call of Once or Do, which makes one attempt at most.
type operation struct {
	*world
	*process
	id       string
	of       *subject
	key      string
	caller   string
	payload  string
	deadline time.Time
	last     bool // one that nothing happens to

	// Written and read by the one goroutine of the operation.
	replayed bool
	err      error // of Once, before it became a response
	result   error // what the caller was told

	mu   sync.Mutex // guards dice
	dice *rand.Rand

	// Guarded by the world's mu.
	dead      bool // its process is
	begun     bool
	released  bool // a release of it has been sent
	asked     bool
	staged    bool
	completed bool  // it has been told that it has
	lost      bool  // its key, and was told
	lateClaim bool  // a copy of its claim has arrived late
	unsaved   error // its completion failed so
	claims    int   // that the store has been asked for
	owner     string
	epoch     int64
	lease     time.Time // by its own clock
	sent      time.Time // its claim
	taken     time.Time // its claim, by its own clock
	settled   time.Time // by its own clock, its completion
	silent    bool      // the store is, once it has begun
}

type operationKey struct{}

func of(ctx context.Context) *operation {
	op, _ := ctx.Value(operationKey{}).(*operation)
	return op
}

// remember keeps the error of Once.
func remember(next lambda.Handler) lambda.Handler {
	return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		out, err := next.Invoke(ctx, payload)
		of(ctx).err = err
		return out, err
	})
}

func (o *operation) roll(n int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dice.IntN(n)
}

// between draws a time.
func (o *operation) between(from, to time.Duration) time.Duration {
	return from + time.Duration(o.roll(int(to-from)))
}

// mark is what the answer of an operation is known by, and whose it is.
func (o *operation) mark() string {
	return fmt.Sprintf("(%s %s %s %s)", o.id, o.caller, o.payload, o.of.name)
}

// markIn finds the mark in an answer.
func markIn(answer string) string {
	_, rest, ok := strings.Cut(answer, "(")
	mark, _, closed := strings.Cut(rest, ")")
	if !ok || !closed {
		return ""
	}
	return "(" + mark + ")"
}

// call makes the call and has the oracle hear of what it was told.
func (o *operation) call(ctx context.Context) {
	defer o.byID.Delete(o.id)
	ctx, cancel := context.WithDeadline(context.WithValue(ctx, operationKey{}, o), o.deadline)
	defer cancel()
	o.say(o, "calls, %v left, with %s", time.Until(o.deadline).Round(time.Millisecond), o.payload)
	var answer string
	var err error
	if o.of.http {
		event := sample.HTTP("POST", "/orders").Header("Authorization", "Bearer "+o.caller).
			Header("Idempotency-Key", o.key).JSON(fmt.Sprintf("{%q:%q}", "payload", o.payload)).Bytes()
		var out []byte
		out, err = o.once.Invoke(ctx, event)
		answer = string(out)
		if o.err != nil {
			err = o.err
		}
	} else {
		answer, err = o.doOnce(ctx)
	}
	o.told(answer, err)
}

var errPanicked = errors.New("panicked")

func (o *operation) doOnce(ctx context.Context) (answer string, err error) {
	defer func() {
		if recover() != nil {
			err = errPanicked
		}
	}()
	return idempotency.Do(ctx, o.process.do, o.key, o.payload, func(ctx context.Context) (string, error) {
		_, err := o.run(ctx)
		return o.mark(), err
	})
}
