package testserver

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

const firstPort, lastPort = 20000, 32767

// Port returns a port for a server of the test's own, as the servers here have one:
// nothing listens on it, and no other test gets it until this one ends.
func Port(t testing.TB) string {
	t.Helper()
	addr, held, err := freeAddr(kind{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(held.release)
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// freeAddr picks below the range from which systems take the ports of outgoing
// connections. One of those could otherwise take the port of a stopped server,
// or a client that dials it could be connected to itself.
func freeAddr(k kind) (string, reservation, error) {
	var err error
	for range 100 {
		port := strconv.Itoa(firstPort + rand.IntN(lastPort-firstPort+1))
		ports := []string{port}
		if k.bus {
			ports = append(ports, busPort(port))
		}
		var r reservation
		if r, err = reserve(ports...); err == nil {
			return net.JoinHostPort(host, port), r, nil
		}
	}
	return "", nil, fmt.Errorf("testserver: no free port: %w", err)
}

// A reservation keeps ports for one server as long as it exists, also while the
// server starts or is stopped. It excludes all users of this package, also in other
// processes. It is made of the UDP ports of the same numbers, which none of the
// servers uses, and ends with the process that holds it.
type reservation []io.Closer

// reserve takes all of the ports. It fails when anything listens on one.
func reserve(ports ...string) (r reservation, err error) {
	defer func() {
		if err != nil {
			r.release()
		}
	}()
	for _, port := range ports {
		addr := net.JoinHostPort(host, port)
		held, err := net.ListenPacket("udp", addr)
		if err != nil {
			return r, err
		}
		r = append(r, held)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return r, err
		}
		if err := l.Close(); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r reservation) release() {
	for _, held := range r {
		_ = held.Close()
	}
}
