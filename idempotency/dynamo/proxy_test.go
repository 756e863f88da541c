package dynamo_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
)

// proxy stands between the client and the server.
type proxy struct{ *awsproxy.Proxy }

// mishap is what becomes of one request. Later ones pass.
type mishap func(p *proxy, w http.ResponseWriter, r *http.Request, body []byte)

func newProxy(t testing.TB, upstream string) *proxy {
	t.Helper()
	return &proxy{Proxy: awsproxy.New(t, upstream)}
}

// next has the coming requests of an operation meet these mishaps, in turn.
func (p *proxy) next(operation string, mishaps ...mishap) {
	for _, m := range mishaps {
		p.Next(operation, func(w http.ResponseWriter, r *http.Request, body []byte) { m(p, w, r, body) })
	}
}

// lose applies the request and drops the connection instead of an answer.
func lose(p *proxy, _ http.ResponseWriter, r *http.Request, body []byte) {
	_, _ = p.Forward(r, body)
	panic(http.ErrAbortHandler)
}

// drop is a request that never arrives.
func drop(_ *proxy, w http.ResponseWriter, r *http.Request, body []byte) { awsproxy.Drop(w, r, body) }

// hang is a request that arrives nowhere, and of which nobody hears again.
func hang(_ *proxy, w http.ResponseWriter, r *http.Request, body []byte) { awsproxy.Hang(w, r, body) }

// refuse answers with an error of DynamoDB's.
func refuse(status int, code, message string) mishap {
	return func(_ *proxy, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": "com.amazonaws.dynamodb.v20120810#" + code, "message": message})
	}
}

var (
	throttle     = refuse(400, "ProvisionedThroughputExceededException", "The level of configured provisioned throughput for the table was exceeded.")
	throttleAll  = refuse(400, "ThrottlingException", "Rate exceeded")
	failInternal = refuse(500, "InternalServerError", "The request processing has failed because of an unknown error.")
)

// forget answers a failed condition without the item, as older engines do.
func forget(p *proxy, w http.ResponseWriter, r *http.Request, body []byte) {
	edited(p, w, r, body, func(answer map[string]any) { delete(answer, "Item") })
}

// edited passes an answer on that is not quite the server's.
func edited(p *proxy, w http.ResponseWriter, r *http.Request, body []byte, edit func(answer map[string]any)) {
	reply, err := p.Forward(r, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	var answer map[string]any
	if json.Unmarshal(reply.Body, &answer) == nil {
		edit(answer)
		reply.Body, _ = json.Marshal(answer)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body)
}

// hasty is a client that retries at once and not for long.
func hasty(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.Backoff = retry.BackoffDelayerFunc(noDelay)
		o.RateLimiter = unlimited{}
	})
}

func noDelay(int, error) (time.Duration, error) { return 0, nil }

// unlimited lets every retry go.
type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (unlimited) AddTokens(uint) error { return nil }
