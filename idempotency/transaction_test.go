package idempotency_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// ledger is a store that commits entries with a completion, and can be told to
// fail at that.
type ledger struct {
	*idempotency.MemoryStore
	entries  []string
	errs     []error // of the coming commits
	commits  int
	claims   int
	releases int
	time     time.Duration // that the last commit had
}

func (l *ledger) Begin(idempotency.Record) idempotency.Transaction { return &page{ledger: l} }

func (l *ledger) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	l.claims++
	return l.MemoryStore.Claim(ctx, r)
}

func (l *ledger) Release(ctx context.Context, r idempotency.Record) error {
	l.releases++
	return l.MemoryStore.Release(ctx, r)
}

type page struct {
	*ledger
	staged []string
	sealed bool
}

func (p *page) Seal() bool { p.sealed = true; return len(p.staged) > 0 }

func (p *page) Commit(ctx context.Context, r idempotency.Record) error {
	p.commits++
	if end, ok := ctx.Deadline(); ok {
		p.time = time.Until(end)
	}
	if len(p.errs) > 0 {
		err := p.errs[0]
		p.errs = p.errs[1:]
		if err != nil {
			return err
		}
	}
	if err := p.Complete(ctx, r); err != nil {
		return err
	}
	p.entries = append(p.entries, p.staged...)
	return nil
}

// enter stages an entry, as a function of the store's package would.
func enter(ctx context.Context, entry string) error {
	tx, _ := idempotency.TransactionOf(ctx)
	p, ok := tx.(*page)
	if !ok || p.sealed {
		return errors.New("no page")
	}
	p.staged = append(p.staged, entry)
	return nil
}

// What the store says of a commit is what the caller hears: unlike a completion
// it is no success until the store says so.
func TestOutcomesOfACommit(t *testing.T) {
	reason := guard.Errorf(guard.Conflict, "sold_out", "")
	down := errors.New("the store is down")
	for _, tc := range []struct {
		name    string
		errs    []error
		kind    guard.Kind
		code    string // "" is a success
		again   string // the code of a repeat
		entries int    // after both
		unsaved int
	}{
		{name: "committed", entries: 1},
		{name: "too large", errs: []error{idempotency.ErrTooLarge}, again: "idempotency_result_unavailable", entries: 1, unsaved: 1},
		{name: "lost", errs: []error{idempotency.ErrLost}, kind: guard.Conflict, code: "idempotency_lease_lost", again: "idempotency_in_progress"},
		{name: "not committed", errs: []error{fmt.Errorf("%w: %w", idempotency.ErrNotCommitted, reason)}, kind: guard.Conflict, code: "sold_out", again: "idempotency_in_progress"},
		{name: "unknown", errs: []error{down}, kind: guard.Unavailable, code: "idempotency_commit_unknown", again: "idempotency_in_progress", unsaved: 1},
		{name: "too large, then unknown", errs: []error{idempotency.ErrTooLarge, down}, kind: guard.Unavailable, code: "idempotency_commit_unknown", again: "idempotency_in_progress", unsaved: 2},
		{name: "too large without a result", errs: []error{idempotency.ErrTooLarge, idempotency.ErrTooLarge}, kind: guard.Unavailable, code: "idempotency_commit_unknown", again: "idempotency_in_progress", unsaved: 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			store := &ledger{MemoryStore: idempotency.NewMemoryStore(), errs: tc.errs}
			var unsaved []error
			op := idempotency.NewOperation("enter", store, idempotency.LocalReplays(1),
				idempotency.OnStoreError(func(_ context.Context, _ idempotency.Record, err error) { unsaved = append(unsaved, err) }))
			do := func() (string, error) {
				return idempotency.Do(t.Context(), op, "k", nil, func(ctx context.Context) (string, error) { return "done", enter(ctx, "entry") })
			}
			got, err := do()
			if tc.code == "" {
				if got != "done" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
			} else {
				mustBe(t, got, err, tc.kind, tc.code)
				if got != "" || !errors.Is(err, tc.errs[len(tc.errs)-1]) {
					t.Errorf("%q, %v", got, err)
				}
			}
			got, err = do()
			var e *guard.Error
			if tc.again == "" && (got != "done" || err != nil) || tc.again != "" && (!errors.As(err, &e) || e.Code != tc.again) {
				t.Errorf("again: %q, %v, want %q", got, err, tc.again)
			}
			// The store releases what it has not committed, and nobody else does.
			if len(store.entries) != tc.entries || len(unsaved) != tc.unsaved || store.releases != 0 {
				t.Errorf("%d entries, reported %v, %d releases", len(store.entries), unsaved, store.releases)
			}
		})
	}
}

