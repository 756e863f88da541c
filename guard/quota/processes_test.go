package quota_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard/quota"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
	"github.com/lambdarmor/lambdarmor/idempotency/valkey"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
	"github.com/lambdarmor/lambdarmor/internal/valkeyproxy"
)

// 64 callers at once over several processes: no more requests pass than the limit,
// in every window anew, and exactly as many once all processes refuse.
func TestNoWindowHasMoreThanTheLimit(t *testing.T) {
	const callers, processes, limit, principals = 64, 4, 150, 2
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			open, clock := s.make(t), at(noon)
			var apis [processes]lambda.Handler
			f := new(function)
			for i := range apis {
				now := func() time.Time { return clock.Now().Add(time.Duration(i) * time.Second) } // no two clocks agree
				apis[i] = f.api(quota.LimitAt(now, open(now), quota.FailClosed, quota.Allow("user", limit, time.Minute, quota.Principal())))
			}
			for window := range int64(3) {
				var passed [principals]atomic.Int64
				race(callers, func(i int) {
					who, h := i%principals, apis[i/principals%processes]
					for {
						r := send(t, h, call{who: fmt.Sprint("caller ", who)})
						if r.Status == http.StatusTooManyRequests {
							return
						}
						if total := passed[who].Add(1); r.Status != http.StatusOK || total > limit {
							t.Errorf("window %d: got %d for request %d of %d", window, r.Status, total, limit)
							return
						}
					}
				})
				for who := range passed {
					if got := passed[who].Load(); got != limit {
						t.Errorf("window %d: %d requests of caller %d passed, want %d", window, got, who, limit)
					}
				}
				f.mustHaveRun(t, (window+1)*principals*limit)
				clock.move(time.Minute)
			}
		})
	}
}

