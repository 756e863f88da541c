// Package agenttest is a stand-in for the agents that package agent talks to:
// the AWS Parameters and Secrets Lambda extension, the Secrets Manager Agent
// and the AppConfig agent, for tests of functions that get their secrets so.
//
//	local := agenttest.New(t)
//	local.SetSecret("payments/api-key", "old")
//	fn := guardtest.Start(t, binary, guardtest.Config{Env: local.Env()})
//	// ... invoke it, and while it runs:
//	local.SetSecret("payments/api-key", "new")
//
// It holds its callers to what the real ones do: the token, the names of the
// parameters, GET, no forwarding. [Agent.NotReady] stands for the time before
// the first invocation, in which the extension answers nothing, and [Agent.Fail]
// for what AWS refuses. Nothing is cached, as with a TTL of 0.
package agenttest

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
)

// An Agent is all three agents on one port of this machine. Its methods may be
// called at any time.
type Agent struct {
	server *httptest.Server
	token  string

	mu         sync.Mutex // guards what follows
	secrets    map[string]*secret
	parameters map[string]*parameter
	configs    map[string]*configuration
	failures   map[string]Answer
	asked      map[string]int
	notReady   int
}

// New starts an Agent that ends with the test. It knows no names.
func New(t testing.TB) *Agent {
	t.Helper()
	a := &Agent{
		token:      rand.Text(),
		secrets:    map[string]*secret{},
		parameters: map[string]*parameter{},
		configs:    map[string]*configuration{},
		failures:   map[string]Answer{},
		asked:      map[string]int{},
	}
	mux := http.NewServeMux()
	mux.Handle("/secretsmanager/get", a.guarded(a.getSecret))
	mux.Handle("/systemsmanager/parameters/get", a.guarded(a.getParameter))
	mux.HandleFunc("GET /applications/{application}/environments/{environment}/configurations/{profile}", a.getConfiguration)
	a.server = httptest.NewServer(mux)
	t.Cleanup(a.server.Close)
	return a
}

// URL is the address for agent.Address.
func (a *Agent) URL() string { return a.server.URL }

// Token is the one that the Agent expects.
func (a *Agent) Token() string { return a.token }

// Env is the environment of a function that finds the Agent by itself: the
// variables of the ports and of the token, as NAME=value.
func (a *Agent) Env() []string {
	u, err := url.Parse(a.server.URL)
	if err != nil {
		panic("agenttest: " + err.Error()) // httptest's own
	}
	return []string{
		"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=" + u.Port(),
		"AWS_APPCONFIG_EXTENSION_HTTP_PORT=" + u.Port(),
		"AWS_SESSION_TOKEN=" + a.token,
	}
}

// NotReady has the next n requests for a secret or a parameter refused as the
// extension does before the first invocation; all until the next call where n
// is negative.
func (a *Agent) NotReady(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.notReady = n
}

// Asked is how often a name has been asked for with the right token, and
// answered or refused. Requests that were not ready for do not count.
func (a *Agent) Asked(name string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[name]
}

// An Answer is one that the agent gives instead of a value.
type Answer struct {
	Status int
	Body   string
}

// Fail has every request for a name answered so, until it is called with the
// zero Answer.
func (a *Agent) Fail(name string, f Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f == (Answer{}) {
		delete(a.failures, name)
		return
	}
	a.failures[name] = f
}

// failing counts a request for a name, and gives the answer that it fails with.
// The lock is held.
func (a *Agent) failing(name string) (Answer, bool) {
	a.asked[name]++
	f, failing := a.failures[name]
	return f, failing
}

// Refused is AWS's refusal, as the Secrets Manager Agent passes it on: status
// 400 for every code, like AccessDeniedException or ThrottlingException.
func Refused(code string) Answer {
	return Answer{http.StatusBadRequest, encode(map[string]string{"__type": code, "message": "refused for a test"})}
}

// Opaque is AWS's refusal, as the Lambda extension passes it on: without a word
// of why.
func Opaque() Answer {
	return Answer{http.StatusBadRequest, "an unexpected error occurred while executing request"}
}
