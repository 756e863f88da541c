package guard_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
)

// invocation makes the context that aws-lambda-go passes to a handler, without a
// deadline.
func invocation(ctx context.Context, requestID string) context.Context {
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: requestID})
	//lint:ignore SA1029 the key that aws-lambda-go uses
	return context.WithValue(ctx, "x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
}

// answers is a handler with the same answer for everything.
func answers(out string, err error) lambda.Handler {
	return guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		return []byte(out), nil
	})
}

// httpEvent is an event of an HTTP API with a body, sent plain or as base64.
func httpEvent(body string, encoded bool) []byte {
	if encoded {
		body = base64.StdEncoding.EncodeToString([]byte(body))
	}
	// Only what JSON needs is escaped: the body may be invalid UTF-8.
	body = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(body)
	return fmt.Appendf(nil, `{"version":"2.0","routeKey":"POST /orders","rawPath":"/orders","headers":{"content-type":"application/json"},`+
		`"requestContext":{"http":{"method":"POST","path":"/orders","sourceIp":"192.0.2.1"}},"body":"%s","isBase64Encoded":%t}`, body, encoded)
}

// wantError checks what a caller may see of an error.
func wantError(t *testing.T, err error, kind guard.Kind, code string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s %s", kind, code)
	}
	if e := guard.Public(err); e.Kind != kind || e.Code != code {
		t.Errorf("%s %s (%v), want %s %s", e.Kind, e.Code, err, kind, code)
	}
}
