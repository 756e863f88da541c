package powertoolstest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

var order = call{Prefix: prefix, Key: "[customer, id]", Event: []byte(`{"customer":"c-42","id":9,"amount":1.50}`), Remaining: milliseconds(10_000)}

var results = []string{`{"b":1.5,"a":["Zoë 😀",null]}`, `"text"`, `12345678901234567890`, `null`, `true`, `[]`, `{}`, `false`, `0`}

// as gives each result an order of its own.
func as(n int) call {
	c := order
	c.Event = fmt.Appendf(nil, `{"customer":"c-42","id":%d,"amount":1.50}`, n)
	return c
}

func TestGoReplaysWhatPythonStored(t *testing.T) {
	p := newPair(t)
	for n, result := range results {
		c := as(n)
		c.Result = []byte(result)
		if o := p.start(c); o.Ran != 1 || o.Error != "" {
			t.Fatalf("Python: %+v", o)
		}
		out, err := p.ask(p.goFunction(c, never(t)), c.Event)
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, out, result)
	}
}

// Python replays what is empty as None, also when it has stored that itself.
func TestPythonReplaysWhatGoStored(t *testing.T) {
	p := newPair(t)
	for n, result := range append(results, `"`+strings.Repeat("long ", 4000)+`"`) {
		c := as(n)
		if out, err := p.ask(p.goFunction(c, returning(result)), c.Event); err != nil || out != result {
			t.Fatalf("Go answered %s with error %v", out, err)
		}
		o := p.start(c)
		if o.Ran != 0 || o.Error != "" {
			t.Fatalf("Python: %+v", o)
		}
		switch result {
		case `[]`, `{}`, `false`, `0`:
			result = `null`
		}
		sameJSON(t, string(o.Result), result)
	}
}

func TestTableWithACompositeKeyIsShared(t *testing.T) {
	c := order
	c.SortKey, c.Result = "sort_key", []byte(`"Python's"`)
	p := newPairOn(t, c.SortKey)
	if o := p.start(c); o.Ran != 1 || o.Error != "" {
		t.Fatalf("Python: %+v", o)
	}
	if out, err := p.ask(p.goFunction(c, never(t)), c.Event); err != nil || out != `"Python's"` {
		t.Errorf("Go answered %s with error %v", out, err)
	}
	c.Event = as(10).Event
	if _, err := p.ask(p.goFunction(c, returning(`"Go's"`)), c.Event); err != nil {
		t.Fatal(err)
	}
	if o := p.start(c); o.Ran != 0 || string(o.Result) != `"Go's"` {
		t.Errorf("Python: %+v", o)
	}
}

// An item has 400 kB, and what is compressed Python could not read.
func TestAnswerThatWasTooLargeToKeepIsNoneInPython(t *testing.T) {
	p := newPair(t)
	large := `"` + strings.Repeat("x", 400<<10) + `"`
	h := p.goFunction(order, returning(large))
	if out, err := p.ask(h, order.Event); err != nil || out != large {
		t.Fatalf("Go answered %d bytes with error %v", len(out), err)
	}
	if o := p.start(order); o.Ran != 0 || o.Error != "" || string(o.Result) != `null` {
		t.Errorf("Python: %+v", o)
	}
	_, err := p.ask(h, order.Event)
	mustFail(t, err, "idempotency_result_unavailable")
}

func TestHTTPAnswerIsReplayedInBothDirections(t *testing.T) {
	c := call{
		Prefix: prefix, Key: "powertools_json(body).[customer, id]", Remaining: milliseconds(10_000),
		Event: []byte(`{"version":"2.0","routeKey":"POST /orders","rawPath":"/orders","rawQueryString":"","headers":{},` +
			`"requestContext":{"http":{"method":"POST","path":"/orders","sourceIp":"192.0.2.1"}},"body":"{\"customer\":\"c\",\"id\":1}","isBase64Encoded":false}`),
		Result: []byte(`{"statusCode":201,"headers":{"location":"/orders/1","Set-Cookie":"s=1"},"body":"{}"}`),
	}
	const replayed = `{"statusCode":201,"headers":{"location":"/orders/1","Idempotent-Replayed":"true"},"body":"{}","isBase64Encoded":false}`
	t.Run("from Python", func(t *testing.T) {
		p := newPair(t)
		if o := p.start(c); o.Ran != 1 || o.Error != "" {
			t.Fatalf("Python: %+v", o)
		}
		out, err := p.ask(p.goFunction(c, never(t)), c.Event)
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, out, replayed)
	})
	t.Run("from Go", func(t *testing.T) {
		p := newPair(t)
		if _, err := p.ask(p.goFunction(c, returning(string(c.Result))), c.Event); err != nil {
			t.Fatal(err)
		}
		o := p.start(c)
		if o.Ran != 0 || o.Error != "" {
			t.Fatalf("Python: %+v", o)
		}
		sameJSON(t, string(o.Result), replayed)
	})
}