func TestACommitIsReplayedLocally(t *testing.T) {
	store := &ledger{MemoryStore: idempotency.NewMemoryStore()}
	op := idempotency.NewOperation("enter", store, idempotency.LocalReplays(1))
	for range 2 {
		got, err := idempotency.Do(t.Context(), op, "k", nil, func(ctx context.Context) (string, error) { return "done", enter(ctx, "entry") })
		if got != "done" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	if store.claims != 1 || store.commits != 1 {
		t.Errorf("%d claims, %d commits", store.claims, store.commits)
	}
}

// A commit is the effect itself: it has the time that a completion does not get.
func TestACommitHasTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for left, want := range map[time.Duration]time.Duration{
			0: 15 * time.Second, time.Hour: 15 * time.Second, 8 * time.Second: 6 * time.Second, -time.Second: 200 * time.Millisecond,
		} {
			store := &ledger{MemoryStore: idempotency.NewMemoryStore()}
			ctx := t.Context()
			if left != 0 {
				ctx = deadline{Context: ctx, end: time.Now().Add(left)}
			}
			_, err := idempotency.Do(ctx, idempotency.NewOperation("enter", store), "k", nil,
				func(ctx context.Context) (string, error) { return "done", enter(ctx, "entry") })
			if err != nil || store.time != want {
				t.Errorf("of %v it has %v, want %v (%v)", left, store.time, want, err)
			}
		}
	})
}

func TestNothingIsCommittedWithoutStagedWrites(t *testing.T) {
	store := &ledger{MemoryStore: idempotency.NewMemoryStore(), errs: []error{errors.New("down")}}
	op := idempotency.NewOperation("enter", store)
	got, err := idempotency.Do(t.Context(), op, "k", nil, func(context.Context) (string, error) { return "done", nil })
	if got != "done" || err != nil || store.commits != 0 {
		t.Errorf("%q, %v, %d commits", got, err, store.commits)
	}
}

// An attempt that is reconciled has staged nothing, and one whose look stages
// commits that with the answer it found.
func TestReconcileAndStagedWrites(t *testing.T) {
	for name, stages := range map[string]bool{"staging": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			store := &ledger{MemoryStore: idempotency.NewMemoryStore()}
			op := idempotency.NewOperation("enter", store, idempotency.Lease(1), idempotency.Skew(0), idempotency.TTL(1<<40),
				idempotency.Reconcile(func(ctx context.Context, _ idempotency.Unfinished) (json.RawMessage, bool, error) {
					if stages {
						return []byte(`"found"`), true, enter(ctx, "found")
					}
					return []byte(`"found"`), true, nil
				}))
			store.errs = []error{errors.New("unknown")}
			run := func(ctx context.Context) (string, error) { return "done", enter(ctx, "entry") }
			if _, err := idempotency.Do(t.Context(), op, "k", nil, run); err == nil {
				t.Fatal("no error")
			}
			got, err := idempotency.Do(t.Context(), op, "k", nil, run)
			if got != "found" || err != nil || slices.Contains(store.entries, "entry") || slices.Contains(store.entries, "found") != stages {
				t.Errorf("%q, %v, entries %q", got, err, store.entries)
			}
		})
	}
}

