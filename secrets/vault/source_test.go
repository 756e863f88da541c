package vault_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/vault"
)

func TestFieldsAndVersions(t *testing.T) {
	e := newEngine(t, "secret")
	e.put("shop/payments", version{data: `{"api-key":"one"}`}, version{data: `{"api-key":"two \"q\" ü","port":5432,"big":12345678901234567890.10,"on":true,"nested":{"a":[1, 2]},"empty":"","none":null}`})
	src := e.source()
	for name, want := range map[string]string{
		"secret/shop/payments#api-key": `two "q" ü`,
		"secret/shop/payments#port":    "5432",
		"secret/shop/payments#big":     "12345678901234567890.10",
		"secret/shop/payments#on":      "true",
		"secret/shop/payments#nested":  `{"a":[1, 2]}`,
		"secret/shop/payments#empty":   "",
		"secret/shop/payments":         `{"api-key":"two \"q\" ü","port":5432,"big":12345678901234567890.10,"on":true,"nested":{"a":[1, 2]},"empty":"","none":null}`,
	} {
		mustBe(t, one(t.Context(), src, secrets.Ref{Name: name}), want, "2")
	}
	mustBe(t, one(t.Context(), src, secrets.Ref{Name: "secret/shop/payments#api-key", Version: "1"}), "one", "1")
	mustBe(t, one(t.Context(), src, secrets.Ref{Name: "secret/shop/payments#api-key", Stage: "AWSPREVIOUS"}), "one", "1")
	mustBe(t, one(t.Context(), src, secrets.Ref{Name: "secret/shop/payments#port", Stage: "AWSCURRENT"}), "5432", "2")

	for _, missing := range []secrets.Ref{
		{Name: "secret/none"},
		{Name: "other/shop/payments"},
		{Name: "secret/shop/payments#none"},
		{Name: "secret/shop/payments", Version: "3"},
		{Name: "secret/shop/payments#port", Stage: "AWSPREVIOUS"},
		{Name: "secret/none", Stage: "AWSPREVIOUS"},
	} {
		mustFailAs(t, one(t.Context(), src, missing).Err, secrets.ErrNotFound)
	}
}

func TestVersionsThatEnd(t *testing.T) {
	soon := time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano)
	e := newEngine(t, "secret")
	e.put("deleted", version{data: `{"a":"1"}`}, version{data: `{"a":"2"}`, deletion: "2026-01-02T03:04:05.678Z"})
	e.put("destroyed", version{data: `{"a":"1"}`, destroyed: true})
	e.put("ending", version{data: `{"a":"1"}`, deletion: soon})
	src := e.source()
	for name, words := range map[string]string{"deleted": "version 2 is deleted", "destroyed": "version 1 is destroyed"} {
		got := one(t.Context(), src, secrets.Ref{Name: "secret/" + name + "#a"})
		mustFailAs(t, got.Err, secrets.ErrNotFound)
		if got.Err == nil || !strings.Contains(got.Err.Error(), words) {
			t.Error(got.Err)
		}
	}
	mustBe(t, one(t.Context(), src, secrets.Ref{Name: "secret/deleted#a", Stage: "AWSPREVIOUS"}), "1", "1")
	mustFailAs(t, one(t.Context(), src, secrets.Ref{Name: "secret/destroyed#a", Stage: "AWSPREVIOUS"}).Err, secrets.ErrNotFound)

	got := one(t.Context(), src, secrets.Ref{Name: "secret/ending#a"})
	mustBe(t, got, "1", "1")
	if got.Expires.UTC().Format(time.RFC3339Nano) != soon {
		t.Errorf("expires %v, want %s", got.Expires, soon)
	}
}

