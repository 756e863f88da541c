package agent

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
	"github.com/lambdarmor/lambdarmor/secrets/internal/fetch"
)

// atOnce is the number of requests of one Fetch at a time. The extension lets no
// more through to AWS.
const atOnce = 3

// source is one of the agents.
type source struct {
	address    string
	token      func() (string, error) // nil for the AppConfig agent
	refreshNow bool
	patience   time.Duration // for an agent that is not ready
	endpoint   *endpoint.Client

	what   string                                         // what it has, for errors
	target func(secrets.Ref) (string, error)              // the path and query for a ref
	value  func(a endpoint.Answer) (secrets.Value, error) // the value in an answer
}

// listen finds the agent. It panics if an option or the variable is invalid.
func (s *source) listen(variable, port string, opts []Option) {
	for _, opt := range opts {
		opt.apply(s)
	}
	if s.address == "" {
		if value := os.Getenv(variable); value != "" {
			if n, err := strconv.ParseUint(value, 10, 16); err != nil || n == 0 {
				panic(fmt.Sprintf("agent: %s is %q, which is no port", variable, value))
			}
			port = value
		}
		s.address = "http://localhost:" + port
	}
	e, err := endpoint.New(s.address)
	switch {
	case err != nil:
		panic("agent: " + err.Error())
	case !e.Local():
		panic(fmt.Sprintf("agent: address %q is not of this machine", s.address))
	}
	s.endpoint, s.patience = e, longestTime
}

// Fetch implements [secrets.Source].
func (s *source) Fetch(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	header := http.Header{}
	if s.token != nil {
		token, err := s.token()
		if err == nil && token == "" {
			err = guard.Reason("it is empty")
		}
		if err != nil {
			return nil, fmt.Errorf("agent: the token: %w: %w", secrets.ErrUnavailable, err)
		}
		header.Set("X-Aws-Parameters-Secrets-Token", token)
	}
	return fetch.Each(refs, atOnce, func(ref secrets.Ref) secrets.Value {
		v, err := s.fetch(ctx, ref, header)
		if err != nil {
			return secrets.Value{Err: fmt.Errorf("agent: %s %q: %w", s.what, ref.Name, err)}
		}
		return v
	}), nil
}

func (s *source) fetch(ctx context.Context, ref secrets.Ref, header http.Header) (secrets.Value, error) {
	if ref.Name == "" {
		return secrets.Value{}, guard.Reason("no name")
	}
	target, err := s.target(ref)
	if err != nil {
		return secrets.Value{}, err
	}
	answer, err := s.ask(ctx, target, header)
	if err != nil {
		return secrets.Value{}, err
	}
	return s.value(answer)
}

// The extension learns of an invocation beside the function, and may be some
// milliseconds late. Meanwhile it is asked again.
const (
	firstWait   = 2 * time.Millisecond
	longestWait = 100 * time.Millisecond
	longestTime = 2 * time.Second // unless the context ends before
)

// ask returns the answer with status 200.
func (s *source) ask(ctx context.Context, target string, header http.Header) (endpoint.Answer, error) {
	began := time.Now()
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		answer, err := s.endpoint.Get(ctx, target, header)
		switch {
		case err != nil:
			return answer, err
		case answer.Status == http.StatusOK:
			return answer, nil
		case !notReady(answer):
			return answer, refusal(answer)
		case endpoint.OutsideInvocation(ctx):
			return answer, secrets.ErrOutsideInvocation
		case time.Since(began) > s.patience:
			return answer, fmt.Errorf("it is not ready: %w", secrets.ErrUnavailable)
		}
		select {
		case <-ctx.Done():
			return answer, fmt.Errorf("it is not ready: %w: %w", secrets.ErrUnavailable, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// notReady reports whether the agent answers nothing yet.
func notReady(a endpoint.Answer) bool {
	return a.Status == http.StatusBadRequest && strings.Contains(start(a.Body), "not ready to serve traffic") ||
		a.Status == http.StatusServiceUnavailable && strings.Contains(start(a.Body), "Serving not enabled")
}
