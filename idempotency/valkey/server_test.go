package valkey_test

import (
	"crypto/rand"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/valkey"
)

// ahead returns a store of a process whose clock is ahead, and that clock.
func ahead(t *testing.T, by time.Duration) (*valkey.Store, func() time.Time) {
	t.Helper()
	clock := func() time.Time { return time.Now().Add(by).Round(0) }
	store := valkey.New(connect(t, servers.Valkey(t).Addr()))
	store.SetClock(clock)
	return store, clock
}

func TestClocksThatAreMinutesApartDoNotShortenOrStretchALease(t *testing.T) {
	for _, apart := range []time.Duration{-10 * time.Minute, 0, 10 * time.Minute} {
		t.Run(apart.String(), func(t *testing.T) {
			mine, now := ahead(t, apart)
			theirs, _ := ahead(t, -apart)
			r := attempt(now())
			mustClaim(t, mine, r)
			mustBeHeld(t, theirs, another(r, 2), r, idempotency.InProgress)

			over := attempt(now())
			over.Lease = now().Add(-time.Second)
			mustClaim(t, mine, over)
			mustBeHeld(t, theirs, another(over, 1), over, idempotency.Abandoned)
			mustClaim(t, theirs, another(over, 2))
		})
	}
}

func TestLeaseEndsByTheServersClock(t *testing.T) {
	store, now := ahead(t, 0)
	r := attempt(now())
	r.Lease = now().Add(50 * time.Millisecond)
	mustClaim(t, store, r)
	for start := time.Now(); ; {
		_, err := store.Claim(t.Context(), another(r, 2))
		if err == nil {
			break
		}
		if !errors.Is(err, idempotency.ErrHeld) || time.Since(start) > 10*time.Second {
			t.Fatal(err)
		}
	}
	if early := r.Lease.Sub(now()); early > 0 {
		t.Errorf("taken over %v before its end", early)
	}
}

func TestTimesThatAreToldAreNotEarlier(t *testing.T) {
	store, now := ahead(t, 0)
	r := attempt(now())
	r.Lease = r.Lease.Truncate(time.Millisecond).Add(time.Nanosecond)
	r.Expires = r.Expires.Truncate(time.Millisecond).Add(time.Nanosecond)
	mustClaim(t, store, r)
	held, err := store.Claim(t.Context(), another(r, 2))
	if !errors.Is(err, idempotency.ErrHeld) || held.Lease.Before(r.Lease) || held.Expires.Before(r.Expires) {
		t.Errorf("%v, lease %v and expiry %v, want %v and %v", err, held.Lease, held.Expires, r.Lease, r.Expires)
	}
}

func TestServerRemovesWhatHasExpired(t *testing.T) {
	client := connect(t, servers.Valkey(t).Addr())
	for _, apart := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		store, now := ahead(t, apart)
		r := attempt(now())
		ttl := func() time.Duration {
			ms, err := client.Do(t.Context(), client.B().Pttl().Key("idempotency:"+r.Key).Build()).AsInt64()
			if err != nil {
				t.Fatal(err)
			}
			return time.Duration(ms) * time.Millisecond
		}
		mustClaim(t, store, r)
		if left := ttl(); left < 59*time.Minute || left > time.Hour+time.Second {
			t.Errorf("a claim lasts %v", left)
		}
		r = done(r, "result")
		r.Expires = now().Add(24 * time.Hour)
		if err := store.Complete(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if left := ttl(); left < 24*time.Hour-time.Minute || left > 24*time.Hour+time.Second {
			t.Errorf("a result lasts %v", left)
		}
	}
}

func TestRecordLastsForCenturies(t *testing.T) {
	store := valkey.New(connect(t, servers.Valkey(t).Addr()))
	for name, d := range map[string]time.Duration{"as long as can be said": math.MaxInt64, "a hundred years": 100 * 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			r := attempt(time.Now())
			r.Lease, r.Expires = time.Now().Add(d), time.Now().Add(d).Add(d)
			mustClaim(t, store, r)
			mustBeHeld(t, store, another(r, 2), r, idempotency.InProgress)
			if err := store.Complete(t.Context(), done(r, "result")); err != nil {
				t.Fatal(err)
			}
			mustBeHeld(t, store, another(r, 2), done(r, "result"), idempotency.Completed)
		})
	}
}

