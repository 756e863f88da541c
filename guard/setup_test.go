package guard_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// invocation makes the context that aws-lambda-go gives a handler, without a
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

// A logbook is what a logger has written.
type logbook struct{ bytes.Buffer }

func newLog() (*slog.Logger, *logbook) {
	b := new(logbook)
	return guard.NewLogger(b), b
}

// records reads the lines, of which each must be one strict JSON object.
func (b *logbook) records(t *testing.T) []map[string]any {
	t.Helper()
	var records []map[string]any
	for line := range strings.Lines(b.String()) {
		tree, err := strictjson.Tree([]byte(line))
		record, ok := tree.(map[string]any)
		if err != nil || !ok {
			t.Fatalf("not a JSON object: %v in %s", err, line)
		}
		records = append(records, record)
	}
	return records
}

// only is the one record that there must be.
func (b *logbook) only(t *testing.T) map[string]any {
	t.Helper()
	records := b.records(t)
	if len(records) != 1 {
		t.Fatalf("%d records, want one:\n%s", len(records), b.String())
	}
	return records[0]
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
