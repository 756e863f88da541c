package awssecrets_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
)

// third is another party that takes keys: during a rotation the old and the
// new one, after it the new one alone.
type third struct {
	mu    sync.Mutex
	takes map[string]bool
}

func (p *third) set(keys ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takes = make(map[string]bool)
	for _, key := range keys {
		p.takes[key] = true
	}
}

func (p *third) call(_ context.Context, key secrets.Secret) (string, error) {
	time.Sleep(time.Millisecond) // on the way there
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.takes[key.Text()] {
		return "", secrets.ErrRejected
	}
	return key.Text(), nil
}

func TestRotationsWhileSixtyFourUseTheSecret(t *testing.T) {
	var mu sync.Mutex
	fetched := make(map[string]int) // by version
	c := setUpCache(t, secrets.OnFetch(func(_ context.Context, f secrets.FetchReport) {
		mu.Lock()
		defer mu.Unlock()
		fetched[f.Version]++
	}))
	key, _ := c.create(t, "key", "key 0")
	var party third
	party.set("key 0")

	const users, rotations = 64, 5
	var uses [rotations + 1]chan struct{} // one of each user with each key
	for n := range uses {
		uses[n] = make(chan struct{}, users)
	}
	stop, failed := make(chan struct{}), make(chan error, users)
	var wg sync.WaitGroup
	for range users {
		wg.Go(func() {
			last := -1
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, err := secrets.Try(t.Context(), c.cache, key, party.call)
				if err != nil {
					failed <- err
					return
				}
				var n int
				_, _ = fmt.Sscanf(got, "key %d", &n)
				if n != last {
					last = n
					uses[n] <- struct{}{}
				}
			}
		})
	}
	await := func(n int) {
		t.Helper()
		for range users {
			select {
			case <-uses[n]:
			case err := <-failed:
				t.Errorf("key %d: got %v, want no use to fail", n, err)
				return
			}
		}
	}
	await(0)
	for n := 1; n <= rotations; n++ {
		next, last := fmt.Sprint("key ", n), fmt.Sprint("key ", n-1)
		party.set(last, next)
		c.put(t, key, next) // AWSCURRENT; the last one is AWSPREVIOUS now
		party.set(next)
		await(n)
	}
	close(stop)
	wg.Wait()
	close(failed)
	for err := range failed {
		t.Errorf("got %v, want no use to fail", err)
	}

	mu.Lock()
	defer mu.Unlock()
	if len(fetched) != rotations+1 {
		t.Errorf("versions %v, want %d", fetched, rotations+1)
	}
	for version, n := range fetched {
		if n != 1 {
			t.Errorf("got %d fetches of version %q, want one", n, version)
		}
	}
	mustTake(t, c, map[string]int{"GetSecretValue": rotations + 1})
}

// What was signed before a rotation is verified after it.
func TestPairVerifiesAcrossARotation(t *testing.T) {
	c := setUpCache(t)
	key, _ := c.create(t, "key", "key 1")
	verifies := func(signedWith string) bool {
		t.Helper()
		current, previous, err := c.cache.Pair(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return current.Text() == signedWith || !previous.IsZero() && previous.Text() == signedWith
	}
	if !verifies("key 1") {
		t.Error("before a rotation: got another pair, want the first value alone")
	}
	c.put(t, key, "key 2")
	c.Advance(ttl + time.Second)
	if !verifies("key 1") || !verifies("key 2") {
		t.Error("after the first rotation: got another pair, want the first two values")
	}
	c.put(t, key, "key 3")
	c.Advance(ttl + time.Second)
	if verifies("key 1") || !verifies("key 2") || !verifies("key 3") {
		t.Error("after the second rotation: got another pair, want the last two values")
	}
}

func TestAValueIsGivenUpAtItsRotation(t *testing.T) {
	p, _ := stub(t)
	c := awstest.NewClock()
	p.Meet("DescribeSecret", awstest.Answer(map[string]any{"NextRotationDate": c.Now().Add(time.Hour).Unix()}))
	client := connect(p.URL)
	cache := secrets.New(awssecrets.New(client, awssecrets.RotationAware(client)), secrets.TTL(24*time.Hour), secrets.Clock(c.Now))
	requests := func() int {
		t.Helper()
		if _, err := cache.Get(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		return p.Taken()["GetSecretValue"]
	}
	if requests() != 1 {
		t.Error("got no fetch, want one")
	}
	c.Advance(time.Hour - 2*time.Second)
	if requests() != 0 {
		t.Error("got a fetch before the rotation, want none")
	}
	c.Advance(2 * time.Second)
	if requests() != 1 {
		t.Error("got no fetch at the rotation, want one")
	}
	c.Advance(time.Hour)
	if requests() != 0 {
		t.Error("got a fetch for a date that is over, want none")
	}
}
