package jwt

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt/internal/jws"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Bounds of a document, the same as for API Gateway's own JWT authorizers.
const (
	fetchTimeout = 1500 * time.Millisecond
	maxDocument  = 150_000 // bytes
)

// A fetcher fetches documents with keys in them, or with the URI of keys.
type fetcher struct {
	client  *http.Client
	timeout time.Duration // of one document
}

// newFetcher uses the transport of client, which may be nil.
func newFetcher(client *http.Client) *fetcher {
	if client == nil {
		// Keys are fetched too rarely to keep a connection and its goroutines.
		client = &http.Client{Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 16 << 10,
			// An HTTP/2 connection that is made after the timeout stays idle.
			TLSHandshakeTimeout: fetchTimeout,
			IdleConnTimeout:     time.Second,
		}}
	}
	return &fetcher{timeout: fetchTimeout, client: &http.Client{
		Transport:     client.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// statusError is an answer with another status than 200.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("status %d, want 200 (redirects are not followed)", int(e))
}

// get fetches a document from an https URI, and returns how long it may be used.
func (f *fetcher) get(ctx context.Context, uri string) (body []byte, age time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, 0, err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("get %s: %w", uri, statusError(resp.StatusCode))
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err == nil && len(body) > maxDocument {
		err = reason.New("the answer is too long")
	}
	if err != nil {
		return nil, 0, fmt.Errorf("get %s: %w", uri, err)
	}
	return body, lifetime(resp.Header), nil
}

// keySetAt returns the loader of the JWK Set at uri.
func (f *fetcher) keySetAt(uri string) loader {
	return func(ctx context.Context) (*jws.Set, time.Duration, error) {
		body, age, err := f.get(ctx, uri)
		if err != nil {
			return nil, 0, err
		}
		set, err := jws.ParseSet(body)
		if err != nil {
			return nil, 0, fmt.Errorf("get %s: %w", uri, err)
		}
		return set, age, nil
	}
}

// discover returns the loader of the JWK Set that an issuer's metadata name
// (OpenID Connect Discovery 1.0, section 4). It reads the metadata each time, as
// the URI of the keys can change too.
func (f *fetcher) discover(issuer string) loader {
	uri := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	return func(ctx context.Context) (*jws.Set, time.Duration, error) {
		body, _, err := f.get(ctx, uri)
		if err != nil {
			return nil, 0, err
		}
		metadata, _ := strictObject(body, jws.MaxDepth, jws.MaxNodes, []string{"issuer", "jwks_uri"})
		keys, _ := metadata["jwks_uri"].(string)
		err = checkURI(keys)
		if metadata["issuer"] != issuer {
			err = reason.New("it is not a JSON object with one meaning, or has another issuer")
		}
		if err != nil {
			return nil, 0, fmt.Errorf("get %s: %w", uri, err)
		}
		return f.keySetAt(keys)(ctx)
	}
}

// checkURI refuses a URI that keys must not be fetched from.
func checkURI(uri string) error {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.Contains(uri, "#") {
		return reason.New("the URI of keys must be an https URI without user and fragment")
	}
	return nil
}

// How long keys are used before they are fetched again.
const (
	minAge     = 5 * time.Minute
	defaultAge = time.Hour // if their issuer does not say
	maxAge     = 23 * time.Hour
)

// lifetime returns how long an answer may be used (RFC 9111, section 4.2), within
// bounds. The shortest of several max-age values counts.
func lifetime(h http.Header) time.Duration {
	age := time.Duration(-1)
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(directive, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-store", "no-cache":
			return minAge
		case "max-age":
			if n := seconds(strings.Trim(value, `" `)); age < 0 || n < age {
				age = n
			}
		}
	}
	if age < 0 {
		return defaultAge
	}
	return min(max(age-seconds(h.Get("Age")), minAge), maxAge)
}

// seconds parses a number of seconds, and returns 0 for other text. A number out of
// range becomes a large one.
func seconds(text string) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil && n == 0 {
		return 0
	}
	return time.Duration(min(n, uint64(maxAge/time.Second)*2)) * time.Second
}
