package agent_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
	"github.com/lambdarmor/lambdarmor/secrets/agent/agenttest"
)

func TestPortsAndTokenAreTakenFromTheEnvironment(t *testing.T) {
	a := agenttest.New(t)
	for _, variable := range a.Env() {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	version := a.SetSecret("key", "secret")
	a.SetParameter("/key", "parameter")
	a.SetConfiguration("a/e/p", "configuration")
	mustBe(t, one(invoked(t), agent.Secrets(), secrets.Ref{Name: "key"}), "secret", version)
	mustBe(t, one(invoked(t), agent.Parameters(), secrets.Ref{Name: "/key"}), "parameter", "1")
	mustBe(t, one(invoked(t), agent.AppConfig(), secrets.Ref{Name: "a/e/p"}), "configuration", "1")
}

func TestTheDefaultPortsAreThoseOfTheAgents(t *testing.T) {
	t.Setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "")
	t.Setenv("AWS_APPCONFIG_EXTENSION_HTTP_PORT", "")
	for src, want := range map[secrets.Source]string{
		agent.Secrets():    "http://localhost:2773",
		agent.Parameters(): "http://localhost:2773",
		agent.AppConfig():  "http://localhost:2772",
	} {
		if got := agent.AddressOf(src); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestTheTokenIsReadAtEachFetch(t *testing.T) {
	a := agenttest.New(t)
	version := a.SetSecret("key", "v")
	file := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fromFile := agent.Secrets(agent.Address(a.URL()), agent.TokenFile(file))
	fromEnv := agent.Secrets(agent.Address(a.URL()))

	t.Setenv("AWS_SESSION_TOKEN", "")
	for _, src := range []secrets.Source{fromFile, fromEnv} {
		mustFailAs(t, one(invoked(t), src, secrets.Ref{Name: "key"}).Err, secrets.ErrUnavailable)
	}
	if got := one(invoked(t), fromEnv, secrets.Ref{Name: "key"}).Err; !strings.Contains(fmt.Sprint(got), "AWS_SESSION_TOKEN is not set") {
		t.Errorf("got %v, want an error that names the variable", got)
	}
	for _, wrong := range []string{"stale", "two\nlines"} {
		write(wrong)
		t.Setenv("AWS_SESSION_TOKEN", wrong)
		for _, src := range []secrets.Source{fromFile, fromEnv} {
			got := one(invoked(t), src, secrets.Ref{Name: "key"})
			if got.Err == nil || strings.Contains(got.Err.Error(), wrong) {
				t.Errorf("token %q: got %v, want an error without it", wrong, got.Err)
			}
		}
	}
	write("\n")
	mustFailAs(t, one(invoked(t), fromFile, secrets.Ref{Name: "key"}).Err, secrets.ErrUnavailable)

	write(a.Token() + "\n")
	t.Setenv("AWS_SESSION_TOKEN", a.Token())
	for _, src := range []secrets.Source{fromFile, fromEnv} {
		mustBe(t, one(invoked(t), src, secrets.Ref{Name: "key"}), "v", version)
	}

	none := agent.Secrets(agent.Address(a.URL()), agent.Token(func() (string, error) { return "", nil }))
	mustFailAs(t, one(invoked(t), none, secrets.Ref{Name: "key"}).Err, secrets.ErrUnavailable)

	broken := errors.New("no token today")
	src := agent.Secrets(agent.Address(a.URL()), agent.Token(func() (string, error) { return "", broken }))
	if got := one(invoked(t), src, secrets.Ref{Name: "key"}); !errors.Is(got.Err, broken) || !errors.Is(got.Err, secrets.ErrUnavailable) {
		t.Errorf("got %v, want the error of the token", got.Err)
	}
}

// The tokens of the two agents on this port must not go to the third.
func TestAppConfigGetsNoToken(t *testing.T) {
	t.Setenv("AWS_SESSION_TOKEN", "")
	a := agenttest.New(t)
	a.SetConfiguration("a/e/p", "v")
	src := agent.AppConfig(agent.Address(a.URL()), agent.Token(func() (string, error) {
		t.Error("got a read of the token, want none")
		return "t", nil
	}))
	mustBe(t, one(invoked(t), src, secrets.Ref{Name: "a/e/p"}), "v", "1")
}

func TestOnlyThisMachineIsAsked(t *testing.T) {
	for address, words := range map[string]string{
		"http://10.0.0.1:2773":            "another machine",
		"http://169.254.169.254":          "another machine",
		"http://agent.example:2773":       "another machine",
		"http://localhost.example:2773":   "another machine",
		"https://agent.example":           "not of this machine",
		"ftp://localhost":                 "must begin with http or https",
		"localhost:2773":                  "must be a scheme, a host and a port",
		"http://":                         "must be a scheme, a host and a port",
		"http://:2773":                    "must be a scheme, a host and a port",
		"http://user:pass@localhost:2773": "must be a scheme, a host and a port",
		"http://localhost:2773/get":       "must be a scheme, a host and a port",
		"http://localhost:2773?x=y":       "must be a scheme, a host and a port",
		"http://local host":               "malformed",
		"http://user:pass@local host":     "malformed",
		"http://localhost:0":              "an invalid port",
		"http://localhost:65536":          "an invalid port",
	} {
		mustPanic(t, words, func() { agent.Secrets(agent.Address(address)) })
		if text := panics(func() { agent.Secrets(agent.Address(address)) }); strings.Contains(text, ":pass@") {
			t.Errorf("got panic %s, want no password in it", text)
		}
	}
	for _, address := range []string{"http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1/", "http://127.1.2.3"} {
		if text := panics(func() { agent.Secrets(agent.Address(address)) }); text != "" {
			t.Errorf("%s: got panic %s, want none", address, text)
		}
	}
}

func TestWhatCannotBeMeantPanics(t *testing.T) {
	mustPanic(t, "Token of a nil function", func() { agent.Token(nil) })
	for _, port := range []string{"0", "70000", "x", "80/..", "-1"} {
		t.Setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", port)
		mustPanic(t, "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", func() { agent.Secrets() })
		mustPanic(t, "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", func() { agent.Parameters() })
		t.Setenv("AWS_APPCONFIG_EXTENSION_HTTP_PORT", port)
		mustPanic(t, fmt.Sprintf("%q", port), func() { agent.AppConfig() })
	}
}
