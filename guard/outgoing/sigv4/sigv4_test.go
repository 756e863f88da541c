package sigv4_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/sigv4"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func static(c aws.Credentials) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })
}

var keys = aws.Credentials{AccessKeyID: "ASIAROLE", SecretAccessKey: "hunter2", SessionToken: "session-token"}

// arrived is a server that verifies signatures, and keeps what it was sent.
type arrived struct {
	mu      sync.Mutex
	uri     string
	body    string
	header  http.Header
	length  int64
	chunked []string
	err     error
}

func (a *arrived) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = verify(r, keys.SecretAccessKey, time.Now())
	body, err := io.ReadAll(r.Body)
	if a.err == nil {
		a.err = err
	}
	a.uri, a.body, a.header, a.length, a.chunked = r.RequestURI, string(body), r.Header, r.ContentLength, r.TransferEncoding
	if a.err != nil {
		w.WriteHeader(http.StatusForbidden)
	}
}

func serve(t *testing.T) (*arrived, *httptest.Server) {
	t.Helper()
	a := new(arrived)
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return a, server
}

func client(service string) *http.Client {
	return &http.Client{Transport: sigv4.Transport(nil, static(keys), "eu-central-1", service, "127.0.0.1")}
}

// stream is a body that http.NewRequest knows nothing of.
type stream struct {
	io.Reader
	closed bool
}

func (s *stream) Close() error { s.closed = true; return nil }

func TestASignatureHoldsForWhatArrives(t *testing.T) {
	for _, tc := range []struct {
		rule, path string
		want       string // the path that arrives; like path if empty
	}{
		{rule: "no path", path: "", want: "/"},
		{rule: "a path", path: "/orders/1/"},
		{rule: "a colon and other reserved characters", path: "/arn:aws:x/$&+,;=@!'()*", want: "/arn%3Aaws%3Ax/%24%26%2B%2C%3B%3D%40%21%27%28%29%2A"},
		{rule: "escapes", path: "/a%2fb/%2561/c%20d/%41", want: "/a%2Fb/%2561/c%20d/A"},
		{rule: "not ASCII", path: "/bücher/ሴ", want: "/b%C3%BCcher/%E1%88%B4"},
		{rule: "an order of the query", path: "/?b=2&a=2&a=1&c", want: "/?b=2&a=2&a=1&c="},
		{rule: "a space in the query", path: "/?q=a+b%20c%2Bd", want: "/?q=a%20b%20c%2Bd"},
		{rule: "escapes in the query", path: "/?a%26b=%3D%2f&é=;/?:", want: "/?a%26b=%3D%2F&%C3%A9=%3B%2F%3F%3A"},
		{rule: "empty parameters", path: "/?&a=1&&=&", want: "/?a=1&="},
	} {
		for _, service := range []string{"execute-api", "lambda", "vpc-lattice-svcs"} {
			a, server := serve(t)
			res, err := client(service).Post(server.URL+tc.path, "application/json", strings.NewReader(`{"a":1}`))
			if err != nil {
				t.Fatalf("%s: %v", tc.rule, err)
			}
			_ = res.Body.Close()
			want := tc.want
			if want == "" {
				want = tc.path
			}
			if a.err != nil || a.uri != want || a.body != `{"a":1}` {
				t.Errorf("%s, %s: got %s %q and %v, want %s", service, tc.rule, a.uri, a.body, a.err, want)
			}
		}
	}
}

