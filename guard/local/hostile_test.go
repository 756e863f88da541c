//go:build unix

package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
)

// A web page that its visitor's browser shows may put nothing into the queue, and may not
// read its ledger by having its own name lead to this machine.
func TestWebPagesReachNoQueue(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-queue", "-stream", echoPackage)
	for name, c := range map[string]struct {
		host   string
		header http.Header
		method string
		want   int
	}{
		"curl":                           {want: http.StatusOK},
		"by another name of the machine": {host: "localhost:8080", want: http.StatusOK},
		"by a name under localhost":      {host: "queue.localhost", want: http.StatusOK},
		"by IPv6":                        {host: "[::1]:8080", want: http.StatusOK},
		"by a container's name":          {host: "function:8080", want: http.StatusOK},
		"by the host of a container":     {host: "host.docker.internal:8080", want: http.StatusOK},
		"a page of this machine":         {header: http.Header{"Origin": {s.url}}, want: http.StatusOK},

		"a page":                 {header: http.Header{"Origin": {"https://attacker.example"}}, want: http.StatusForbidden},
		"a page, in a frame":     {header: http.Header{"Origin": {"null"}}, want: http.StatusForbidden},
		"a page, without origin": {header: http.Header{"Sec-Fetch-Site": {"cross-site"}}, want: http.StatusForbidden},
		"a page at an address":   {header: http.Header{"Origin": {"http://203.0.113.5"}}, want: http.StatusForbidden},
		"a rebound name":         {host: "attacker.example:8080", header: http.Header{"Origin": {"http://attacker.example:8080"}}, want: http.StatusForbidden},
		"a rebound name, reading": {
			host: "attacker.example:8080", method: http.MethodGet, want: http.StatusForbidden,
		},
		"a name that ends like it": {host: "attackerlocalhost.example", want: http.StatusForbidden},
		"a dot at the end":         {host: "attacker.example.", want: http.StatusForbidden},
		"one label and a dot":      {host: "attacker.", want: http.StatusForbidden},
	} {
		for _, path := range []string{"/_queue", "/_stream?key=k"} {
			method := http.MethodPost
			if c.method != "" {
				method = c.method
			}
			req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			for n, v := range c.header {
				req.Header[n] = v
			}
			req.Host = c.host
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != c.want {
				t.Errorf("%s, %s: got %d, want %d", name, path, res.StatusCode, c.want)
			}
		}
	}
}

func TestQueriesOfMessages(t *testing.T) {
	for name, c := range map[string]struct{ query, err string }{
		"an attribute":               {query: "attr.a=b"},
		"a delay":                    {query: "delay=900"},
		"a delay that overflows":     {query: "delay=36028797018963968", err: "delay"},
		"a negative delay":           {query: "delay=-1", err: "delay"},
		"a group twice":              {query: "group=a&group=b", err: "twice"},
		"an attribute without value": {query: "attr.a"},
	} {
		t.Run(name, func(t *testing.T) {
			query, err := url.ParseQuery(c.query)
			if err != nil {
				t.Fatal(err)
			}
			_, err = message("{}", query)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %v, want an error with %q", err, c.err)
			}
		})
	}
}

// What cannot be read of a query is not left out.
func TestQueriesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-queue", echoPackage)
	for _, query := range []string{"?group=%zz", "?group=a;dedup=1"} {
		if status, body := s.post(query, "{}"); status != http.StatusBadRequest || !strings.Contains(body, "query") {
			t.Errorf("%s: got %d %s, want 400", query, status, body)
		}
	}
}

// Kinesis has keys of Unicode alone.
func TestKeysThatAreNoText(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, "-stream", echoPackage)
	if status, body := s.record("?key=%ff", "{}"); status != http.StatusBadRequest || !strings.Contains(body, "key") {
		t.Errorf("got %d %s, want 400", status, body)
	}
}

// A queue that does not answer is waited for, which is said, and the wait ends with a signal.
func TestAQueueThatDoesNotAnswer(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "any")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "any")
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and answers none
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s := startLocal(t, "-queue", "http://"+listener.Addr().String()+"/123456789012/orders", echoPackage)
	s.onConsole("queue orders: asking http://" + listener.Addr().String() + "/123456789012/orders")
	if status := s.end(syscall.SIGINT); status != exitOK {
		t.Errorf("got exit status %d, want %d", status, exitOK)
	}
}

func TestAStreamByFlagHasAName(t *testing.T) {
	cfg, err := sourceFlag{set: true}.streamSettings(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Name != "stream" {
		t.Errorf("got the name %q, want stream", cfg.Name)
	}
}

// A queue that falls silent does not hold the command at its end.
func TestAQueueThatFallsSilent(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "any")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "any")
	q := queue.New(nil, queue.Config{Name: "orders"})
	if _, err := q.Send(queue.Message{Body: "good"}); err != nil {
		t.Fatal(err)
	}
	deleting, ended := make(chan struct{}, 9), make(chan struct{})
	api := queue.API(q)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "DeleteMessageBatch") {
			deleting <- struct{}{}
			<-ended
			return
		}
		api.ServeHTTP(w, r)
	}))
	defer server.Close()
	defer close(ended)
	s := serveLocal(t, "-queue", server.URL+"/123456789012/orders", queuePackage)
	<-deleting
	if status := s.end(syscall.SIGINT); status != exitOK {
		t.Errorf("got exit status %d, want %d", status, exitOK)
	}
	s.onConsole("queue orders: it does not answer; what it has not deleted comes again")
}

// -queue=false and -stream=false leave out those of the template.
func TestFlagsLeaveOutWhatTheTemplateHas(t *testing.T) {
	opts, err := parseOptions([]string{"-queue=false", "-stream=false", "x"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if q, err := opts.queue.queueSettings("testdata/queue"); q != nil || err != nil {
		t.Errorf("got the queue %+v, %v, want none", q, err)
	}
	if s, err := opts.stream.streamSettings("testdata/stream"); s != nil || err != nil {
		t.Errorf("got the stream %+v, %v, want none", s, err)
	}
}
