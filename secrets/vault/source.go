package vault

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/endpoint"
	"github.com/lambdarmor/lambdarmor/secrets/internal/fetch"
)

// atOnce is the number of requests of one Fetch at a time.
const atOnce = 8

// Stages of Secrets Manager that have a meaning here, too.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

type source struct {
	address  string
	token    func() (string, error)
	mounts   []string // of several segments, the longest first
	endpoint *endpoint.Client
}

// Fetch implements [secrets.Source].
func (s *source) Fetch(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	header := http.Header{"X-Vault-Request": {"true"}}
	token, err := s.token()
	if err != nil {
		return nil, fmt.Errorf("vault: the token: %w: %w", secrets.ErrUnavailable, err)
	}
	if token = strings.TrimSpace(token); token != "" {
		header.Set("X-Vault-Token", token)
	}
	if namespace := os.Getenv("VAULT_NAMESPACE"); namespace != "" {
		header.Set("X-Vault-Namespace", namespace)
	}
	r := &reader{source: s, header: header, answers: make(map[string]func() (endpoint.Answer, error))}
	return fetch.Each(refs, atOnce, func(ref secrets.Ref) secrets.Value {
		v, err := r.read(ctx, ref)
		if err != nil {
			return secrets.Value{Err: fmt.Errorf("vault: %q: %w", ref.Name, err)}
		}
		return v
	}), nil
}

// reader makes each request of one Fetch once, so that the fields of a secret are
// of one version.
type reader struct {
	*source
	header http.Header

	mu      sync.Mutex                                 // guards what follows
	answers map[string]func() (endpoint.Answer, error) // by path and query
}

func (r *reader) ask(ctx context.Context, target string) (endpoint.Answer, error) {
	r.mu.Lock()
	answer := r.answers[target]
	if answer == nil {
		answer = sync.OnceValues(func() (endpoint.Answer, error) { return r.endpoint.Get(ctx, target, r.header) })
		r.answers[target] = answer
	}
	r.mu.Unlock()
	return answer()
}

func (r *reader) read(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	n, err := parse(ref.Name, r.mounts)
	if err != nil {
		return secrets.Value{}, err
	}
	number, notNumber := strconv.ParseUint(ref.Version, 10, 63)
	switch {
	case ref.Encrypted:
		return secrets.Value{}, guard.Reason("Vault returns no encrypted values")
	case ref.Version != "" && (notNumber != nil || number == 0):
		return secrets.Value{}, guard.Reason("a version is a number from 1 on")
	case ref.Stage == "" || ref.Stage == current:
		return r.get(ctx, n, ref.Version)
	case ref.Stage != previous:
		return secrets.Value{}, fmt.Errorf("there are no stages but %s and %s", current, previous)
	case ref.Version != "":
		return secrets.Value{}, guard.Reason("use a version or a stage, not both")
	default:
		return r.getPrevious(ctx, n)
	}
}

func (r *reader) get(ctx context.Context, n name, version string) (secrets.Value, error) {
	target := n.target()
	if version != "" {
		target += "?version=" + version
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

// getPrevious gets the number of the latest version and then the version before.
// A 404 of a deleted version has its number as well.
func (r *reader) getPrevious(ctx context.Context, n name) (secrets.Value, error) {
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
		return secrets.Value{}, fmt.Errorf("there is no version before the first: %w", secrets.ErrNotFound)
	}
	return r.get(ctx, n, strconv.FormatInt(number-1, 10))
}
