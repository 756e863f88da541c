package secrets_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// shop is a third party that takes some values.
type shop struct {
	mu     sync.RWMutex
	takes  map[string]bool
	errs   error // of a value that it does not take
	visits atomic.Int64
}

func (p *shop) buy(_ context.Context, s secrets.Secret) (string, error) {
	p.visits.Add(1)
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.takes[s.Text()] {
		return "bought with " + s.Version(), nil
	}
	return "", p.errs
}

func (p *shop) accept(texts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takes = map[string]bool{}
	for _, text := range texts {
		p.takes[text] = true
	}
}

func newShop(texts ...string) *shop {
	p := &shop{errs: fmt.Errorf("401: %w", secrets.ErrRejected)}
	p.accept(texts...)
	return p
}

func TestTrySurvivesARotation(t *testing.T) {
	c, v, _ := newCache()
	p := newShop("hunter2")
	for range 2 {
		if got, err := secrets.Try(t.Context(), c, name, p.buy); err != nil || got != "bought with 1" {
			t.Errorf("got %q, %v, want a purchase with version 1", got, err)
		}
	}
	v.rotate("hunter3", "2")
	p.accept("hunter3")
	for range 2 {
		if got, err := secrets.Try(t.Context(), c, name, p.buy); err != nil || got != "bought with 2" {
			t.Errorf("got %q, %v, want a purchase with version 2", got, err)
		}
	}
	v.mustHaveBeenAsked(t, 2)
	if n := p.visits.Load(); n != 5 {
		t.Errorf("got %d visits, want 5", n)
	}
}

