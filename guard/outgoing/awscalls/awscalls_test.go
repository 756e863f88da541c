package awscalls_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/outgoing/awscalls"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

const (
	root   = "1-5759e988-bd862e3fe1be46a994272793"
	header = "Root=" + root + ";Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:0"
)

// serve returns the address of a service that keeps the tracing headers, by the name of
// the queue.
func serve(t *testing.T) (url string, sent *sync.Map) {
	t.Helper()
	sent = new(sync.Map)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent.Store(r.Header.Get("X-Queue"), r.Header.Values("X-Amzn-Trace-Id"))
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = fmt.Fprint(w, `{"QueueUrl":"x","TableNames":[]}`)
	}))
	t.Cleanup(server.Close)
	return server.URL, sent
}

// named sends the name of the queue where the server sees it.
func named(name, trace string) func(*sqs.Options) {
	return sqs.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Build.Add(middleware.BuildMiddlewareFunc("test", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
			r := in.Request.(*smithyhttp.Request)
			r.Header.Set("X-Queue", name)
			if trace != "" {
				r.Header.Set("X-Amzn-Trace-Id", trace)
			}
			return next.HandleBuild(ctx, in)
		}), middleware.Before)
	})
}

func TestACallSendsTheTraceOfItsContext(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
	t.Setenv("_X_AMZN_TRACE_ID", "Root=1-00000000-00000000000000000000000a;Parent=000000000000000b;Sampled=1") // of another invocation
	url, sent := serve(t)
	cfg := awstest.Config(url)
	bare := sqs.NewFromConfig(cfg)
	awscalls.Instrument(&cfg)
	awscalls.Instrument(&cfg)
	client := sqs.NewFromConfig(cfg)
	for _, tc := range []struct {
		rule        string
		client      *sqs.Client
		ctx, set    string
		trace, span string // of layer.SetTrace
		want        string
	}{
		{rule: "the SDK alone", client: bare, ctx: header, want: "Root=1-00000000-00000000000000000000000a;Parent=000000000000000b;Sampled=1"},
		{rule: "Lambda's header", ctx: header, want: header},
		{rule: "a lineage as the SDK encodes it", ctx: "Root=" + root + ";Lineage=a87bd80c:0|68fd508a:5", want: "Root=" + root + ";Lineage=a87bd80c:0%7C68fd508a:5"},
		{rule: "a span of the trace", ctx: header, trace: "5759e988bd862e3fe1be46a994272793", span: "b7ad6b7169203331", want: "Root=" + root + ";Parent=b7ad6b7169203331;Sampled=0;Lineage=1:a87bd80c:0"},
		{rule: "a header that is set", ctx: header, set: "Root=mine", want: "Root=mine"},
		{rule: "junk", ctx: header + "\r\nX-Evil: 1;" + strings.Repeat("a", 10_000), want: "Root=" + root + ";Parent=53995c3f42cd8ad8;Sampled=1"},
		{rule: "nothing in the context", want: "Root=1-00000000-00000000000000000000000a;Parent=000000000000000b;Sampled=1"},
	} {
		c := tc.client
		if c == nil {
			c = client
		}
		ctx := t.Context()
		if tc.ctx != "" {
			//lint:ignore SA1029 the key that aws-lambda-go uses
			ctx = context.WithValue(ctx, "x-amzn-trace-id", tc.ctx)
		}
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			layer.SetTrace(ctx, tc.trace, tc.span, false)
			_, err := c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &tc.rule}, named(tc.rule, tc.set))
			return nil, err
		}))
		if _, err := h.Invoke(ctx, nil); err != nil {
			t.Fatal(err)
		}
		got, _ := sent.Load(tc.rule)
		if values, _ := got.([]string); len(values) != 1 || values[0] != tc.want {
			t.Errorf("%s: got %q, want %q", tc.rule, values, tc.want)
		}
	}
}

// SECURITY: Kept apart.
func TestManyInvocationsAtOnceMixNothing(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
	t.Setenv("_X_AMZN_TRACE_ID", "Root=1-00000000-00000000000000000000000a")
	url, sent := serve(t)
	cfg := awstest.Config(url)
	awscalls.Instrument(&cfg)
	client := sqs.NewFromConfig(cfg)
	var done sync.WaitGroup
	for i := range 64 {
		done.Go(func() {
			name, want := fmt.Sprint("queue-", i), fmt.Sprintf("Root=1-5759e988-%024x;Parent=%016x;Sampled=1", i+1, i+1)
			//lint:ignore SA1029 the key that aws-lambda-go uses
			ctx := context.WithValue(t.Context(), "x-amzn-trace-id", want)
			for range 5 {
				if _, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name}, named(name, "")); err != nil {
					t.Error(err)
				}
				if got, _ := sent.Load(name); fmt.Sprint(got) != fmt.Sprint([]string{want}) {
					t.Errorf("got %v, want %s", got, want)
				}
			}
		})
	}
	done.Wait()
}

func TestEveryClientOfAConfigIsInstrumented(t *testing.T) {
	url, sent := serve(t)
	cfg := awstest.Config(url)
	copied := cfg
	awscalls.Instrument(&cfg)
	//lint:ignore SA1029 the key that aws-lambda-go uses
	ctx := context.WithValue(t.Context(), "x-amzn-trace-id", header)
	for rule, tc := range map[string]struct {
		cfg  aws.Config
		want []string
	}{"that config": {cfg, []string{header}}, "a copy from before": {copied, nil}} {
		if _, err := dynamodb.NewFromConfig(tc.cfg).ListTables(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if got, _ := sent.Load(""); fmt.Sprint(got) != fmt.Sprint(tc.want) {
			t.Errorf("%s: got %v, want %v", rule, got, tc.want)
		}
	}
}

func TestANilConfigPanics(t *testing.T) {
	defer func() {
		if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "awscalls: ") {
			t.Errorf("got %q, want a panic", text)
		}
	}()
	awscalls.Instrument(nil)
}
