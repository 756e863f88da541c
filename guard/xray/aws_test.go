package xray_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/lambdarmor/lambdarmor/guard/xray"
)

// connect returns the real client of a server, instrumented.
func connect(url string, opts ...func(*dynamodb.Options)) *dynamodb.Client {
	cfg := aws.Config{
		Region:       "eu-central-1",
		BaseEndpoint: &url,
		Credentials:  credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}
	xray.Instrument(&cfg)
	return dynamodb.NewFromConfig(cfg, opts...)
}

var tables atomic.Int64 // so that each run of a test has its own

func TestACallOfAnAWSClientIsASubsegment(t *testing.T) {
	client := connect(servers.DynamoDB(t).URL())
	table := aws.String(fmt.Sprintf("orders-%d", tables.Add(1)))
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{ // outside an invocation it is as it was
		TableName:            table,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	put := &dynamodb.PutItemInput{
		TableName: table, Item: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "hunter2"}},
		ConditionExpression: aws.String("attribute_not_exists(id)"),
	}
	d := startDaemon(t)
	got := traced(t, d, sampled, func(ctx context.Context) {
		if _, err := client.PutItem(ctx, put); err != nil {
			t.Error(err)
		}
		if _, err := client.PutItem(ctx, put); err == nil {
			t.Error("want the condition to fail")
		}
	})
	if len(got.Subsegments) != 2 || strings.Contains(got.text, "hunter2") {
		t.Fatalf("got %s, want two calls and nothing of the item", got.text)
	}
	for i, want := range []outcome{{}, {error: true}} {
		call := got.Subsegments[i]
		if call.Name != "DynamoDB" || call.Namespace != "aws" || call.ParentID != got.ID || outcomeOf(call) != want {
			t.Errorf("got %s, want call %d with %+v", got.text, i, want)
		}
		status := 200.
		if want.error {
			status = 400
		}
		if call.AWS["operation"] != "PutItem" || call.AWS["region"] != "eu-central-1" || call.HTTP["response"]["status"] != status {
			t.Errorf("got %s, want the operation, the region and %v", got.text, status)
		}
	}
	if x := got.Subsegments[1].Cause.Exceptions; len(x) != 1 || x[0].Type != "ConditionalCheckFailedException" || x[0].Message != "" {
		t.Errorf("got %s, want the code of the error and no text", got.text)
	}
}

