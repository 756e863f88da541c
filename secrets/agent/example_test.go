package agent_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/agent"
)

// local is an agent that prints its requests and has one answer for all. The
// real ones answer on localhost:2773 and localhost:2772.
func local(answer string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL)
		w.Header().Set("Configuration-Version", "7")
		_, _ = io.WriteString(w, answer)
	}))
}

func ExampleSecrets() {
	extension := local(`{"SecretString":"hunter2","VersionId":"a1b2"}`)
	defer extension.Close()
	os.Setenv("AWS_SESSION_TOKEN", "token") // Lambda does
	defer os.Unsetenv("AWS_SESSION_TOKEN")

	keys := secrets.New(agent.Secrets(agent.Address(extension.URL)))
	for range 2 { // the second is from the cache
		key, err := keys.Get(context.Background(), "payments/api-key")
		fmt.Println(key, key.Version(), err)
	}
	// Output:
	// /secretsmanager/get?secretId=payments%2Fapi-key
	// [redacted] a1b2 <nil>
	// [redacted] a1b2 <nil>
}

// The value before the current one needs a label of your own.
func ExampleParameters() {
	extension := local(`{"Parameter":{"Value":"hunter2","Version":3}}`)
	defer extension.Close()

	params := secrets.New(agent.Parameters(
		agent.Address(extension.URL),
		agent.Token(func() (string, error) { return "token", nil }),
	))
	password, err := params.Get(context.Background(), "/shop/password", secrets.VersionStage("stable"))
	fmt.Println(password, password.Version(), err)
	// Output:
	// /systemsmanager/parameters/get?label=stable&name=%2Fshop%2Fpassword&withDecryption=true
	// [redacted] 3 <nil>
}

func ExampleAppConfig() {
	appConfig := local(`{"enabled":true}`)
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

// The Secrets Manager Agent keeps its token in a file.
func ExampleRefreshNow() {
	keys := secrets.New(agent.Secrets(
		agent.TokenFile("/var/run/awssmatoken"),
		agent.RefreshNow(), // one cache is enough
	))
	_, err := keys.Get(context.Background(), "payments/api-key")
	fmt.Println(err != nil) // no agent runs here
	// Output: true
}
