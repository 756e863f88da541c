package agent_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
	"github.com/lambdarmor/lambdarmor/secrets/agent/agenttest"
)

func TestConfigurations(t *testing.T) {
	a := agenttest.New(t)
	a.SetConfiguration("shop/prod/settings", "level: debug")
	a.SetConfiguration("shop/prod/settings", "level: info")
	a.SetConfiguration("my shop/prod ü/flags?", `{"dark":{"enabled":true},"beta":{"enabled":false}}`)
	a.SetConfiguration("shop/prod/flags", `{"dark":{"enabled":true},"beta":{"enabled":false}}`)
	src := agent.AppConfig(agent.Address(a.URL()))
	for name, want := range map[string]struct{ data, version string }{
		"shop/prod/settings": {data: "level: info", version: "2"},
		"/applications/shop/environments/prod/configurations/settings": {data: "level: info", version: "2"},
		"shop/prod/flags?flag=dark":                                    {data: `{"enabled":true}`, version: "1"},
		"shop/prod/flags?flag=dark&flag=beta": {
			data:    `{"beta":{"enabled":false},"dark":{"enabled":true}}`,
			version: "1",
		},
		"/applications/shop/environments/prod/configurations/flags?flag=beta": {data: `{"enabled":false}`, version: "1"},
		"shop/prod/flags?": {data: `{"dark":{"enabled":true},"beta":{"enabled":false}}`, version: "1"},
	} {
		mustBe(t, one(invoked(t), src, secrets.Ref{Name: name}), want.data, want.version)
	}
}

func TestConfigurationNamesAreEscaped(t *testing.T) {
	a := agenttest.New(t)
	src := agent.AppConfig(agent.Address(a.URL()))
	for _, name := range []string{"my shop/prod ü/a&b=c", "a%2Fb/c/d", "a#b/c;d/e+f", "a:b/.c/d.."} {
		a.SetConfiguration(name, name)
		mustBe(t, one(invoked(t), src, secrets.Ref{Name: name}), name, "1")
	}
}

func TestConfigurationsThatAreNotAskedFor(t *testing.T) {
	a := agenttest.New(t)
	asked := serving(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("got a request for %s, want none", r.URL) })
	for _, ref := range []secrets.Ref{
		{Name: ""},
		{Name: "shop"},
		{Name: "shop/prod"},
		{Name: "shop/prod/settings/more"},
		{Name: "shop//settings"},
		{Name: "shop/../settings"},
		{Name: "./prod/settings"},
		{Name: "/applications/shop/environments/prod/profiles/settings"},
		{Name: "applications/shop/environments/prod/configurations/settings"},
		{Name: "shop/prod/settings?flag=a&x=b"},
		{Name: "shop/prod/settings?x=b"},
		{Name: "shop/prod/settings?flag=%zz"},
		{Name: "shop/prod/settings", Version: "1"},
		{Name: "shop/prod/settings", Stage: "AWSCURRENT"},
		{Name: "shop/prod/settings", Encrypted: true},
	} {
		if got := one(invoked(t), agent.AppConfig(agent.Address(asked)), ref); got.Err == nil || errors.Is(got.Err, secrets.ErrUnavailable) || errors.Is(got.Err, secrets.ErrNotFound) {
			t.Errorf("%+v: got %v, want an error that is final", ref, got.Err)
		}
	}
	if got := one(invoked(t), agent.AppConfig(agent.Address(a.URL())), secrets.Ref{Name: "shop/prod/none"}); !errors.Is(got.Err, secrets.ErrNotFound) {
		t.Error(got.Err)
	}
}

func TestTheVersionIsThatOfEitherHeader(t *testing.T) {
	for _, header := range []string{"Configuration-Version", "ConfigurationVersion", "X-Other"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(header, "7")
			fmt.Fprint(w, "v")
		}))
		want := "7"
		if header == "X-Other" {
			want = ""
		}
		mustBe(t, one(invoked(t), agent.AppConfig(agent.Address(server.URL)), secrets.Ref{Name: "a/e/p"}), "v", want)
		server.Close()
	}
}
