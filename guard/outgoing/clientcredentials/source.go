package clientcredentials

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/internal/hosts"
	"github.com/lambdarmor/lambdarmor/internal/clock"
	"github.com/lambdarmor/lambdarmor/internal/flight"
	"github.com/lambdarmor/lambdarmor/internal/random"
	"github.com/lambdarmor/lambdarmor/internal/reason"
	"github.com/lambdarmor/lambdarmor/secrets"
)

const (
	fetchTimeout = 5 * time.Second
	renewWait    = time.Second // of the caller that renews a token that can still be used
	lastRetry    = time.Minute
)

var (
	errSlow      = reason.New("the token endpoint did not answer in 5 s")
	errNoOther   = reason.New("there is no other token yet")
	errNotInTime = reason.New("clientcredentials: there was no token in time")
)

// Source gets and keeps a token of an authorization server. Its methods are safe for
// concurrent use.
type Source struct {
	endpoint *url.URL
	clientID string
	secrets  *secrets.Cache
	name     string // of the client secret
	form     url.Values
	inBody   bool
	base     http.RoundTripper
	clock    clock.Clock

	mu       sync.Mutex
	current  *kept // nil before the first token
	fetching *fetch
	failures flight.Failures
	hurried  flight.Failures // the last caller that had no time to renew a token
	rejected flight.Budget   // fetches because the other service has rejected a token
}

// fetch is under way.
type fetch struct {
	*flight.Flight
	token *kept // set before it ends without an error
}

// New returns a source of tokens for a client. tokenURL is the token endpoint of the
// authorization server. The client secret is the secret name of cache: its text as it is
// stored.
//
// New panics if tokenURL does not use https (but for this machine), has a fragment or a
// user, if clientID or name is empty, or if cache is nil.
func New(tokenURL, clientID string, cache *secrets.Cache, name string, opts ...Option) *Source {
	u, err := url.Parse(tokenURL)
	switch {
	case err != nil || u.Host == "" || u.Fragment != "" || u.User != nil:
		panic("clientcredentials: the token endpoint must be a URL such as https://login.example/oauth2/token, without a user and a fragment")
	case !hosts.IsPrivate(u):
		panic("clientcredentials: the token endpoint must use https, or anybody between reads the client secret")
	case clientID == "" || name == "":
		panic("clientcredentials: New needs a client id and the name of its secret")
	case cache == nil:
		panic("clientcredentials: New with a nil cache of secrets")
	}
	s := &Source{
		endpoint: u, clientID: clientID, secrets: cache, name: name, base: http.DefaultTransport,
		form:     url.Values{"grant_type": {"client_credentials"}},
		rejected: flight.Budget{Every: 10 * time.Second, Burst: 2},
	}
	for _, opt := range opts {
		opt.set(s)
	}
	return s
}

// Token returns a token that has not expired, for a client that does not use HTTP; for
// one that does, see [Source.Transport].
//
// The error is a *guard.Error: Unavailable with code token_unavailable and a RetryAfter
// if the server cannot be asked, Internal with code token_refused if it gives no token to
// this client or answers something else, or that of secrets.Cache.Get for the client
// secret. If ctx ends during a wait, the error matches ctx.Err(). No error contains the
// secret, a token, or a text of the server.
func (s *Source) Token(ctx context.Context) (Token, error) {
	k, err := s.get(ctx, nil)
	if err != nil {
		return Token{}, err
	}
	return k.token(), nil
}

// Forget drops the token and what is known of failures. A fetch that is under way
// returns its token to the callers that wait, and the token is not kept. It is a hook for
// [guard.OnRestore]: without it every restored copy of a snapshot sends the snapshot's
// token until that expires. The client secret is kept by its cache, which has a Forget of
// its own.
func (s *Source) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current, s.fetching = nil, nil
	s.failures, s.hurried = flight.Failures{}, flight.Failures{}
}

// get returns a token other than rejected, which may be nil.
func (s *Source) get(ctx context.Context, rejected *kept) (*kept, error) {
	s.mu.Lock()
	now := s.clock.Now()
	current := s.current
	other := current.isUsable(now) && current != rejected
	switch {
	case other && (s.fetching != nil || s.failures.Hold(now) || s.hurried.Hold(now) || !current.isDue(now)):
		s.mu.Unlock()
		return current, nil
	case s.fetching == nil && s.failures.Hold(now):
		err := later(s.failures.Err, s.failures.Retry.Sub(now))
		s.mu.Unlock()
		return nil, err
	case s.fetching == nil && rejected != nil && current == rejected:
		if wait := s.rejected.Wait(now); wait > 0 {
			s.mu.Unlock()
			return nil, later(unavailable(errNoOther, 0), wait)
		}
		s.rejected.Take(now)
	}
	wait := ctx
	if other { // it is renewed ahead of its time
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, shorter(ctx, renewWait))
		defer cancel()
	}
	f, leave := s.board(wait)
	s.mu.Unlock()

	var err error
	if f.Wait(wait) {
		err = f.Err()
	} else {
		leave()
		err = fmt.Errorf("%w: %w", errNotInTime, wait.Err())
	}
	switch {
	case err == nil:
		return f.token, nil
	case other:
		return current, nil
	case errors.Is(err, flight.ErrEnded):
		return nil, unavailable(err, 0)
	default:
		return nil, err
	}
}

// shorter returns d, or half of the time that ctx has left if that is less.
func shorter(ctx context.Context, d time.Duration) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return min(d, time.Until(end)/2)
	}
	return d
}

// board joins the fetch that is under way, or begins one. s.mu is held.
func (s *Source) board(life context.Context) (f *fetch, leave func()) {
	if s.fetching != nil {
		if leave := s.fetching.Board(life); leave != nil {
			return s.fetching, leave
		}
	}
	f = new(fetch)
	s.fetching = f
	f.Flight, leave = flight.Start(life, life, time.Hour, func(ctx context.Context) (err error) {
		err = unavailable(flight.ErrEnded, 0) // if fetch does not return
		defer func() { s.land(ctx, f, err) }()
		timed, cancel := context.WithTimeoutCause(ctx, fetchTimeout, errSlow)
		defer cancel()
		f.token, err = s.fetch(timed)
		if err != nil && ctx.Err() == nil && context.Cause(timed) == errSlow {
			err = unavailable(errSlow, 0)
		}
		return err
	})
	return f, leave
}

// land keeps the result of f, unless another fetch has begun since.
func (s *Source) land(ctx context.Context, f *fetch, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetching != f {
		return
	}
	s.fetching = nil
	now := s.clock.Now()
	if err == nil {
		s.current, s.failures = f.token, flight.Failures{}
		return
	}
	if ctx.Err() != nil { // all callers have left, so it is no failure of the server
		if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			// The next one does not renew at once, or each would wait in turn.
			s.hurried = flight.Failures{}.And(err, now, flight.Backoff{First: time.Second, Longest: time.Second})
		}
		return
	}
	s.failures = s.failures.And(err, now, flight.Backoff{First: time.Second, Longest: lastRetry, Vary: vary})
	if asked := now.Add(guard.Public(err).RetryAfter); asked.After(s.failures.Retry) {
		s.failures.Retry = asked
	}
}

// vary shortens a pause by up to a fifth.
func vary(d time.Duration) time.Duration { return d - random.N(d/5+1) }
