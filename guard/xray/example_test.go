package xray_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	sdk "github.com/aws/aws-xray-sdk-go/xray"
	"github.com/aws/aws-xray-sdk-go/xraylog"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/xray"
)

type order struct {
	ID string `json:"id"`
}

func placeOrder(_ context.Context, o order) (order, error) { return o, nil }

// The main function of a function behind an HTTP API, with the lines that the SDK
// would write into the log silenced.
func Example() {
	sdk.SetLogger(xraylog.NullLogger)
	log := logging.New(os.Stdout)
	guard.Start(httpapi.Func(placeOrder), xray.Trace(xray.Service("orders")), httpapi.Default(log))
}

// Every call of the client is a subsegment, if the handler passes its context on.
func ExampleInstrument() {
	cfg := aws.Config{Region: "eu-central-1"} // or config.LoadDefaultConfig
	xray.Instrument(&cfg)
	db := dynamodb.NewFromConfig(cfg)

	get := func(ctx context.Context, o order) (string, error) {
		out, err := db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(o.ID)})
		if err != nil {
			return "", err
		}
		return string(out.Table.TableStatus), nil
	}
	guard.Start(guard.Func(get), xray.Trace(), guard.Default(logging.New(os.Stdout)))
}

// A service that is called gets the trace, so that its own segments belong to it.
func ExampleClient() {
	service := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		fmt.Println(r.Header.Get("X-Amzn-Trace-Id"))
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("4.20"))}, nil
	})}
	client := xray.Client(service)

	price := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://prices.example/8f1c", nil)
		if err != nil {
			return nil, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		return io.ReadAll(resp.Body)
	})
	h := guard.Wrap(price, xray.Trace())
	out, err := h.Invoke(fromLambda("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"), []byte(`{}`))
	fmt.Println(string(out), err)
	// Output:
	// Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0
	// 4.20 <nil>
}

// fromLambda returns a context as the runtime makes it.
func fromLambda(header string) context.Context {
	//lint:ignore SA1029 the key is aws-lambda-go's
	return context.WithValue(context.Background(), "x-amzn-trace-id", header)
}

// A layer that asks has a subsegment of its own, which ends when the layer does.
func ExampleSubsegment() {
	slow := func(next lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			segment := sdk.GetSegment(ctx)
			fmt.Println(segment.Name, segment.TraceID)
			return next.Invoke(ctx, payload)
		})
	}
	h := guard.Wrap(guard.Func(placeOrder), xray.Trace(), xray.Subsegment("look up", slow))
	out, err := h.Invoke(fromLambda("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"), []byte(`{"id":"8f1c"}`))
	fmt.Println(string(out), err)
	// Output:
	// look up 1-5759e988-bd862e3fe1be46a994272793
	// {"id":"8f1c"} <nil>
}

// The records of the log have the ids of the trace.
func ExampleTrace() {
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case "trace_id", "span_id", "msg":
			return a
		}
		return slog.Attr{}
	}}))
	h := guard.Wrap(guard.Func(placeOrder), xray.Trace(), guard.Log(log))
	_, err := h.Invoke(fromLambda("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"), []byte(`{"id":"8f1c"}`))
	fmt.Println(err)
	// Output:
	// msg=invocation trace_id=5759e988bd862e3fe1be46a994272793 span_id=53995c3f42cd8ad8
	// <nil>
}