func TestNames(t *testing.T) {
	e := newEngine(t, "team/kv")
	src := e.source(vault.Mount("team"), vault.Mount("/team/kv/"))
	for name, asked := range map[string]string{
		"team/kv/a":           "/v1/team/kv/data/a",
		"team/kv/a b/c?d%2F":  "/v1/team/kv/data/a%20b/c%3Fd%252F",
		"team/kvx/a":          "/v1/team/data/kvx/a",
		"other/kv/ü#f":        "/v1/other/data/kv/%C3%BC",
		"team/kv/a#f#g/../h?": "/v1/team/kv/data/a",
	} {
		e.asked = nil
		one(t.Context(), src, secrets.Ref{Name: name})
		if len(e.asked) != 1 || e.asked[0] != asked {
			t.Errorf("%q asked for %q, want %q", name, e.asked, asked)
		}
	}
	e.asked = nil
	for _, ref := range []secrets.Ref{
		{Name: ""},
		{Name: "secret"},
		{Name: "secret/"},
		{Name: "/secret/a"},
		{Name: "secret//a"},
		{Name: "secret/a/"},
		{Name: "secret/../sys/a"},
		{Name: "secret/./a"},
		{Name: "secret/a#"},
		{Name: "#a"},
		{Name: "secret/a", Version: "0"},
		{Name: "secret/a", Version: "x"},
		{Name: "secret/a", Version: "1&list=true"},
		{Name: "secret/a", Version: "-1"},
		{Name: "secret/a", Stage: "AWSPENDING"},
		{Name: "secret/a", Stage: "AWSPREVIOUS", Version: "1"},
		{Name: "secret/a", Encrypted: true},
	} {
		mustFailAs(t, one(t.Context(), src, ref).Err, nil)
	}
	if len(e.asked) != 0 {
		t.Errorf("asked for %q", e.asked)
	}
}

