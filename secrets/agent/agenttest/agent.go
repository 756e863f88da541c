// Package agenttest fakes AWS's local agents in tests: the Parameters and Secrets
// Lambda extension, the Secrets Manager Agent and the AppConfig agent.
//
//	local := agenttest.New(t)
//	local.SetSecret("payments/api-key", "old")
//	fn := guardtest.Start(t, binary, guardtest.Config{Env: local.Env()})
//	// ... invoke it, and while it runs:
//	local.SetSecret("payments/api-key", "new")
//
// Like the real agents, it refuses requests without the token, with another method
// than GET, with unknown parameters, or forwarded. [Agent.NotReady] stands for the
// time before the first invocation, when the extension answers nothing, and
// [Agent.Fail] for what AWS refuses. Nothing is cached, as with a TTL of 0.
package agenttest

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
)

// Agent is all three agents on one port of this machine. It is safe for concurrent
// use.
type Agent struct {
	server *httptest.Server
	token  string

	mu         sync.Mutex // guards what follows
	secrets    map[string]*history
	parameters map[string]*history
	configs    map[string]*history
	failures   map[string]Answer
	asked      map[string]int
	notReady   int
}

// New starts an Agent without values. It ends with the test.
func New(t testing.TB) *Agent {
	t.Helper()
	a := &Agent{
		token:      rand.Text(),
		secrets:    map[string]*history{},
		parameters: map[string]*history{},
		configs:    map[string]*history{},
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

// URL returns the address for agent.Address.
func (a *Agent) URL() string { return a.server.URL }

// Token returns the token for agent.Token.
func (a *Agent) Token() string { return a.token }

// Env returns the environment variables, as NAME=value, with which a function
// finds the Agent and its token by itself.
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

// NotReady makes the next n requests for a secret or a parameter fail as they do
// before the first invocation. If n is negative, all fail until the next call.
func (a *Agent) NotReady(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.notReady = n
}

// Asked returns the number of requests for a name that were answered or refused.
// Requests with a wrong token or before the Agent was ready do not count.
func (a *Agent) Asked(name string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[name]
}

// Answer is an answer in the place of a value.
type Answer struct {
	Status int
	Body   string
}

// Fail makes every request for a name get this answer. The zero Answer ends it.
func (a *Agent) Fail(name string, f Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures[name] = f
}

// Refused returns a refusal of AWS as the Secrets Manager Agent passes it on: with
// status 400 for every code, like AccessDeniedException or ThrottlingException.
func Refused(code string) Answer {
	return Answer{http.StatusBadRequest, encode(map[string]string{"__type": code, "message": "refused for a test"})}
}

// Opaque returns a refusal of AWS as the Lambda extension passes it on: without a
// reason.
func Opaque() Answer {
	return Answer{http.StatusBadRequest, "an unexpected error occurred while executing request"}
}
