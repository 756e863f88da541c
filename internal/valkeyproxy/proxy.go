// Package valkeyproxy stands between a client and a Valkey server in tests, and
// does to single scripts what networks do.
package valkeyproxy

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy passes connections on to a server. It can lose an answer: the script
// runs, its answer is dropped, and the connection ends. It can hold a request,
// which then arrives after its sender has stopped waiting.
type Proxy struct {
	t        testing.TB
	listener net.Listener
	upstream string
	serving  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	lose  int // how many answers of scripts are still to be lost
	lost  int
	hold  func(request []byte) // not nil while the next script is to be held
	down  bool

	counts map[string]int // of requests, by the first command of each
}

// New returns a proxy before the server at upstream, host:port.
func New(t testing.TB, upstream string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{t: t, listener: l, upstream: upstream, conns: make(map[net.Conn]bool), counts: make(map[string]int)}
	p.serving.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr returns where the proxy listens, host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Lose loses the answers of the next n scripts. The returned function ends that,
// and returns how many were lost.
func (p *Proxy) Lose(n int) func() int {
	p.mu.Lock()
	p.lose, p.lost = n, 0
	p.mu.Unlock()
	return func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.lose = 0
		return p.lost
	}
}

// Hold keeps the next script from the server and calls caught. The returned
// function has the server run it.
func (p *Proxy) Hold(caught func()) func() error {
	var held []byte
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hold = func(request []byte) { held = bytes.Clone(request); caught() }
	return func() error { return p.deliver(held) }
}

// deliver sends a request whose answer nobody awaits.
func (p *Proxy) deliver(request []byte) error {
	server, err := net.Dial("tcp", p.upstream)
	if err != nil {
		return err
	}
	defer server.Close()
	if _, err := server.Write(request); err != nil {
		return err
	}
	answer := make([]byte, 64<<10)
	n, err := server.Read(answer)
	if err == nil && answer[0] == '-' {
		return fmt.Errorf("the script has not run: %s", answer[:n])
	}
	return err
}

// Taken returns the requests since the last call, by command. Those that open a
// connection, or look whether it is alive, do not count.
func (p *Proxy) Taken() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := p.counts
	p.counts = make(map[string]int)
	delete(counts, "HELLO")
	delete(counts, "PING")
	return counts
}

func (p *Proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	p.down = true
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.serving.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.Dial("tcp", p.upstream)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		if p.down {
			client.Close()
			server.Close()
		} else {
			p.conns[client], p.conns[server] = true, true
			doomed := make(chan struct{}, 1)
			p.serving.Go(func() { p.requests(client, server, doomed) })
			p.serving.Go(func() { p.answers(client, server, doomed) })
		}
		p.mu.Unlock()
	}
}

func (p *Proxy) end(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(p.conns, c)
	}
}

// requests expects a script's name to come in one piece, as in a small request.
func (p *Proxy) requests(client, server net.Conn, doomed chan<- struct{}) {
	defer p.end(client, server)
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		if !p.letThrough(buf[:n], doomed) {
			return
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

// letThrough reports whether a request is to be passed on now.
func (p *Proxy) letThrough(request []byte, doomed chan<- struct{}) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if words := bytes.SplitN(request, []byte("\r\n"), 4); len(words) == 4 { // *3 $7 EVALSHA …
		p.counts[string(words[2])]++
	}
	switch {
	case !bytes.Contains(request, []byte("EVAL")):
	case p.hold != nil:
		p.hold(request)
		p.hold = nil
		return false
	case p.lose > 0:
		p.lose--
		doomed <- struct{}{} // before the server can answer
	}
	return true
}

func (p *Proxy) answers(client, server net.Conn, doomed <-chan struct{}) {
	defer p.end(client, server)
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		select {
		case <-doomed:
			if buf[0] == '-' {
				p.t.Errorf("the script has not run: %s", buf[:n])
			}
			p.mu.Lock()
			p.lost++
			p.mu.Unlock()
			return
		default:
		}
		if _, err := io.Copy(client, bytes.NewReader(buf[:n])); err != nil {
			return
		}
	}
}
