package idempotency_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// crashing is a function whose first run is stopped in the middle: it panics,
// and nobody recovers.
func crashing() *function {
	f := new(function)
	f.handle = func(_ context.Context, run int64) ([]byte, error) {
		if run == 1 {
			panic("stopped")
		}
		return []byte(`{"statusCode":201,"body":"second"}`), nil
	}
	return f
}

// crash sends the request whose run is stopped.
func crash(t *testing.T, h lambda.Handler) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Fatal("the panic did not go through")
		}
	}()
	_, _ = ask(t, h, request{key: "k"})
}

func TestRule09AnExpiredLeaseIsRerunByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := crashing()
		h := protect(f, idempotency.NewMemoryStore())
		crash(t, h)
		e := mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_in_progress")
		if e.RetryAfter != 12*time.Second { // 10 s to the deadline, and 2
			t.Errorf("retry after %v, want what is left of the lease", e.RetryAfter)
		}
		time.Sleep(e.RetryAfter + time.Millisecond)
		mustAnswer(t, h, request{key: "k"})
		if out := mustAnswer(t, h, request{key: "k"}); !isReplay(out) {
			t.Errorf("not replayed: %s", out)
		}
		f.mustHaveRun(t, 2)
	})
}

func TestRule09RefuseDoesNotRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := crashing()
		h := protect(f, idempotency.NewMemoryStore(), idempotency.AfterTimeout(idempotency.Refuse), idempotency.TTL(time.Hour))
		crash(t, h)
		mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_in_progress")
		for range 3 {
			time.Sleep(13 * time.Second)
			mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_outcome_unknown")
		}
		f.mustHaveRun(t, 1)
		time.Sleep(time.Hour) // until it is forgotten
		mustAnswer(t, h, request{key: "k"})
		f.mustHaveRun(t, 2)
	})
}

func TestRule09ReconcileFindsOut(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		done   bool
		err    error
		runs   int64
		want   string
	}{
		"done":     {answer: `{"statusCode":201,"body":"found","cookies":["a=b"]}`, done: true, runs: 1, want: "found"},
		"not done": {runs: 2, want: "second"},
		"unknown":  {err: errors.New("the bank does not answer"), runs: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := crashing()
				var asked []idempotency.Unfinished
				find := func(_ context.Context, u idempotency.Unfinished) (json.RawMessage, bool, error) {
					asked = append(asked, u)
					return []byte(c.answer), c.done, c.err
				}
				h := protect(f, idempotency.NewMemoryStore(), idempotency.Reconcile(find))
				crash(t, h)
				if len(asked) > 0 {
					t.Error("asked about a first attempt")
				}
				for epoch := int64(1); epoch <= 2; epoch++ {
					time.Sleep(13 * time.Second)
					if c.err == nil {
						out := mustAnswer(t, h, request{key: "k"})
						if read(t, out).Body != c.want || isReplay(out) != (epoch == 2) {
							t.Errorf("answered %s", out)
						}
						continue
					}
					e := mustRefuse(t, h, request{key: "k"}, guard.Unavailable, "idempotency_not_reconciled")
					if !errors.Is(e, c.err) {
						t.Errorf("the cause is lost: %v", e)
					}
					mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_in_progress")
					if got := asked[epoch-1].Epoch; got != epoch {
						t.Errorf("asked about epoch %d, want %d", got, epoch)
					}
				}
				f.mustHaveRun(t, c.runs)
				if len(asked) == 0 || asked[0].Key != "k" || len(asked[0].Payload) == 0 {
					t.Errorf("asked about %+v", asked)
				}
			})
		})
	}
}

// What cannot be the first answer cannot be that of the repeats: nobody knows.
func TestRule09ReconcileThatFindsNoResponse(t *testing.T) {
	for answer, kind := range map[string]guard.Kind{
		`{"statusCode":0}`: guard.Internal, `{"statusCode":1000}`: guard.Internal,
		"null": guard.Internal, `"Zm91bmQ="`: guard.Internal, // a nil answer, and one of []byte
		"": guard.Unavailable, "found": guard.Unavailable, "{": guard.Unavailable, // not JSON
	} {
		code := map[guard.Kind]string{guard.Internal: "idempotency_result_unreadable", guard.Unavailable: "idempotency_not_reconciled"}[kind]
		synctest.Test(t, func(t *testing.T) {
			f := crashing()
			found := answer
			find := func(context.Context, idempotency.Unfinished) (json.RawMessage, bool, error) {
				return []byte(found), true, nil
			}
			h := protect(f, idempotency.NewMemoryStore(), idempotency.Reconcile(find))
			crash(t, h)
			time.Sleep(13 * time.Second)
			mustRefuse(t, h, request{key: "k"}, kind, code)
			mustRefuse(t, h, request{key: "k"}, guard.Conflict, "idempotency_in_progress")
			time.Sleep(13 * time.Second)
			found = `{"statusCode":200,"body":"found"}`
			if out := mustAnswer(t, h, request{key: "k"}); out != found {
				t.Errorf("answered %s", out)
			}
			f.mustHaveRun(t, 1)
		})
	}
}

func TestReconcileAnswersWithAValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := crashing()
		h := protect(f, idempotency.NewMemoryStore(), idempotency.Reconcile(
			func(context.Context, idempotency.Unfinished) (events.APIGatewayV2HTTPResponse, bool, error) {
				return events.APIGatewayV2HTTPResponse{StatusCode: 201, Body: "found"}, true, nil
			}))
		crash(t, h)
		time.Sleep(13 * time.Second)
		for _, replay := range []bool{false, true} {
			out := mustAnswer(t, h, request{key: "k"})
			if r := read(t, out); r.StatusCode != 201 || r.Body != "found" || isReplay(out) != replay {
				t.Errorf("got %s, want what was found, a replay: %t", out, replay)
			}
		}
		f.mustHaveRun(t, 1)
	})
}

func TestReconcileIsReadAsDoReadsItsResult(t *testing.T) {
	broken := errors.New("the bank does not answer")
	for name, c := range map[string]struct {
		policy idempotency.Option
		want   receipt
		code   string
	}{
		"found": {policy: idempotency.Reconcile(func(context.Context, idempotency.Unfinished) (receipt, bool, error) {
			return receipt{ID: "found", Amount: math.MaxInt64}, true, nil
		}), want: receipt{ID: "found", Amount: math.MaxInt64}},
		"not found": {policy: idempotency.Reconcile(func(context.Context, idempotency.Unfinished) (receipt, bool, error) {
			return receipt{ID: "ignored"}, false, nil
		}), want: receipt{ID: "run"}},
		"not known": {policy: idempotency.Reconcile(func(context.Context, idempotency.Unfinished) (receipt, bool, error) {
			return receipt{}, true, broken
		}), code: "idempotency_not_reconciled"},
		"not encoded": {policy: idempotency.Reconcile(func(context.Context, idempotency.Unfinished) (float64, bool, error) {
			return math.NaN(), true, nil
		}), code: "idempotency_not_reconciled"},
		"another type": {policy: idempotency.Reconcile(func(context.Context, idempotency.Unfinished) ([]int, bool, error) {
			return []int{1}, true, nil
		}), code: "idempotency_result_unreadable"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				op := idempotency.NewOperation("charge", idempotency.NewMemoryStore(), idempotency.Lease(time.Second), c.policy)
				do := func() (receipt, error) {
					return idempotency.Do(t.Context(), op, "k", nil, func(context.Context) (receipt, error) { return receipt{ID: "run"}, nil })
				}
				_, _ = idempotency.Do(t.Context(), op, "k", nil, func(context.Context) (receipt, error) { return receipt{}, idempotency.ErrOutcomeUnknown })
				time.Sleep(2 * time.Second)
				got, err := do()
				if c.code != "" {
					var e *guard.Error
					if !errors.As(err, &e) || e.Code != c.code {
						t.Fatalf("got %+v with error %v, want %s", got, err, c.code)
					}
					return
				}
				for range 2 {
					if err != nil || got.ID != c.want.ID || got.Amount != c.want.Amount {
						t.Errorf("got %+v with error %v, want %+v", got, err, c.want)
					}
					got, err = do()
				}
			})
		})
	}
}

// One that was stopped while it reconciled leaves the same question.
func TestRule09ReconcileThatIsStoppedIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, asked := crashing(), 0
		find := func(context.Context, idempotency.Unfinished) (json.RawMessage, bool, error) {
			if asked++; asked == 1 {
				panic("stopped")
			}
			return []byte(`{"statusCode":200,"body":"found"}`), true, nil
		}
		h := protect(f, idempotency.NewMemoryStore(), idempotency.Reconcile(find))
		crash(t, h)
		time.Sleep(13 * time.Second)
		crash(t, h)
		time.Sleep(13 * time.Second)
		if out := mustAnswer(t, h, request{key: "k"}); read(t, out).Body != "found" || asked != 2 {
			t.Errorf("asked %d times, answered %s", asked, out)
		}
		f.mustHaveRun(t, 1)
	})
}

