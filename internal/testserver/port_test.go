package testserver

import (
	"net"
	"testing"
)

// Another test binary would otherwise take the port of a server that is stopped
// or has not yet begun to listen, and one of the two would talk to the other's.
func TestPortIsAServersUntilItIsClosed(t *testing.T) {
	node := kind{name: valkey.name, bus: true}
	addr, held, err := freeAddr(node)
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range []string{port, busPort(port)} {
		if other, err := reserve(port); err == nil {
			other.release()
			t.Errorf("%s is reserved twice", port)
		}
	}
	s := &Server{kind: node, addr: addr, reserved: held}
	s.Stop()
	if other, err := reserve(port); err == nil {
		other.release()
		t.Error("a stopped server has lost its port")
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if _, free := held[0].(net.PacketConn).WriteTo(nil, held[0].(net.PacketConn).LocalAddr()); free == nil {
		t.Error("a closed server keeps its port")
	}
}

func TestPortOnWhichSomethingListensIsNotReserved(t *testing.T) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the failure holds nothing
		other, err := reserve(port)
		if err == nil {
			other.release()
			t.Errorf("%s is reserved", port)
		}
		if len(other) != 1 {
			t.Errorf("it failed before it tried to listen: %v", err)
		}
	}
}