func TestTokenAndNamespaceAreReadAtEachFetch(t *testing.T) {
	e := newEngine(t, "secret")
	e.put("a", version{data: `{"f":"v"}`})
	ref := secrets.Ref{Name: "secret/a#f"}
	file := filepath.Join(t.TempDir(), "token")
	fromFile := vault.KV(vault.Address(e.URL), vault.TokenFile(file))
	mustFailAs(t, one(t.Context(), fromFile, ref).Err, secrets.ErrUnavailable)
	for text, want := range map[string]error{"": secrets.ErrUnavailable, "\n": secrets.ErrUnavailable, "old": secrets.ErrDenied} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		mustFailAs(t, one(t.Context(), fromFile, ref).Err, want)
	}
	if err := os.WriteFile(file, []byte(e.token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustBe(t, one(t.Context(), fromFile, ref), "v", "1")

	t.Setenv("VAULT_ADDR", e.URL)
	fromEnv := vault.KV()
	mustFailAs(t, one(t.Context(), fromEnv, ref).Err, secrets.ErrDenied)
	t.Setenv("VAULT_TOKEN", e.token)
	mustBe(t, one(t.Context(), fromEnv, ref), "v", "1")

	e.namespace = "shop/prod"
	mustFailAs(t, one(t.Context(), fromEnv, ref).Err, secrets.ErrDenied)
	t.Setenv("VAULT_NAMESPACE", "shop/prod")
	mustBe(t, one(t.Context(), fromEnv, ref), "v", "1")

	// An agent or the extension puts its own token in.
	e.token = ""
	mustBe(t, one(t.Context(), vault.KV(vault.Token(func() (string, error) { return "", nil })), ref), "v", "1")
}

func TestWhatARefusalMeans(t *testing.T) {
	e := newEngine(t, "secret")
	e.put("a", version{data: `{"f":"v"}`}, version{data: `{"f":"w"}`})
	src := e.source()
	for status, want := range map[int]error{
		307: secrets.ErrUnavailable, 400: nil, 401: secrets.ErrDenied, 403: secrets.ErrDenied, 404: secrets.ErrNotFound, 405: nil,
		412: secrets.ErrUnavailable, 429: secrets.ErrUnavailable, 472: secrets.ErrUnavailable, 473: secrets.ErrUnavailable,
		500: secrets.ErrUnavailable, 502: secrets.ErrUnavailable, 503: secrets.ErrUnavailable, 204: nil,
	} {
		e.fail(status)
		for _, stage := range []string{"", "AWSPREVIOUS"} {
			got := one(t.Context(), src, secrets.Ref{Name: "secret/a#f", Stage: stage})
			mustFailAs(t, got.Err, want)
			if got.Err != nil && !strings.HasPrefix(got.Err.Error(), `vault: "secret/a#f": `) {
				t.Error(got.Err)
			}
		}
	}
	e.fail(0)
	mustBe(t, one(t.Context(), src, secrets.Ref{Name: "secret/a#f"}), "w", "2")
	e.Close()
	got := one(t.Context(), src, secrets.Ref{Name: "secret/a#f"})
	mustFailAs(t, got.Err, secrets.ErrUnavailable)
	if errors.Is(got.Err, secrets.ErrOutsideInvocation) || !strings.Contains(got.Err.Error(), "is the extension's layer there?") {
		t.Error(got.Err)
	}
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
	if got := one(t.Context(), src, secrets.Ref{Name: "secret/a#f"}); !errors.Is(got.Err, secrets.ErrOutsideInvocation) {
		t.Errorf("before the first invocation: got %v, want %v", got.Err, secrets.ErrOutsideInvocation)
	}
}

// A server before Vault, or one that is not Vault, has words of its own.
func TestNoVersionIsBeforeAnAnswerThatHasNone(t *testing.T) {
	for body, want := range map[string]struct {
		status int
		err    error
	}{
		"<h1>not found</h1>":                           {status: 404, err: secrets.ErrNotFound},
		`{"errors":[]}`:                                {status: 404, err: secrets.ErrNotFound},
		`{"data":{"metadata":{"version":-2}}}`:         {status: 200, err: secrets.ErrNotFound},
		`{"data":{"metadata":{"version":"hunter2"}}}`:  {status: 200},
		`{"data":{"metadata":{"version":"hunter2"}}} `: {status: 503, err: secrets.ErrUnavailable},
	} {
		asked := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.WriteHeader(want.status)
			fmt.Fprint(w, body)
		}))
		got := one(t.Context(), vault.KV(vault.Address(server.URL)), secrets.Ref{Name: "secret/a#f", Stage: "AWSPREVIOUS"})
		server.Close()
		mustFailAs(t, got.Err, want.err)
		if asked != 1 || strings.Contains(got.Err.Error(), "hunter2") {
			t.Errorf("%d %s: asked %d times, %v", want.status, body, asked, got.Err)
		}
	}
}

func TestAnswersThatCannotBeRead(t *testing.T) {
	const marker = "mArKeR7f3a"
	for _, body := range []string{
		``, `null`, `[]`, marker, `{"data":null}`, `{"data":"` + marker + `"}`,
		`{"data":{"data":{"f":"` + marker + `","f":"` + marker + `"},"metadata":{"version":1}}}`,
		`{"data":{"data":{"f":"` + marker + `"},"DATA":{"f":"` + marker + `"}}}`,
		`{"data":{"data":{"f":"` + marker + `"},"metadata":{"version":"` + marker + `"}}}`,
		`{"data":{"data":{"f":"` + marker + `"},"metadata":{"version":1,"deletion_time":"` + marker + `"}}}`,
		`{"data":{"data":"` + marker + `","metadata":{"version":1}}}`,
		`{"data":{"data":{"f":"` + marker + "\xff" + `"},"metadata":{"version":1}}}`,
		`{"data":{"data":{"f":"` + marker + `"},"metadata":{"version":1}}} ` + marker,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		got := one(t.Context(), vault.KV(vault.Address(server.URL)), secrets.Ref{Name: "secret/a#f"})
		server.Close()
		mustFailAs(t, got.Err, nil)
		if got.Data != nil || strings.Contains(fmt.Sprintf("%v %+v %#v", got.Err, got.Err, got.Err), marker) {
			t.Errorf("answer %q: got %q, %v, want an error without it", body, got.Data, got.Err)
		}
	}
	for _, body := range []string{`{}`, `{"data":{"data":null,"metadata":{"version":1}}}`, `{"errors":[]}`} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		mustFailAs(t, one(t.Context(), vault.KV(vault.Address(server.URL)), secrets.Ref{Name: "secret/a#f"}).Err, secrets.ErrNotFound)
		server.Close()
	}
}