// The figures of the package comment.
func TestRequestsToTheStore(t *testing.T) {
	const limit = 1000
	policy := quota.Allow("user", limit, time.Minute, quota.Principal())
	for _, c := range []struct {
		processes, requests, writes int
	}{
		{processes: 1, requests: 1000, writes: 20},
		{processes: 10, requests: 900, writes: 100},
	} {
		t.Run(fmt.Sprint(c.processes, " processes"), func(t *testing.T) {
			writes, memory := 0, idempotency.NewMemoryStore()
			store := counter(func(ctx context.Context, key string, want, limit int64, expires time.Time) (int64, int64, error) {
				writes++
				return memory.Take(ctx, key, want, limit, expires)
			})
			apis := make([]lambda.Handler, c.processes)
			for i := range apis {
				apis[i] = new(function).api(quota.LimitAt(at(noon).Now, store, quota.FailClosed, policy))
			}
			for i := range c.requests {
				mustBe(t, send(t, apis[i%c.processes], call{who: "a"}), 200)
			}
			if writes != c.writes {
				t.Errorf("got %d writes for %d requests, want %d", writes, c.requests, c.writes)
			}
			// What is refused costs each process one write more at most.
			passed := 0
			for i := range limit {
				if send(t, apis[i%c.processes], call{who: "a"}).Status == http.StatusOK {
					passed++
				}
			}
			before := writes
			for i := range 10 * c.processes {
				mustBe(t, send(t, apis[i%c.processes], call{who: "a"}), 429)
			}
			if c.requests+passed != limit || writes != before {
				t.Errorf("got %d requests of %d, and %d writes for those refused", c.requests+passed, limit, writes-before)
			}
		})
	}
	t.Run("DynamoDB", func(t *testing.T) {
		url := servers.DynamoDB(t).URL()
		p := awsproxy.New(t, url)
		h := new(function).api(quota.LimitAt(at(noon).Now, dynamo.New(dynamoClient(p.URL), table(t, url, "")), quota.FailClosed, policy))
		for range limit {
			mustBe(t, send(t, h, call{who: "a"}), 200)
		}
		if got, want := p.Taken(), map[string]int{"UpdateItem": 20}; !maps.Equal(got, want) {
			t.Errorf("got the requests %v, want %v", got, want)
		}
	})
	t.Run("Valkey", func(t *testing.T) {
		addr := servers.Valkey(t).Addr()
		p := valkeyproxy.New(t, addr)
		if _, _, err := valkey.New(valkeyClient(t, addr)).Take(t.Context(), "warm", 1, 1, time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		clock := at(noon)
		store := valkey.New(valkeyClient(t, p.Addr()), valkey.Clock(clock.Now), valkey.Prefix(fmt.Sprintf("figures-%d:", names.Add(1))))
		h := new(function).api(quota.LimitAt(clock.Now, store, quota.FailClosed, policy))
		for range limit {
			mustBe(t, send(t, h, call{who: "a"}), 200)
		}
		if got, want := p.Taken(), map[string]int{"EVALSHA": 20}; !maps.Equal(got, want) {
			t.Errorf("got the requests %v, want %v", got, want)
		}
	})
}

// A store that does not answer, and comes back.
func TestAServerThatFails(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a server that is silent; run it without -short")
	}
	url := servers.DynamoDB(t).URL()
	refuse := func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"secret-text"}`))
	}
	for _, c := range []struct {
		name      string
		mishap    awsproxy.Mishap
		onFailure quota.OnFailure
		status    int
	}{
		{name: "drops, closed", mishap: awsproxy.Drop, onFailure: quota.FailClosed, status: 503},
		{name: "drops, open", mishap: awsproxy.Drop, onFailure: quota.FailOpen, status: 200},
		{name: "throttles, closed", mishap: refuse, onFailure: quota.FailClosed, status: 503},
		{name: "throttles, open", mishap: refuse, onFailure: quota.FailOpen, status: 200},
		{name: "hangs, closed", mishap: awsproxy.Hang, onFailure: quota.FailClosed, status: 503},
		{name: "hangs, open", mishap: awsproxy.Hang, onFailure: quota.FailOpen, status: 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := awsproxy.New(t, url)
			log, clock := new(records), at(noon)
			f := new(function)
			h := f.logged(log, quota.LimitAt(clock.Now, dynamo.New(dynamoClient(p.URL), table(t, url, "")), c.onFailure, quota.Allow("p", 100, time.Minute)))
			p.Meet("UpdateItem", c.mishap)
			mustBe(t, send(t, h, call{}), c.status, stateHeader, "")
			if got := log.lines(); len(got) != 1 || strings.Contains(got[0], "secret-text") ||
				!strings.Contains(got[0], "quotaError") && !strings.Contains(got[0], "quota_unavailable") || !strings.Contains(got[0], "DynamoDB UpdateItem") {
				t.Errorf("got the log %q, want one record of the store's failure", got)
			}
			p.Forgive()
			clock.move(5 * time.Second)
			mustBe(t, send(t, h, call{}), 200, stateHeader, `"p";r=99;t=55`)
		})
	}
}

func TestAValkeyServerThatIsGone(t *testing.T) {
	server := testserver.Valkey(t)
	clock := at(noon)
	for _, c := range []struct {
		name      string
		onFailure quota.OnFailure
		status    int
	}{
		{name: "closed", onFailure: quota.FailClosed, status: http.StatusServiceUnavailable},
		{name: "open", onFailure: quota.FailOpen, status: http.StatusOK},
	} {
		store := valkey.New(valkeyClient(t, server.Addr()), valkey.Clock(clock.Now))
		h := new(function).api(quota.LimitAt(clock.Now, store, c.onFailure, quota.Allow(c.name, 20, time.Minute)))
		state := func(left, seconds int) string { return fmt.Sprintf(`"%s";r=%d;t=%d`, c.name, left, seconds) }
		seconds := int(noon.Add(time.Minute).Sub(clock.Now()).Seconds())
		mustBe(t, send(t, h, call{}), 200, stateHeader, state(19, seconds))
		server.Stop()
		mustBe(t, send(t, h, call{}), c.status, stateHeader, "")
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		clock.move(5 * time.Second)
		// A server that keeps nothing has forgotten the first request.
		mustBe(t, send(t, h, call{}), 200, stateHeader, state(19, seconds-5))
	}
}

// Callers that wait for one silent request do not wait in turn.
func TestCallersWaitForOneFailure(t *testing.T) {
	var asked atomic.Int64
	waiting := make(chan struct{})
	store := counter(func(context.Context, string, int64, int64, time.Time) (int64, int64, error) {
		asked.Add(1)
		<-waiting
		return 0, 0, errDown
	})
	h := new(function).api(quota.LimitAt(at(noon).Now, store, quota.FailClosed, quota.Allow("p", 100, time.Minute)))
	statuses := make([]int, 64)
	var started atomic.Int64
	race(len(statuses), func(i int) {
		if started.Add(1) == int64(len(statuses)) {
			close(waiting)
		}
		statuses[i] = send(t, h, call{}).Status
	})
	if got := slices.Compact(statuses); !slices.Equal(got, []int{503}) || asked.Load() != 1 {
		t.Errorf("got the statuses %v and %d requests to the store, want 503 and 1", got, asked.Load())
	}
}

// A caller that leaves says nothing about the store.
func TestACallerThatLeavesHoldsNobodyUp(t *testing.T) {
	memory := idempotency.NewMemoryStore()
	h := new(function).api(quota.LimitAt(at(noon).Now, memory, quota.FailClosed, quota.Allow("p", 100, time.Minute)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if out, err := h.Invoke(ctx, call{}.event()); err != nil || !strings.Contains(string(out), "quota_unavailable") {
		t.Errorf("got %s, %v, want quota_unavailable", out, err)
	}
	mustBe(t, send(t, h, call{}), 200, stateHeader, `"p";r=99;t=60`)
}
