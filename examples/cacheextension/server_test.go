package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/secrets"
)

const token = "a-session-token"

// vault is a source in memory: its values are the answers of AWS, and errors.
type vault struct {
	mu     sync.Mutex
	values map[string]string
	err    error
	asked  int
}

func (v *vault) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	values := make([]secrets.Value, len(refs))
	for i, ref := range refs {
		text, ok := v.values[ref.Name]
		switch {
		case v.err != nil:
			values[i].Err = v.err
		case !ok || ref.Version == "none" || ref.Stage == "none":
			values[i].Err = secrets.ErrNotFound
		default:
			values[i].Data = []byte(text)
		}
	}
	return values, nil
}

func (v *vault) set(err error, name, value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err, v.values[name] = err, value
}

func (v *vault) fetches() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.asked
}

// running is a cache that serves on ports of its own, until the test ends.
type running struct {
	simple, aws string // addresses
	log         *output
	vaults      map[string]*vault // by type
}

type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func start(t *testing.T, change ...func(*cache)) running {
	t.Helper()
	r := running{log: new(output), vaults: map[string]*vault{
		parameters:   {values: map[string]string{"/shop/level": parameter("debug"), "a-b-c": parameter("hyphens")}},
		secretValues: {values: map[string]string{"api-key": `{"SecretString":"hunter2","VersionId":"1"}`, "cert": `{"SecretString":null,"SecretBinary":"/wD+"}`, "empty": `{"SecretString":"","SecretBinary":null}`}},
		items:        {values: map[string]string{"DynamoDbTable-pKey1-sKey1": `{"pKey":"pKey1"}`}},
	}}
	log := slog.New(slog.NewJSONHandler(r.log, nil))
	c := &cache{settings: settings{token: token}, store: store{parameters: {}, secretValues: {}, items: {}}, log: log}
	for kind, v := range r.vaults {
		for name := range v.values {
			c.store.add(kind, v, time.Minute, log, name)
		}
		c.store.add(kind, v, time.Minute, log, "gone")
	}
	for _, f := range change {
		f(c)
	}
	for i, address := range []*string{&r.simple, &r.aws} {
		l, err := listen("0")
		if err != nil {
			t.Fatal(err)
		}
		c.listeners[i], *address = l, l.Addr().String()
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := c.serve(ctx)
	t.Cleanup(func() {
		stop()
		<-ended
		if shown := r.log.String(); strings.Contains(shown, "hunter2") || strings.Contains(shown, token) {
			t.Errorf("the log shows a secret: %s", shown)
		}
	})
	return r
}

func parameter(value string) string {
	return fmt.Sprintf(`{"Parameter":{"Name":"n","Value":%q,"Version":1},"ResultMetadata":{}}`, value)
}

// got is the status and the body of an answer.
type got struct {
	status int
	body   string
	header http.Header
}

// ask sends a GET request. Headers are "Name: value"; Host is that of the request.
func ask(t *testing.T, address, target string, headers ...string) got {
	t.Helper()
	return send(t, http.MethodGet, address, target, "", headers...)
}

func send(t *testing.T, method, address, target, body string, headers ...string) got {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Aws-Parameters-Secrets-Token", token)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		switch name {
		case "Host":
			req.Host = value
		case "Transfer-Encoding":
			req.ContentLength = -1
		}
		req.Header.Set(name, value)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if !res.Close {
		t.Error("the connection stays open, want one that no freeze outlives")
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got{res.StatusCode, string(text), res.Header}
}

func TestRequestsAndTheirAnswers(t *testing.T) {
	r := start(t)
	for _, tc := range []struct {
		what, address, target string
		headers               []string
		status                int
		body                  string
	}{
		{what: "a parameter", address: r.simple, target: "/parameters?name=/shop/level", status: 200, body: "debug"},
		{what: "a parameter, escaped", address: r.simple, target: "/parameters?name=%2Fshop%2Flevel", status: 200, body: "debug"},
		{what: "a name with hyphens", address: r.simple, target: "/parameters?name=a-b-c", status: 200, body: "hyphens"},
		{what: "a secret", address: r.simple, target: "/secrets?name=api-key", status: 200, body: "hunter2"},
		{what: "bytes", address: r.simple, target: "/secrets?name=cert", status: 200, body: "\xff\x00\xfe"},
		{what: "an empty secret", address: r.simple, target: "/secrets?name=empty", status: 200, body: ""},
		{what: "an item", address: r.simple, target: "/dynamodb?name=DynamoDbTable-pKey1-sKey1", status: 200, body: `{"pKey":"pKey1"}`},
		{what: "a fetch", address: r.simple, target: "/secrets?name=api-key&refreshNow=true", status: 200, body: "hunter2"},
		{what: "localhost", address: r.simple, target: "/secrets?name=api-key", headers: []string{"Host: LOCALHOST:4000"}, status: 200, body: "hunter2"},
		{what: "IPv6", address: r.simple, target: "/secrets?name=api-key", headers: []string{"Host: [::1]:4000"}, status: 200, body: "hunter2"},

		{what: "one that is gone", address: r.simple, target: "/secrets?name=gone", status: 404, body: "not found"},
		{what: "one that is not listed", address: r.simple, target: "/secrets?name=other", status: 403, body: "not listed in config.yaml"},
		{what: "a name of another type", address: r.simple, target: "/secrets?name=/shop/level", status: 403, body: "not listed in config.yaml"},
		{what: "no name", address: r.simple, target: "/secrets", status: 403, body: "not listed in config.yaml"},
		{what: "a part of a name", address: r.simple, target: "/dynamodb?name=DynamoDbTable-pKey1", status: 403, body: "not listed in config.yaml"},
		{what: "a name cut elsewhere", address: r.simple, target: "/dynamodb?name=DynamoDbTable-pKey1-sKey1-", status: 403, body: "not listed in config.yaml"},
		{what: "another case", address: r.simple, target: "/dynamodb?name=dynamodbtable-pKey1-sKey1", status: 403, body: "not listed in config.yaml"},
		{what: "a detour in a name", address: r.simple, target: "/parameters?name=/shop/../shop/level", status: 403, body: "not listed in config.yaml"},
		{what: "a NUL", address: r.simple, target: "/parameters?name=/shop/level%00", status: 403, body: "not listed in config.yaml"},
		{what: "a detour in the path", address: r.simple, target: "/x/../parameters?name=/shop/level", status: 404, body: "Not found"},
		{what: "a slash more", address: r.simple, target: "//parameters?name=/shop/level", status: 404, body: "Not found"},
		{what: "AWS's path", address: r.simple, target: "/secretsmanager/get?secretId=api-key", status: 404, body: "Not found"},
		{what: "two names", address: r.simple, target: "/secrets?name=api-key&name=other", status: 400, body: "unknown parameter"},
		{what: "another parameter", address: r.simple, target: "/secrets?name=api-key&region=x", status: 400, body: "unknown parameter"},
		{what: "a malformed query", address: r.simple, target: "/secrets?name=%zz", status: 400, body: "malformed query"},

		{what: "a fetch that is none", address: r.simple, target: "/secrets?name=api-key&refreshNow=yes", status: 400, body: "a parameter is neither true nor false"},
		{what: "AWS: a decryption that is none", address: r.aws, target: "/systemsmanager/parameters/get?name=a-b-c&withDecryption=on", status: 400, body: "a parameter is neither true nor false"},
		{what: "AWS: a secret", address: r.aws, target: "/secretsmanager/get?secretId=api-key", status: 200, body: `{"SecretString":"hunter2","VersionId":"1"}`},
		{what: "AWS: a parameter", address: r.aws, target: "/systemsmanager/parameters/get?name=%2Fshop%2Flevel&withDecryption=true", status: 200, body: parameter("debug")},
		{what: "AWS: a parameter, with the slash of some of AWS's samples", address: r.aws, target: "/systemsmanager/parameters/get/?name=%2Fshop%2Flevel", status: 200, body: parameter("debug")},
		{what: "AWS: not listed", address: r.aws, target: "/secretsmanager/get?secretId=other", status: 400, body: `{"__type":"AccessDeniedException","message":"not listed in config.yaml"}`},
		{what: "AWS: a version that is not there", address: r.aws, target: "/systemsmanager/parameters/get?name=a-b-c&version=none", status: 400, body: `{"__type":"ParameterNotFound","message":"not found"}`},
		{what: "AWS: a label that is not there", address: r.aws, target: "/systemsmanager/parameters/get?name=a-b-c&label=none", status: 400, body: `{"__type":"ParameterNotFound","message":"not found"}`},
		{what: "AWS: a secret's version that is not there", address: r.aws, target: "/secretsmanager/get?secretId=api-key&versionId=none", status: 400, body: `{"__type":"ResourceNotFoundException","message":"not found"}`},
		{what: "AWS: a stage that is not there", address: r.aws, target: "/secretsmanager/get?secretId=api-key&versionStage=none", status: 400, body: `{"__type":"ResourceNotFoundException","message":"not found"}`},
		{what: "AWS: a secret that is gone", address: r.aws, target: "/secretsmanager/get?secretId=gone", status: 400, body: `{"__type":"ResourceNotFoundException","message":"not found"}`},
		{what: "AWS: a long stage", address: r.aws, target: "/secretsmanager/get?secretId=api-key&versionStage=" + strings.Repeat("x", 300), status: 400, body: "a parameter is too long"},
		{what: "AWS: the other path", address: r.aws, target: "/secrets?name=api-key", status: 404, body: "Not found"},
	} {
		a := ask(t, tc.address, tc.target, tc.headers...)
		if a.status != tc.status || a.body != tc.body {
			t.Errorf("%s: got %d %q, want %d %q", tc.what, a.status, a.body, tc.status, tc.body)
		}
		if a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got %v, want headers that keep the answer where it is", tc.what, a.header)
		}
	}
}

