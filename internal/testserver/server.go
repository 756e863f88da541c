package testserver

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"
)

const (
	host = "127.0.0.1"

	// startTimeout is long for a busy machine; a server takes well under a second.
	startTimeout = 3 * time.Minute
	pollInterval = 5 * time.Millisecond
)

// A Server is a running process that answers on a loopback port. Its methods
// may be called from any goroutine.
type Server struct {
	kind kind
	addr string

	mu       sync.Mutex
	process  *serverProcess // nil while stopped
	reserved reservation
}

// Addr is the server's address, "127.0.0.1:port". It outlasts a restart.
func (s *Server) Addr() string { return s.addr }

// URL is the server's base URL, without a trailing slash, for those that speak HTTP.
func (s *Server) URL() string { return "http://" + s.addr }

// Stop kills the server as a crash would: at once, with all that it holds.
// It returns when the process is gone. Stopping a stopped server does nothing.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
}

// Restart stops the server if it runs and starts it, empty, on the same
// address. It returns when the server answers.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
	return s.start()
}

// close stops the server for good. The error reports a server that had ended
// by itself.
func (s *Server) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.reserved.release()
	if s.process == nil {
		return nil
	}
	early := s.process.ended()
	s.stop()
	return early
}

func (s *Server) stop() {
	if s.process != nil {
		s.process.Kill()
		s.process = nil
	}
}

func (s *Server) start() error {
	path, err := locate(s.kind.name)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return fmt.Errorf("testserver: %w", err)
	}
	p, err := startProcess(path, s.kind.args(port)...)
	if err != nil {
		return fmt.Errorf("testserver: %s: %w", s.kind.name, err)
	}
	if err := s.await(p); err != nil {
		p.Kill()
		return fmt.Errorf("testserver: %s: %w", s.kind.name, err)
	}
	s.process = p
	return nil
}

// await returns nil when the server answers.
func (s *Server) await(p *serverProcess) error {
	deadline := time.Now().Add(startTimeout)
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		err := s.kind.answer(s.addr)
		// Looked at after the answer: a process that ended did not answer.
		if early := p.ended(); early != nil {
			return early
		}
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no answer within %v: %w", startTimeout, err)
		}
		select {
		case <-poll.C:
		case <-p.Exited:
		}
	}
}

// launch starts a server on a free port.
func launch(k kind) (*Server, error) {
	var failures error
	for range 3 {
		addr, reserved, err := freeAddr(k)
		if err != nil {
			return nil, err
		}
		s := &Server{kind: k, addr: addr, reserved: reserved}
		err = s.start()
		if err == nil {
			return s, nil
		}
		reserved.release()
		var early *exitError
		if !errors.As(err, &early) {
			return nil, err
		}
		failures = errors.Join(failures, err) // perhaps the port was taken meanwhile
	}
	return nil, failures
}

func own(t testing.TB, k kind) *Server {
	t.Helper()
	s, err := launch(k)
	need(t, err)
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Errorf("testserver: %s: %v", k.name, err)
		}
	})
	return s
}
