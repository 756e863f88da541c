package idempotency_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/jmespath"
)

type receipt struct {
	ID     string
	Amount int64
	Tags   []string `json:",omitempty"`
}

// till is what charges; it counts.
type till struct {
	mu      sync.Mutex
	charges int
	err     error
}

func (c *till) charge(context.Context) (receipt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.charges++
	return receipt{ID: fmt.Sprint("charge-", c.charges), Amount: math.MaxInt64, Tags: []string{"a"}}, c.err
}

func (c *till) mustHaveCharged(t *testing.T, want int) {
	t.Helper()
	if c.charges != want {
		t.Errorf("charged %d times, want %d", c.charges, want)
	}
}

func TestDoRunsOnceAndGivesTheSameResult(t *testing.T) {
	c := new(till)
	op := idempotency.NewOperation("charge", idempotency.NewMemoryStore())
	for range 3 {
		got, err := idempotency.Do(t.Context(), op, "order-1", map[string]int{"amount": 1}, c.charge)
		if err != nil || got.ID != "charge-1" || got.Amount != math.MaxInt64 || len(got.Tags) != 1 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	_, err := idempotency.Do(t.Context(), op, "order-1", map[string]int{"amount": 2}, c.charge)
	mustBe(t, nil, err, guard.Unprocessable, "idempotency_key_reused")
	if _, err := idempotency.Do(t.Context(), op, "order-1", nil, c.charge); err != nil {
		t.Errorf("no input compares nothing: %v", err)
	}
	c.mustHaveCharged(t, 1)
	if got, err := idempotency.Do(t.Context(), op, "order-2", nil, c.charge); err != nil || got.ID != "charge-2" {
		t.Errorf("another key: %+v, %v", got, err)
	}
}

func TestDoReleasesAfterAnErrorAndKeepsAfterAPanic(t *testing.T) {
	c := &till{err: errors.New("declined")}
	op := idempotency.NewOperation("charge", idempotency.NewMemoryStore())
	for range 2 {
		if got, err := idempotency.Do(t.Context(), op, "k", nil, c.charge); !errors.Is(err, c.err) || got.ID == "" {
			t.Errorf("%+v, %v", got, err)
		}
	}
	c.mustHaveCharged(t, 2)
	func() {
		defer func() { _ = recover() }()
		_, _ = idempotency.Do(t.Context(), op, "p", nil, func(context.Context) (int, error) { panic("half done") })
	}()
	recovered := guard.Wrap(&function{handle: func(context.Context, int64) ([]byte, error) { panic("half done") }}, guard.Recover())
	_, err := idempotency.Do(t.Context(), op, "r", nil, func(ctx context.Context) ([]byte, error) { return recovered.Invoke(ctx, nil) })
	if !guard.Panicked(err) {
		t.Error(err)
	}
	for _, key := range []string{"p", "r"} {
		_, err := idempotency.Do(t.Context(), op, key, nil, c.charge)
		mustBe(t, nil, err, guard.Conflict, "idempotency_in_progress")
	}
	c.mustHaveCharged(t, 2)
}

func TestDoScopes(t *testing.T) {
	c, store := new(till), idempotency.NewMemoryStore()
	op := idempotency.NewOperation("charge", store)
	tenant := func(id string) context.Context {
		return lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{TenantID: id})
	}
	type userKey struct{}
	scoped := idempotency.NewOperation("charge", store, idempotency.Scope(func(ctx context.Context, _ *guard.Event) (string, error) {
		user, _ := ctx.Value(userKey{}).(string)
		return user, nil
	}))
	user := func(id string) context.Context { return context.WithValue(t.Context(), userKey{}, id) }
	for range 2 {
		for _, call := range []struct {
			ctx context.Context
			op  idempotency.Operation
		}{
			{ctx: t.Context(), op: op},
			{ctx: t.Context(), op: idempotency.NewOperation("refund", store)},
			{ctx: tenant("a"), op: op},
			{ctx: tenant("b"), op: op},
			{ctx: user("u1"), op: scoped},
			{ctx: user("u2"), op: scoped},
		} {
			if _, err := idempotency.Do(call.ctx, call.op, "k", nil, c.charge); err != nil {
				t.Error(err)
			}
		}
	}
	c.mustHaveCharged(t, 6)
	if _, err := idempotency.Do(t.Context(), scoped, "k", nil, c.charge); err == nil {
		t.Error("an empty scope is a scope")
	}
}