// What a request that was forged through the function lacks, or has too much of.
func TestRequestsThatAreNotOfTheFunction(t *testing.T) {
	r := start(t)
	for _, at := range []struct{ address, target string }{
		{address: r.simple, target: "/secrets?name=api-key"},
		{address: r.aws, target: "/secretsmanager/get?secretId=api-key"},
	} {
		for _, tc := range []struct {
			what, method, body string
			headers            []string
			status             int
			want               string
		}{
			{what: "no token", headers: []string{"X-Aws-Parameters-Secrets-Token: "}, status: 403, want: "Bad Token"},
			{what: "another token", headers: []string{"X-Aws-Parameters-Secrets-Token: " + token + "x"}, status: 403, want: "Bad Token"},
			{what: "forwarded", headers: []string{"X-Forwarded-For: 192.0.2.1"}, status: 400, want: "Forwarded"},
			{what: "forwarded, RFC 7239", headers: []string{"Forwarded: for=192.0.2.1"}, status: 400, want: "Forwarded"},
			{what: "through a proxy", headers: []string{"Via: 1.1 proxy"}, status: 400, want: "Forwarded"},
			{what: "another host", headers: []string{"Host: rebound.example:4000"}, status: 403, want: "Bad Host"},
			{what: "a host that begins like this one", headers: []string{"Host: localhost.example"}, status: 403, want: "Bad Host"},
			{what: "the metadata service's", headers: []string{"Host: 169.254.169.254"}, status: 403, want: "Bad Host"},
			{what: "POST", method: http.MethodPost, status: 405, want: "Not allowed"},
			{what: "HEAD", method: http.MethodHead, status: 405, want: ""},
			{what: "a body", body: "x", status: 400, want: "a body is not allowed"},
			{what: "a body without a length", body: "x", headers: []string{"Transfer-Encoding: chunked"}, status: 400, want: "a body is not allowed"},
		} {
			method := tc.method
			if method == "" {
				method = http.MethodGet
			}
			if a := send(t, method, at.address, at.target, tc.body, tc.headers...); a.status != tc.status || a.body != tc.want {
				t.Errorf("%s %s: got %d %q, want %d %q", at.target, tc.what, a.status, a.body, tc.status, tc.want)
			}
		}
	}
	if n := r.vaults[secretValues].fetches(); n != 0 {
		t.Errorf("got %d fetches, want none", n)
	}
	if !strings.Contains(r.log.String(), "Bad Token") || strings.Contains(r.log.String(), "rebound.example") {
		t.Errorf("got log %s, want refusals without what was sent", r.log)
	}
}