func TestABodyIsSignedHoweverItIsGiven(t *testing.T) {
	large := strings.Repeat("x", 3<<20)
	for _, tc := range []struct {
		rule  string
		body  io.Reader
		want  string
		unset bool // the length
	}{
		{rule: "none"},
		{rule: "an empty one", body: strings.NewReader("")},
		{rule: "a text", body: strings.NewReader("hello"), want: "hello"},
		{rule: "a large one", body: bytes.NewReader([]byte(large)), want: large},
		{rule: "a stream", body: &stream{Reader: strings.NewReader("hello")}, want: "hello"},
		{rule: "an empty stream", body: &stream{Reader: strings.NewReader("")}},
		{rule: "a text whose length was taken away", body: strings.NewReader("hello"), want: "hello", unset: true},
	} {
		for _, service := range []string{"execute-api", "vpc-lattice-svcs"} {
			a, server := serve(t)
			if s, ok := tc.body.(io.Seeker); ok {
				_, _ = s.Seek(0, io.SeekStart)
			}
			body := tc.body
			if s, ok := body.(*stream); ok {
				body = &stream{Reader: strings.NewReader(tc.want)}
				_ = s
			}
			r, err := http.NewRequestWithContext(t.Context(), "PUT", server.URL, body)
			if err != nil {
				t.Fatal(err)
			}
			if tc.unset {
				r.ContentLength = -1
			}
			res, err := client(service).Do(r)
			if err != nil {
				t.Fatalf("%s: %v", tc.rule, err)
			}
			_ = res.Body.Close()
			if a.err != nil || a.body != tc.want {
				t.Errorf("%s, %s: got %d bytes and %v, want %d", service, tc.rule, len(a.body), a.err, len(tc.want))
			}
			if service == "execute-api" && (a.length != int64(len(tc.want)) || a.chunked != nil) {
				t.Errorf("%s: got the length %d and %v, want one of %d", tc.rule, a.length, a.chunked, len(tc.want))
			}
			if s, ok := body.(*stream); ok && !s.closed {
				t.Errorf("%s, %s: the body was not closed", service, tc.rule)
			}
		}
	}
}

// failing is a body that cannot be read.
type failing struct{ stream }

func (*failing) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestWhatCannotBeSignedIsNotSent(t *testing.T) {
	request := func(method, url string, body io.Reader) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), method, url, body)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	authorized := request("GET", "https://api.example/", nil)
	authorized.Header.Set("Authorization", "Bearer x")
	lower := request("GET", "https://api.example/", nil)
	lower.Header["authorization"] = []string{"Bearer x"}
	another := request("GET", "https://api.example/", nil)
	another.Host = "evil.example"
	opaque := request("GET", "https://api.example/", nil)
	opaque.URL = &url.URL{Scheme: "https", Host: "api.example", Opaque: "//evil.example/"}
	longer := request("POST", "https://api.example/", strings.NewReader("abc"))
	longer.ContentLength = 2
	for _, tc := range []struct {
		rule, want string
		r          *http.Request
		creds      aws.CredentialsProvider
	}{
		{rule: "another host", want: "host that Transport was not made for", r: request("GET", "https://evil.example/", nil)},
		{rule: "a host with more in front", want: "host that Transport was not made for", r: request("GET", "https://evilapi.example/", nil)},
		{rule: "another host in the header", want: "host that Transport was not made for", r: another},
		{rule: "no URL", want: "host that Transport was not made for", r: &http.Request{}},
		{rule: "plain HTTP", want: "https", r: request("GET", "http://api.example/", nil)},
		{rule: "another credential", want: "Authorization", r: authorized},
		{rule: "another credential in lower case", want: "Authorization", r: lower},
		{rule: "an empty segment", want: "the path", r: request("GET", "https://api.example/a//b", nil)},
		{rule: "two slashes at the end", want: "the path", r: request("GET", "https://api.example/a//", nil)},
		{rule: "a dot", want: "the path", r: request("GET", "https://api.example/a/./b", nil)},
		{rule: "an escaped dot", want: "the path", r: request("GET", "https://api.example/a/%2e%2E/b", nil)},
		{rule: "an opaque URL", want: "opaque", r: opaque},
		{rule: "a malformed query", want: "query", r: request("GET", "https://api.example/?a=%zz", nil)},
		{rule: "a body that cannot be read", want: "body", r: request("POST", "https://api.example/", &failing{})},
		{rule: "a body of another length", want: "body", r: longer},
		{rule: "a stream of more than 10 MiB", want: "larger", r: request("POST", "https://api.example/", &stream{Reader: strings.NewReader(strings.Repeat("x", 10<<20+1))})},
		{rule: "no credentials", want: "no credentials", r: request("POST", "https://api.example/", &stream{Reader: strings.NewReader("x")}), creds: static(aws.Credentials{})},
	} {
		sent := false
		creds := tc.creds
		if creds == nil {
			creds = static(keys)
		}
		rt := sigv4.Transport(roundTrip(func(*http.Request) (*http.Response, error) { sent = true; return nil, errors.New("sent") }), creds, "eu-central-1", "execute-api", "api.example")
		_, err := rt.RoundTrip(tc.r)
		if sent || err == nil || !strings.HasPrefix(err.Error(), "sigv4: ") || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, sent %t; want an error about %q", tc.rule, err, sent, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), "evil") {
			t.Errorf("%s: got %v, which quotes the request", tc.rule, err)
		}
		switch s := tc.r.Body.(type) {
		case *stream:
			if !s.closed {
				t.Errorf("%s: the body was not closed", tc.rule)
			}
		case *failing:
			if !s.closed {
				t.Errorf("%s: the body was not closed", tc.rule)
			}
		}
	}
}

