package idempotency_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// policies are those of AfterTimeout, with what a key whose attempt is unknown
// answers when the lease is over.
func policies() []policy {
	nobodyKnows := errors.New("the bank does not answer")
	return []policy{
		{name: "Rerun", of: idempotency.AfterTimeout(idempotency.Rerun)},
		{name: "Refuse", of: idempotency.AfterTimeout(idempotency.Refuse), kind: guard.Conflict, code: "idempotency_outcome_unknown"},
		{name: "Reconcile", of: idempotency.Reconcile(func(context.Context, idempotency.Unfinished) (json.RawMessage, bool, error) {
			return nil, false, nobodyKnows
		}), kind: guard.Unavailable, code: "idempotency_not_reconciled"},
	}
}

type policy struct {
	name string
	of   idempotency.Option
	kind guard.Kind // of the error after the lease
	code string     // "" runs again
}

// mustBeUnknown checks that the key is held until the lease of the attempt is
// over, and that the policy decides then.
func (p policy) mustBeUnknown(t *testing.T, f *function, h lambda.Handler) {
	t.Helper()
	mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_in_progress")
	time.Sleep(13 * time.Second)
	if p.code != "" {
		mustRefuse(t, h, request{key: "k"}, p.kind, p.code)
		f.mustHaveRun(t, 1)
		return
	}
	mustAnswer(t, h, request{key: "k"})
	f.mustHaveRun(t, 2)
}

// first is a function whose first run ends in that way, and any other in a
// success.
func first(run func(ctx context.Context) ([]byte, error)) *function {
	return &function{handle: func(ctx context.Context, n int64) ([]byte, error) {
		if n > 1 {
			return []byte(`{"statusCode":201,"body":"again"}`), nil
		}
		return run(ctx)
	}}
}

// charging waits for a provider that does not answer, as long as ctx lasts.
func charging(ctx context.Context) ([]byte, error) {
	<-ctx.Done()
	return nil, fmt.Errorf("charge: %w", ctx.Err())
}

func within(d time.Duration, run func(context.Context) ([]byte, error)) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		return run(ctx)
	}
}

func failingWith(err error) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return nil, err }
}

func TestWhatTimedOutIsNotTakenForNothing(t *testing.T) {
	for _, p := range policies() {
		for name, c := range map[string]struct {
			outside, inside []guard.Middleware
			run             func(context.Context) ([]byte, error)
		}{
			"the deadline of the invocation": {run: charging},
			"a Deadline outside":             {run: charging, outside: []guard.Middleware{guard.Deadline(time.Second)}},
			"a Deadline inside":              {run: charging, inside: []guard.Middleware{guard.Deadline(time.Second)}},
			"a deadline of the handler's":    {run: within(time.Second, charging)},
			"a request that was given up": {run: failingWith(&url.Error{
				Op: "Post", URL: "https://bank.example/charges", Err: context.DeadlineExceeded,
			})},
			"a connection that was": {run: failingWith(fmt.Errorf("charge: %w", os.ErrDeadlineExceeded))},
			"a Timeout":             {run: failingWith(guard.Errorf(guard.Timeout, "bank_slow", "The bank is slow."))},
			"a cancelled context":   {run: failingWith(fmt.Errorf("charge: %w", context.Canceled))},
			"another error, too late": {run: func(ctx context.Context) ([]byte, error) {
				<-ctx.Done()
				return nil, errors.New("the connection is gone")
			}},
			"a refusal that is not kept, too late": {run: func(ctx context.Context) ([]byte, error) {
				<-ctx.Done()
				return nil, guard.Errorf(guard.Conflict, "busy", "Busy.")
			}},
		} {
			t.Run(p.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := first(c.run)
					layers := append(c.outside, idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key"), p.of))
					h := guard.Wrap(f, append(layers, c.inside...)...)
					if out, err := ask(t, h, request{key: "k"}); err == nil {
						t.Fatalf("answered %s", out)
					}
					if p.name == "Rerun" { // free at once
						mustAnswer(t, h, request{key: "k"})
						f.mustHaveRun(t, 2)
						return
					}
					p.mustBeUnknown(t, f, h)
				})
			})
		}
	}
}

func TestAHandlerCanSayThatItDoesNotKnow(t *testing.T) {
	for _, p := range policies() {
		for name, err := range map[string]error{
			"wrapped":               fmt.Errorf("charge: %w", idempotency.ErrOutcomeUnknown),
			"as an answer":          &guard.Error{Kind: guard.Unavailable, Code: "charge_unknown", Err: idempotency.ErrOutcomeUnknown},
			"as the caller's fault": &guard.Error{Kind: guard.Unprocessable, Code: "charge_unknown", Err: idempotency.ErrOutcomeUnknown},
		} {
			t.Run(p.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := first(failingWith(err))
					h := served(f, idempotency.NewMemoryStore(), p.of)
					if out := mustAnswer(t, h, request{key: "k"}); read(t, out).StatusCode < 400 {
						t.Fatalf("answered %s", out)
					}
					if out := mustAnswer(t, h, request{key: "k"}); read(t, out).StatusCode != 409 {
						t.Errorf("a repeat got %s, want 409", out)
					}
					time.Sleep(13 * time.Second)
					want := map[string]int{"Rerun": 201, "Refuse": 409, "Reconcile": 503}[p.name]
					if out := mustAnswer(t, h, request{key: "k"}); read(t, out).StatusCode != want {
						t.Errorf("after the lease it got %s, want %d", out, want)
					}
				})
			})
		}
	}
}

