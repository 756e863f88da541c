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

// Limits of an answer. AppConfig has the largest values, of 4 MiB at most; the
// nesting is that of guard's own limits.
const (
	maxBody  = 4 << 20
	maxDepth = 64
	maxNodes = 100_000
)

// A Client asks one endpoint. It is safe for concurrent use.
type Client struct {
	base  string
	local bool
	http  http.Client
}

// New makes a client of an address, like http://localhost:2773. The error says
// what is wrong with one: it needs TLS unless it is of this machine, and it has
// no path. What a name resolves to is checked when it is dialled, too.
func New(address string) (*Client, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil && strings.Contains(address, "@"): // it may have a password
		return nil, guard.Reason("the address is malformed")
	case err != nil:
		return nil, fmt.Errorf("address %q is malformed", address)
	}
	var control func(network, address string, _ syscall.RawConn) error
	switch {
	case u.Host == "" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return nil, fmt.Errorf("address %q is not that of a server", u.Redacted())
	case !port(u.Port()):
		return nil, fmt.Errorf("address %q has a port that there is not", address)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("address %q is of another machine and has no TLS", address)
	case u.Scheme == "http":
		control = loopbackOnly
	case u.Scheme != "https":
		return nil, fmt.Errorf("address %q is neither http nor https", address)
	}
	dialer := &net.Dialer{Control: control}
	return &Client{
		base:  u.Scheme + "://" + u.Host,
		local: loopback(u.Hostname()),
		http: http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				DialContext:            dialer.DialContext,
				Proxy:                  nil, // HTTP_PROXY is not to see a secret
				DisableKeepAlives:      true,
				DisableCompression:     true, // bounds are of what was sent
				MaxResponseHeaderBytes: 64 << 10,
			},
		},
	}, nil
}

// Local reports whether the endpoint is on this machine.
func (c *Client) Local() bool { return c.local }

// port reports whether a port can be asked, "" being that of the scheme.
func port(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && n > 0
}

// loopback reports whether a host is this machine by its name.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// loopbackOnly refuses what localhost should not have resolved to.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return guard.Reason("the address is not of this machine")
	}
	return nil
}

// An Answer is one of any status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get asks for a target, path and query as they are sent. What keeps it from
// an answer is an error that matches [secrets.ErrUnavailable] and has its cause.
func (c *Client) Get(ctx context.Context, target string, header http.Header) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+target, nil)
	if err != nil {
		return Answer{}, unavailable(err)
	}
	req.Header = header
	var answered atomic.Bool
	resp, err := c.http.Do(req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotFirstResponseByte: func() { answered.Store(true) },
	})))
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

// unreachable tells an extension that is not there from one that is not there
// yet: they start beside the function.
func (c *Client) unreachable(ctx context.Context, err error) error {
	err = unavailable(err)
	switch {
	case !c.local || !errors.Is(err, syscall.ECONNREFUSED):
		return err
	case Early(ctx):
		return fmt.Errorf("%w: %w", secrets.ErrOutsideInvocation, err)
	}
	return fmt.Errorf("nothing listens on %s, is the extension's layer there? %w", c.base, err)
}

// Early reports whether, as far as ctx tells, Lambda has invoked nothing yet.
func Early(ctx context.Context) bool {
	_, invoked := lambdacontext.FromContext(ctx)
	return !invoked && os.Getenv("AWS_LAMBDA_RUNTIME_API") != ""
}

// unavailable leaves the URL out: its name is known to who asked.
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

// unread is the error of an answer that began. It repeats nothing of it.
func unread(err error) error {
	if fetch.Repeats(withoutURL(err)) {
		err = guard.Reason("the answer is no HTTP")
	}
	return unavailable(err)
}

// Decode reads the body as strict JSON. The error repeats nothing of it, not
// even a member's name.
func (a Answer) Decode(v any) error { return Decode(a.Body, v) }

// Decode is Answer.Decode for a part of an answer.
func Decode(data []byte, v any) error {
	err := strictjson.Check(data, maxDepth, maxNodes)
	if err == nil {
		err = strictjson.Unmarshal(data, v, strictjson.Options{})
	}
	var e *strictjson.Error
	switch {
	case errors.As(err, &e):
		return guard.Reason("the answer cannot be read: " + e.Reason)
	case err != nil:
		return guard.Reason("the answer cannot be read")
	}
	return nil
}
