package agent_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
	"github.com/lambdarmor/lambdarmor/secrets/agent/agenttest"
)

// clock is one that the test moves.
type clock struct{ past atomic.Int64 }

func (c *clock) now() time.Time             { return time.Now().Add(time.Duration(c.past.Load())) }
func (c *clock) advance(d time.Duration)    { c.past.Add(int64(d)) }
func (c *clock) option() secrets.Option     { return secrets.Clock(c.now) }
func text(s secrets.Secret, e error) string { return fmt.Sprint(s.Text(), " ", s.Stale(), " ", e) }

// Init has no phase in which the extension answers. What was to be fetched then
// comes with the first that is asked for in the first invocation.
func TestAPrefetchBeforeTheFirstInvocationWaitsForIt(t *testing.T) {
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
	a := agenttest.New(t)
	a.SetSecret("one", "1")
	a.SetSecret("two", "2")
	a.NotReady(-1)
	c := secrets.New(agent.Secrets(at(a)...))
	if err := c.Prefetch(t.Context(), "one", "two"); err != nil {
		t.Fatal(err)
	}
	a.NotReady(1) // the extension is a little behind the function
	if got := text(c.Get(invoked(t), "one")); got != "1 false <nil>" {
		t.Error(got)
	}
	if a.Asked("one") != 1 || a.Asked("two") != 1 {
		t.Errorf("asked %d and %d times in the first invocation, want once for each", a.Asked("one"), a.Asked("two"))
	}
	if got := text(c.Get(invoked(t), "two")); got != "2 false <nil>" || a.Asked("two") != 1 {
		t.Error(got)
	}
}

// AWS's own agent passes throttling on as a 400, for good.
func TestThrottlingServesWhatThereIsAndADenialDoesNot(t *testing.T) {
	var now clock
	a := agenttest.New(t)
	a.SetSecret("key", "v")
	c := secrets.New(agent.Secrets(at(a)...), now.option(), secrets.MaxStale(time.Hour))
	mustGet := func(want string) {
		t.Helper()
		if got := text(c.Get(invoked(t), "key")); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	mustGet("v false <nil>")
	for _, f := range []agenttest.Answer{agenttest.Refused("ThrottlingException"), agenttest.Opaque(), {Status: 500}, {Status: 429}} {
		now.advance(6 * time.Minute)
		a.Fail("key", f)
		mustGet("v true <nil>")
		a.Fail("key", agenttest.Answer{})
		now.advance(2 * time.Minute) // the backoff
		mustGet("v false <nil>")
	}
	for code, want := range map[string]error{
		"AccessDeniedException": secrets.ErrDenied, "ResourceNotFoundException": secrets.ErrNotFound, "DecryptionFailure": secrets.ErrUndecryptable,
	} {
		now.advance(6 * time.Minute)
		a.Fail("key", agenttest.Refused(code))
		if s, err := c.Get(invoked(t), "key"); !errors.Is(err, want) || s.Text() != "" {
			t.Errorf("%s: got %s, want the denial", code, text(s, err))
		}
		a.Fail("key", agenttest.Answer{})
		now.advance(time.Minute)
		mustGet("v false <nil>")
	}
}

func TestARotationThroughTheAgentFailsNoUse(t *testing.T) {
	a := agenttest.New(t)
	a.SetSecret("key", "old")
	var revoked atomic.Bool // the old one
	c := secrets.New(agent.Secrets(at(a)...), secrets.FetchTimeout(time.Minute))
	ctx := invoked(t)
	var warm, under sync.WaitGroup
	use := func() string {
		used, err := secrets.Try(ctx, c, "key", func(_ context.Context, s secrets.Secret) (string, error) {
			if s.Text() == "old" && revoked.Load() {
				return "", secrets.ErrRejected
			}
			return s.Text(), nil
		})
		if err != nil {
			t.Error(err)
			return "new"
		}
		return used
	}
	for range 64 {
		warm.Add(1)
		under.Go(func() {
			use()
			warm.Done()
			for use() != "new" {
				runtime.Gosched()
			}
		})
	}
	warm.Wait()
	a.SetSecret("key", "new")
	revoked.Store(true)
	under.Wait()
	if n := a.Asked("key"); n != 2 {
		t.Errorf("got %d requests, want another number", n)
	}
	current, previous, err := c.Pair(ctx, "key")
	if err != nil || current.Text() != "new" || previous.Text() != "old" {
		t.Errorf("got %q and %q, %v, want the two values", current.Text(), previous.Text(), err)
	}
}

func TestConfigurationsAreFollowed(t *testing.T) {
	var now clock
	type settings struct {
		Level string `json:"level"`
	}
	a := agenttest.New(t)
	a.SetConfiguration("shop/prod/settings", `{"level":"info"}`)
	c := secrets.New(agent.AppConfig(agent.Address(a.URL())), now.option(), secrets.TTL(10*time.Second))
	for _, level := range []string{"debug", "warn"} {
		before, err := secrets.JSON[settings](invoked(t), c, "shop/prod/settings")
		a.SetConfiguration("shop/prod/settings", `{"level":"`+level+`"}`)
		now.advance(time.Minute)
		after, err2 := secrets.JSON[settings](invoked(t), c, "shop/prod/settings")
		if err != nil || err2 != nil || before == after || after.Level != level {
			t.Errorf("got %v, %v, then %v, %v, want the change", before, err, after, err2)
		}
	}
}
