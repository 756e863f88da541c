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

var benchAnswer = []byte(`{"statusCode":201,"headers":{"content-type":"application/json","location":"/orders/0197f3a2"},` +
	`"body":"{\"id\":\"0197f3a2\",\"status\":\"accepted\",\"total\":{\"amount\":\"149.90\",\"currency\":\"EUR\"}}","isBase64Encoded":false}`)

func benchContext(b *testing.B) context.Context {
	ctx, cancel := context.WithTimeout(lambdacontext.NewContext(b.Context(), &lambdacontext.LambdaContext{AwsRequestID: "r"}), time.Hour)
	b.Cleanup(cancel)
	return ctx
}

// reads is a handler as it is without keys: it reads the request, which its
// layers share with Once.
var reads = guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
	ev := guard.EventOf(ctx, payload)
	if _, err := ev.HTTP(); err != nil {
		return nil, err
	}
	if _, err := ev.Body(); err != nil {
		return nil, err
	}
	return benchAnswer, nil
})

// reading is a layer that reads the request first, as any other that looks at
// it does.
func reading(next lambda.Handler) lambda.Handler {
	return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		if _, err := reads.Invoke(ctx, payload); err != nil {
			return nil, err
		}
		return next.Invoke(ctx, payload)
	})
}

// What Once adds to a request is the difference to bare. New keys go into one
// store that grows; a replay does not run the handler at all.
func BenchmarkOnce(b *testing.B) {
	ctx := benchContext(b)
	run := func(name string, h lambda.Handler, event func(i int) []byte) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := h.Invoke(ctx, event(i)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	template := benchEvent("0197f3a2-0000-7000-8000-000000000000")
	at := len(`0197f3a2-0000-7000-8000-`) + len(template[:indexOf(template, "0197f3a2-0000")])
	fresh := func(i int) []byte { // the same memory each time, as the runtime does it
		digits := strconv.AppendInt(make([]byte, 0, 16), int64(100_000_000_000+i), 10)
		copy(template[at:], digits)
		return template
	}
	same := func(int) []byte { return template }
	once := func(opts ...idempotency.Option) guard.Middleware {
		return idempotency.Once(idempotency.NewMemoryStore(), idempotency.Header("Idempotency-Key"), opts...)
	}
	run("bare", guard.Wrap(reads, reading), fresh)
	run("new-key", guard.Wrap(reads, reading, once()), fresh)
	run("replay", guard.Wrap(reads, reading, once()), same)
	run("local-replay", guard.Wrap(reads, reading, once(idempotency.LocalReplays(8))), same)
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
	charge := func(context.Context) (order, error) { return order{"c-42", 1}, nil }
	for name, key := range map[string]func(i int) string{
		"new-key": func(i int) string { return fmt.Sprintf("k-%d", i) },
		"replay":  func(int) string { return "k" },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := idempotency.Do(ctx, op, key(i), order{"c-42", 1}, charge); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
