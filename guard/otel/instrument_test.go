package otel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/otel"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// cloud answers requests of any service, and keeps their tracing headers.
type cloud struct {
	cfg   aws.Config
	spans *tracetest.SpanRecorder
	tp    *sdktrace.TracerProvider

	mu      sync.Mutex
	headers []string
}

func newCloud(t testing.TB, answer http.HandlerFunc) *cloud {
	t.Helper()
	c := new(cloud)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.headers = append(c.headers, r.Header.Get("X-Amzn-Trace-Id"))
		c.mu.Unlock()
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Amzn-Requestid", "r-1")
		w.Header().Set("X-Amz-Request-Id", "r-1") // of S3
		w.Header().Set("X-Amz-Id-2", "x-1")
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	c.tp, c.spans = recorded(t)
	c.cfg = awstest.Config(server.URL)
	return c
}

func (c *cloud) header() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.headers[len(c.headers)-1]
}

func saying(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

var key = map[string]dynamotypes.AttributeValue{"id": &dynamotypes.AttributeValueMemberS{Value: "secret"}}

// Each span has what its call is about, and nothing of keys and values: each of these
// inputs has the word secret in it wherever that can be.
func TestASpanSaysWhatItsCallIsAbout(t *testing.T) {
	secret := aws.String("secret")
	put := func(table string) dynamotypes.TransactWriteItem {
		return dynamotypes.TransactWriteItem{Put: &dynamotypes.Put{TableName: &table, Item: key}}
	}
	const queue = `"aws.sqs.queue.url":"https://sqs.eu-central-1.amazonaws.com/1/orders","messaging.destination.name":"orders","messaging.system":"aws_sqs"`
	const topic = `"aws.sns.topic.arn":"arn:aws:sns:eu-central-1:1:placed","messaging.destination.name":"placed","messaging.system":"aws.sns"`
	queueURL, topicARN := aws.String("https://sqs.eu-central-1.amazonaws.com/1/orders"), aws.String("arn:aws:sns:eu-central-1:1:placed")
	for _, c := range []struct {
		name   string
		answer string
		kind   trace.SpanKind // client if none
		call   func(context.Context, aws.Config) error
		want   string // some of the attributes, as members of JSON
	}{
		{
			name: "DynamoDB.PutItem", answer: "{}", want: `"aws.dynamodb.table_names":["orders"],"db.system.name":"aws.dynamodb"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				_, err := dynamodb.NewFromConfig(cfg).PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: key})
				return err
			},
		},
		{
			name: "DynamoDB.BatchGetItem", answer: "{}", want: `"aws.dynamodb.table_names":["a","b"],"db.system.name":"aws.dynamodb"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				keys := dynamotypes.KeysAndAttributes{Keys: []map[string]dynamotypes.AttributeValue{key}}
				_, err := dynamodb.NewFromConfig(cfg).BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]dynamotypes.KeysAndAttributes{"b": keys, "a": keys}})
				return err
			},
		},
		{
			name: "DynamoDB.BatchWriteItem", answer: "{}", want: `"aws.dynamodb.table_names":["a"],"db.system.name":"aws.dynamodb"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				write := dynamotypes.WriteRequest{PutRequest: &dynamotypes.PutRequest{Item: key}}
				_, err := dynamodb.NewFromConfig(cfg).BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]dynamotypes.WriteRequest{"a": {write}}})
				return err
			},
		},
		{
			name: "DynamoDB.TransactWriteItems", answer: "{}", want: `"aws.dynamodb.table_names":["a","b","c","d"],"db.system.name":"aws.dynamodb"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				_, err := dynamodb.NewFromConfig(cfg).TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []dynamotypes.TransactWriteItem{
					put("b"), put("a"), put("b"),
					{ConditionCheck: &dynamotypes.ConditionCheck{TableName: aws.String("c"), Key: key, ConditionExpression: secret}},
					{Delete: &dynamotypes.Delete{TableName: aws.String("d"), Key: key}},
				}})
				return err
			},
		},
		{
			name: "DynamoDB.TransactGetItems", answer: "{}", want: `"aws.dynamodb.table_names":["a"],"db.system.name":"aws.dynamodb"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				_, err := dynamodb.NewFromConfig(cfg).TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{
					TransactItems: []dynamotypes.TransactGetItem{{Get: &dynamotypes.Get{TableName: aws.String("a"), Key: key}}},
				})
				return err
			},
		},
		{
			name: "DynamoDB.ListTables", answer: "{}", want: `"db.system.name":"aws.dynamodb"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				_, err := dynamodb.NewFromConfig(cfg).ListTables(ctx, nil)
				return err
			},
		},
		{
			name: "SQS.SendMessage", answer: `{"MessageId":"m-1","MD5OfMessageBody":"5ebe2294ecd0e0f08eab7690d2a6ee69"}`, kind: trace.SpanKindProducer,
			want: queue + `,"messaging.message.id":"m-1","messaging.operation.name":"send","messaging.operation.type":"send"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				_, err := sqs.NewFromConfig(cfg).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queueURL, MessageBody: secret, MessageGroupId: secret})
				return err
			},
		},
		{
			name: "SQS.SendMessageBatch", answer: `{}`, kind: trace.SpanKindProducer,
			want: queue + `,"messaging.batch.message_count":2,"messaging.operation.name":"send","messaging.operation.type":"send"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				e := sqstypes.SendMessageBatchRequestEntry{Id: secret, MessageBody: secret}
				_, err := sqs.NewFromConfig(cfg).SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: queueURL, Entries: []sqstypes.SendMessageBatchRequestEntry{e, e}})
				return err
			},
		},
		{
			name: "SQS.ReceiveMessage", answer: `{}`, want: queue + `,"messaging.operation.name":"receive","messaging.operation.type":"receive"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				_, err := sqs.NewFromConfig(cfg).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queueURL})
				return err
			},
		},
		{
			name: "SQS.DeleteMessageBatch", answer: `{}`,
			want: queue + `,"messaging.batch.message_count":1,"messaging.operation.name":"delete","messaging.operation.type":"settle"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				e := sqstypes.DeleteMessageBatchRequestEntry{Id: secret, ReceiptHandle: secret}
				_, err := sqs.NewFromConfig(cfg).DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: queueURL, Entries: []sqstypes.DeleteMessageBatchRequestEntry{e}})
				return err
			},
		},
		{
			name: "SQS.ChangeMessageVisibility", answer: `{}`, want: queue + `,"messaging.operation.name":"change_visibility","messaging.operation.type":"settle"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				_, err := sqs.NewFromConfig(cfg).ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: queueURL, ReceiptHandle: secret, VisibilityTimeout: 1})
				return err
			},
		},
		{
			name: "SNS.Publish", kind: trace.SpanKindProducer,
			answer: `<PublishResponse><PublishResult><MessageId>m-2</MessageId></PublishResult></PublishResponse>`,
			want:   topic + `,"messaging.message.id":"m-2","messaging.operation.name":"publish","messaging.operation.type":"send"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				_, err := sns.NewFromConfig(cfg).Publish(ctx, &sns.PublishInput{TopicArn: topicARN, Message: secret, Subject: secret})
				return err
			},
		},
		{
			name: "SNS.Publish", kind: trace.SpanKindProducer, // a text message
			answer: `<PublishResponse><PublishResult></PublishResult></PublishResponse>`,
			want:   `"messaging.operation.name":"publish","messaging.operation.type":"send","messaging.system":"aws.sns"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				_, err := sns.NewFromConfig(cfg).Publish(ctx, &sns.PublishInput{PhoneNumber: secret, Message: secret})
				return err
			},
		},
		{
			name: "SNS.PublishBatch", answer: `<PublishBatchResponse><PublishBatchResult/></PublishBatchResponse>`, kind: trace.SpanKindProducer,
			want: topic + `,"messaging.batch.message_count":1,"messaging.operation.name":"publish","messaging.operation.type":"send"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				_, err := sns.NewFromConfig(cfg).PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: topicARN, PublishBatchRequestEntries: []snstypes.PublishBatchRequestEntry{{Id: secret, Message: secret}}})
				return err
			},
		},
		{
			name: "S3.PutObject", want: `"aws.s3.bucket":"receipts"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				_, err := s3.NewFromConfig(cfg, pathStyle).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("receipts"), Key: secret, Body: strings.NewReader("secret")})
				return err
			},
		},
		{
			name: "Lambda.Invoke", answer: `"secret"`, want: `"faas.invoked_name":"bill","faas.invoked_provider":"aws","faas.invoked_region":"eu-central-1"`,
			call: func(ctx context.Context, cfg aws.Config) error {
				_, err := lambda.NewFromConfig(cfg).Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("arn:aws:lambda:eu-central-1:1:function:bill:live"), Payload: []byte(`"secret"`)})
				return err
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCloud(t, saying(200, c.answer))
			otel.Instrument(&cl.cfg, cl.tp)
			if err := c.call(t.Context(), cl.cfg); err != nil {
				t.Fatal(err)
			}
			spans := cl.spans.Ended()
			if len(spans) != 1 || spans[0].Name() != c.name || spans[0].SpanKind() != max(c.kind, trace.SpanKindClient) {
				t.Fatalf("got %d spans, want one named %s", len(spans), c.name)
			}
			all := values(spans[0].Attributes())
			port := all["server.port"]
			service, method, _ := strings.Cut(c.name, ".")
			want := map[string]any{}
			for _, common := range []string{"rpc.system", "rpc.system.name", "rpc.service", "rpc.method", "cloud.region", "server.address", "server.port", "http.response.status_code", "aws.request_id", "aws.extended_request_id"} {
				want[common] = all[common]
				delete(all, common)
			}
			if got, want := asJSON(t, want), fmt.Sprintf(`{"aws.extended_request_id":"x-1","aws.request_id":"r-1","cloud.region":"eu-central-1","http.response.status_code":200,`+
				`"rpc.method":%q,"rpc.service":%q,"rpc.system":"aws-api","rpc.system.name":"aws-api","server.address":"127.0.0.1","server.port":%d}`, method, service, port); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if port.(int64) == 0 {
				t.Error("got no port")
			}
			if got := strings.Trim(asJSON(t, all), "{}"); sortedMembers(got) != sortedMembers(c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// sortedMembers sorts the members of an object without nesting but lists.
func sortedMembers(text string) string {
	members := strings.Split(text, `,"`)
	for i, m := range members {
		members[i] = strings.TrimPrefix(m, `"`)
	}
	slices.Sort(members)
	return strings.Join(members, " ")
}