// One handler, run once, does several things once each, at the same time.
func TestRule16DoInsideOnceHasItsOwnRecord(t *testing.T) {
	store := idempotency.NewMemoryStore()
	ops := []idempotency.Operation{idempotency.NewOperation("charge", store), idempotency.NewOperation("ship", store)}
	tills := []*till{new(till), new(till)}
	f := new(function)
	f.handle = func(ctx context.Context, run int64) ([]byte, error) {
		var together sync.WaitGroup
		for i, op := range ops {
			for range 4 {
				together.Go(func() {
					_, err := idempotency.Do(ctx, op, "k", nil, tills[i].charge)
					if err != nil && guard.KindOf(err) != guard.Conflict {
						t.Error(err)
					}
				})
			}
		}
		together.Wait()
		if run == 1 {
			return nil, errors.New("broken afterwards")
		}
		return []byte(`{"statusCode":201}`), nil
	}
	h := protect(f, store)
	if _, err := ask(t, h, request{key: "k"}); err == nil {
		t.Error("no error")
	}
	mustAnswer(t, h, request{key: "k"})
	if out := mustAnswer(t, h, request{key: "k"}); !isReplay(out) {
		t.Errorf("not replayed: %s", out)
	}
	f.mustHaveRun(t, 2)
	for _, c := range tills {
		c.mustHaveCharged(t, 1)
	}
}

func TestDoReconciles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(till)
		answers := []string{`{"ID":"found","Amount":1}`, `"of another type"`}
		for i, answer := range answers {
			var asked idempotency.Unfinished
			op := idempotency.NewOperation(fmt.Sprint("charge-", i), idempotency.NewMemoryStore(), idempotency.Lease(time.Second),
				idempotency.Reconcile(func(_ context.Context, u idempotency.Unfinished) (json.RawMessage, bool, error) {
					asked = u
					return []byte(answer), true, nil
				}))
			func() {
				defer func() { _ = recover() }()
				_, _ = idempotency.Do(t.Context(), op, "k", receipt{ID: "x"}, func(context.Context) (receipt, error) { panic("stopped") })
			}()
			time.Sleep(time.Minute)
			got, err := idempotency.Do(t.Context(), op, "k", receipt{ID: "x"}, c.charge)
			if asked.Key != "k" || string(asked.Payload) != `{"Amount":0,"ID":"x"}` {
				t.Errorf("asked about %+v", asked)
			}
			if i == 1 { // what is found cannot be read: nobody knows
				mustBe(t, got, err, guard.Internal, "idempotency_result_unreadable")
				_, err = idempotency.Do(t.Context(), op, "k", receipt{ID: "x"}, c.charge)
				mustBe(t, nil, err, guard.Conflict, "idempotency_in_progress")
				continue
			}
			for range 2 {
				if err != nil || got.ID != "found" {
					t.Errorf("%+v, %v", got, err)
				}
				got, err = idempotency.Do(t.Context(), op, "k", receipt{ID: "x"}, c.charge)
			}
		}
		c.mustHaveCharged(t, 0)
	})
}

func TestRule12AResultThatIsNotJSONIsNeverASecondRun(t *testing.T) {
	runs := 0
	op := idempotency.NewOperation("measure", idempotency.NewMemoryStore())
	measure := func(context.Context) (float64, error) { runs++; return math.NaN(), nil }
	if got, err := idempotency.Do(t.Context(), op, "k", nil, measure); err != nil || !math.IsNaN(got) {
		t.Errorf("%v, %v", got, err)
	}
	_, err := idempotency.Do(t.Context(), op, "k", nil, measure)
	mustBe(t, nil, err, guard.Unprocessable, "idempotency_result_unavailable")
	if runs != 1 {
		t.Errorf("ran %d times", runs)
	}
}

func TestDoRefuses(t *testing.T) {
	c := new(till)
	op := idempotency.NewOperation("charge", idempotency.NewMemoryStore())
	_, err := idempotency.Do(t.Context(), op, "", nil, c.charge)
	if mustBe(t, nil, err, guard.Invalid, "idempotency_key_missing"); !errors.Is(err, idempotency.ErrNoKey) {
		t.Errorf("%v is not ErrNoKey", err)
	}
	if _, err := idempotency.Do(t.Context(), op, "k", math.NaN(), c.charge); err == nil {
		t.Error("an input that is not JSON is one")
	}
	c.mustHaveCharged(t, 0)
	keyless := idempotency.NewOperation("charge", idempotency.NewMemoryStore(), idempotency.AllowMissingKey())
	for range 2 {
		if _, err := idempotency.Do(t.Context(), keyless, "", nil, c.charge); err != nil {
			t.Error(err)
		}
	}
	c.mustHaveCharged(t, 2)

	if _, err := idempotency.Do(t.Context(), op, "typed", nil, c.charge); err != nil {
		t.Error(err)
	}
	_, err = idempotency.Do(t.Context(), op, "typed", nil, func(context.Context) ([]int, error) { t.Error("ran again"); return nil, nil })
	mustBe(t, nil, err, guard.Internal, "idempotency_result_unreadable")
}

