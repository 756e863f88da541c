package token

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"
)

// API Gateway's limits on fetching an issuer's keys.
// See https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
// and https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
const (
	fetchTimeout = 1500 * time.Millisecond
	maxFetched   = 150_000
	keysTTL      = 2 * time.Hour
)

// Keys are the RSA signing keys of an issuer. Unless they are set, they are fetched
// on first use and kept for two hours, even if a token names an unknown key.
type Keys struct {
	issuer string
	client *http.Client
	now    func() time.Time
	static bool

	mu    sync.Mutex // guards all below
	byID  map[string][]*rsa.PublicKey
	until time.Time
}

// NewKeys reads a JSON Web Key Set, or fetches the issuer's if it is nil. The
// client and the clock may be nil.
func NewKeys(issuer string, given json.RawMessage, client *http.Client, now func() time.Time) (*Keys, error) {
	k := &Keys{issuer: issuer, client: client, now: now}
	if k.client == nil {
		k.client = http.DefaultClient
	}
	if k.now == nil {
		k.now = time.Now
	}
	if given == nil {
		return k, nil
	}
	var set keySet
	if err := json.Unmarshal(given, &set); err != nil {
		return nil, fmt.Errorf("gateway: the keys of issuer %q: %w", issuer, err)
	}
	k.static, k.byID = true, set.rsaKeys()
	return k, nil
}

// A keySet is a JSON Web Key Set. Keys other than RSA's are ignored; RFC 7517, section 5.
type keySet struct {
	Keys []struct {
		KeyType  string `json:"kty"`
		ID       string `json:"kid"`
		Modulus  string `json:"n"`
		Exponent string `json:"e"`
	} `json:"keys"`
}

func (s keySet) rsaKeys() map[string][]*rsa.PublicKey {
	keys := map[string][]*rsa.PublicKey{}
	for _, key := range s.Keys {
		n, err1 := base64.RawURLEncoding.DecodeString(key.Modulus)
		e, err2 := base64.RawURLEncoding.DecodeString(key.Exponent)
		if key.KeyType != "RSA" || err1 != nil || err2 != nil || len(e) > 4 {
			continue
		}
		keys[key.ID] = append(keys[key.ID], &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())})
	}
	return keys
}

func (k *Keys) get(ctx context.Context, id string) ([]*rsa.PublicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.static || k.byID != nil && k.now().Before(k.until) {
		return k.byID[id], nil
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var discovery struct {
		JWKSURI string `json:"jwks_uri"`
	}
	if err := k.fetch(ctx, strings.TrimSuffix(k.issuer, "/")+"/.well-known/openid-configuration", &discovery); err != nil {
		return nil, err
	}
	var set keySet
	if err := k.fetch(ctx, discovery.JWKSURI, &set); err != nil {
		return nil, err
	}
	k.byID, k.until = set.rsaKeys(), k.now().Add(keysTTL)
	return k.byID[id], nil
}

func (k *Keys) fetch(ctx context.Context, url string, into any) error {
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
		return fmt.Errorf("%s answers %s", url, res.Status)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxFetched+1))
	if err != nil {
		return err
	}
	if len(text) > maxFetched {
		return fmt.Errorf("%s answers more than %d bytes", url, maxFetched)
	}
	return json.Unmarshal(text, into)
}