func TestAServerErrorIsNothingOnlyToRerun(t *testing.T) {
	for _, p := range policies() {
		for _, answer := range []string{`{"statusCode":500}`, `{"statusCode":"503"}`, `{"statusCode":504,"body":"slow"}`, `<html>`} {
			t.Run(p.name+"/"+answer, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := first(func(context.Context) ([]byte, error) { return []byte(answer), nil })
					h := protect(f, idempotency.NewMemoryStore(), p.of)
					if out := mustAnswer(t, h, request{key: "k"}); out != answer {
						t.Errorf("got %s, want %s", out, answer)
					}
					if p.name == "Rerun" {
						mustAnswer(t, h, request{key: "k"})
						f.mustHaveRun(t, 2)
						return
					}
					p.mustBeUnknown(t, f, h)
				})
			})
		}
	}
}

// An error in time, and one that a caller can do something about, are taken at
// their word.
func TestAnErrorIsTakenAtItsWord(t *testing.T) {
	for _, p := range policies() {
		for name, c := range map[string]struct {
			run    func(context.Context) ([]byte, error)
			status int // of the second answer
		}{
			"an error":         {run: failingWith(errors.New("declined")), status: 201},
			"unavailable":      {run: failingWith(guard.Errorf(guard.Unavailable, "down", "")), status: 201},
			"a conflict":       {run: failingWith(guard.Errorf(guard.Conflict, "busy", "")), status: 201},
			"an answer of 429": {run: func(context.Context) ([]byte, error) { return []byte(`{"statusCode":429}`), nil }, status: 201},
			"a refusal":        {run: failingWith(guard.Errorf(guard.Unprocessable, "no_such_sku", "")), status: 422},
			"a refusal, too late": {run: func(ctx context.Context) ([]byte, error) {
				<-ctx.Done()
				return nil, guard.Errorf(guard.Unprocessable, "sold_out", "")
			}, status: 422},
			"an answer of 500, but kept": {run: func(context.Context) ([]byte, error) { return []byte(`{"statusCode":500,"body":"kept"}`), nil }, status: 500},
		} {
			t.Run(p.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := served(first(c.run), idempotency.NewMemoryStore(), p.of,
						idempotency.StoreWhen(func(status int, answer []byte) bool {
							return idempotency.Keep(status, answer) || status == 500
						}))
					mustAnswer(t, h, request{key: "k"})
					if out := mustAnswer(t, h, request{key: "k"}); read(t, out).StatusCode != c.status {
						t.Errorf("a repeat got %s, want %d", out, c.status)
					}
				})
			})
		}
	}
}

func TestDoDoesNotTakeWhatTimedOutForNothing(t *testing.T) {
	for _, p := range policies() {
		for name, run := range map[string]func(context.Context) ([]byte, error){
			"timed out":   within(time.Second, charging),
			"not known":   failingWith(fmt.Errorf("charge: %w", idempotency.ErrOutcomeUnknown)),
			"its context": charging,
		} {
			t.Run(p.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					op := idempotency.NewOperation("charge", idempotency.NewMemoryStore(), p.of)
					do := func(fn func(context.Context) ([]byte, error)) error {
						ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
						defer cancel()
						_, err := idempotency.Do(ctx, op, "k", nil, fn)
						return err
					}
					if err := do(run); err == nil {
						t.Fatal("no error")
					}
					again := func(context.Context) ([]byte, error) { return []byte("again"), nil }
					if p.name == "Rerun" && name != "not known" {
						if err := do(again); err != nil {
							t.Errorf("got %v, want a second run", err)
						}
						return
					}
					mustBe(t, nil, do(again), guard.Conflict, "idempotency_in_progress")
					time.Sleep(13 * time.Second)
					err := do(again)
					if p.code == "" {
						if err != nil {
							t.Errorf("got %v, want a second run", err)
						}
						return
					}
					mustBe(t, nil, err, p.kind, p.code)
				})
			})
		}
	}
}

// What an operation inside does not know, the handler around it does not know
// either.
func TestNotKnowingPassesThroughDo(t *testing.T) {
	store := idempotency.NewMemoryStore()
	op := idempotency.NewOperation("charge", store)
	f := first(func(ctx context.Context) ([]byte, error) {
		return idempotency.Do(ctx, op, "k", nil, failingWith(fmt.Errorf("charge: %w", idempotency.ErrOutcomeUnknown)))
	})
	h := guard.Wrap(f, httpapi.Problems(), idempotency.Once(store, idempotency.Header("Idempotency-Key")))
	for _, want := range []int{500, 409} {
		if out := mustAnswer(t, h, request{key: "k"}); read(t, out).StatusCode != want {
			t.Errorf("got %s, want %d", out, want)
		}
	}
	f.mustHaveRun(t, 1)
}