func TestSeveralAreKeptApart(t *testing.T) {
	e := newEngine(t, "secret")
	refs := make([]secrets.Ref, 30)
	for i := range refs {
		refs[i].Name = fmt.Sprintf("secret/s-%d#f", i)
		if i%3 != 0 {
			e.put(fmt.Sprintf("s-%d", i), version{data: fmt.Sprintf(`{"f":"v-%d"}`, i)})
		}
	}
	values, err := e.source().Fetch(t.Context(), refs)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if i%3 == 0 {
			mustFailAs(t, v.Err, secrets.ErrNotFound)
		} else {
			mustBe(t, v, fmt.Sprintf("v-%d", i), "1")
		}
	}
}

func TestNothingIsAskedForTwice(t *testing.T) {
	e := newEngine(t, "secret")
	const whole = `{"user":"u2","password":"p2"}`
	e.put("a", version{data: `{"user":"u1","password":"p1"}`}, version{data: whole})
	user, password := secrets.Ref{Name: "secret/a#user"}, secrets.Ref{Name: "secret/a#password"}
	before := secrets.Ref{Name: "secret/a#password", Stage: "AWSPREVIOUS"}
	refs := []secrets.Ref{user, password, user, before, {Name: "secret/a"}, {Name: "secret/a", Stage: "AWSCURRENT"}, {Name: "secret/a#user", Version: "1"}}
	values, err := e.source().Fetch(t.Context(), refs)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ data, version string }{
		{data: "u2", version: "2"}, {data: "p2", version: "2"}, {data: "u2", version: "2"}, {data: "p1", version: "1"}, {data: whole, version: "2"}, {data: whole, version: "2"}, {data: "u1", version: "1"},
	} {
		mustBe(t, values[i], want.data, want.version)
		clear(values[i].Data) // it has no memory of another's
	}
	slices.Sort(e.asked)
	if want := []string{"/v1/secret/data/a", "/v1/secret/data/a?version=1"}; !slices.Equal(e.asked, want) {
		t.Errorf("asked for %q, want %q", e.asked, want)
	}
}

func TestWhatCannotBeMeantPanics(t *testing.T) {
	for words, f := range map[string]func(){
		"must begin with https":               func() { vault.KV(vault.Address("http://vault.example:8200")) },
		"must begin with http or https":       func() { vault.KV(vault.Address("unix://vault")) },
		"must be a scheme, a host and a port": func() { vault.KV(vault.Address("https://vault.example/v1/")) },
		"Token of a nil function":             func() { vault.Token(nil) },
		`Mount("")`:                           func() { vault.Mount("/") },
		`Mount("a//b")`:                       func() { vault.Mount("a//b") },
		`Mount("a/../b")`:                     func() { vault.Mount("a/../b") },
		`Mount("a#b")`:                        func() { vault.Mount("a#b") },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "vault: ") || !strings.Contains(text, words) {
					t.Errorf("panic %q, want one of vault with %q", text, words)
				}
			}()
			f()
		}()
	}
	vault.KV(vault.Address("https://vault.example:8200"))
}

func TestNoClientIsLinked(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.Lines(string(out)) {
		for _, not := range []string{"aws-sdk-go", "smithy", "hashicorp", "jmespath", "validator", "jsonschema", "valkey"} {
			if strings.Contains(dep, not) {
				t.Errorf("got %s linked, want no client", strings.TrimSpace(dep))
			}
		}
	}
}
