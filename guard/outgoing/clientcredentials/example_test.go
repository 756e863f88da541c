package clientcredentials_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/lambdarmor/lambdarmor/guard/outgoing"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/clientcredentials"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
)

// A client of another service, whose secret is in Secrets Manager.
func ExampleNew() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	cache := secrets.New(awssecrets.New(secretsmanager.NewFromConfig(cfg)))
	stock := clientcredentials.New("https://login.example/oauth2/token", "orders", cache, "orders/client-secret",
		clientcredentials.Scopes("stock.read"))

	client := &http.Client{Transport: stock.Transport(nil, "stock.example")}
	_, _ = client.Get("https://stock.example/sku/1")
}

// Both requests have one token. The service also gets the ids of the invocation, if it
// is one of your own.
func ExampleSource_Transport() {
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Println("a token is issued")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600}`)
	}))
	defer login.Close()
	stock := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Header.Get("Authorization"))
	}))
	defer stock.Close()

	source := clientcredentials.New(login.URL, "orders", secrets.New(&vault{value: "hunter2"}), "client-secret")
	authorized := source.Transport(nil, "127.0.0.1")
	client := &http.Client{Transport: outgoing.Transport(authorized, outgoing.Hosts("127.0.0.1"))}
	for range 2 {
		res, err := client.Get(stock.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = res.Body.Close()
	}
	// Output:
	// a token is issued
	// Bearer 2YotnFZFEjr1zCsicMWpAA
	// Bearer 2YotnFZFEjr1zCsicMWpAA
}

// A client that does not speak HTTP takes the token itself. It does not show in a log.
func ExampleSource_Token() {
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600}`)
	}))
	defer login.Close()

	source := clientcredentials.New(login.URL, "orders", secrets.New(&vault{value: "hunter2"}), "client-secret")
	token, err := source.Token(context.Background())
	fmt.Println(token, err)
	fmt.Println(token.Text())
	// Output:
	// [redacted] <nil>
	// 2YotnFZFEjr1zCsicMWpAA
}