func pathStyle(o *s3.Options) { o.UsePathStyle = true }

func putItem(ctx context.Context, cfg aws.Config) error {
	_, err := dynamodb.NewFromConfig(cfg).PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: key})
	return err
}

// The attempts of a call are in one span, with the error's code and not its text.
func TestASpanSaysHowItsCallFailed(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, end := context.WithDeadline(t.Context(), aws.ToTime(nil))
	defer end()
	for _, c := range []struct {
		name    string
		ctx     context.Context
		answers []http.HandlerFunc // the last one repeats
		more    func(*aws.Config)
		want    string // error.type
		status  any
		resends any
	}{
		{name: "it does not", answers: []http.HandlerFunc{saying(200, "{}")}, status: int64(200)},
		{
			name: "refused", answers: []http.HandlerFunc{saying(400, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"secret"}`)},
			want: "ConditionalCheckFailedException", status: int64(400),
		},
		{
			name: "throttled once", answers: []http.HandlerFunc{saying(400, `{"__type":"ThrottlingException","message":"secret"}`), saying(200, "{}")},
			status: int64(200), resends: int64(1),
		},
		{
			name: "down", answers: []http.HandlerFunc{saying(500, `{"__type":"InternalServerError","message":"secret"}`)},
			want: "InternalServerError", status: int64(500), resends: int64(2),
		},
		{
			name: "a code that is none", answers: []http.HandlerFunc{saying(400, `{"__type":"you <secret> `+strings.Repeat("x", 9000)+`"}`)},
			want: "_OTHER", status: int64(400),
		},
		{
			name: "no answer", answers: []http.HandlerFunc{func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
			want: "*http.RequestSendError", resends: int64(2),
		},
		{
			name: "no JSON", answers: []http.HandlerFunc{saying(200, `secret`)},
			want: "*smithy.DeserializationError", status: int64(200),
		},
		{
			name: "no credentials", want: "_OTHER",
			more: func(cfg *aws.Config) {
				cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("secret") })
			},
		},
		{
			name: "no credentials for a reason that has a type", want: "*fs.PathError",
			more: func(cfg *aws.Config) {
				cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{}, fmt.Errorf("secret: %w", &fs.PathError{Op: "open", Path: "secret", Err: fs.ErrNotExist})
				})
			},
		},
		{name: "a bad address", want: "_OTHER", more: func(cfg *aws.Config) { cfg.BaseEndpoint = aws.String(":secret") }},
		{name: "canceled", ctx: canceled, answers: []http.HandlerFunc{saying(200, "{}")}, want: "canceled"},
		{name: "late", ctx: late, answers: []http.HandlerFunc{saying(200, "{}")}, want: "timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCloud(t, func(w http.ResponseWriter, r *http.Request) {
				answer := c.answers[0]
				if len(c.answers) > 1 {
					c.answers = c.answers[1:]
				}
				answer(w, r)
			})
			if c.more != nil {
				c.more(&cl.cfg)
			}
			otel.Instrument(&cl.cfg, cl.tp)
			ctx := c.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			err := putItem(ctx, cl.cfg)
			if (err != nil) != (c.want != "") {
				t.Fatalf("got the error %v", err)
			}
			spans := cl.spans.Ended()
			if len(spans) != 1 {
				t.Fatalf("got %d spans, want one", len(spans))
			}
			all := values(spans[0].Attributes())
			if got, _ := all["error.type"].(string); got != c.want {
				t.Errorf("got the error.type %q, want %q", got, c.want)
			}
			if all["http.response.status_code"] != c.status || all["http.request.resend_count"] != c.resends {
				t.Errorf("got the status %v and %v more attempts, want %v and %v", all["http.response.status_code"], all["http.request.resend_count"], c.status, c.resends)
			}
			if id := all["aws.request_id"]; (id == "r-1") != (c.status != nil) {
				t.Errorf("got the request id %v beside the status %v", id, c.status)
			}
			if s := spans[0].Status(); (s.Code == codes.Error) != (err != nil) || s.Description != "" || len(spans[0].Events()) > 0 || strings.Contains(asJSON(t, all), "secret") {
				t.Errorf("got %v, %d events and %v, want nothing of the error's text", s, len(spans[0].Events()), all)
			}
		})
	}
}

// A panic in another middleware ends the span, and its value is not in it.
func TestAPanicEndsTheSpanOfACall(t *testing.T) {
	cl := newCloud(t, saying(200, "{}"))
	otel.Instrument(&cl.cfg, cl.tp)
	cl.cfg.HTTPClient = doer(func(*http.Request) (*http.Response, error) { panic("secret") })
	func() {
		defer func() { _ = recover() }()
		_ = putItem(t.Context(), cl.cfg)
	}()
	if spans := cl.spans.Ended(); len(spans) != 1 || len(spans[0].Events()) != 0 || spans[0].Status().Code != codes.Error {
		t.Errorf("got %d spans, want one that failed, without an event", len(spans))
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// The header is of the span of the call, or of the invocation where nothing is traced.
// The SDK's own, which is the environment's, counts only outside of an invocation.
func TestARequestHasTheTracingHeaderOfItsCall(t *testing.T) {
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
	t.Setenv("_X_AMZN_TRACE_ID", "Root=1-00000000-000000000000000000000001;Parent=0000000000000002;Sampled=1")
	const sent = xrayHeader + ";Lineage=a87bd80c:1|68fd508a:5"
	inLambda := invocation(t.Context(), sent)
	tp, _ := recorded(t)
	for _, c := range []struct {
		name string
		ctx  context.Context
		tp   trace.TracerProvider
		opts []func(*dynamodb.Options)
		want string // with the id of the call's trace and span for T and S
	}{
		{name: "traced", ctx: t.Context(), tp: tp, want: "T;Parent=S;Sampled=1"},
		{name: "traced in an invocation", ctx: inLambda, tp: tp, want: "T;Parent=S;Sampled=1;Lineage=a87bd80c:1%7C68fd508a:5"},
		{name: "not traced in an invocation", ctx: inLambda, tp: noop.NewTracerProvider(), want: strings.Replace(sent, "|", "%7C", 1)},
		{
			name: "not traced in an invocation without a segment", ctx: invocation(t.Context(), "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:a87bd80c:0"),
			tp: noop.NewTracerProvider(), want: "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:a87bd80c:0",
		},
		{name: "not traced", ctx: t.Context(), tp: noop.NewTracerProvider(), want: "Root=1-00000000-000000000000000000000001;Parent=0000000000000002;Sampled=1"},
		{
			name: "with a header of the caller's", ctx: inLambda, tp: tp, want: "Root=1-2-3",
			opts: []func(*dynamodb.Options){dynamodb.WithAPIOptions(smithyhttp.SetHeaderValue("X-Amzn-Trace-Id", "Root=1-2-3"))},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCloud(t, saying(200, "{}"))
			spans := tracetest.NewSpanRecorder()
			if sdk, ok := c.tp.(*sdktrace.TracerProvider); ok {
				sdk.RegisterSpanProcessor(spans)
				defer sdk.UnregisterSpanProcessor(spans)
			}
			otel.Instrument(&cl.cfg, c.tp)
			if _, err := dynamodb.NewFromConfig(cl.cfg, c.opts...).ListTables(c.ctx, nil); err != nil {
				t.Fatal(err)
			}
			want := c.want
			if ended := spans.Ended(); len(ended) > 0 {
				id := ended[0].SpanContext().TraceID().String()
				want = strings.NewReplacer("T;", "Root=1-"+id[:8]+"-"+id[8:]+";", "=S;", "="+ended[0].SpanContext().SpanID().String()+";").Replace(want)
			}
			if got := cl.header(); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// What is signed for somebody else, who sends it, is neither a call nor has it a header.
func TestAPresignedRequestIsNoCall(t *testing.T) {
	bucket, object := aws.String("b"), aws.String("k")
	for name, presign := range map[string]func(*s3.PresignClient) (http.Header, error){
		"a URL": func(c *s3.PresignClient) (http.Header, error) {
			r, err := c.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: object})
			return r.SignedHeader, err
		},
		"a form": func(c *s3.PresignClient) (http.Header, error) {
			_, err := c.PresignPostObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: object})
			return nil, err
		},
	} {
		cl := newCloud(t, saying(200, "{}"))
		otel.Instrument(&cl.cfg, cl.tp)
		signed, err := presign(s3.NewPresignClient(s3.NewFromConfig(cl.cfg, pathStyle)))
		if err != nil {
			t.Fatal(err)
		}
		if len(cl.spans.Started()) != 0 || signed.Get("X-Amzn-Trace-Id") != "" {
			t.Errorf("%s: got %d spans and the headers %v, want none", name, len(cl.spans.Started()), signed)
		}
	}
}

// What the client refuses without a member that is required has no span.
func TestAnInputThatIsRefusedIsNoCall(t *testing.T) {
	for name, in := range map[string]*dynamodb.PutItemInput{"nil": nil, "empty": {}, "no table": {Item: key}} {
		cl := newCloud(t, saying(200, "{}"))
		otel.Instrument(&cl.cfg, cl.tp)
		if _, err := dynamodb.NewFromConfig(cl.cfg).PutItem(t.Context(), in); err == nil || len(cl.spans.Started()) != 0 {
			t.Errorf("%s: got %d spans and the error %v, want no span and an error", name, len(cl.spans.Started()), err)
		}
	}
}

func TestInstrumentTwiceIsOnce(t *testing.T) {
	cl := newCloud(t, saying(200, "{}"))
	before := cl.cfg.Copy()
	otel.Instrument(&cl.cfg, cl.tp)
	otel.Instrument(&cl.cfg, cl.tp)
	if err := errors.Join(putItem(t.Context(), before), putItem(t.Context(), cl.cfg)); err != nil {
		t.Fatal(err)
	}
	if got := len(cl.spans.Ended()); got != 1 {
		t.Errorf("got %d spans of two calls, want one of the instrumented configuration's", got)
	}
}

// The span is made by the tracer of this package, with the version of the conventions.
func TestTheScopeOfASpanIsThisPackage(t *testing.T) {
	cl := newCloud(t, saying(200, "{}"))
	otel.Instrument(&cl.cfg, cl.tp)
	if err := putItem(t.Context(), cl.cfg); err != nil {
		t.Fatal(err)
	}
	scope := cl.spans.Ended()[0].InstrumentationScope()
	if scope.Name != "github.com/lambdarmor/lambdarmor/guard/otel" || !strings.HasSuffix(scope.SchemaURL, "/1.43.0") {
		t.Errorf("got the scope %q and the schema %q", scope.Name, scope.SchemaURL)
	}
}

// The function that is invoked goes on in the trace of the call, with the Lineage that
// Lambda knows loops by.
func TestATraceGoesOnInTheFunctionThatIsInvoked(t *testing.T) {
	called, spans := recorded(t)
	var lineage string
	fn := guardtest.NewInProcess(guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		sent, _ := ctx.Value("x-amzn-trace-id").(string)
		_, lineage, _ = strings.Cut(sent, ";Lineage=")
		return []byte(`{}`), nil
	}), otel.Trace(called)), guardtest.Config{})
	cl := newCloud(t, func(w http.ResponseWriter, r *http.Request) {
		out, err := fn.Do(r.Context(), guardtest.Call{Payload: []byte(`{}`), TraceID: r.Header.Get("X-Amzn-Trace-Id")})
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(out.Payload)
	})
	otel.Instrument(&cl.cfg, cl.tp)
	bill := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		_, err := lambda.NewFromConfig(cl.cfg).Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("bill")})
		return nil, err
	})
	ctx := invocation(t.Context(), xrayHeader+";Lineage=a87bd80c:1")
	if _, err := guard.Wrap(bill, otel.Trace(cl.tp)).Invoke(ctx, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	call, function := cl.spans.Ended()[0], spans.Ended()[0]
	if call.Name() != "Lambda.Invoke" || function.Parent().SpanID() != call.SpanContext().SpanID() || function.SpanContext().TraceID().String() != senderTrace {
		t.Errorf("got a span below %v, want it below %v of the trace that Lambda began", function.Parent(), call.SpanContext())
	}
	if lineage != "a87bd80c:1" {
		t.Errorf("got the Lineage %q, want a87bd80c:1", lineage)
	}
}
