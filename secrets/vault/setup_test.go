package vault_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/vault"
)

// engine stands in for a Vault with one KV engine of version 2. It holds its
// callers to the header that keeps forged requests away, token and namespace.
type engine struct {
	*httptest.Server
	mount, token, namespace string

	mu     sync.Mutex // guards what follows
	kept   map[string][]version
	asked  []string
	status int // of every answer, 0 for what is right
}

type version struct {
	data      string
	deletion  string
	destroyed bool
}

func newEngine(t testing.TB, mount string) *engine {
	t.Helper()
	for _, variable := range []string{"VAULT_ADDR", "VAULT_TOKEN", "VAULT_NAMESPACE"} {
		if t, ok := t.(*testing.T); ok {
			t.Setenv(variable, "")
		}
	}
	e := &engine{mount: mount, token: "hvs.token", kept: map[string][]version{}}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *engine) source(opts ...vault.Option) secrets.Source {
	return vault.KV(append([]vault.Option{
		vault.Address(e.URL),
		vault.Token(func() (string, error) { return e.token, nil }),
	}, opts...)...)
}

func (e *engine) put(path string, versions ...version) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept[path] = append(e.kept[path], versions...)
}

func (e *engine) fail(status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status = status
}

func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, r.RequestURI)
	refuse := func(status int, messages ...string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": messages})
	}
	path, found := strings.CutPrefix(r.URL.Path, "/v1/"+e.mount+"/data/")
	versions := e.kept[path]
	number := len(versions)
	if v := r.URL.Query().Get("version"); v != "" && v != "0" { // to Vault, 0 is the latest
		number, _ = strconv.Atoi(v)
	}
	switch {
	case r.Header.Get("X-Vault-Request") != "true":
		refuse(412, "missing 'X-Vault-Request' header")
	case e.status != 0:
		refuse(e.status, "told to")
	case r.Header.Get("X-Vault-Token") != e.token || r.Header.Get("X-Vault-Namespace") != e.namespace:
		refuse(403, "permission denied")
	case r.Method != http.MethodGet:
		refuse(405, "unsupported operation")
	case !found || number < 1 || number > len(versions):
		refuse(404)
	default:
		v := versions[number-1]
		past := v.deletion != "" && v.deletion < time.Now().UTC().Format(time.RFC3339)
		if v.destroyed || past {
			v.data = "null"
			w.WriteHeader(404)
		}
		fmt.Fprintf(w, `{"request_id":"r","lease_id":"","renewable":false,"lease_duration":0,"data":{"data":%s,"metadata":{"created_time":"2026-01-02T03:04:05.678Z","custom_metadata":null,"deletion_time":%q,"destroyed":%v,"version":%d}},"wrap_info":null,"warnings":null,"auth":null}`,
			v.data, v.deletion, v.destroyed, number)
	}
}

func one(ctx context.Context, src secrets.Source, ref secrets.Ref) secrets.Value {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	values, err := src.Fetch(ctx, []secrets.Ref{ref})
	if err != nil {
		return secrets.Value{Err: err}
	}
	if len(values) != 1 {
		return secrets.Value{Err: fmt.Errorf("%d values for one ref", len(values))}
	}
	return values[0]
}

func mustBe(t *testing.T, got secrets.Value, data, version string) {
	t.Helper()
	if got.Err != nil || string(got.Data) != data || got.Version != version {
		t.Errorf("got %q in version %q, %v, want %q in %q", got.Data, got.Version, got.Err, data, version)
	}
}

func mustFailAs(t *testing.T, err, want error) {
	t.Helper()
	if err == nil {
		t.Error("got no error, want one")
	}
	for _, class := range []error{secrets.ErrNotFound, secrets.ErrDenied, secrets.ErrUndecryptable, secrets.ErrUnavailable} {
		if errors.Is(err, class) != (class == want) {
			t.Errorf("%v; want one that is %v", err, want)
		}
	}
}