func TestRule09TheLeaseIsAlwaysFinite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &spy{Store: idempotency.NewMemoryStore()}
		start := time.Now()
		end := func(at time.Time) context.Context {
			ctx, cancel := context.WithDeadline(t.Context(), at)
			t.Cleanup(cancel)
			return ctx
		}
		n := 0
		lease := func(ctx context.Context, opts ...idempotency.Option) time.Duration {
			n++
			ev := request{key: string(rune('a' + n))}.event()
			_, _ = guard.Wrap(new(function), idempotency.Once(s, idempotency.Header("Idempotency-Key"), opts...)).Invoke(ctx, ev)
			return s.claims[len(s.claims)-1].Lease.Sub(start)
		}
		for name, c := range map[string]struct {
			ctx  context.Context
			opts []idempotency.Option
			want time.Duration
		}{
			"deadline and skew": {ctx: end(start.Add(29 * time.Second)), want: 31 * time.Second},
			"another skew": {
				ctx:  end(start.Add(time.Second)),
				opts: []idempotency.Option{idempotency.Skew(time.Second)},
				want: 2 * time.Second,
			},
			"no deadline":                 {ctx: t.Context(), want: 15*time.Minute + 2*time.Second},
			"the deadline of an emulator": {ctx: end(time.UnixMilli(0)), want: 15*time.Minute + 2*time.Second},
			"no time left":                {ctx: end(start), want: 2 * time.Second},
			"a deadline that is past":     {ctx: end(start.Add(-time.Hour)), want: 2 * time.Second},
			"longer by option": {
				ctx:  end(start.Add(time.Second)),
				opts: []idempotency.Option{idempotency.Lease(time.Hour)},
				want: time.Hour,
			},
			"never shorter by option": {
				ctx:  end(start.Add(time.Minute)),
				opts: []idempotency.Option{idempotency.Lease(time.Second)},
				want: 62 * time.Second,
			},
			"by option without a deadline": {
				ctx:  t.Context(),
				opts: []idempotency.Option{idempotency.Lease(time.Minute)},
				want: time.Minute,
			},
		} {
			if got := lease(c.ctx, c.opts...); got != c.want {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
		for _, r := range s.claims {
			if r.Expires.Before(r.Lease) {
				t.Errorf("expires at %v, before the lease ends at %v", r.Expires, r.Lease)
			}
		}
	})
}

func TestARecordInProgressOutlivesItsTTL(t *testing.T) {
	s := &spy{Store: idempotency.NewMemoryStore()}
	mustAnswer(t, protect(new(function), s, idempotency.TTL(time.Second), idempotency.Lease(time.Hour)), request{key: "k"})
	if r := s.claims[0]; r.Expires.Before(r.Lease) {
		t.Errorf("expires %v before its lease ends", r.Lease.Sub(r.Expires))
	}
}

// A process that is frozen for minutes has a monotonic clock that is behind.
func TestRule14TimesHaveNoMonotonicClock(t *testing.T) {
	s := &spy{Store: idempotency.NewMemoryStore()}
	mustAnswer(t, protect(new(function), s), request{key: "k"})
	for _, at := range []time.Time{s.claims[0].Lease, s.claims[0].Expires} {
		if at != at.Round(0) {
			t.Errorf("%v has a monotonic reading", at)
		}
	}
}

func TestRule14ExpiryIsJudgedWhenARecordIsRead(t *testing.T) {
	for name, opts := range map[string][]idempotency.Option{"store": nil, "local replays": {idempotency.LocalReplays(4)}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := new(function)
				h := protect(f, idempotency.NewMemoryStore(), append(opts, idempotency.TTL(time.Minute))...)
				mustAnswer(t, h, request{key: "k"})
				time.Sleep(time.Minute - time.Nanosecond)
				if out := mustAnswer(t, h, request{key: "k"}); !isReplay(out) {
					t.Errorf("expired early: %s", out)
				}
				time.Sleep(time.Nanosecond)
				if out := mustAnswer(t, h, request{key: "k", body: `{"another":1}`}); isReplay(out) {
					t.Errorf("replayed after its time: %s", out)
				}
				f.mustHaveRun(t, 2)
			})
		})
	}
}