func TestAnErrorOfTheCredentialsIsWrapped(t *testing.T) {
	want := errors.New("the endpoint does not answer")
	creds := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, want })
	_, err := sigv4.Transport(nil, creds, "eu-central-1", "lambda", "api.example").RoundTrip(httptest.NewRequest("GET", "https://api.example/", nil))
	if !errors.Is(err, want) || !strings.HasPrefix(err.Error(), "sigv4: ") {
		t.Errorf("got %v, want the error of the credentials", err)
	}
}

// A client that follows redirects takes the body along, and the signature must not go.
//
// SECURITY: Sent to listed hosts alone.
func TestARedirectToAnotherHostIsNotSigned(t *testing.T) {
	reached := false
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer evil.Close()
	elsewhere := strings.Replace(evil.URL, "127.0.0.1", "localhost", 1)
	a := new(arrived)
	mux := http.NewServeMux()
	mux.Handle("/home", a)
	mux.Handle("/here", http.RedirectHandler("/home?from=here", http.StatusTemporaryRedirect))
	mux.Handle("/away", http.RedirectHandler(elsewhere, http.StatusTemporaryRedirect))
	server := httptest.NewServer(mux)
	defer server.Close()
	res, err := client("lambda").Post(server.URL+"/here", "text/plain", strings.NewReader("secret"))
	if err != nil || a.err != nil || a.body != "secret" {
		t.Fatalf("got %v, %v and %q for a redirect to the same host, want it signed anew", err, a.err, a.body)
	}
	_ = res.Body.Close()
	if _, err := client("lambda").Post(server.URL+"/away", "text/plain", strings.NewReader("secret")); err == nil || reached {
		t.Errorf("got %v, reached %t; want no request", err, reached)
	}
}

func TestARequestIsNotChanged(t *testing.T) {
	_, server := serve(t)
	r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/a:b?q=+", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Date", "mine")
	before := r.Clone(t.Context())
	res, err := client("execute-api").Transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if r.URL.String() != before.URL.String() || !reflect.DeepEqual(r.Header, before.Header) || r.Host != before.Host || r.ContentLength != before.ContentLength {
		t.Errorf("got %+v, want %+v", r, before)
	}
}

// A caller's own headers of a signature do not go out beside another one.
func TestTheHeadersOfASignatureAreItsOwn(t *testing.T) {
	a, server := serve(t)
	r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Security-Token", "another")
	r.Header.Set("X-Amz-Date", "20200101T000000Z")
	r.Header["x-amz-meta"] = []string{" a  b ", "c"}
	r.Header.Set("Traceparent", "00-x")
	res, err := client("execute-api").Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if got := a.header.Values("X-Amz-Security-Token"); a.err != nil || len(got) != 1 || got[0] != "session-token" {
		t.Errorf("got %v and %v, want the token of the credentials", got, a.err)
	}
	if got := a.header.Get("Authorization"); strings.Contains(got, "traceparent") || !strings.Contains(got, "x-amz-meta") {
		t.Errorf("got %s", got)
	}
}

