package extension

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// listener receives the telemetry. Its memory is bounded by one body and its records:
// further requests wait unread.
type listener struct {
	uri     string // with a part that only Lambda is told, as anyone in the environment can connect
	limit   int64  // of a body
	handle  func(context.Context, []Record) error
	server  *http.Server
	cancel  context.CancelFunc // of the calls of handle
	stopped sync.WaitGroup
	turn    chan struct{} // holds a value while a request is read and handled
	seen    chan struct{} // has a value after a request, and when one begins

	mu     sync.Mutex
	open   int   // requests under way
	failed error // why the last batch was not taken, which Lambda then sends again
}

const (
	// quiet is how long there must be no request until the last records are here.
	quiet = 200 * time.Millisecond

	// readTimeout is for a body from the same machine.
	readTimeout = 10 * time.Second

	// metadata is more than Lambda adds to the text of a record.
	metadata = 256
)

func listen(ctx context.Context, t Telemetry, handle func(context.Context, []Record) error) (*listener, error) {
	socket, err := bind(ctx)
	if err != nil {
		return nil, err
	}
	path := "/" + rand.Text()
	l := &listener{
		uri: "http://" + net.JoinHostPort(sandbox, strconv.Itoa(socket.Addr().(*net.TCPAddr).Port)) + path,
		// AWS says to expect 2 * maxBytes and the metadata of the records. It does not say
		// whether the bytes are those before they are JSON, where one can be "\u0001".
		limit:  2 * int64(6*t.MaxBytes+metadata*t.MaxItems),
		handle: handle,
		turn:   make(chan struct{}, 1),
		seen:   make(chan struct{}, 1),
	}
	ctx, l.cancel = context.WithCancel(ctx)
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+path, l.serve)
	l.server = &http.Server{
		Handler:           mux,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: readTimeout,
		IdleTimeout:       -1, // Lambda keeps its connection while the process is frozen
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	l.stopped.Go(func() {
		if err := l.server.Serve(socket); err != http.ErrServerClosed {
			l.note(err)
		}
	})
	return l, nil
}

func (l *listener) serve(w http.ResponseWriter, r *http.Request) {
	l.count(1)
	defer l.count(-1)
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-r.Context().Done():
	}
	status, err := l.receive(w, r)
	l.note(err)
	w.WriteHeader(status)
}

// receive returns the status to answer with. Lambda sends the batch again unless it
// is 200.
func (l *listener) receive(w http.ResponseWriter, r *http.Request) (int, error) {
	if err := context.Cause(r.Context()); err != nil {
		return http.StatusServiceUnavailable, err
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, l.limit))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return http.StatusRequestEntityTooLarge, guard.Reason(fmt.Sprintf("a batch is over %d bytes", l.limit))
	}
	if err != nil {
		return http.StatusInternalServerError, err
	}
	batch := readBatch(body)
	if len(batch) == 0 {
		return http.StatusOK, nil
	}
	if err := l.call(r.Context(), batch); err != nil {
		return http.StatusInternalServerError, err
	}
	return http.StatusOK, nil
}

// call makes a panic an error: the batch comes again, and the function goes on.
func (l *listener) call(ctx context.Context, batch []Record) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = guard.Reason(fmt.Sprintf("the handler panicked with a %T", value))
		}
	}()
	return l.handle(ctx, batch)
}

// count adds to the requests under way.
func (l *listener) count(n int) {
	l.mu.Lock()
	l.open += n
	l.mu.Unlock()
	select {
	case l.seen <- struct{}{}:
	default:
	}
}

func (l *listener) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = err
}

// awaits reports whether a batch is under way, or has to come again.
func (l *listener) awaits() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open > 0 || l.failed != nil
}

// close waits until no more requests come, or ctx ends.
func (l *listener) close(ctx context.Context) error {
	for timer := time.NewTimer(quiet); ; timer.Reset(quiet) {
		select {
		case <-l.seen:
			continue
		case <-timer.C:
			if l.awaits() {
				continue
			}
		case <-ctx.Done():
		}
		break
	}
	l.abort()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// abort ends the listener now, and waits for the handler.
func (l *listener) abort() {
	l.cancel()
	_ = l.server.Close()
	l.stopped.Wait()
	l.turn <- struct{}{} // for good
}
