package lambdaapi_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/lambdaapi"
)

// A connection that was frozen with the process may be dead.
func TestEachRequestHasItsOwnConnection(t *testing.T) {
	var conns atomic.Int64
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	t.Setenv("SOME_API", strings.TrimPrefix(server.URL, "http://"))
	api, err := lambdaapi.New("SOME_API")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, _, err := api.Do(t.Context(), "GET", "/", nil, nil); err == nil || err.Error() != "status 404" {
			t.Errorf("got %v, want status 404", err)
		}
	}
	if got := conns.Load(); got != 3 {
		t.Errorf("got %d connections, want 3", got)
	}
}

// net/http reads the proxy's variables once in a process, and uses no proxy for this
// machine: the test asks for a name in a process of its own.
func TestNoProxySeesARequest(t *testing.T) {
	if os.Getenv("BEHIND_PROXY") != "" {
		t.Setenv("SOME_API", "api.invalid:80")
		api, err := lambdaapi.New("SOME_API")
		if err != nil {
			t.Fatal(err)
		}
		_, _, _ = api.Do(t.Context(), "GET", "/", nil, nil)
		return
	}
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer proxy.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNoProxySeesARequest$")
	cmd.Env = append(os.Environ(), "BEHIND_PROXY=1", "HTTP_PROXY="+proxy.URL, "NO_PROXY=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := asked.Load(); got != 0 {
		t.Errorf("got %d requests at the proxy, want none", got)
	}
}