func TestWhatANilOrEmptyFieldMeansIsSigned(t *testing.T) {
	for _, tc := range []struct {
		rule string
		r    http.Request
	}{
		{rule: "no method, which is GET"},
		{rule: "a header without a line", r: http.Request{Method: "POST", Header: http.Header{"Content-Type": nil, "X-Amz-Meta": {}}}},
		{rule: "a header with an empty line", r: http.Request{Method: "POST", Header: http.Header{"Content-Type": {""}, "X-Amz-Meta": {"", "a"}}}},
	} {
		a, server := serve(t)
		u, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		tc.r.URL = u
		res, err := client("execute-api").Transport.RoundTrip(&tc.r)
		if err != nil {
			t.Fatalf("%s: %v", tc.rule, err)
		}
		_ = res.Body.Close()
		if a.err != nil {
			t.Errorf("%s: got %v, want a signature that holds", tc.rule, a.err)
		}
	}
}

// drip is a body that goes on for as long as somebody reads.
type drip struct {
	reads int
	end   func()
}

func (d *drip) Read(p []byte) (int, error) {
	if d.reads++; d.reads == 3 {
		d.end()
	}
	p[0] = 'x'
	return 1, nil
}

func (*drip) Close() error { return nil }

func TestTheReadingOfABodyEndsWithItsContext(t *testing.T) {
	for rule, again := range map[string]bool{"a stream": false, "GetBody": true} {
		ctx, cancel := context.WithCancel(t.Context())
		body := &drip{end: cancel}
		r, err := http.NewRequestWithContext(ctx, "POST", "https://api.example/", body)
		if err != nil {
			t.Fatal(err)
		}
		if again {
			r.GetBody = func() (io.ReadCloser, error) { return &limited{body, 1 << 20}, nil }
		}
		_, err = sigv4.Transport(roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("sent") }), static(keys), "eu-central-1", "lambda", "api.example").RoundTrip(r)
		if !errors.Is(err, context.Canceled) || body.reads > 3 {
			t.Errorf("%s: got %v after %d reads, want the end of the context after 3", rule, err, body.reads)
		}
	}
}

// limited ends after n bytes, so that a test of a body without end has one.
type limited struct {
	io.ReadCloser
	n int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.n--; l.n < 0 {
		return 0, io.EOF
	}
	return l.ReadCloser.Read(p)
}

