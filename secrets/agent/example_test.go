package agent_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
)

func ExampleSecrets() {
	// The extension answers on localhost:2773. This one is for the example.
	extension := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL)
		_, _ = io.WriteString(w, `{"SecretString":"hunter2","VersionId":"a1b2"}`)
	}))
	defer extension.Close()

	keys := secrets.New(agent.Secrets(
		agent.Address(extension.URL),
		agent.Token(func() (string, error) { return "of AWS_SESSION_TOKEN", nil }),
	))
	for range 2 { // the second is from the cache
		key, err := keys.Get(context.Background(), "payments/api-key")
		fmt.Println(key, key.Version(), err)
	}
	// Output:
	// /secretsmanager/get?secretId=payments%2Fapi-key
	// [redacted] a1b2 <nil>
	// [redacted] a1b2 <nil>
}

func ExampleAppConfig() {
	appConfig := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL)
		w.Header().Set("Configuration-Version", "7")
		_, _ = io.WriteString(w, `{"enabled":true}`)
	}))
	defer appConfig.Close()

	flags := secrets.New(agent.AppConfig(agent.Address(appConfig.URL)))
	type flag struct {
		Enabled bool `json:"enabled"`
	}
	dark, err := secrets.JSON[flag](context.Background(), flags, "shop/prod/flags?flag=dark")
	fmt.Println(dark.Enabled, err)
	// Output:
	// /applications/shop/environments/prod/configurations/flags?flag=dark
	// true <nil>
}
