package quota_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/apikey"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/quota"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

func place(context.Context, struct{}) (httpapi.Reply[struct{}], error) {
	return httpapi.Reply[struct{}]{Status: http.StatusAccepted}, nil
}

var keys = apikey.Hashed(map[string]authorizer.Grant{
	apikey.Hash("k-8f14e45fceea167a5a36"): {Principal: "shop", UsageKey: "planKeyOfTheShop0123456789"},
})

// Each caller has 100 requests a minute and 10,000 a day. While the table does not
// answer nobody has any.
func ExampleLimit() {
	var client *dynamodb.Client // dynamodb.NewFromConfig(cfg)
	store := dynamo.New(client, os.Getenv("IDEMPOTENCY_TABLE"))
	start := func() {
		httpapi.Start(httpapi.Func(place), logging.New(os.Stdout),
			authorizer.Require(authorizer.APIKey("X-Api-Key", keys)),
			quota.Limit(store, quota.FailClosed,
				quota.Allow("user", 100, time.Minute, quota.Principal()),
				quota.Allow("day", 10_000, 24*time.Hour, quota.Principal()),
			),
			idempotency.Once(store, idempotency.Header("Idempotency-Key")),
		)
	}
	_ = start // in main
}

// What a caller gets.
func ExampleLimit_answers() {
	store := idempotency.NewMemoryStore()
	h := guard.Wrap(httpapi.Func(place), httpapi.Problems(),
		quota.Limit(store, quota.FailClosed, quota.Allow("source", 2, 24*time.Hour, quota.SourceIP())))
	event := sample.HTTP("POST", "/orders").Event()
	for range 3 {
		out, err := h.Invoke(context.Background(), event.Bytes())
		if err != nil {
			fmt.Println(err)
			return
		}
		var answer events.APIGatewayV2HTTPResponse
		if err := json.Unmarshal(out, &answer); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%d policy %s, %.12s\n", answer.StatusCode, answer.Headers["ratelimit-policy"], answer.Headers["ratelimit"])
	}
	// Output:
	// 202 policy "source";q=2;w=86400, "source";r=1
	// 202 policy "source";q=2;w=86400, "source";r=0
	// 429 policy "source";q=2;w=86400, "source";r=0
}

// An address is limited before its credentials are checked, which costs time, and a
// caller on one route after that. The first is for fairness, so it lets requests pass
// while the store is down.
func ExampleSourceIP() {
	store := idempotency.NewMemoryStore() // in a function: dynamo.New(…) or valkey.New(…)
	h := guard.Wrap(
		httpapi.Routes(map[string]lambda.Handler{
			"POST /orders": guard.Wrap(httpapi.Func(place),
				quota.Limit(store, quota.FailClosed, quota.Allow("place", 10, time.Minute, quota.Principal(), quota.Route()))),
		}),
		httpapi.Default(logging.New(discard{})),
		quota.Limit(store, quota.FailOpen, quota.Allow("source", 300, time.Minute, quota.SourceIP())),
		authorizer.Require(authorizer.APIKey("X-Api-Key", keys)),
	)
	event := sample.HTTP("POST", "/orders").Header("X-Api-Key", "k-8f14e45fceea167a5a36").Event()
	out, err := h.Invoke(context.Background(), event.Bytes())
	fmt.Printf("%.18s %v\n", out, err)
	// Output: {"statusCode":202, <nil>
}

// The plan of the caller decides, which an authorizer has put into the grant.
func ExampleBy() {
	byPlan := func(plan string) quota.Key {
		return quota.By(func(ctx context.Context, _ *guard.Event) (string, error) {
			grant, ok := authorizer.GrantFrom(ctx)
			if !ok || grant.Context["plan"] != plan {
				return "", guard.Errorf(guard.Forbidden, "no_plan", "The account has no plan for this.")
			}
			return grant.Principal, nil
		})
	}
	gold := quota.Limit(idempotency.NewMemoryStore(), quota.FailClosed, quota.Allow("gold", 1000, time.Minute, byPlan("gold")))
	h := guard.Wrap(httpapi.Func(place), authorizer.Require(authorizer.APIKey("X-Api-Key", keys)), gold)
	_, err := h.Invoke(context.Background(), sample.HTTP("POST", "/orders").Header("X-Api-Key", "k-8f14e45fceea167a5a36").Event().Bytes())
	fmt.Println(err)
	// Output: no_plan: The account has no plan for this.
}

// The usage plans of a REST API are another kind of quota: the authorizer names the
// API key whose plan counts, see docs/quotas.md.
func Example_usagePlan() {
	h := authorizer.Policy(authorizer.APIKey("X-Api-Key", keys), authorizer.IdentitySources("method.request.header.X-Api-Key"))
	event := sample.Of(guard.Authorizer, "request").
		Set("/headers/X-Api-Key", "k-8f14e45fceea167a5a36").
		Set("/multiValueHeaders/X-Api-Key", []string{"k-8f14e45fceea167a5a36"})
	out, err := h.Invoke(context.Background(), event.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	var answer struct {
		UsageKey string `json:"usageIdentifierKey"`
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.UsageKey)
	// Output: planKeyOfTheShop0123456789
}