func TestATokenOfOtherCredentialsIsNotSent(t *testing.T) {
	rt := sigv4.Transport(roundTrip(func(r *http.Request) (*http.Response, error) {
		if got := r.Header.Get("X-Amz-Security-Token") + r.Header.Get("Authorization"); strings.Contains(got, "another") || strings.Contains(got, "security-token") {
			t.Errorf("got %s, want no token", got)
		}
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	}), static(aws.Credentials{AccessKeyID: "AKIDJANE", SecretAccessKey: "hunter2"}), "eu-central-1", "lambda", "api.example")
	r := httptest.NewRequest("GET", "https://api.example/", nil)
	r.Header.Set("X-Amz-Security-Token", "another")
	res, err := rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

// After a freeze the signature has the time at which it is sent.
func TestATimeIsThatOfTheWallClock(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var got []string
	rt := sigv4.WithClock(sigv4.Transport(roundTrip(func(r *http.Request) (*http.Response, error) {
		got = append(got, r.Header.Get("X-Amz-Date"))
		return &http.Response{StatusCode: 200, Body: http.NoBody}, verify(&http.Request{
			Method: r.Method, Host: r.URL.Host, RequestURI: r.URL.RequestURI(), Header: r.Header, Body: http.NoBody,
		}, keys.SecretAccessKey, now)
	}), static(keys), "eu-central-1", "lambda", "api.example"), func() time.Time { return now })
	for range 2 {
		res, err := rt.RoundTrip(httptest.NewRequest("GET", "https://api.example/", nil))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		now = now.Add(26 * time.Hour) // frozen
	}
	if want := []string{"20260102T030405Z", "20260103T050405Z"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestADefaultPortIsNotSigned(t *testing.T) {
	rt := sigv4.Transport(roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Host != "api.example" {
			t.Errorf("got the host %q, want api.example", r.Host)
		}
		return &http.Response{StatusCode: 200, Body: http.NoBody}, verify(&http.Request{
			Method: r.Method, Host: r.Host, RequestURI: r.URL.RequestURI(), Header: r.Header, Body: http.NoBody,
		}, keys.SecretAccessKey, time.Now())
	}), static(keys), "eu-central-1", "lambda", "api.example")
	res, err := rt.RoundTrip(httptest.NewRequest("GET", "https://api.example:443/", nil))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

func TestTheGatewaysTakeASignature(t *testing.T) {
	caller := gateway.IAMCaller{AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken, ARN: "arn:aws:sts::123456789012:assumed-role/shop/session-1"}
	iam := &gateway.IAMAuthorizer{Callers: []gateway.IAMCaller{caller}}
	fn := guardtest.NewInProcess(guard.Wrap(httpapi.Func(func(_ context.Context, in map[string]any) (map[string]any, error) { return in, nil })), guardtest.Config{})
	must := func(h http.Handler, err error) http.Handler {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for _, tc := range []struct {
		name, service string
		api           http.Handler
	}{
		{name: "an HTTP API", service: "execute-api", api: must(gateway.NewHTTPAPI(fn, gateway.HTTPAPIConfig{IAM: iam}))},
		{name: "a REST API", service: "execute-api", api: must(gateway.NewRESTAPI(fn, gateway.RESTAPIConfig{IAM: iam}))},
		{name: "a function URL", service: "lambda", api: must(gateway.NewHTTPAPI(fn, gateway.HTTPAPIConfig{IAM: iam, FunctionURL: true}))},
	} {
		server := httptest.NewServer(tc.api)
		c := &http.Client{Transport: sigv4.Transport(nil, static(keys), "us-east-1", tc.service, "127.0.0.1")}
		res, err := c.Post(server.URL+"/orders/a:b?x=2&x=1", "application/json", strings.NewReader(`{"sku":"1"}`))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != 200 || string(body) != `{"sku":"1"}` {
			t.Errorf("%s: got %d %s, want 200", tc.name, res.StatusCode, body)
		}
		server.Close()
	}
}

func TestManyAtOnceAreSigned(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := verify(r, keys.SecretAccessKey, time.Now()); err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.Copy(w, r.Body)
	}))
	defer server.Close()
	c := client("execute-api")
	var done sync.WaitGroup
	for i := range 64 {
		done.Go(func() {
			want := fmt.Sprint("body ", i)
			res, err := c.Post(server.URL+"/"+fmt.Sprint(i), "text/plain", &stream{Reader: strings.NewReader(want)})
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if got, err := io.ReadAll(res.Body); err != nil || string(got) != want || res.StatusCode != 200 {
				t.Errorf("got %d %q, %v, want %q", res.StatusCode, got, err, want)
			}
		})
	}
	done.Wait()
}

func TestAMisconfiguredTransportPanics(t *testing.T) {
	for rule, make := range map[string]func(){
		"no credentials":        func() { sigv4.Transport(nil, nil, "r", "s", "h") },
		"anonymous credentials": func() { sigv4.Transport(nil, aws.AnonymousCredentials{}, "r", "s", "h") },
		"no region":             func() { sigv4.Transport(nil, static(keys), "", "s", "h") },
		"no service":            func() { sigv4.Transport(nil, static(keys), "r", "", "h") },
		"no hosts":              func() { sigv4.Transport(nil, static(keys), "r", "s") },
		"a URL":                 func() { sigv4.Transport(nil, static(keys), "r", "s", "https://h/") },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "sigv4: ") {
					t.Errorf("%s: got %q, want a panic", rule, text)
				}
			}()
			make()
		}()
	}
}