// What runs unprotected has no transaction: what it staged in the one further out
// would be there although it has failed.
func TestWithoutAKeyNothingIsStaged(t *testing.T) {
	store := &ledger{MemoryStore: idempotency.NewMemoryStore()}
	var staged error
	failing := func(ctx context.Context) error {
		staged = enter(ctx, "undone")
		return errors.New("failed")
	}
	op := idempotency.NewOperation("inner", store, idempotency.AllowMissingKey())
	once := protect(&function{handle: func(ctx context.Context, _ int64) ([]byte, error) { return nil, failing(ctx) }}, store, idempotency.AllowMissingKey())
	for name, inner := range map[string]func(context.Context) error{
		"do": func(ctx context.Context) error {
			_, err := idempotency.Do(ctx, op, "", nil, func(ctx context.Context) (int, error) { return 0, failing(ctx) })
			return err
		},
		"once": func(ctx context.Context) error { _, err := once.Invoke(ctx, request{}.event()); return err },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := idempotency.Do(t.Context(), idempotency.NewOperation("outer", store), name, nil, func(ctx context.Context) (string, error) {
				if err := inner(ctx); err == nil {
					t.Error("no error")
				}
				return "done", enter(ctx, name)
			})
			if err != nil || staged == nil || slices.Contains(store.entries, "undone") || !slices.Contains(store.entries, name) {
				t.Errorf("%v, entries %q", err, store.entries)
			}
		})
	}
}

func TestTransactionOfTheInnermostOperation(t *testing.T) {
	store := &ledger{MemoryStore: idempotency.NewMemoryStore()}
	if tx, inside := idempotency.TransactionOf(t.Context()); tx != nil || inside {
		t.Errorf("outside: %v, %v", tx, inside)
	}
	outer := &function{handle: func(ctx context.Context, _ int64) ([]byte, error) {
		mine, _ := idempotency.TransactionOf(ctx)
		for _, of := range []idempotency.Store{store, idempotency.NewMemoryStore()} {
			op := idempotency.NewOperation("inner", of)
			_, err := idempotency.Do(ctx, op, "k", nil, func(ctx context.Context) (string, error) {
				tx, inside := idempotency.TransactionOf(ctx)
				if !inside || tx == mine || (tx == nil) != (of != store) {
					t.Errorf("inside: %v, %v", tx, inside)
				}
				return "", nil
			})
			if err != nil {
				t.Error(err)
			}
		}
		return []byte(`{"statusCode":200}`), nil
	}}
	mustAnswer(t, protect(outer, store), request{key: "k"})
}

// Writes that a failing handler staged are not written, also if its answer is
// stored. A success that is not stored becomes an error.
func TestWritesOfWhatIsNoStoredSuccess(t *testing.T) {
	gone := guard.Errorf(guard.NotFound, "gone", "There is no such order.")
	for name, c := range map[string]struct {
		answer string
		err    error
		want   int // the status
	}{
		"an error whose answer is stored": {err: gone, want: 404},
		"an error":                        {err: errors.New("broken"), want: 500},
		"a failure that is released":      {answer: `{"statusCode":409}`, want: 409},
		"a failure in doubt":              {answer: `{"statusCode":503}`, want: 503},
	} {
		t.Run(name, func(t *testing.T) {
			store := &ledger{MemoryStore: idempotency.NewMemoryStore()}
			h := served(&function{handle: func(ctx context.Context, _ int64) ([]byte, error) {
				if err := enter(ctx, "entry"); err != nil {
					t.Error(err)
				}
				return []byte(c.answer), c.err
			}}, store)
			if got := read(t, mustAnswer(t, h, request{key: "k"})).StatusCode; got != c.want {
				t.Errorf("got status %d, want %d", got, c.want)
			}
			if store.commits != 0 || len(store.entries) != 0 {
				t.Errorf("got %d commits and entries %q, want none", store.commits, store.entries)
			}
		})
	}
	t.Run("a success that is released", func(t *testing.T) {
		store := &ledger{MemoryStore: idempotency.NewMemoryStore()}
		op := idempotency.NewOperation("enter", store, idempotency.StoreWhen(func(int, []byte) bool { return false }))
		got, err := idempotency.Do(t.Context(), op, "k", nil, func(ctx context.Context) (string, error) { return "done", enter(ctx, "entry") })
		if !errors.Is(err, idempotency.ErrNotCommitted) || got != "" || len(store.entries) != 0 || store.releases != 1 {
			t.Errorf("got %q, error %v, entries %q and %d releases, want ErrNotCommitted and a release", got, err, store.entries, store.releases)
		}
	})
}
