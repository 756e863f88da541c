package powertoolstest

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// A consumer of a batch, of which Python protects the function of one record.
var message = call{
	Record: true, Prefix: "orders.app.charge", Key: "powertools_json(body).[customer, id]", Remaining: milliseconds(10_000),
	Event: []byte(`{"messageId":"m-1","receiptHandle":"r","body":"{\"customer\":\"Zoë\",\"id\":1.0}","eventSource":"aws:sqs"}`),
}

// do is the Go operation that shares the records of c.
func (p *pair) do(c call, record any, fn func(context.Context) (any, error), opts ...idempotency.Option) (any, error) {
	p.t.Helper()
	opts = append(opts, idempotency.TTL(time.Hour), idempotency.KeyFrom(c.key()))
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	op := idempotency.NewOperation("charge", dynamo.New(p.client, p.table, dynamo.CompressFrom(math.MaxInt)), opts...)
	return idempotency.Do(ctx, op, "", record, fn)
}

func TestRecordIsReplayedInBothDirections(t *testing.T) {
	again := func(t *testing.T) func(context.Context) (any, error) {
		return func(context.Context) (any, error) {
			t.Error("the function ran")
			return nil, errors.New("ran")
		}
	}
	t.Run("from Python", func(t *testing.T) {
		p := newPair(t)
		c := message
		c.Result = []byte(`{"charged":1.5}`)
		if o := p.start(c); o.Ran != 1 || o.Error != "" {
			t.Fatalf("Python: %+v", o)
		}
		for name, record := range map[string]any{
			"as it came": json.RawMessage(c.Event),
			"a value":    map[string]any{"body": `{"id":1.0,"customer":"Zoë"}`},
		} {
			got, err := p.do(c, record, again(t))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			text, _ := json.Marshal(got)
			sameJSON(t, string(text), string(c.Result))
		}
	})
	t.Run("from Go", func(t *testing.T) {
		p := newPair(t)
		if _, err := p.do(message, json.RawMessage(message.Event), func(context.Context) (any, error) {
			return map[string]any{"charged": 1.5}, nil
		}); err != nil {
			t.Fatal(err)
		}
		if got, want := p.onlyID(message.Prefix), message.Prefix+"#"; len(got) != len(want)+32 {
			t.Errorf("stored as %s, want %s and 32 digits", got, want)
		}
		o := p.start(message)
		if o.Ran != 0 || o.Error != "" {
			t.Fatalf("Python: %+v", o)
		}
		sameJSON(t, string(o.Result), `{"charged":1.5}`)
	})
}

func TestAnotherRecordIsRefusedInBothDirections(t *testing.T) {
	first, other := message, message
	first.Key, first.Validation = "messageId", "body"
	other.Key, other.Validation = first.Key, first.Validation
	first.Result = []byte(`1`)
	other.Event = []byte(`{"messageId":"m-1","body":"{}"}`)
	done := func(context.Context) (any, error) { return 1, nil }
	t.Run("from Python", func(t *testing.T) {
		p := newPair(t)
		if o := p.start(first); o.Ran != 1 || o.Error != "" {
			t.Fatalf("Python: %+v", o)
		}
		if _, err := p.do(first, json.RawMessage(first.Event), done); err != nil {
			t.Errorf("the same record was refused: %v", err)
		}
		_, err := p.do(other, json.RawMessage(other.Event), done)
		mustFail(t, err, "idempotency_key_reused")
	})
	t.Run("from Go", func(t *testing.T) {
		p := newPair(t)
		if _, err := p.do(first, json.RawMessage(first.Event), done); err != nil {
			t.Fatal(err)
		}
		if o := p.start(first); o.Ran != 0 || o.Error != "" {
			t.Errorf("the same record: %+v", o)
		}
		if o := p.start(other); o.Ran != 0 || o.Error != "IdempotencyValidationError" {
			t.Errorf("another record: %+v", o)
		}
	})
}

func TestRecordOfATakeOverThatFailedIsTakenOverByPython(t *testing.T) {
	p := newPair(t)
	c := message
	c.Wait, c.Remaining = true, milliseconds(1)
	if o := p.start(c); !o.Running {
		t.Fatalf("Python: %+v", o)
	}
	declined := guard.Errorf(guard.Unavailable, "declined", "")
	if _, err := p.do(c, json.RawMessage(c.Event), func(context.Context) (any, error) { return nil, declined }, idempotency.Wait(5*time.Second)); !errors.Is(err, declined) {
		t.Fatalf("Go: %v", err)
	}
	c.Wait, c.Result = false, []byte(`2`)
	if o := p.another().start(c); o.Ran != 1 || string(o.Result) != "2" {
		t.Errorf("Python afterwards: %+v", o)
	}
	p.end()
}
