package idempotency_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// request is an HTTP request of an HTTP API.
type request struct {
	method, route, path string // POST, "POST /orders", /orders
	key                 string // of the header; "" sends none
	body                string
	authorizer          string // JSON
}

var requests atomic.Int64

func (r request) event() []byte {
	if r.method == "" {
		r.method = "POST"
	}
	if r.path == "" {
		r.path = "/orders"
	}
	if r.route == "" {
		r.route = r.method + " " + r.path
	}
	if r.body == "" {
		r.body = `{"sku":"KB-101","quantity":2}`
	}
	headers := map[string]string{"content-type": "application/json"}
	if r.key != "" {
		headers["idempotency-key"] = r.key
	}
	authorizer := ""
	if r.authorizer != "" {
		authorizer = `,"authorizer":` + r.authorizer
	}
	n := requests.Add(1) // what differs between two deliveries of one request
	return fmt.Appendf(nil, `{"version":"2.0","routeKey":%s,"rawPath":%s,"rawQueryString":"","headers":%s,`+
		`"requestContext":{"accountId":"123456789012","requestId":"r-%d","timeEpoch":%d,"http":{"method":%s,"path":%s,"sourceIp":"192.0.2.1"}%s},`+
		`"body":%s,"isBase64Encoded":false}`,
		quote(r.route), quote(r.path), quote(headers), n, n, quote(r.method), quote(r.path), authorizer, quote(r.body))
}

// quote returns v as JSON.
func quote(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// answering is a handler with one answer.
func answering(answer string) lambda.Handler {
	return guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(answer), nil })
}

func find(key idempotency.KeyFunc, event []byte) (string, error) {
	return key(context.Background(), guard.EventOf(context.Background(), event))
}

// keyOf returns the key in a header.
func keyOf(value string) (string, error) {
	return find(idempotency.Header("Idempotency-Key"), request{key: value}.event())
}

// spy is a store that remembers claims.
type spy struct {
	idempotency.Store
	claims []idempotency.Record
}

func (s *spy) Claim(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	s.claims = append(s.claims, r)
	return s.Store.Claim(ctx, r)
}
