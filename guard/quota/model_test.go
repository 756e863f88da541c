package quota_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/quota"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// In one process a request passes if, and only if, it is within the limit of each policy
// in the window of now. The headers say what is left of each.
func TestOneProcessCountsExactly(t *testing.T) {
	type policy struct {
		name          string
		limit, window int64
		ofCaller      bool
	}
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 17))
		policies := []policy{
			{name: "minute", limit: 1 + random.Int64N(60), window: 60, ofCaller: true},
			{name: "hour", limit: 1 + random.Int64N(200), window: 3600, ofCaller: true},
			{name: "all", limit: 1 + random.Int64N(300), window: 600},
		}
		random.Shuffle(len(policies), func(i, j int) { policies[i], policies[j] = policies[j], policies[i] })
		var allowed []quota.Policy
		for _, p := range policies {
			var per []quota.Key
			if p.ofCaller {
				per = append(per, quota.Principal())
			}
			allowed = append(allowed, quota.Allow(p.name, p.limit, time.Duration(p.window)*time.Second, per...))
		}
		clock, used := at(noon), map[string]int64{}
		h := new(function).api(quota.LimitAt(clock.Now, idempotency.NewMemoryStore(), quota.FailClosed, allowed...))
		for n := range 1000 {
			if random.IntN(20) == 0 {
				clock.move(time.Duration(random.IntN(90)) * time.Second)
			}
			who, status := fmt.Sprint("caller ", random.IntN(3)), 200
			keys := make([]string, len(policies))
			for i, p := range policies {
				keys[i] = fmt.Sprint(p.name, clock.Now().Unix()/p.window)
				if p.ofCaller {
					keys[i] += who
				}
				if used[keys[i]] == p.limit {
					status = 429
				}
			}
			r := send(t, h, call{who: who})
			if r.Status != status {
				t.Fatalf("seed %d, request %d: got %d, want %d", seed, n, r.Status, status)
			}
			for i, p := range policies {
				if status == 200 {
					used[keys[i]]++
				}
				left := fmt.Sprintf(`"%s";r=%d;`, p.name, p.limit-used[keys[i]])
				if strings.Contains(r.Headers[stateHeader], `"`+p.name+`"`) && !strings.Contains(r.Headers[stateHeader], left) {
					t.Fatalf("seed %d, request %d: got the state %s, want %s", seed, n, r.Headers[stateHeader], left)
				}
			}
		}
	}
}
