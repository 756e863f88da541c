package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/secrets/agent/agenttest"
)

// binary is the function as it is deployed, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(guardtest.Main(m, ".", &binary)) }

const (
	keyName      = "rates/api-key"
	settingsName = "rates/prod/settings"
)

// world is what the function finds when it is deployed: the agents beside it,
// and the provider out there.
type world struct {
	*agenttest.Agent
	provider *httptest.Server

	mu      sync.Mutex
	served  *sync.Cond      // a request has been
	keys    map[string]bool // the provider's, by whether they are good
	used    map[string]int
	answers [clients]int // that each client has had
}

const clients = 64

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Agent: agenttest.New(t), keys: map[string]bool{}, used: map[string]int{}}
	w.served = sync.NewCond(&w.mu)
	w.provider = httptest.NewServer(w)
	t.Cleanup(w.provider.Close)
	w.SetConfiguration(settingsName, `{"logLevel":"INFO"}`)
	return w
}

func (w *world) ServeHTTP(response http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !w.keys[key] {
		response.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.used[key]++
	w.served.Broadcast()
	fmt.Fprint(response, `{"rate":"1.1583"}`)
}

// issue makes a key that the provider takes.
func (w *world) issue() (key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key = rand.Text()
	w.keys[key] = true
	return key
}

func (w *world) revoke(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys[key] = false
}

// waitUses waits until a key has been used n times, and every client has had an
// answer to a request that it made after the first of them, or stop.
func (w *world) waitUses(key string, n int, stop *atomic.Bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.used[key] < n && !stop.Load() {
		w.served.Wait()
	}
	had := w.answers
	for client := range clients {
		for w.answers[client] < had[client]+2 && !stop.Load() {
			w.served.Wait()
		}
	}
}

// answered counts an answer to a client.
func (w *world) answered(client int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[client]++
	w.served.Broadcast()
}

// deploy runs the binary as Lambda would, behind the route of template.yaml.
func deploy(t *testing.T, cfg guardtest.Config) (*gateway.Server, *guardtest.Function) {
	t.Helper()
	fn := guardtest.Start(t, binary, cfg)
	return gateway.Start(t, fn, gateway.HTTPAPIConfig{Routes: []string{"GET /rates/{currency}"}}), fn
}

func (w *world) env() []string {
	return append(w.Env(), "AWS_SAM_LOCAL=", "RATES_URL="+w.provider.URL, "RATES_KEY_SECRET="+keyName, "RATES_SETTINGS="+settingsName)
}

func TestARotationFailsNoRequest(t *testing.T) {
	w := newWorld(t)
	old := w.issue()
	w.SetSecret(keyName, old)
	w.SetConfiguration(settingsName, `{"logLevel":"DEBUG"}`)
	w.NotReady(2) // the extension is a little behind the function
	api, fn := deploy(t, guardtest.Config{Concurrency: clients, Env: w.env(), Timeout: 20 * time.Second})

	rate := func() bool {
		got := api.Do("GET", "/rates/USD", "")
		if got.Status != 200 || got.Body != `{"currency":"USD","rate":"1.1583"}` {
			t.Errorf("%d %s", got.Status, got.Body)
			return false
		}
		return true
	}
	if !rate() {
		t.FailNow()
	}
	var traffic sync.WaitGroup
	var done atomic.Bool
	var requests atomic.Int64
	for client := range clients {
		traffic.Go(func() {
			for !done.Load() {
				requests.Add(1)
				if !rate() {
					done.Store(true)
				}
				w.answered(client)
			}
		})
	}
	// A request that met the end of a key must not meet that of the next one.
	inUse := func(key string) { w.waitUses(key, 200, &done) }
	inUse(old)
	keys := []string{old}
	for range 3 { // as a rotation goes: a second key, the secret, the end of the first key
		next := w.issue()
		w.SetSecret(keyName, next)
		w.revoke(keys[len(keys)-1])
		keys = append(keys, next)
		inUse(next)
	}
	done.Store(true)
	traffic.Wait()

	t.Logf("%d requests, %d fetches of %d keys", requests.Load(), w.Asked(keyName), len(keys))
	if n := w.Asked(keyName); n > 2*len(keys) {
		t.Errorf("%d fetches for %d keys", n, len(keys))
	}
	log := fn.Log()
	if !strings.Contains(log, `"provider answered"`) {
		t.Error("the level DEBUG is not followed")
	}
	for _, key := range keys {
		if strings.Contains(log, key) {
			t.Error("the log has a key")
		}
	}
}

func TestTheLevelOfTheLogChangesWithoutADeployment(t *testing.T) {
	w := newWorld(t)
	w.SetSecret(keyName, w.issue())
	api, fn := deploy(t, guardtest.Config{Env: w.env()})

	if got := api.Do("GET", "/rates/USD", ""); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if err := fn.WaitLog(t.Context(), `"invocation"`); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(fn.Log(), `"DEBUG"`) {
		t.Errorf("a record of level DEBUG at level INFO: %s", fn.Log())
	}
	w.SetConfiguration(settingsName, `{"logLevel":"DEBUG"}`)
	for deadline := time.Now().Add(time.Minute); ; { // the settings are fresh for a while
		if got := api.Do("GET", "/rates/USD", ""); got.Status != 200 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		err := fn.WaitLog(ctx, `"provider answered"`)
		cancel()
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if n := strings.Count(fn.Log(), `"coldStart":true`); n != 1 {
		t.Errorf("%d processes", n)
	}
}

func TestSettingsThatCannotBeReadChangeNothing(t *testing.T) {
	w := newWorld(t)
	w.SetSecret(keyName, w.issue())
	w.SetConfiguration(settingsName, `{"loglevel":"DEBUG"}`)
	api, fn := deploy(t, guardtest.Config{Env: w.env()})
	if got := api.Do("GET", "/rates/USD", ""); got.Status != 200 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if err := fn.WaitLog(t.Context(), "the settings cannot be read"); err != nil {
		t.Error(err)
	}
}

func TestADeniedKeyIsExplainedInTheLogAlone(t *testing.T) {
	w := newWorld(t)
	w.SetSecret(keyName, w.issue())
	w.Fail(keyName, agenttest.Refused("AccessDeniedException"))
	api, fn := deploy(t, guardtest.Config{Env: w.env()})
	got := api.Do("GET", "/rates/USD", "")
	if got.Status != 500 || strings.Contains(got.Body, keyName) || strings.Contains(got.Body, "AccessDenied") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if err := fn.WaitLog(t.Context(), "AccessDenied"); err != nil {
		t.Error(err)
	}
}

func TestALocalRunNeedsNothing(t *testing.T) {
	api, _ := deploy(t, guardtest.Config{Env: []string{"AWS_SAM_LOCAL=true"}})
	for path, want := range map[string]int{"/rates/USD": 200, "/rates/XXX": 404, "/rates/usd": 404} {
		if got := api.Do("GET", path, ""); got.Status != want {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
}

func TestNoEnvironmentNoStart(t *testing.T) {
	for message, env := range map[string][]string{
		"RATES_URL is not set":        {"AWS_SAM_LOCAL="},
		"RATES_URL would show":        {"AWS_SAM_LOCAL=", "RATES_URL=http://rates.example"},
		"RATES_KEY_SECRET is not set": {"AWS_SAM_LOCAL=", "RATES_URL=https://rates.example"},
		"RATES_SETTINGS is not set":   {"AWS_SAM_LOCAL=true", "RATES_URL=https://rates.example", "RATES_KEY_SECRET=k"},
	} {
		fn := guardtest.Start(t, binary, guardtest.Config{Env: env})
		if _, err := fn.Invoke(t.Context(), []byte(`{}`)); err == nil {
			t.Fatalf("the function started, though %s", message)
		}
		if err := fn.WaitLog(t.Context(), message); err != nil {
			t.Error(err)
		}
	}
}
