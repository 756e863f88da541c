package vault

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
	"github.com/lambdarmor/lambdarmor/secrets/internal/fetch"
)

// atOnce is how many requests are under way for one fetch.
const atOnce = 8

// Stages of Secrets Manager that have a meaning here, too.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

type source struct {
	address  string
	token    func() (string, error)
	mounts   []string
	endpoint *endpoint.Client
}

// Fetch implements [secrets.Source].
func (s *source) Fetch(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	header, err := s.headers()
	if err != nil {
		return nil, err
	}
	r := &reading{source: s, header: header, answers: make(map[string]func() (endpoint.Answer, error))}
	return fetch.Each(refs, atOnce, func(ref secrets.Ref) secrets.Value {
		v, err := r.read(ctx, ref)
		if err != nil {
			return secrets.Value{Err: fmt.Errorf("vault: %q: %w", ref.Name, err)}
		}
		return v
	}), nil
}

// A reading is one fetch. It asks for nothing twice, so that fields of one secret
// are of one version.
type reading struct {
	*source
	header http.Header

	mu      sync.Mutex                                 // guards what follows
	answers map[string]func() (endpoint.Answer, error) // target → what it is answered, once
}

func (r *reading) ask(ctx context.Context, target string) (endpoint.Answer, error) {
	r.mu.Lock()
	answer := r.answers[target]
	if answer == nil {
		answer = sync.OnceValues(func() (endpoint.Answer, error) { return r.endpoint.Get(ctx, target, r.header) })
		r.answers[target] = answer
	}
	r.mu.Unlock()
	return answer()
}

func (r *reading) read(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	n, err := parse(ref.Name, r.mounts)
	if err != nil {
		return secrets.Value{}, err
	}
	if ref.Encrypted {
		return secrets.Value{}, guard.Reason("a value is not to be had encrypted")
	}
	if v := ref.Version; v != "" {
		if number, err := strconv.ParseUint(v, 10, 63); err != nil || number == 0 {
			return secrets.Value{}, guard.Reason("a version is a number from 1 on")
		}
	}
	switch ref.Stage {
	case "", current:
		return r.get(ctx, n, ref.Version)
	case previous:
		if ref.Version != "" {
			return secrets.Value{}, guard.Reason("a value is asked for by version or by stage, not both")
		}
		return r.getPrevious(ctx, n)
	}
	return secrets.Value{}, fmt.Errorf("there are no stages but %s and %s", current, previous)
}

func (r *reading) get(ctx context.Context, n name, version string) (secrets.Value, error) {
	target := n.target()
	if version != "" {
		target += "?" + url.Values{"version": {version}}.Encode()
	}
	answer, err := r.ask(ctx, target)
	if err != nil {
		return secrets.Value{}, err
	}
	if answer.Status != http.StatusOK {
		return secrets.Value{}, refusal(answer)
	}
	return valueOf(answer, n.field)
}

// getPrevious finds the number of the latest version, and then what came before.
// A latest one that is deleted has a number, too.
func (r *reading) getPrevious(ctx context.Context, n name) (secrets.Value, error) {
	answer, err := r.ask(ctx, n.target())
	if err != nil {
		return secrets.Value{}, err
	}
	var latest versioned
	err = answer.Decode(&latest)
	number := latest.Data.Metadata.Version
	switch {
	case answer.Status != http.StatusOK && (answer.Status != http.StatusNotFound || err != nil):
		return secrets.Value{}, refusal(answer)
	case err != nil:
		return secrets.Value{}, err
	case number < 1:
		return secrets.Value{}, secrets.ErrNotFound
	case number == 1:
		return secrets.Value{}, fmt.Errorf("no version is before the first: %w", secrets.ErrNotFound)
	}
	return r.get(ctx, n, strconv.FormatInt(number-1, 10))
}

func (s *source) headers() (http.Header, error) {
	header := http.Header{"X-Vault-Request": {"true"}}
	token, err := s.token()
	if err != nil {
		return nil, fmt.Errorf("vault: the token: %w: %w", secrets.ErrUnavailable, err)
	}
	if token = strings.TrimSpace(token); token != "" {
		header.Set("X-Vault-Token", token)
	}
	if namespace := namespace(); namespace != "" {
		header.Set("X-Vault-Namespace", namespace)
	}
	return header, nil
}
