// Package lambdaapi asks the HTTP APIs that Lambda serves inside an execution
// environment: the Runtime, Extensions, Telemetry and metadata APIs.
package lambdaapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// maxBody is far more than any of the APIs answers.
const maxBody = 64 << 10

// Client asks one API. It is safe for concurrent use. It uses no proxy, follows no
// redirect, and keeps no connection: one that was frozen with the process may be
// dead.
type Client struct {
	base string
	http http.Client
}

// New returns a client of the API whose address, host and port, is in an environment
// variable.
func New(variable string) (*Client, error) {
	address := os.Getenv(variable)
	if address == "" {
		return nil, reason.New(variable + " is not set, the process is not in a Lambda environment")
	}
	u, err := url.Parse("http://" + address)
	if err != nil || u.Host != address || u.Hostname() == "" || u.Port() == "" {
		return nil, reason.New(variable + " is no host and port")
	}
	return &Client{
		base: "http://" + address,
		http: http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				Proxy:                  nil, // HTTP_PROXY must not see a token
				DisableKeepAlives:      true,
				DisableCompression:     true,
				MaxResponseHeaderBytes: maxBody,
			},
		},
	}, nil
}

// Do sends a request. An answer with another status than 2xx is an [*Error].
func (c *Client) Do(ctx context.Context, method, path string, header http.Header, body []byte) (http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header = header
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, nil, withoutURL(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%w: %w", reason.New("read the answer"), err)
	case len(answer) > maxBody:
		return nil, nil, reason.New(fmt.Sprintf("the answer is over %d bytes", maxBody))
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		refused := &Error{Status: resp.StatusCode}
		_ = json.Unmarshal(answer, refused) // a body of another form has nothing to add
		return nil, nil, refused
	}
	return resp.Header, answer, nil
}

// withoutURL leaves out what each message would repeat.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// Error is an answer of Lambda that refuses a request.
type Error struct {
	Status  int    `json:"-"`
	Type    string `json:"errorType"` // "" if the answer has none
	Message string `json:"errorMessage"`
}

func (e *Error) Error() string {
	text := fmt.Sprintf("status %d", e.Status)
	for _, part := range []string{e.Type, e.Message} {
		if part != "" {
			text += ": " + part
		}
	}
	return text
}

// HTTPStatusCode returns the status, for guard.Log.
func (e *Error) HTTPStatusCode() int { return e.Status }

// ErrorCode returns the type, for guard.Log.
func (e *Error) ErrorCode() string { return e.Type }
