package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// API Gateway's limits on fetching an issuer's keys.
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
// and https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
const (
	jwksTimeout = 1500 * time.Millisecond
	maxJWKS     = 150_000
	jwksTTL     = 2 * time.Hour
)

// issuerKeys are the signing keys of an issuer: given, or fetched on the first
// use and kept for two hours, whatever a token asks for meanwhile.
type issuerKeys struct {
	issuer string
	client *http.Client
	now    func() time.Time

	mu     sync.Mutex // guards all below
	keys   *jose.JSONWebKeySet
	static bool
	until  time.Time
}

func newIssuerKeys(issuer string, given json.RawMessage, client *http.Client, now func() time.Time) (*issuerKeys, error) {
	k := &issuerKeys{issuer: issuer, client: client, now: now}
	if k.client == nil {
		k.client = http.DefaultClient
	}
	if given == nil {
		return k, nil
	}
	k.static, k.keys = true, new(jose.JSONWebKeySet)
	if err := json.Unmarshal(given, k.keys); err != nil {
		return nil, fmt.Errorf("gateway: the keys of issuer %q: %w", issuer, err)
	}
	return k, nil
}

func (k *issuerKeys) get(ctx context.Context) (*jose.JSONWebKeySet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.static || k.keys != nil && k.now().Before(k.until) {
		return k.keys, nil
	}
	ctx, cancel := context.WithTimeout(ctx, jwksTimeout)
	defer cancel()
	var discovery struct {
		JWKSURI string `json:"jwks_uri"`
	}
	if err := k.fetch(ctx, strings.TrimSuffix(k.issuer, "/")+"/.well-known/openid-configuration", &discovery); err != nil {
		return nil, err
	}
	keys := new(jose.JSONWebKeySet)
	if err := k.fetch(ctx, discovery.JWKSURI, keys); err != nil {
		return nil, err
	}
	k.keys, k.until = keys, k.now().Add(jwksTTL)
	return keys, nil
}

func (k *issuerKeys) fetch(ctx context.Context, url string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := k.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("gateway: %s answers %s", url, res.Status)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxJWKS+1))
	if err != nil {
		return err
	}
	if len(text) > maxJWKS {
		return fmt.Errorf("gateway: %s answers more than %d bytes", url, maxJWKS)
	}
	return json.Unmarshal(text, into)
}