func TestAnotherPayloadIsRefusedInBothDirections(t *testing.T) {
	first := order
	first.Validation, first.Result = "amount", []byte(`{"placed":1}`)
	same, other := first, first
	same.Event = []byte(`{"id":9,"customer":"c-42","amount":1.5,"note":"again"}`)
	other.Event = []byte(`{"customer":"c-42","id":9,"amount":2}`)
	t.Run("from Python", func(t *testing.T) {
		p := newPair(t)
		if o := p.start(first); o.Ran != 1 || o.Error != "" {
			t.Fatalf("Python: %+v", o)
		}
		h := p.goFunction(first, never(t))
		if _, err := p.ask(h, other.Event); err == nil {
			t.Error("another payload was answered")
		} else {
			mustFail(t, err, "idempotency_key_reused")
		}
		if _, err := p.ask(h, same.Event); err != nil {
			t.Errorf("the same payload was refused: %v", err)
		}
	})
	t.Run("from Go", func(t *testing.T) {
		p := newPair(t)
		if _, err := p.ask(p.goFunction(first, returning(`{"placed":1}`)), first.Event); err != nil {
			t.Fatal(err)
		}
		if o := p.start(other); o.Ran != 0 || o.Error != "IdempotencyValidationError" {
			t.Errorf("another payload: %+v", o)
		}
		if o := p.start(same); o.Ran != 0 || o.Error != "" {
			t.Errorf("the same payload: %+v", o)
		}
	})
}

func TestFailureLetsTheOtherRun(t *testing.T) {
	t.Run("Python's", func(t *testing.T) {
		p := newPair(t)
		c := order
		c.Fail = true
		if o := p.start(c); o.Error != "HandlerFailed" {
			t.Fatalf("Python: %+v", o)
		}
		if out, err := p.ask(p.goFunction(c, returning(`"done"`)), c.Event); err != nil || out != `"done"` {
			t.Errorf("Go answered %s with error %v", out, err)
		}
	})
	t.Run("Go's", func(t *testing.T) {
		p := newPair(t)
		failed := errors.New("failed")
		h := p.goFunction(order, func(context.Context, []byte) ([]byte, error) { return nil, failed })
		if _, err := p.ask(h, order.Event); !errors.Is(err, failed) {
			t.Fatal(err)
		}
		c := order
		c.Result = []byte(`"done"`)
		if o := p.start(c); o.Ran != 1 || string(o.Result) != `"done"` {
			t.Errorf("Python: %+v", o)
		}
	})
}

func TestItemHasTheAttributesOfPython(t *testing.T) {
	c := order
	c.Validation, c.Result = "amount", []byte(`{"placed":1}`)
	python, golang := newPair(t), newPair(t)
	if o := python.start(c); o.Ran != 1 {
		t.Fatalf("Python: %+v", o)
	}
	if _, err := golang.ask(golang.goFunction(c, returning(`{"placed": 1}`)), c.Event); err != nil {
		t.Fatal(err)
	}
	theirs, ours := python.item(python.onlyID(prefix)), golang.item(golang.onlyID(prefix))
	for name, want := range theirs {
		switch want := want.(type) {
		case *types.AttributeValueMemberS:
			if got, ok := ours[name].(*types.AttributeValueMemberS); !ok || got.Value != want.Value {
				t.Errorf("%s is %v, in Python %q", name, ours[name], want.Value)
			}
		case *types.AttributeValueMemberN: // a time, a few milliseconds later
			if got, ok := ours[name].(*types.AttributeValueMemberN); !ok || len(got.Value) != len(want.Value) {
				t.Errorf("%s is %v, in Python %s", name, ours[name], want.Value)
			}
		default:
			t.Errorf("Python's %s is a %T", name, want)
		}
	}
	if len(ours) != len(theirs)+2 || ours["owner"] == nil || ours["epoch"] == nil {
		t.Errorf("attributes %v, want those of %v, owner and epoch", ours, theirs)
	}
}

// Python without a validation reads no fingerprint, and with one no other.
func TestItemHasNoFingerprintThatPythonDoesNotExpect(t *testing.T) {
	p := newPair(t)
	if _, err := p.ask(p.goFunction(order, returning(`1`)), order.Event); err != nil {
		t.Fatal(err)
	}
	if got := p.item(p.onlyID(prefix))["validation"]; got != nil {
		t.Errorf("validation is %v", got)
	}
}

// Python leaves Go's owner where it writes over Go's outcome: its first caller's
// cookies are nobody else's all the same.
func TestCookiesOfPythonThatIsLateAreNotReplayed(t *testing.T) {
	p := newPair(t)
	c := call{
		Prefix: prefix, Key: "powertools_json(body).id", Remaining: milliseconds(1), Wait: true,
		Event: []byte(`{"version":"2.0","routeKey":"POST /orders","rawPath":"/orders","rawQueryString":"","headers":{},` +
			`"requestContext":{"http":{"method":"POST","path":"/orders","sourceIp":"192.0.2.1"}},"body":"{\"id\":1}","isBase64Encoded":false}`),
		Result: []byte(`{"statusCode":201,"headers":{"Set-Cookie":"s=1"},"cookies":["s=2"],"body":"Python's"}`),
	}
	if o := p.start(c); !o.Running {
		t.Fatalf("Python: %+v", o)
	}
	h := p.goFunction(c, returning(`{"statusCode":201,"body":"Go's"}`), idempotency.Wait(5*time.Second))
	if out, err := p.ask(h, c.Event); err != nil || !strings.Contains(out, "Go's") {
		t.Fatalf("Go answered %s with error %v", out, err)
	}
	if o := p.end(); o.Ran != 1 || o.Error != "" {
		t.Fatalf("Python: %+v", o)
	}
	if p.item(p.onlyID(prefix))["owner"] == nil {
		t.Fatal("Python has removed the owner, so that this shows nothing")
	}
	out, err := p.ask(h, c.Event)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, out, `{"statusCode":201,"headers":{"Idempotent-Replayed":"true"},"body":"Python's","isBase64Encoded":false}`)
}
