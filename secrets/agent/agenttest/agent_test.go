package agenttest_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
	"github.com/lambdarmor/lambdarmor/secrets/agent/agenttest"
)

// How a function whose secrets come from an agent is tested through a rotation.
func TestRotation(t *testing.T) {
	local := agenttest.New(t)
	local.SetSecret("payments/api-key", "old")
	keys := secrets.New(agent.Secrets(
		agent.Address(local.URL()),
		agent.Token(func() (string, error) { return local.Token(), nil }),
	))
	charge := func(valid string) (string, error) {
		return secrets.Try(t.Context(), keys, "payments/api-key",
			func(_ context.Context, key secrets.Secret) (string, error) {
				if key.Text() != valid {
					return "", secrets.ErrRejected
				}
				return "charged", nil
			})
	}
	if out, err := charge("old"); out != "charged" {
		t.Errorf("before the rotation: got %q, %v, want a charge", out, err)
	}
	local.SetSecret("payments/api-key", "new")
	if out, err := charge("new"); out != "charged" {
		t.Errorf("after the rotation: got %q, %v, want a charge", out, err)
	}
}

func TestCallersAreHeldToTheRulesOfTheAgents(t *testing.T) {
	local := agenttest.New(t)
	local.SetSecret("key", "v")
	local.SetParameter("/key", "v")
	local.SetConfiguration("a/e/p", "v")
	for what, tc := range map[string]struct {
		method, target string
		header         map[string]string
		status         int
		body           string
	}{
		"as it should be": {
			method: "GET",
			target: "/secretsmanager/get?secretId=key",
			status: 200,
			body:   `"SecretString":"v"`,
		},
		"no token": {
			method: "GET",
			target: "/secretsmanager/get?secretId=key",
			header: map[string]string{"X-Aws-Parameters-Secrets-Token": ""},
			status: 403,
			body:   "Bad Token",
		},
		"another token": {
			method: "GET",
			target: "/systemsmanager/parameters/get?name=/key",
			header: map[string]string{"X-Aws-Parameters-Secrets-Token": "x"},
			status: 403,
			body:   "Bad Token",
		},
		"forwarded": {
			method: "GET",
			target: "/secretsmanager/get?secretId=key",
			header: map[string]string{"X-Forwarded-For": "192.0.2.1"},
			status: 400,
			body:   "Forwarded",
		},
		"another method": {
			method: "POST",
			target: "/secretsmanager/get?secretId=key",
			status: 405,
			body:   "Not allowed",
		},
		"an unknown parameter": {
			method: "GET",
			target: "/secretsmanager/get?secretId=key&x=y",
			status: 400,
			body:   "unknown parameter: x",
		},
		"a parameter twice": {
			method: "GET",
			target: "/secretsmanager/get?secretId=key&secretId=other",
			status: 400,
			body:   "unknown parameter: secretId",
		},
		"a malformed query": {
			method: "GET",
			target: "/secretsmanager/get?secretId=key&versionId=%zz",
			status: 400,
			body:   "malformed query",
		},
		"a secret without a previous version": {
			method: "GET",
			target: "/secretsmanager/get?secretId=key&versionStage=AWSPREVIOUS",
			status: 400,
			body:   "ResourceNotFoundException",
		},
		"a version of a parameter before the first": {
			method: "GET",
			target: "/systemsmanager/parameters/get?name=/key&version=0",
			status: 400,
			body:   "ParameterVersionNotFound",
		},
		"a parameter encrypted": {
			method: "GET",
			target: "/systemsmanager/parameters/get?name=/key",
			status: 200,
			body:   "encrypted",
		},
		"a parameter decrypted": {
			method: "GET",
			target: "/systemsmanager/parameters/get?name=/key&withDecryption=true",
			status: 200,
			body:   `"Value":"v"`,
		},
		"a configuration": {
			method: "GET",
			target: "/applications/a/environments/e/configurations/p",
			header: map[string]string{"X-Aws-Parameters-Secrets-Token": ""},
			status: 200,
			body:   "v",
		},
		"a configuration changed": {
			method: "POST",
			target: "/applications/a/environments/e/configurations/p",
			status: 405,
		},
		"another path": {method: "GET", target: "/", status: 404},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tc.method, local.URL()+tc.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Aws-Parameters-Secrets-Token", local.Token())
		for name, value := range tc.header {
			req.Header.Set(name, value)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != tc.status || !strings.Contains(string(text), tc.body) {
			t.Errorf("%s: got %d %s, %v, want %d %s", what, res.StatusCode, text, err, tc.status, tc.body)
		}
	}
}

// get returns the status of a request for a secret.
func get(t *testing.T, local *agenttest.Agent) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, local.URL()+"/secretsmanager/get?secretId=key", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Aws-Parameters-Secrets-Token", local.Token())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func TestNotReadyIsForSomeRequestsOrForAll(t *testing.T) {
	local := agenttest.New(t)
	local.SetSecret("key", "v")
	for n, want := range map[int][]int{0: {200, 200, 200}, 1: {400, 200, 200}, 2: {400, 400, 200}, -1: {400, 400, 400}, -2: {400, 400, 400}} {
		local.NotReady(n)
		if got := []int{get(t, local), get(t, local), get(t, local)}; !slices.Equal(got, want) {
			t.Errorf("NotReady(%d): got %v, want %v", n, got, want)
		}
	}
}

func TestALabelIsOfAVersionThatThereIs(t *testing.T) {
	local := agenttest.New(t)
	version := local.SetParameter("/key", "v")
	for _, tc := range []struct {
		name, parameter, version string
		panics                   bool
	}{
		{name: "the version", parameter: "/key", version: version},
		{name: "before the first", parameter: "/key", version: "0", panics: true},
		{name: "after the last", parameter: "/key", version: "2", panics: true},
		{name: "no number", parameter: "/key", version: "one", panics: true},
		{name: "no parameter", parameter: "/none", version: version, panics: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			defer func() {
				text, panicked := recover().(string)
				if panicked != tc.panics || panicked && !strings.HasPrefix(text, "agenttest: LabelParameter") {
					t.Errorf("got panic %q, want one: %v", text, tc.panics)
				}
			}()
			local.LabelParameter(tc.parameter, "stable", tc.version)
		})
	}
}
