package testserver

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"
)

// A kind is one of the programs that can be started.
type kind struct {
	name   string // the binary's, in the bin folder of the installation
	bus    bool   // it listens on busPort as well
	args   func(port string) []string
	answer func(addr string) error // nil once the server answers a request
}

var (
	dynamoDB = kind{
		name:   "dynoxide",
		args:   func(port string) []string { return []string{"--host", host, "--port", port} },
		answer: func(addr string) error { return answerHTTP(addr, "/") },
	}
	moto = kind{
		name:   "moto_server",
		args:   func(port string) []string { return []string{"-H", host, "-p", port} },
		answer: func(addr string) error { return answerHTTP(addr, "/moto-api/") },
	}
	valkey = kind{
		name: "valkey-server",
		args: func(port string) []string {
			return []string{"--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--loglevel", "warning"}
		},
		answer: answerPing,
	}
)

// DynamoDB starts an empty DynamoDB for this test alone. It accepts any
// credentials and any region.
func DynamoDB(t testing.TB) *Server { t.Helper(); return own(t, dynamoDB) }

// Moto starts an empty imitation of the AWS APIs (Secrets Manager, Parameter
// Store, KMS, S3, SQS and more) for this test alone. It accepts any credentials.
func Moto(t testing.TB) *Server { t.Helper(); return own(t, moto) }

// Valkey starts an empty Valkey for this test alone. It asks for no password.
func Valkey(t testing.TB) *Server { t.Helper(); return own(t, valkey) }

// answerTimeout is long for a busy machine, too.
const answerTimeout = 30 * time.Second

func answerHTTP(addr, path string) error {
	client := http.Client{
		Timeout:   answerTimeout,
		Transport: &http.Transport{DisableKeepAlives: true}, // and no proxy from the environment
	}
	resp, err := client.Get("http://" + addr + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s answered %s", path, resp.Status)
	}
	return nil
}

func answerPing(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, answerTimeout)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	if _, err := fmt.Fprint(conn, "PING\r\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	if line != "+PONG\r\n" {
		return fmt.Errorf("PING answered %q", line)
	}
	return nil
}
