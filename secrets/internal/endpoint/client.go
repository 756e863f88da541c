// Package endpoint asks a local HTTP endpoint, or one with TLS, for secrets. It
// uses no proxy and follows no redirect, limits what it reads, and keeps no
// connection: one that was frozen with the process would be dead.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/internal/fetch"
)

// Limits of an answer. AppConfig has the largest values, of up to 4 MiB; guard.Limits
// has the same depth.
const (
	maxBody  = 4 << 20
	maxDepth = 64
	maxNodes = 100_000
)

// Client asks one endpoint. It is safe for concurrent use.
type Client struct {
	base  string
	local bool
	http  http.Client
}

// New returns a client of an address, like http://localhost:2773. The address has
// no path, and needs TLS unless it is of this machine. The resolved address of the
// host is checked with each connection.
func New(address string) (*Client, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil && strings.Contains(address, "@"): // it may have a password
		return nil, guard.Reason("the address is malformed")
	case err != nil:
		return nil, fmt.Errorf("address %q is malformed", address)
	case u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return nil, fmt.Errorf("address %q must be a scheme, a host and a port", u.Redacted())
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("address %q must begin with http or https", address)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, fmt.Errorf("address %q of another machine must begin with https", address)
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || port == 0) {
		return nil, fmt.Errorf("address %q has an invalid port", address)
	}
	dialer := new(net.Dialer)
	if u.Scheme == "http" {
		dialer.Control = loopbackOnly
	}
	return &Client{
		base:  u.Scheme + "://" + u.Host,
		local: isLoopback(u.Hostname()),
		http: http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				DialContext:            dialer.DialContext,
				Proxy:                  nil, // HTTP_PROXY must not see a secret
				DisableKeepAlives:      true,
				DisableCompression:     true, // so that the limits are of what was sent
				MaxResponseHeaderBytes: 64 << 10,
			},
		},
	}, nil
}

// Local reports whether the endpoint is on this machine.
func (c *Client) Local() bool { return c.local }

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// loopbackOnly refuses a connection if localhost resolved to another machine.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return guard.Reason("the address is not of this machine")
	}
	return nil
}

// Answer is an answer with any status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get asks for a path and query. If there is no answer, the error matches
// [secrets.ErrUnavailable] and has its cause.
func (c *Client) Get(ctx context.Context, target string, header http.Header) (Answer, error) {
	var answered atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotFirstResponseByte: func() { answered.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+target, nil)
	if err != nil {
		return Answer{}, unavailable(err)
	}
	req.Header = header
	resp, err := c.http.Do(req)
	switch {
	case err != nil && answered.Load():
		return Answer{}, unread(err)
	case err != nil:
		return Answer{}, c.unreachable(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return Answer{}, unread(err)
	case len(body) > maxBody:
		return Answer{}, fmt.Errorf("the answer is over %d bytes", maxBody)
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// unreachable distinguishes an extension that is missing from one that has not
// started yet.
func (c *Client) unreachable(ctx context.Context, err error) error {
	err = unavailable(err)
	switch {
	case !c.local || !errors.Is(err, syscall.ECONNREFUSED):
		return err
	case OutsideInvocation(ctx):
		return fmt.Errorf("%w: %w", secrets.ErrOutsideInvocation, err)
	}
	return fmt.Errorf("nothing listens on %s, is the extension's layer there? %w", c.base, err)
}

// OutsideInvocation reports whether the process runs in Lambda and ctx is of no
// invocation.
func OutsideInvocation(ctx context.Context) bool {
	_, invoked := lambdacontext.FromContext(ctx)
	return !invoked && os.Getenv("AWS_LAMBDA_RUNTIME_API") != ""
}

// unavailable leaves the URL out, because its caller names the secret.
func unavailable(err error) error {
	return fmt.Errorf("%w: %w", secrets.ErrUnavailable, withoutURL(err))
}

func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// unread returns the error for a truncated answer, without any of its text.
func unread(err error) error {
	if fetch.Quotes(withoutURL(err)) {
		err = guard.Reason("the answer is no HTTP")
	}
	return unavailable(err)
}

// Decode decodes the body as strict JSON. The error contains nothing of the body,
// not even a name.
func (a Answer) Decode(v any) error { return Decode(a.Body, v) }

// Decode is [Answer.Decode] for a part of an answer.
func Decode(data []byte, v any) error {
	err := strictjson.Check(data, maxDepth, maxNodes)
	if err == nil {
		err = strictjson.Unmarshal(data, v, strictjson.Options{})
	}
	if err == nil {
		return nil
	}
	text := "the answer cannot be read"
	var e *strictjson.Error
	if errors.As(err, &e) {
		text += ": " + e.Reason
	}
	return guard.Reason(text)
}

// TokenFile returns a function that reads a token from a file.
func TokenFile(path string) func() (string, error) {
	return func() (string, error) {
		data, err := os.ReadFile(path)
		token := strings.TrimSpace(string(data))
		if err == nil && token == "" {
			err = guard.Reason("the token file is empty")
		}
		return token, err
	}
}