func TestRecordThatAnotherClientDeletedIsGone(t *testing.T) {
	client := connect(t, servers.Valkey(t).Addr())
	store := valkey.New(client)
	remove := func(r idempotency.Record) {
		t.Helper()
		if n, err := client.Do(t.Context(), client.B().Del().Key("idempotency:"+r.Key).Build()).AsInt64(); err != nil || n != 1 {
			t.Fatalf("%d keys, %v", n, err)
		}
	}
	r := attempt(time.Now())
	mustClaim(t, store, r)
	remove(r)
	if err := store.Complete(t.Context(), done(r, "late")); !errors.Is(err, idempotency.ErrLost) {
		t.Errorf("complete: %v, want ErrLost", err)
	}
	if err := store.Release(t.Context(), r); err != nil {
		t.Errorf("release: %v", err)
	}
	next := another(r, 1)
	mustClaim(t, store, next)
	if err := store.Complete(t.Context(), done(next, "result")); err != nil {
		t.Fatal(err)
	}
	remove(r)
	mustClaim(t, store, another(r, 1))
}

func TestKeyInForeignHandsIsNotFree(t *testing.T) {
	client := connect(t, servers.Valkey(t).Addr())
	store := valkey.New(client)
	for name, command := range map[string][]string{
		"a string":                  {"SET", "", "x"},
		"another hash":              {"HSET", "", "name", "x"},
		"an unknown status":         {"HSET", "", "status", "EXPIRED", "owner", "o", "epoch", "1", "fingerprint", "", "lease", "1", "expires", "1"},
		"a claim without a lease":   {"HSET", "", "status", "INPROGRESS", "owner", "o", "epoch", "1", "fingerprint", "", "lease", "1", "expires", "1"},
		"an epoch that is no count": {"HSET", "", "status", "COMPLETED", "owner", "o", "epoch", "one", "fingerprint", "", "lease", "1", "expires", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := attempt(time.Now())
			command := slices.Clone(command)
			if err := client.Do(t.Context(), client.B().Arbitrary(command[0]).Keys("idempotency:"+r.Key).Args(command[2:]...).Build()).Error(); err != nil {
				t.Fatal(err)
			}
			_, err := store.Claim(t.Context(), another(r, 2))
			mustBeUnknown(t, err)
			if err := store.Complete(t.Context(), done(r, "x")); err == nil {
				t.Error("completed")
			}
			if err := store.Release(t.Context(), r); err == nil {
				t.Error("released")
			}
			if n, err := client.Do(t.Context(), client.B().Exists().Key("idempotency:"+r.Key).Build()).AsInt64(); err != nil || n != 1 {
				t.Errorf("%d keys, %v", n, err)
			}
		})
	}
}

func TestScriptsThatTheServerHasForgottenAreSentAgain(t *testing.T) {
	client := connect(t, servers.Valkey(t).Addr())
	store := valkey.New(client)
	forget := func() {
		t.Helper()
		if err := client.Do(t.Context(), client.B().ScriptFlush().Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	r := attempt(time.Now())
	mustClaim(t, store, r)
	forget()
	if err := store.Complete(t.Context(), done(r, "result")); err != nil {
		t.Error(err)
	}
	forget()
	if err := store.Release(t.Context(), r); !errors.Is(err, idempotency.ErrLost) {
		t.Error(err)
	}
	forget()
	mustBeHeld(t, store, another(r, 1), done(r, "result"), idempotency.Completed)
}

func TestStoresWithDifferentPrefixesShareNoRecords(t *testing.T) {
	client := connect(t, servers.Valkey(t).Addr())
	prefix := rand.Text()
	one, two := valkey.New(client, valkey.Prefix(prefix+":1:")), valkey.New(client, valkey.Prefix(prefix+":2:"))
	r := attempt(time.Now())
	mustClaim(t, one, r)
	mustClaim(t, two, another(r, 1))
	if err := two.Release(t.Context(), r); !errors.Is(err, idempotency.ErrLost) {
		t.Error(err)
	}
	keys, err := client.Do(t.Context(), client.B().Keys().Pattern(prefix+"*").Build()).AsStrSlice()
	slices.Sort(keys)
	if want := []string{prefix + ":1:" + r.Key, prefix + ":2:" + r.Key}; err != nil || !slices.Equal(keys, want) {
		t.Errorf("keys %q, %v, want %q", keys, err, want)
	}
}