func TestTheOpenPortNeedsNoTokenAndAWSsDoes(t *testing.T) {
	r := start(t, func(c *cache) { c.openPort = true })
	const none = "X-Aws-Parameters-Secrets-Token: "
	if a := ask(t, r.simple, "/secrets?name=api-key", none); a.status != 200 {
		t.Errorf("got %d %s, want the value", a.status, a.body)
	}
	if a := ask(t, r.simple, "/secrets?name=api-key", none, "Host: rebound.example"); a.status != 403 {
		t.Errorf("got %d %s, want a refusal of the host", a.status, a.body)
	}
	if a := ask(t, r.aws, "/secretsmanager/get?secretId=api-key", none); a.status != 403 {
		t.Errorf("got %d %s, want a refusal of the token", a.status, a.body)
	}
}

func TestErrorsOfAWS(t *testing.T) {
	for _, tc := range []struct {
		err         error
		status      int
		body        string
		secret, ssm string // AWS's codes
		awsStatus   int
	}{
		{err: secrets.ErrDenied, status: 403, body: "access denied", secret: "AccessDeniedException", ssm: "AccessDeniedException", awsStatus: 400},
		{err: secrets.ErrUndecryptable, status: 502, body: "cannot be decrypted", secret: "DecryptionFailure", ssm: "InvalidKeyId", awsStatus: 400},
		{err: secrets.ErrUnavailable, status: 503, body: "unavailable", secret: "InternalServiceError", ssm: "InternalServiceError", awsStatus: 503},
		{err: errors.New("arn:aws:iam::123456789012:role/shop: no such label"), status: 502, body: "failed, see the log", secret: "ValidationException", ssm: "ValidationException", awsStatus: 400},
	} {
		t.Run(tc.secret, func(t *testing.T) {
			r := start(t)
			r.vaults[secretValues].set(tc.err, "api-key", "")
			r.vaults[parameters].set(tc.err, "a-b-c", "")
			if a := ask(t, r.simple, "/secrets?name=api-key"); a.status != tc.status || a.body != tc.body {
				t.Errorf("got %d %q, want %d %q", a.status, a.body, tc.status, tc.body)
			}
			for target, code := range map[string]string{"/secretsmanager/get?secretId=api-key": tc.secret, "/systemsmanager/parameters/get?name=a-b-c": tc.ssm} {
				want := fmt.Sprintf(`{"__type":%q,"message":%q}`, code, tc.body)
				if a := ask(t, r.aws, target); a.status != tc.awsStatus || a.body != want {
					t.Errorf("got %d %q, want %d %q", a.status, a.body, tc.awsStatus, want)
				}
			}
			if log := r.log.String(); !strings.Contains(log, guard.Describe(tc.err)) || strings.Contains(log, "arn:aws") {
				t.Errorf("got log %s, want the cause %s", log, guard.Describe(tc.err))
			}
		})
	}
}

