package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits of the server. A client on this machine sends its request at once.
const (
	maxConnections = 256 // of a port at a time; others wait
	maxHeader      = 16 << 10
	maxSelector    = 256 // bytes of a version, stage or label
	requestTime    = 2 * time.Second
	answerTime     = 10 * time.Second
)

// answer is what is sent for a request. The body of an error has nothing of the
// request in it.
type answer struct {
	status int
	kind   string // its Content-Type
	body   string
}

func text(status int, body string) answer {
	return answer{status, "text/plain; charset=utf-8", body}
}

// door is what stands before the routes of a port.
type door struct {
	routes map[string]route // by path; a slash may follow it, as in some samples of AWS
	token  string           // "" lets requests without one in
	log    *slog.Logger
}

// route answers a request with these parameters, and is called with no others.
type route struct {
	parameters []string
	answer     func(ctx context.Context, query url.Values) answer
}

func (d door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := d.answer(r)
	if a.status != http.StatusOK {
		d.log.Warn("request refused", "status", a.status, "cause", a.body)
	}
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body))
}

// answer makes the checks of AWS's extension, in the words that its clients know,
// and one of the host: a page or a request that was led to this port by a name of
// its own is refused.
func (d door) answer(r *http.Request) answer {
	token := r.Header.Get("X-Aws-Parameters-Secrets-Token")
	query, err := url.ParseQuery(r.URL.RawQuery)
	route, found := d.routes[strings.TrimSuffix(r.URL.Path, "/")]
	switch {
	case forwarded(r.Header):
		return text(http.StatusBadRequest, "Forwarded")
	case !local(r.Host):
		return text(http.StatusForbidden, "Bad Host")
	case d.token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(d.token)) == 0:
		return text(http.StatusForbidden, "Bad Token")
	case r.Method != http.MethodGet:
		return text(http.StatusMethodNotAllowed, "Not allowed")
	case r.ContentLength != 0:
		return text(http.StatusBadRequest, "a body is not allowed")
	case !found:
		return text(http.StatusNotFound, "Not found")
	case err != nil:
		return text(http.StatusBadRequest, "malformed query")
	}
	for name, values := range query {
		switch {
		case !slices.Contains(route.parameters, name) || len(values) != 1:
			return text(http.StatusBadRequest, "unknown parameter")
		case name != route.parameters[0] && len(values[0]) > maxSelector:
			return text(http.StatusBadRequest, "a parameter is too long")
		case name == "refreshNow" || name == "withDecryption":
			if _, err := strconv.ParseBool(values[0]); err != nil {
				return text(http.StatusBadRequest, "a parameter is neither true nor false")
			}
		}
	}
	return route.answer(r.Context(), query)
}

func forwarded(h http.Header) bool {
	return h.Get("X-Forwarded-For") != "" || h.Get("Forwarded") != "" || h.Get("Via") != ""
}

// local reports whether a Host header is a name of this machine for itself.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.EqualFold(host, "localhost") || host == "127.0.0.1" || host == "::1" || host == "[::1]"
}

// newServer keeps no connection open between requests: one that a client keeps
// while Lambda freezes the environment may be dead when it is used again.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	s := &http.Server{
		Handler:        h,
		ReadTimeout:    requestTime,
		WriteTimeout:   answerTime,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	s.SetKeepAlivesEnabled(false)
	return s
}

// listen listens on this machine alone.
func listen(port string) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, err
	}
	return &bounded{Listener: l, slots: make(chan struct{}, maxConnections)}, nil
}

// bounded accepts no more connections than it has slots. The rest wait in the
// kernel's queue.
type bounded struct {
	net.Listener
	slots chan struct{}
}

func (b *bounded) Accept() (net.Conn, error) {
	b.slots <- struct{}{}
	conn, err := b.Listener.Accept()
	if err != nil {
		<-b.slots
		return nil, err
	}
	return &slotted{Conn: conn, leave: sync.OnceFunc(func() { <-b.slots })}, nil
}

type slotted struct {
	net.Conn
	leave func()
}

func (s *slotted) Close() error {
	defer s.leave()
	return s.Conn.Close()
}

// serve serves until the context ends, and then what is under way.
func serve(ctx context.Context, s *http.Server, l net.Listener) error {
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	err := s.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.Close()
	}
	<-ended
	return err
}
