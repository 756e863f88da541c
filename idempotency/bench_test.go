package idempotency_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// benchEvent is an event of an HTTP API as it is sent, of 1.1 kB, with a body
// of 160 bytes and a key of 36 characters.
func benchEvent(key string) []byte {
	const body = `{\"customer\":\"c-42\",\"items\":[{\"sku\":\"KB-101\",\"quantity\":2},{\"sku\":\"MS-204\",\"quantity\":1}],\"note\":\"ring twice, the bell is quiet\",\"total\":14990}`
	return []byte(`{"version":"2.0","routeKey":"POST /orders","rawPath":"/orders","rawQueryString":"","headers":{"accept":"*/*","content-length":"160",` +
		`"content-type":"application/json","host":"api.example.com","idempotency-key":"` + key + `","user-agent":"curl/8.5.0","x-amzn-trace-id":"Root=1-5759e988-bd862e3fe1be46a994272793",` +
		`"x-forwarded-for":"192.0.2.1","x-forwarded-port":"443","x-forwarded-proto":"https"},"requestContext":{"accountId":"123456789012","apiId":"api-id",` +
		`"domainName":"api.example.com","domainPrefix":"api","authorizer":{"jwt":{"claims":{"iss":"https://id.example.com","sub":"user-1"},"scopes":["orders:write"]}},` +
		`"http":{"method":"POST","path":"/orders","protocol":"HTTP/1.1","sourceIp":"192.0.2.1","userAgent":"curl/8.5.0"},"requestId":"JKJaXmPLvHcESHA=",` +
		`"routeKey":"POST /orders","stage":"$default","time":"12/Mar/2026:19:03:58 +0000","timeEpoch":1583348638390},"body":"` + body + `","isBase64Encoded":false}`)
}

func benchContext(b *testing.B) context.Context {
	ctx, cancel := context.WithTimeout(lambdacontext.NewContext(b.Context(), &lambdacontext.LambdaContext{AwsRequestID: "r"}), time.Hour)
	b.Cleanup(cancel)
	return ctx
}

type benchOrder struct {
	Customer string `json:"customer"`
	Items    []struct {
		SKU      string `json:"sku"`
		Quantity int    `json:"quantity"`
	} `json:"items"`
	Note  string `json:"note"`
	Total int    `json:"total"`
}

type benchReceipt struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Total  int    `json:"total"`
}

// placeOrder is a handler as it is without keys: it decodes the body, which is
// read once for all layers, and encodes an answer.
func placeOrder() lambda.Handler {
	return httpapi.Func(func(_ context.Context, o benchOrder) (benchReceipt, error) {
		return benchReceipt{ID: "0197f3a2-5555-7000-8000-000000000000", Status: "accepted", Total: o.Total}, nil
	})
}

// What Once adds to a request is the difference to bare. New keys go into a
// store that begins anew after 10 000: what a store of hundreds of thousands
// costs the garbage collector is not Once's. A replay does not run the handler.
func BenchmarkOnce(b *testing.B) {
	ctx := benchContext(b)
	run := func(name string, h lambda.Handler, event func() []byte) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.Invoke(ctx, event()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	template := benchEvent("0197f3a2-0000-7000-8000-000000000000")
	at := len(`0197f3a2-0000-7000-8000-`) + len(template[:indexOf(template, "0197f3a2-0000")])
	requests := 100_000_000_000 // of all runs, whose store is one
	fresh := func() []byte {    // the same memory each time, as the runtime does it
		requests++
		digits := strconv.AppendInt(make([]byte, 0, 16), int64(requests), 10)
		copy(template[at:], digits)
		return template
	}
	same := func() []byte { return template }
	once := func(opts ...idempotency.Option) guard.Middleware {
		return idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key"), opts...)
	}
	run("bare", guard.Wrap(placeOrder()), fresh)
	b.Run("new-key", func(b *testing.B) {
		b.ReportAllocs()
		h := guard.Wrap(placeOrder(), once())
		for i := 1; b.Loop(); i++ {
			if _, err := h.Invoke(ctx, fresh()); err != nil {
				b.Fatal(err)
			}
			if i%10_000 == 0 {
				h = guard.Wrap(placeOrder(), once())
			}
		}
	})
	run("replay", guard.Wrap(placeOrder(), once()), same)
	run("local-replay", guard.Wrap(placeOrder(), once(idempotency.LocalReplays(8))), same)
}

func indexOf(text []byte, part string) int {
	for i := range text {
		if string(text[i:i+len(part)]) == part {
			return i
		}
	}
	panic("not there")
}

func BenchmarkDo(b *testing.B) {
	ctx := benchContext(b)
	type order struct {
		Customer string
		Amount   int
	}
	op := idempotency.NewOperation("charge", idempotency.NewMemoryStore())
	charge := func(context.Context) (order, error) { return order{Customer: "c-42", Amount: 1}, nil }
	calls := 0
	for name, key := range map[string]func() string{
		"new-key": func() string { calls++; return fmt.Sprintf("k-%d", calls) },
		"replay":  func() string { return "k" },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := idempotency.Do(ctx, op, key(), order{Customer: "c-42", Amount: 1}, charge); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
