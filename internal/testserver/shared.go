package testserver

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// Shared starts each kind of server at most once for a whole test binary, on
// first use. The zero value is ready; TestMain has to call Run.
//
// Do not stop a shared server: other tests use it.
type Shared struct {
	mu      sync.Mutex
	running bool
	servers map[string]*result
}

type result struct {
	server *Server
	err    error
}

// Run runs the tests, stops the servers that they started, and returns the
// exit code. A server that ended by itself fails the run.
func (s *Shared) Run(m interface{ Run() int }) (code int) {
	s.mu.Lock()
	s.running = true
	s.mu.Unlock()
	defer func() {
		if !s.close() && code == 0 {
			code = 1
		}
	}()
	return m.Run()
}

// DynamoDB is the shared server of the kind that the function DynamoDB starts.
func (s *Shared) DynamoDB(t testing.TB) *Server { t.Helper(); return s.get(t, dynamoDB) }

// Moto is the shared server of the kind that the function Moto starts.
func (s *Shared) Moto(t testing.TB) *Server { t.Helper(); return s.get(t, moto) }

// Valkey is the shared server of the kind that the function Valkey starts.
func (s *Shared) Valkey(t testing.TB) *Server { t.Helper(); return s.get(t, valkey) }

func (s *Shared) get(t testing.TB, k kind) *Server {
	t.Helper()
	r := s.launched(k)
	need(t, r.err)
	return r.server
}

// launched keeps a failure as well: what failed once is not waited for again.
func (s *Shared) launched(k kind) *result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running {
		return &result{err: fmt.Errorf("testserver: %s is shared outside Shared.Run", k.name)}
	}
	r, ok := s.servers[k.name]
	if !ok {
		r = new(result)
		r.server, r.err = launch(k)
		if s.servers == nil {
			s.servers = make(map[string]*result)
		}
		s.servers[k.name] = r
	}
	return r
}

func (s *Shared) close() (healthy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
	healthy = true
	for name, r := range s.servers {
		if r.err != nil {
			continue
		}
		if err := r.server.close(); err != nil {
			fmt.Fprintf(os.Stderr, "testserver: %s: %v\n", name, err)
			healthy = false
		}
	}
	clear(s.servers)
	return healthy
}
