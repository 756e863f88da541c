package agent

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
	"github.com/lambdarmor/lambdarmor/secrets/internal/fetch"
)

const tokenHeader = "X-Aws-Parameters-Secrets-Token"

// atOnce is how many requests are under way for one fetch: what the extension
// lets through to AWS by itself, so that none waits within it.
const atOnce = 3

type client struct {
	address    string
	token      func() (string, error)
	refreshNow bool
	endpoint   *endpoint.Client
}

// ask gives the answer of status 200, and an error of what it means otherwise.
func (c *client) ask(ctx context.Context, target string, header http.Header) (endpoint.Answer, error) {
	began := time.Now()
	for wait := shortest; ; wait = min(2*wait, longest) {
		answer, err := c.endpoint.Get(ctx, target, header)
		switch {
		case err != nil:
			return answer, err
		case answer.Status == http.StatusOK:
			return answer, nil
		case !notReady(answer):
			return answer, refusal(answer)
		case endpoint.Early(ctx):
			return answer, secrets.ErrOutsideInvocation
		case time.Since(began) > patience:
			return answer, fmt.Errorf("it is not ready: %w", secrets.ErrUnavailable)
		}
		select {
		case <-ctx.Done():
			return answer, fmt.Errorf("it is not ready: %w: %w", secrets.ErrUnavailable, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// The extension learns of an invocation beside the function, and may be some
// milliseconds behind it. Meanwhile it is asked again.
const (
	shortest = 2 * time.Millisecond   // until the second time
	longest  = 100 * time.Millisecond // between any two
	patience = 2 * time.Second        // where no deadline comes first
)

// notReady reports whether it is the phase that keeps the agent from an answer.
func notReady(a endpoint.Answer) bool {
	return a.Status == http.StatusBadRequest && strings.Contains(start(a.Body), "not ready to serve traffic") ||
		a.Status == http.StatusServiceUnavailable && strings.Contains(start(a.Body), "Serving not enabled")
}

// withToken gives the header that the extension and the Secrets Manager Agent
// want to see.
func (c *client) withToken() (http.Header, error) {
	token, err := c.token()
	if err == nil && token == "" {
		err = guard.Reason("it is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("agent: the token: %w: %w", secrets.ErrUnavailable, err)
	}
	return http.Header{tokenHeader: {token}}, nil
}

// fetch is Fetch for all sources. Target makes of a ref what to ask for, value
// reads the answer.
func (c *client) fetch(ctx context.Context, what string, refs []secrets.Ref, header http.Header,
	target func(secrets.Ref) (string, error), value func(endpoint.Answer) (secrets.Value, error),
) []secrets.Value {
	one := func(ref secrets.Ref) (secrets.Value, error) {
		if ref.Name == "" {
			return secrets.Value{}, guard.Reason("no name")
		}
		path, err := target(ref)
		if err != nil {
			return secrets.Value{}, err
		}
		answer, err := c.ask(ctx, path, header)
		if err != nil {
			return secrets.Value{}, err
		}
		return value(answer)
	}
	return fetch.Each(refs, atOnce, func(ref secrets.Ref) secrets.Value {
		v, err := one(ref)
		if err != nil {
			return secrets.Value{Err: fmt.Errorf("agent: %s %q: %w", what, ref.Name, err)}
		}
		return v
	})
}