func TestRefreshNowFetchesAndAnOldValueOutlivesIt(t *testing.T) {
	r := start(t)
	v := r.vaults[secretValues]
	mustBe := func(query, want string) {
		t.Helper()
		if a := ask(t, r.simple, "/secrets?name=api-key"+query); a.body != want {
			t.Errorf("got %d %q, want %q", a.status, a.body, want)
		}
	}
	mustBe("", "hunter2")
	v.set(nil, "api-key", `{"SecretString":"rotated","VersionId":"2"}`)
	mustBe("&refreshNow=false", "hunter2")
	mustBe("&refreshNow=true", "rotated")
	mustBe("", "rotated")
	v.set(secrets.ErrUnavailable, "api-key", "")
	mustBe("&refreshNow=true", "unavailable")
	mustBe("", "rotated")
	if n := v.fetches(); n != 3 {
		t.Errorf("got %d fetches, want 3", n)
	}
}

func TestAThousandClientsAtOnceAndOneFetch(t *testing.T) {
	r := start(t)
	var clients sync.WaitGroup
	var served atomic.Int64
	for range 1000 {
		clients.Go(func() {
			if a := ask(t, r.simple, "/secrets?name=api-key"); a.status == 200 && a.body == "hunter2" {
				served.Add(1)
			}
		})
	}
	clients.Wait()
	if n := served.Load(); n != 1000 {
		t.Errorf("got %d answers, want 1000", n)
	}
	if n := r.vaults[secretValues].fetches(); n != 1 {
		t.Errorf("got %d fetches, want 1", n)
	}
}

