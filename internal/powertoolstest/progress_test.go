package powertoolstest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

const patience = 30 * time.Second

// held is a handler that runs until end is called.
type held struct {
	running chan struct{}
	release chan struct{}
	once    sync.Once
}

func newHeld() *held {
	return &held{running: make(chan struct{}), release: make(chan struct{})}
}

func (h *held) end() { h.once.Do(func() { close(h.release) }) }

func (h *held) returning(result string) handler {
	return func(context.Context, []byte) ([]byte, error) {
		close(h.running)
		<-h.release
		return []byte(result), nil
	}
}

// answer is what a call that runs beside the test comes to.
type answer struct {
	out string
	err error
}

// background calls h until it runs, and gives what will come of it.
func background(t *testing.T, ctx context.Context, h lambda.Handler, running <-chan struct{}) <-chan answer {
	t.Helper()
	done := make(chan answer, 1)
	go func() {
		out, err := h.Invoke(ctx, order.Event)
		done <- answer{out: string(out), err: err}
	}()
	select {
	case <-running:
	case a := <-done:
		t.Fatalf("answered %s with error %v and did not run", a.out, a.err)
	}
	return done
}

func TestPythonRespectsWhatGoHasInProgress(t *testing.T) {
	p := newPair(t)
	inside := newHeld()
	defer inside.end()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := background(t, ctx, p.goFunction(order, inside.returning(`"Go's"`)), inside.running)
	if o := p.start(order); o.Ran != 0 || o.Error != "IdempotencyAlreadyInProgressError" {
		t.Errorf("Python: %+v", o)
	}
	inside.end()
	if a := <-done; a.err != nil || a.out != `"Go's"` {
		t.Errorf("Go answered %s with error %v", a.out, a.err)
	}
	if o := p.start(order); o.Ran != 0 || string(o.Result) != `"Go's"` {
		t.Errorf("Python afterwards: %+v", o)
	}
}

func TestGoRespectsWhatPythonHasInProgress(t *testing.T) {
	for name, remaining := range map[string]*int{"with a lease": milliseconds(30_000), "without one": nil} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			c := order
			c.Wait, c.Remaining, c.Result = true, remaining, []byte(`"Python's"`)
			if o := p.start(c); !o.Running {
				t.Fatalf("Python: %+v", o)
			}
			h := p.goFunction(c, never(t))
			_, err := p.ask(h, c.Event)
			mustFail(t, err, "idempotency_in_progress")
			if o := p.end(); o.Ran != 1 || o.Error != "" {
				t.Errorf("Python: %+v", o)
			}
			if out, err := p.ask(h, c.Event); err != nil || out != `"Python's"` {
				t.Errorf("Go answered %s with error %v", out, err)
			}
		})
	}
}

func TestGoTakesOverWhatPythonHasAbandoned(t *testing.T) {
	p := newPair(t)
	c := order
	c.Wait, c.Remaining = true, milliseconds(1)
	if o := p.start(c); !o.Running {
		t.Fatalf("Python: %+v", o)
	}
	_, err := p.ask(p.goFunction(c, never(t), idempotency.AfterTimeout(idempotency.Refuse), idempotency.Wait(5*time.Second)), c.Event)
	mustFail(t, err, "idempotency_outcome_unknown")
	if out, err := p.ask(p.goFunction(c, returning(`"Go's"`)), c.Event); err != nil || out != `"Go's"` {
		t.Fatalf("Go answered %s with error %v", out, err)
	}
	if o := p.another().start(order); o.Ran != 0 || string(o.Result) != `"Go's"` {
		t.Errorf("Python afterwards: %+v", o)
	}
	p.end()
}

func TestGoThatPythonHasTakenOverFromTouchesNothing(t *testing.T) {
	p := newPair(t)
	inside := newHeld()
	defer inside.end()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	done := background(t, ctx, p.goFunction(order, inside.returning(`"Go's"`), idempotency.Skew(0)), inside.running)
	c := order
	c.Result = []byte(`"Python's"`)
	o := p.start(c)
	for end := time.Now().Add(patience); o.Ran == 0 && time.Now().Before(end); {
		o = p.start(c) // until the lease is over
	}
	if o.Ran != 1 || o.Error != "" {
		t.Fatalf("Python: %+v", o)
	}
	inside.end()
	mustFail(t, (<-done).err, "idempotency_lease_lost")
	item := p.item(p.onlyID(prefix))
	if data, ok := item["data"].(*types.AttributeValueMemberS); !ok || data.Value != `"Python's"` || item["owner"] != nil {
		t.Errorf("the item is %v, want it as Python wrote it", item)
	}
}

// What Python does without a fence: it writes over the outcome of the attempt
// that came after it. Both languages then replay the same, its own.
func TestPythonThatIsLateWritesOverAnOutcome(t *testing.T) {
	p := newPair(t)
	c := order
	c.Wait, c.Remaining, c.Result = true, milliseconds(1), []byte(`"Python's"`)
	if o := p.start(c); !o.Running {
		t.Fatalf("Python: %+v", o)
	}
	h := p.goFunction(c, returning(`"Go's"`), idempotency.Wait(5*time.Second))
	if out, err := p.ask(h, c.Event); err != nil || out != `"Go's"` {
		t.Fatalf("Go answered %s with error %v", out, err)
	}
	if o := p.end(); o.Ran != 1 || o.Error != "" {
		t.Fatalf("Python: %+v", o)
	}
	if out, err := p.ask(h, c.Event); err != nil || out != `"Python's"` {
		t.Errorf("Go answered %s with error %v", out, err)
	}
	if o := p.another().start(order); o.Ran != 0 || string(o.Result) != `"Python's"` {
		t.Errorf("Python answered %+v", o)
	}
}