func TestDoMakesTheKeyOfItsInput(t *testing.T) {
	c, s := new(till), &spy{Store: idempotency.NewMemoryStore()}
	type order struct{ Customer, Order, Note string }
	op := idempotency.NewOperation("charge", s, idempotency.KeyFrom(jmespath.Key("[Customer, Order]")))
	charge := func(op idempotency.Operation, key string, input any) error {
		_, err := idempotency.Do(t.Context(), op, key, input, c.charge)
		return err
	}
	for range 2 {
		if err := charge(op, "", order{Customer: "c", Order: "1", Note: "note"}); err != nil {
			t.Error(err)
		}
	}
	c.mustHaveCharged(t, 1)
	mustBe(t, "another input", charge(op, "", order{
		Customer: "c",
		Order:    "1",
		Note:     "another note",
	}), guard.Unprocessable, "idempotency_key_reused")
	if err := charge(op, "", order{Customer: "c", Order: "2", Note: "note"}); err != nil {
		t.Errorf("another key: %v", err)
	}
	c.mustHaveCharged(t, 2)
	for name, err := range map[string]error{
		"a part that is missing": charge(op, "", order{Customer: "c"}),
		"no input":               charge(op, "", nil),
	} {
		if !errors.Is(err, idempotency.ErrNoKey) {
			t.Errorf("%s: got %v, want ErrNoKey", name, err)
		}
	}
	for name, err := range map[string]error{
		"a key as well":            charge(op, "k", order{Customer: "c", Order: "1", Note: "note"}),
		"an input that is no JSON": charge(op, "", math.NaN()),
	} {
		if err == nil || errors.Is(err, idempotency.ErrNoKey) {
			t.Errorf("%s: got %v, want another error", name, err)
		}
	}
	c.mustHaveCharged(t, 2)
	keyless := idempotency.NewOperation("charge", s, idempotency.KeyFrom(jmespath.Key("Order")), idempotency.AllowMissingKey())
	if err := charge(keyless, "", order{Customer: "c"}); err != nil {
		t.Error(err)
	}
	c.mustHaveCharged(t, 3)
	malformed := guard.Errorf(guard.Invalid, "idempotency_key_malformed", "")
	refusing := idempotency.NewOperation("charge", s, idempotency.AllowMissingKey(),
		idempotency.KeyFrom(func(context.Context, *guard.Event) (string, error) { return "", malformed }))
	if err := charge(refusing, "", order{Customer: "c"}); !errors.Is(err, malformed) {
		t.Errorf("a malformed key: got %v, want its error", err)
	}
	c.mustHaveCharged(t, 3)
	if len(s.claims[0].Key) != 43 {
		t.Errorf("stored as %s, want a hash", s.claims[0].Key)
	}
}

func TestMisuseIsAPanicAtConstruction(t *testing.T) {
	store, key := idempotency.NewMemoryStore(), idempotency.Header("k")
	for name, misuse := range map[string]func(){
		"no store":       func() { idempotency.Once(nil, key) },
		"no key":         func() { idempotency.Once(store, nil) },
		"header":         func() { idempotency.Header("") },
		"operation":      func() { idempotency.NewOperation("", store) },
		"store":          func() { idempotency.NewOperation("x", nil) },
		"zero operation": func() { _, _ = idempotency.Do(t.Context(), idempotency.Operation{}, "k", nil, new(till).charge) },
		"TTL":            func() { idempotency.TTL(0) },
		"Skew":           func() { idempotency.Skew(-1) },
		"Lease":          func() { idempotency.Lease(0) },
		"Wait":           func() { idempotency.Wait(0) },
		"Name":           func() { idempotency.Name("") },
		"Scope":          func() { idempotency.Scope(nil) },
		"Fingerprint":    func() { idempotency.Fingerprint(nil) },
		"KeyFrom":        func() { idempotency.KeyFrom(nil) },
		"StoreWhen":      func() { idempotency.StoreWhen(nil) },
		"LocalReplays":   func() { idempotency.LocalReplays(0) },
		"OnReplay":       func() { idempotency.OnReplay(nil) },
		"OnStoreError":   func() { idempotency.OnStoreError(nil) },
		"Reconcile":      func() { idempotency.Reconcile[int](nil) },
		"AfterTimeout":   func() { idempotency.AfterTimeout("") },
		"another policy": func() { idempotency.AfterTimeout("reconcile") },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); len(text) < 12 || text[:12] != "idempotency:" {
					t.Errorf("%s: panic %q", name, text)
				}
			}()
			misuse()
		}()
	}
}