func TestAWSCallsAreMarkedAndSendTheHeader(t *testing.T) {
	// The AWS SDK would take that of another invocation.
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
	t.Setenv("_X_AMZN_TRACE_ID", "Root=1-00000000-111111111111111111111111;Parent=2222222222222222;Sampled=1")
	for name, c := range map[string]struct {
		status int
		code   string
		body   string
		want   outcome
		cause  string
		noHTTP bool
	}{
		"works":      {status: 200, body: `{}`},
		"denied":     {status: 400, code: "AccessDeniedException", want: outcome{error: true}, cause: "AccessDeniedException"},
		"throttled":  {status: 400, code: "ProvisionedThroughputExceededException", want: outcome{error: true, throttle: true}, cause: "ProvisionedThroughputExceededException"},
		"too many":   {status: 429, code: "Other", want: outcome{error: true, throttle: true}, cause: "Other"},
		"fails":      {status: 500, code: "InternalServerError", want: outcome{fault: true}, cause: "InternalServerError"},
		"unreadable": {status: 200, body: `{`, want: outcome{fault: true}, cause: "http.ResponseError"},
		"unusual":    {status: 400, code: "a,b" + strings.Repeat("x", 1000), want: outcome{error: true}, cause: "a_b" + strings.Repeat("x", 197)},
		"no answer":  {want: outcome{fault: true}, cause: "retry.MaxAttemptsError", noHTTP: true},
	} {
		var header atomic.Value
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header.Store(r.Header.Get("X-Amzn-Trace-Id"))
			if c.noHTTP {
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("X-Amzn-RequestId", "request")
			w.WriteHeader(c.status)
			if c.body != "" {
				fmt.Fprint(w, c.body)
				return
			}
			fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"hunter2"}`, c.code)
		}))
		defer server.Close()
		client := connect(server.URL, func(o *dynamodb.Options) {
			o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 2, time.Nanosecond })
			o.DisableValidateResponseChecksum = true
		})
		d := startDaemon(t)
		call := func(ctx context.Context) { _, _ = client.ListTables(ctx, &dynamodb.ListTablesInput{}) }
		got := traced(t, d, sampled+";Lineage=1:12326a9d:0", call)
		if len(got.Subsegments) != 1 || outcomeOf(got.Subsegments[0]) != c.want || strings.Contains(got.text, "hunter2") {
			t.Errorf("%s: got %s, want %+v", name, got.text, c.want)
			continue
		}
		sub := got.Subsegments[0]
		if want := "Root=" + root + ";Parent=" + sub.ID + ";Sampled=1;Lineage=1:12326a9d:0"; header.Load() != want {
			t.Errorf("%s: got the header %s, want %s", name, header.Load(), want)
		}
		if !c.noHTTP && sub.AWS["request_id"] != "request" {
			t.Errorf("%s: got %v, want the request id", name, sub.AWS)
		}
		if c.cause != "" && (len(sub.Cause.Exceptions) != 1 || sub.Cause.Exceptions[0].Type != c.cause) {
			t.Errorf("%s: got %s, want the cause %s", name, got.text, c.cause)
		}
	}
}

func TestAnAWSCallThatPanicsIsAFault(t *testing.T) {
	client := connect("http://192.0.2.1", func(o *dynamodb.Options) {
		o.HTTPClient = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { panic("hunter2") })}
	})
	d := startDaemon(t)
	got := traced(t, d, sampled, func(ctx context.Context) {
		defer func() { _ = recover() }()
		_, _ = client.ListTables(ctx, &dynamodb.ListTablesInput{})
	})
	if len(got.Subsegments) != 1 || outcomeOf(got.Subsegments[0]) != (outcome{fault: true}) || got.InProgress {
		t.Errorf("got %s, want the call as a fault", got.text)
	}
}

func TestInstrumentLeavesOtherConfigsAlone(t *testing.T) {
	called := false
	cfg := aws.Config{APIOptions: make([]func(*middleware.Stack) error, 0, 8)}
	other := cfg
	other.APIOptions = append(other.APIOptions, func(*middleware.Stack) error { called = true; return nil })
	xray.Instrument(&cfg)
	if err := other.APIOptions[0](nil); err != nil || !called || len(cfg.APIOptions) != 1 {
		t.Error("want each config with options of its own")
	}
}

func TestInstrumentTwiceIsAsGoodAsOnce(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }))
	defer server.Close()
	client := connect(server.URL, func(o *dynamodb.Options) {
		o.DisableValidateResponseChecksum = true
		cfg := aws.Config{APIOptions: o.APIOptions}
		xray.Instrument(&cfg)
		o.APIOptions = cfg.APIOptions
	})
	got := traced(t, startDaemon(t), sampled, func(ctx context.Context) {
		if _, err := client.ListTables(ctx, &dynamodb.ListTablesInput{}); err != nil {
			t.Error(err)
		}
	})
	if len(got.Subsegments) != 1 || len(got.Subsegments[0].Subsegments) != 0 {
		t.Errorf("got %s, want one subsegment of one call", got.text)
	}
}

func TestALineageIsSentAsTheAWSSDKDoes(t *testing.T) {
	header := sampled + ";Lineage=a87bd80c:0|68fd508a:5"
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
	t.Setenv("_X_AMZN_TRACE_ID", header)
	var sent []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, lineage, _ := strings.Cut(r.Header.Get("X-Amzn-Trace-Id"), ";Lineage=")
		sent = append(sent, lineage)
		fmt.Fprint(w, `{}`)
	}))
	defer server.Close()
	client := connect(server.URL, func(o *dynamodb.Options) { o.DisableValidateResponseChecksum = true })
	call := func(ctx context.Context) {
		if _, err := client.ListTables(ctx, &dynamodb.ListTablesInput{}); err != nil {
			t.Error(err)
		}
	}
	call(t.Context()) // by the AWS SDK itself
	traced(t, startDaemon(t), header, call)
	if len(sent) != 2 || sent[0] == "" || sent[0] != sent[1] {
		t.Errorf("got %q, want the same twice", sent)
	}
}

// As the AWS SDK's presigners do, whose stacks have no step that reads an answer.
func TestAPresignedRequestIsNoCall(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "")
	var sent string
	client := connect("http://192.0.2.1", func(o *dynamodb.Options) {
		presign := func(stack *middleware.Stack) error {
			stack.Finalize.Clear()
			stack.Deserialize.Clear()
			return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Presign", func(
				_ context.Context, in middleware.FinalizeInput, _ middleware.FinalizeHandler,
			) (middleware.FinalizeOutput, middleware.Metadata, error) {
				sent = in.Request.(*smithyhttp.Request).Header.Get("X-Amzn-Trace-Id")
				return middleware.FinalizeOutput{Result: &dynamodb.ListTablesOutput{}}, middleware.Metadata{}, nil
			}), middleware.After)
		}
		o.APIOptions = slices.Insert(o.APIOptions, 0, presign)
	})
	got := traced(t, startDaemon(t), sampled, func(ctx context.Context) {
		if _, err := client.ListTables(ctx, &dynamodb.ListTablesInput{}); err != nil {
			t.Error(err)
		}
	})
	if len(got.Subsegments) != 0 || sent != "" {
		t.Errorf("got %s and the header %q, want neither a subsegment nor a header", got.text, sent)
	}
}
