package jwt

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// Bounds of a fetch. They are those of API Gateway's own JWT authorizers.
const (
	fetchTimeout = 1500 * time.Millisecond
	maxDocument  = 150_000 // bytes
)

// A fetcher gets documents that hold keys, or say where keys are.
type fetcher struct {
	client  *http.Client
	timeout time.Duration
}

// A document is what was fetched.
type document struct {
	body []byte
	age  time.Duration // for how long it may be used
}

// newFetcher takes the transport of client, which may be nil.
func newFetcher(client *http.Client) *fetcher {
	var transport http.RoundTripper
	if client != nil {
		transport = client.Transport
	} else {
		// A connection is of no use until keys are fetched again, and would
		// keep goroutines.
		transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 16 << 10,
		}
	}
	return &fetcher{timeout: fetchTimeout, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// statusError is an answer that was not 200.
type statusError int

func (e statusError) Error() string {
	if e >= 300 && e < 400 {
		return fmt.Sprintf("status %d: redirects are not followed", int(e))
	}
	return fmt.Sprintf("status %d", int(e))
}

// get fetches one document from an https URI.
func (f *fetcher) get(ctx context.Context, uri string) (*document, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %w", uri, statusError(resp.StatusCode))
	}
	if resp.ContentLength > maxDocument {
		return nil, tooLong(uri)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", uri, err)
	}
	if len(body) > maxDocument {
		return nil, tooLong(uri)
	}
	return &document{body: body, age: lifetime(resp.Header)}, nil
}

func tooLong(uri string) error {
	return fmt.Errorf("get %s: more than %d bytes", uri, maxDocument)
}

// checkURI refuses what keys are not to be fetched from.
func checkURI(uri string) error {
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return reason.New("it must be an https URI")
	case u.User != nil || u.Fragment != "" || strings.Contains(uri, "#"):
		return reason.New("the URI must have neither user nor fragment")
	}
	return nil
}
