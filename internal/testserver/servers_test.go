package testserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

var shared Shared

func TestMain(m *testing.M) {
	if os.Getenv(orphanEnv) != "" {
		runOrphan()
	}
	os.Exit(shared.Run(m))
}

func TestDynamoDBListsItsTables(t *testing.T) {
	req, err := http.NewRequest(http.MethodPost, shared.DynamoDB(t).URL(), strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/dynamodb/aws4_request, "+
		"SignedHeaders=host;x-amz-date;x-amz-target, Signature=00")
	if got, want := body(t, req), `{"TableNames":[]}`; got != want {
		t.Errorf("ListTables answered %s, want %s", got, want)
	}
}

func TestMotoListsItsSecrets(t *testing.T) {
	req, err := http.NewRequest(http.MethodPost, shared.Moto(t).URL(), strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "secretsmanager.ListSecrets")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/secretsmanager/aws4_request, "+
		"SignedHeaders=host;x-amz-target, Signature=00")
	if got, want := body(t, req), `{"SecretList": []`; !strings.HasPrefix(got, want) {
		t.Errorf("ListSecrets answered %s, want %s…", got, want)
	}
}

func TestValkeyAnswersPing(t *testing.T) {
	if got := say(t, shared.Valkey(t), "PING"); got != "+PONG" {
		t.Errorf("PING answered %q", got)
	}
}

func TestSharedServerIsOneForAllTests(t *testing.T) {
	if a, b := shared.Valkey(t), shared.Valkey(t); a != b {
		t.Errorf("two servers, at %s and %s", a.Addr(), b.Addr())
	}
}

func TestOwnServerIsNoOtherTests(t *testing.T) {
	if a, b := Valkey(t), Valkey(t); a.Addr() == b.Addr() {
		t.Errorf("two servers at %s", a.Addr())
	}
}

func TestStoppedServerRefusesConnections(t *testing.T) {
	s := Valkey(t)
	s.Stop()
	mustRefuse(t, s.Addr())
	s.Stop() // once more does nothing
}

func TestRestartedServerIsEmptyAtTheSameAddress(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		t.Run(fmt.Sprintf("stopped %v", stopped), func(t *testing.T) {
			s := Valkey(t)
			addr := s.Addr()
			if got := say(t, s, "SET colour blue"); got != "+OK" {
				t.Fatalf("SET answered %q", got)
			}
			if stopped {
				s.Stop()
			}
			if err := s.Restart(); err != nil {
				t.Fatal(err)
			}
			if s.Addr() != addr {
				t.Errorf("moved from %s to %s", addr, s.Addr())
			}
			if got := say(t, s, "GET colour"); got != "$-1" {
				t.Errorf("GET answered %q, want the null reply $-1", got)
			}
		})
	}
}

func TestEachKindRestarts(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *Server{"DynamoDB": DynamoDB, "Moto": Moto} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			if err := s.Restart(); err != nil {
				t.Fatal(err)
			}
			if err := s.kind.answer(s.Addr()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOwnServerStopsWithItsTest(t *testing.T) {
	var addr string
	t.Run("owner", func(t *testing.T) { addr = Valkey(t).Addr() })
	if addr == "" {
		t.Skip("the owner was skipped")
	}
	mustBeGone(t, addr)
}

func TestSharedServersStopWithTheRun(t *testing.T) {
	var s Shared
	var addr string
	code := s.Run(runFunc(func() int {
		addr = s.Valkey(t).Addr()
		return 7
	}))
	if code != 7 {
		t.Errorf("exit code %d, want the tests's", code)
	}
	mustBeGone(t, addr)
}

type runFunc func() int

func (f runFunc) Run() int { return f() }

func body(t *testing.T, req *http.Request) string {
	t.Helper()
	client := http.Client{Timeout: startTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", resp.Status, b)
	}
	return string(b)
}

// say sends one inline command and returns the first line of the reply.
func say(t *testing.T, s *Server, command string) string {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\r\n")
}

// mustBeGone is mustRefuse for a port that may be another's by now.
func mustBeGone(t *testing.T, addr string) {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	// Only the TCP port of a server that still runs is taken by itself.
	held, err := net.ListenPacket("udp", net.JoinHostPort(host, port))
	if err != nil {
		t.Skipf("%s is another's already: %v", port, err)
	}
	defer held.Close()
	mustRefuse(t, addr)
}

func mustRefuse(t *testing.T, addr string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err == nil {
		conn.Close()
		t.Fatalf("%s still accepts connections", addr)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialling %s: %v, want connection refused", addr, err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(startTimeout)
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for %s", what)
		}
		<-poll.C
	}
}
