package exampletest_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
)

// localRun is the command guard/local as a developer runs it.
type localRun struct {
	url         string
	console     *console
	write, read string // tokens that the authorizer has printed
}

// console is what the command writes, while it writes.
type console struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(p)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// has waits for a text: the function's log takes its own way.
func (c *console) has(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(c.String(), text); {
		if time.Now().After(end) {
			t.Fatalf("%q is not on the console:\n%s", text, c)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

var (
	address = regexp.MustCompile(` on (http://\S+)`)
	tokens  = regexp.MustCompile(`(?m)^authorizer: orders:(write|read) .*?(\S+)$`)
)

func runLocally(t *testing.T, args ...string) localRun {
	t.Helper()
	cmd := exec.Command(guardtest.Build(t, "../../guard/local"), append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Dir = "../.."
	run := localRun{console: &console{}}
	cmd.Stderr = run.console
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for run.url == "" && lines.Scan() {
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			run.url = found[1]
		}
	}
	if run.url == "" {
		t.Fatalf("the command has not started:\n%s", run.console)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	run.console.has(t, "authorizer: curl")
	for _, found := range tokens.FindAllStringSubmatch(run.console.String(), -1) {
		if found[1] == "write" {
			run.write = found[2]
		} else {
			run.read = found[2]
		}
	}
	return run
}

func (r localRun) call(t *testing.T, method, path, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path,
		strings.NewReader(`{"customer":"c-42","items":[{"sku":"KB-101","quantity":2}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "k-1")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, _ := do(t, req)
	return res.StatusCode
}

// The command of the example's README.
func TestAuthorizerGuardsOrders(t *testing.T) {
	r := runLocally(t, "-authorizer", "./examples/authorizer",
		"-identity", "$request.header.Authorization,$context.routeKey", "-ttl", "300s", "./examples/orders")
	edited := r.write[:len(r.write)-8] + strings.Repeat("A", 8)
	for _, c := range []struct {
		name, method, path, token string
		want                      int
	}{
		{"no token", "POST", "/orders", "", 401},
		{"junk", "POST", "/orders", "junk", 403},
		{"the scope", "POST", "/orders", r.write, 201},
		{"another scope", "POST", "/orders", r.read, 403},
		{"another scope, once more", "POST", "/orders", r.read, 403},
		{"its own route", "GET", "/orders/nothing", r.read, 404},
		{"a forged signature", "POST", "/orders", edited, 403},
		{"a token cut short", "POST", "/orders", r.write[:len(r.write)/2], 403},
		{"the scope, from the cache", "POST", "/orders", r.write, 201},
		{"no route of the API", "DELETE", "/orders/1", r.write, 403},
	} {
		if got := r.call(t, c.method, c.path, c.token); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if t.Failed() {
		t.Log(r.console)
	}
}

func TestAuthorizerSaysWhatItsIdentitySourcesLack(t *testing.T) {
	r := runLocally(t, "-authorizer", "./examples/authorizer",
		"-identity", "$request.header.Authorization", "-ttl", "300s", "./examples/orders")
	if got := r.call(t, "POST", "/orders", r.write); got != 403 {
		t.Errorf("%d, want 403", got)
	}
	r.console.has(t, "authorizer_cache_hazard")
	r.console.has(t, "$context.routeKey")
	if strings.Contains(r.console.String(), r.write[len(r.write)-20:]+`"`) {
		t.Error("the log has a token in it")
	}
}