// Clients that connect and send nothing, or slowly, delay others and stop nobody.
func TestSilentAndSlowClientsLoseTheirConnections(t *testing.T) {
	r := start(t)
	var conns []net.Conn
	for i := range maxConnections + 50 {
		conn, err := net.Dial("tcp", r.simple)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
		begun := []string{"", "GET /secrets?name=api-key HTTP/1.1\r\nX-Slow: ", "GET /secrets?name=api-key HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"}
		if _, err := io.WriteString(conn, begun[i%3]); err != nil {
			t.Fatal(err)
		}
	}
	if a := ask(t, r.simple, "/secrets?name=api-key"); a.status != 200 {
		t.Errorf("got %d %s, want the value", a.status, a.body)
	}
	for _, conn := range conns {
		_, _ = io.Copy(io.Discard, conn) // until the server has closed it
	}
}

// The others wait, and have their turn.
func TestOnlySoManyConnectionsAreServedAtOnce(t *testing.T) {
	var under, most atomic.Int64
	full := make(chan struct{})
	filled := sync.OnceFunc(func() { close(full) })
	l, err := listen("0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, newServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			n := under.Add(1)
			defer under.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			if n == maxConnections {
				filled()
			}
			<-full
			for turns := 0; turns < 1000 && most.Load() <= maxConnections; turns++ { // for one too many
				runtime.Gosched()
			}
		}), slog.New(slog.DiscardHandler)), l)
	}()
	var clients sync.WaitGroup
	for range maxConnections + 50 {
		clients.Go(func() { ask(t, l.Addr().String(), "/") })
	}
	clients.Wait()
	stop()
	if err := <-ended; err != nil || most.Load() != maxConnections {
		t.Errorf("got %d requests at once, %v, want %d", most.Load(), err, maxConnections)
	}
}

func TestNamesOfAMegabyte(t *testing.T) {
	r := start(t)
	for _, address := range []string{r.simple, r.aws} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go func() { // the server need not read to the end
			_, _ = io.WriteString(conn, "GET /secrets?name="+strings.Repeat("x", 1<<20)+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
		}()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("got %d, want %d", res.StatusCode, http.StatusRequestHeaderFieldsTooLarge)
		}
	}
	if n := r.vaults[secretValues].fetches(); n != 0 {
		t.Errorf("got %d fetches, want none", n)
	}
}

func TestOnlyThisMachineIsListenedTo(t *testing.T) {
	l, err := listen("0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if addr, ok := l.Addr().(*net.TCPAddr); !ok || !addr.IP.IsLoopback() {
		t.Errorf("got %v, want an address of this machine alone", l.Addr())
	}
}

// What is under way at the end is answered.
func TestTheEndWaitsForAnswers(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	l, err := listen("0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, newServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(began)
			<-release
			_, _ = io.WriteString(w, "done")
		}), slog.New(slog.DiscardHandler)), l)
	}()
	answered := make(chan got, 1)
	go func() {
		defer close(answered) // also if there is no answer
		answered <- ask(t, l.Addr().String(), "/")
	}()
	<-began
	stop()
	for { // until the end has begun
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			break
		}
		conn.Close()
	}
	close(release)
	if a := <-answered; a.body != "done" {
		t.Errorf("got %d %q, want the answer", a.status, a.body)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