func TestTryReturnsTheErrorWhereTheVersionIsTheSame(t *testing.T) {
	c, v, at := newCache()
	p := newShop()
	for range 5 {
		if _, err := secrets.Try(t.Context(), c, name, p.buy); !errors.Is(err, secrets.ErrRejected) {
			t.Errorf("got %v", err)
		}
	}
	if n := p.visits.Load(); n != 5 {
		t.Errorf("got %d visits, want 5", n)
	}
	v.mustHaveBeenAsked(t, 2) // and not once for each try

	at.move(time.Second)
	if _, err := secrets.Try(t.Context(), c, name, p.buy); !errors.Is(err, secrets.ErrRejected) {
		t.Errorf("got %v", err)
	}
	v.mustHaveBeenAsked(t, 3)
	at.move(time.Second)
	v.rotate("hunter3", "2")
	p.accept("hunter3")
	if _, err := secrets.Try(t.Context(), c, name, p.buy); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestAValueThatWasRejectedAndIsTheSameExpiresAsOthersDo(t *testing.T) {
	c, v, at := newCache(secrets.TTL(time.Second / 2))
	if _, err := secrets.Try(t.Context(), c, name, newShop().buy); !errors.Is(err, secrets.ErrRejected) {
		t.Errorf("got %v, want %v", err, secrets.ErrRejected)
	}
	at.move(time.Second / 2)
	mustGet(t, c, "hunter2")
	v.mustHaveBeenAsked(t, 3)
}

func TestTryKnowsTheSameVersionAgainWhenItWasDroppedMeanwhile(t *testing.T) {
	c, _, _ := newCache()
	visits := 0
	_, err := secrets.Try(t.Context(), c, name, func(context.Context, secrets.Secret) (int, error) {
		visits++
		c.Invalidate(name, "")
		return 0, secrets.ErrRejected
	})
	if !errors.Is(err, secrets.ErrRejected) || visits != 1 {
		t.Errorf("got %d visits, %v, want one and its error", visits, err)
	}
}

// A value that was fetched again and is the same is gone once it is dropped: an
// empty one would open what it is to lock.
func TestTryNeverCallsWithAnEmptySecret(t *testing.T) {
	c, v, at := newCache(secrets.TTL(time.Second/10), secrets.MaxStale(0))
	visits := 0
	_, err := secrets.Try(t.Context(), c, name, func(ctx context.Context, s secrets.Secret) (int, error) {
		visits++
		if s.IsZero() {
			t.Errorf("visit %d: got an empty secret, want none", visits)
			return 0, nil
		}
		_, err := secrets.Try(ctx, c, name, newShop().buy) // another caller
		v.fail(secrets.ErrUnavailable)
		at.move(time.Second / 5)
		mustFail(t, c, "secret_unavailable", secrets.ErrUnavailable)
		return 0, err
	})
	mustBe(t, err, "secret_unavailable", secrets.ErrRejected)
	if visits != 1 {
		t.Errorf("got %d visits, want 1", visits)
	}
}

func TestTryOnceMoreAndNoMore(t *testing.T) {
	c, v, _ := newCache()
	mustGet(t, c, "hunter2")
	v.rotate("hunter3", "2")
	p := newShop()
	if _, err := secrets.Try(t.Context(), c, name, p.buy); !errors.Is(err, secrets.ErrRejected) {
		t.Errorf("got %v", err)
	}
	if n := p.visits.Load(); n != 2 {
		t.Errorf("got %d visits, want 2", n)
	}
}

func TestTryTakesWhatAMatcherRejects(t *testing.T) {
	unauthorized := errors.New("401")
	for _, tc := range []struct {
		err  error
		ok   bool
		opts []secrets.TryOption
	}{
		{err: fmt.Errorf("wrapped: %w", secrets.ErrRejected), ok: true},
		{err: unauthorized},
		{
			err:  unauthorized,
			ok:   true,
			opts: []secrets.TryOption{secrets.RejectedWhen(func(err error) bool { return errors.Is(err, unauthorized) })},
		},
		{
			err:  errors.New("500"),
			opts: []secrets.TryOption{secrets.RejectedWhen(func(err error) bool { return errors.Is(err, unauthorized) })},
		},
	} {
		c, v, _ := newCache()
		mustGet(t, c, "hunter2")
		v.rotate("hunter3", "2")
		p := newShop("hunter3")
		p.errs = tc.err
		if _, err := secrets.Try(t.Context(), c, name, p.buy, tc.opts...); (err == nil) != tc.ok {
			t.Errorf("%v: got %v", tc.err, err)
		}
	}
}

func TestTryWithoutASecret(t *testing.T) {
	c, v, _ := newCache()
	p := newShop("hunter2")
	v.fail(secrets.ErrDenied)
	_, err := secrets.Try(t.Context(), c, name, p.buy)
	mustBe(t, err, "secret_denied", secrets.ErrDenied)
	if p.visits.Load() != 0 {
		t.Error("got a call without a secret, want none")
	}
}

func TestTryWhereTheSecretCannotBeFetchedAnew(t *testing.T) {
	for code, is := range map[string]error{"secret_unavailable": secrets.ErrUnavailable, "secret_denied": secrets.ErrDenied} {
		c, v, _ := newCache()
		p := newShop()
		mustGet(t, c, "hunter2")
		v.fail(is)
		_, err := secrets.Try(t.Context(), c, name, p.buy)
		mustBe(t, err, code, is)
		if !errors.Is(err, secrets.ErrRejected) || p.visits.Load() != 1 {
			t.Errorf("got %d visits, %v, want one and its error besides", p.visits.Load(), err)
		}
	}
}

func TestAValueThatWasRejectedInABackoffIsAskedForOnceASecond(t *testing.T) {
	c, v, at := newCache()
	p := newShop("hunter2")
	mustGet(t, c, "hunter2")
	v.fail(secrets.ErrUnavailable)
	at.move(5 * time.Minute)
	for _, wait := range []time.Duration{0, 1, 2, 4, 8, 16} { // until the backoff is 32 s
		at.move(wait * time.Second)
		mustGet(t, c, "hunter2")
	}
	v.fail(nil)
	v.rotate("hunter3", "2")
	p.accept("hunter3")
	asked := v.fetches()
	if _, err := secrets.Try(t.Context(), c, name, p.buy); !errors.Is(err, secrets.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	v.mustHaveBeenAsked(t, asked)
	at.move(time.Second)
	if _, err := secrets.Try(t.Context(), c, name, p.buy); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestWhoIsRejectedDuringTheFetchOfAnotherWaitsForIt(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		mustGet(t, c, "hunter2")
		v.rotate("hunter3", "2")
		p := newShop("hunter3")
		open := held(v)
		var done sync.WaitGroup
		for range 3 {
			done.Go(func() {
				if _, err := secrets.Try(t.Context(), c, name, p.buy); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		close(open)
		done.Wait()
		v.mustHaveBeenAsked(t, 2)
	})
}

// A fetch that began before the rotation brings the old value after it.
func TestWhatWasReadBeforeTheRejectionIsNoAnswerToIt(t *testing.T) {
	inBubble(t, func(t *testing.T, c *secrets.Cache, v *vault) {
		mustGet(t, c, "hunter2")
		time.Sleep(5 * time.Minute)
		open := make(chan struct{})
		v.before = func(context.Context, []secrets.Ref) {
			if v.fetches() == 2 {
				<-open
			} else {
				v.rotate("hunter3", "2")
			}
		}
		var done sync.WaitGroup
		done.Go(func() { mustGet(t, c, "hunter2") })
		synctest.Wait()
		p := newShop("hunter3")
		done.Go(func() {
			if _, err := secrets.Try(t.Context(), c, name, p.buy); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		close(open)
		done.Wait()
		v.mustHaveBeenAsked(t, 3)
	})
}

// Who has held a value for long finds a newer fetch of the same one, and another
// under way that has read it before the rotation as well. That one may even fail.
func TestWhatIsReadBeforeTheRejectionIsNotWaitedForEither(t *testing.T) {
	for _, end := range []error{nil, secrets.ErrUnavailable} {
		synctest.Test(t, func(t *testing.T) {
			var current atomic.Value
			current.Store("hunter2")
			var calls atomic.Int64
			turns := []chan struct{}{3: make(chan struct{}), 4: make(chan struct{})}
			c := secrets.New(function(func(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
				read, call := fixed(current.Load().(string)), calls.Add(1)
				if call < 3 {
					return read.Fetch(ctx, refs)
				}
				<-turns[call]
				if call == 3 && end != nil {
					return nil, end
				}
				return read.Fetch(ctx, refs)
			}), secrets.Clock(time.Now), secrets.Jitter(0))
			p, held := newShop("hunter3"), make(chan struct{})
			var done sync.WaitGroup
			try := func(want error, use func(context.Context, secrets.Secret) (string, error)) {
				done.Go(func() {
					if _, err := secrets.Try(t.Context(), c, name, use); !errors.Is(err, want) {
						t.Errorf("got %v, want %v", err, want)
					}
				})
				synctest.Wait()
			}
			try(nil, func(ctx context.Context, s secrets.Secret) (string, error) {
				if s.Text() == "hunter2" {
					<-held
				}
				return p.buy(ctx, s)
			})
			time.Sleep(5 * time.Minute)
			mustGet(t, c, "hunter2")
			try(secrets.ErrRejected, p.buy) // waits for the third call
			current.Store("hunter3")
			close(held) // and this one for the fourth
			synctest.Wait()
			close(turns[3])
			synctest.Wait()
			if end != nil {
				try(nil, p.buy) // nor is it a reason not to wait for that
			}
			close(turns[4])
			done.Wait()
			if n := calls.Load(); n != 4 {
				t.Errorf("got %d calls of the source, want 4", n)
			}
		})
	}
}

func TestNoUseFailsAndEachVersionIsFetchedOnceWhileItRotates(t *testing.T) {
	const goroutines, rotations = 64, 50
	c, v, _ := newCache()
	p := newShop("hunter2")
	mustGet(t, c, "hunter2")
	for i := range rotations {
		var users sync.WaitGroup
		for range goroutines {
			users.Go(func() {
				for range 4 {
					if _, err := secrets.Try(t.Context(), c, name, p.buy); err != nil {
						t.Errorf("got %v, want no use to fail", err)
					}
				}
			})
		}
		text := fmt.Sprint("rotated ", i)
		v.rotate(text, fmt.Sprint(i+2))
		p.accept(text) // from now on nothing else
		users.Go(func() {
			if _, err := secrets.Try(t.Context(), c, name, p.buy); err != nil {
				t.Errorf("after the rotation: got %v, want no use to fail", err)
			}
		})
		users.Wait()
	}
	v.mustHaveBeenAsked(t, rotations+1)
}
