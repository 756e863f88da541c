package largemessage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch/largemessage"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var _ largemessage.Client = (*s3.Client)(nil)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

func TestNoOtherClientIsLinked(t *testing.T) { awstest.MustLinkOnly(t, "s3") }

const (
	present = "software.amazon.payloadoffloading.PayloadS3Pointer"
	old     = "com.amazon.sqs.javamessaging.MessageS3Pointer"
)

func pointer(class, bucket, key string) string {
	return fmt.Sprintf(`[%q,{"s3BucketName":%q,"s3Key":%q}]`, class, bucket, key)
}

// marked returns a message with an attribute of its own and those that are named.
func marked(body string, names ...string) events.SQSMessage {
	size, kind := "5", "order.placed"
	m := events.SQSMessage{MessageId: "1", Body: body, MessageAttributes: map[string]events.SQSMessageAttribute{"type": {DataType: "String", StringValue: &kind}}}
	for _, name := range names {
		m.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "Number", StringValue: &size}
	}
	return m
}

// run returns what the function behind the layer got, nil if it was not called.
func run(ctx context.Context, client largemessage.Client, bucket string, m events.SQSMessage, opts ...largemessage.Option) (got *events.SQSMessage, err error) {
	err = largemessage.Fetch(client, bucket, opts...)(func(_ context.Context, m events.SQSMessage) error {
		got = &m
		return nil
	})(ctx, m)
	return got, err
}

func put(t testing.TB, client *s3.Client, bucket, key, body string) {
	t.Helper()
	if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)}); err != nil {
		t.Fatal(err)
	}
}

// Real parts: moto's S3 through the SDK.
func TestAPointerIsReplacedByItsPayload(t *testing.T) {
	client := awstest.S3(servers.Moto(t).URL())
	bucket, another := awstest.Bucket(t, client), awstest.Bucket(t, client)
	put(t, client, bucket, "a/b c+ä", `{"order":1}`)
	put(t, client, another, "k", "another")
	put(t, client, bucket, "empty", "")
	for name, tt := range map[string]struct {
		message events.SQSMessage
		want    string
	}{
		"of the present library":  {marked(pointer(present, bucket, "a/b c+ä"), "ExtendedPayloadSize"), `{"order":1}`},
		"of the old library":      {marked(pointer(old, bucket, "a/b c+ä"), "SQSLargePayloadSize"), `{"order":1}`},
		"of both":                 {marked(pointer(old, bucket, "a/b c+ä"), "SQSLargePayloadSize", "ExtendedPayloadSize"), `{"order":1}`},
		"in another bucket":       {marked(pointer(present, another, "k"), "ExtendedPayloadSize"), "another"},
		"of nothing":              {marked(pointer(present, bucket, "empty"), "ExtendedPayloadSize"), ""},
		"no pointer":              {marked(`{"order":2}`), `{"order":2}`},
		"one without its mark":    {marked(pointer(present, bucket, "empty")), pointer(present, bucket, "empty")},
		"no body and no pointer":  {marked(""), ""},
		"no attributes of itself": {events.SQSMessage{Body: "x"}, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			before := maps.Clone(tt.message.MessageAttributes)
			got, err := run(t.Context(), client, bucket, tt.message, largemessage.Bucket(another))
			if err != nil {
				t.Fatal(err)
			}
			if got.Body != tt.want {
				t.Errorf("got %q, want %q", got.Body, tt.want)
			}
			want := maps.Clone(before)
			delete(want, "ExtendedPayloadSize")
			delete(want, "SQSLargePayloadSize")
			if fmt.Sprint(got.MessageAttributes) != fmt.Sprint(want) {
				t.Errorf("got the attributes %v, want %v", got.MessageAttributes, want)
			}
			if len(tt.message.MessageAttributes) != len(before) {
				t.Error("the attributes of the event have changed")
			}
		})
	}
}

func TestWhatCanNeverSucceedIsNotTriedAgain(t *testing.T) {
	client := awstest.S3(servers.Moto(t).URL())
	bucket, foreign := awstest.Bucket(t, client), awstest.Bucket(t, client)
	put(t, client, bucket, "six", "hunter")
	put(t, client, foreign, "six", "hunter")
	p := awsproxy.New(t, servers.Moto(t).URL())
	client = awstest.S3(p.URL)
	for name, tt := range map[string]struct {
		message  events.SQSMessage
		opts     []largemessage.Option
		kind     guard.Kind
		code     string
		requests int
	}{
		"no pointer":       {message: marked("hunter2", "ExtendedPayloadSize"), kind: guard.Invalid, code: "malformed_pointer"},
		"two meanings":     {message: marked(`["`+present+`",{"s3BucketName":"`+foreign+`","s3BucketName":"`+bucket+`","s3Key":"six"}]`, "ExtendedPayloadSize"), kind: guard.Invalid, code: "malformed_pointer"},
		"another bucket":   {message: marked(pointer(present, foreign, "six"), "ExtendedPayloadSize"), kind: guard.Invalid, code: "foreign_bucket"},
		"a bucket of case": {message: marked(pointer(present, strings.ToUpper(bucket), "six"), "ExtendedPayloadSize"), kind: guard.Invalid, code: "foreign_bucket"},
		"an ARN of it":     {message: marked(pointer(present, "arn:aws:s3:::"+bucket, "six"), "ExtendedPayloadSize"), kind: guard.Invalid, code: "foreign_bucket"},
		"too large":        {message: marked(pointer(present, bucket, "six"), "ExtendedPayloadSize"), opts: []largemessage.Option{largemessage.MaxBytes(5)}, kind: guard.TooLarge, code: "payload_too_large", requests: 1},
		"missing":          {message: marked(pointer(present, bucket, "none"), "ExtendedPayloadSize"), kind: guard.NotFound, code: "payload_missing", requests: 1},
	} {
		t.Run(name, func(t *testing.T) {
			p.Taken()
			got, err := run(t.Context(), client, bucket, tt.message, tt.opts...)
			mustBe(t, err, tt.kind, tt.code)
			if got != nil || guard.KindOf(err).Retryable() {
				t.Errorf("got %+v, tried again %v, want neither", got, guard.KindOf(err).Retryable())
			}
			requests := 0
			for _, n := range p.Taken() {
				requests += n
			}
			if requests != tt.requests {
				t.Errorf("got %d requests, want %d", requests, tt.requests)
			}
		})
	}
	got, err := run(t.Context(), client, bucket, marked(pointer(present, bucket, "none"), "ExtendedPayloadSize"), largemessage.RetryMissing())
	mustBe(t, err, guard.Unavailable, "payload_missing")
	if got != nil {
		t.Error("the function was called")
	}
	if got, err := run(t.Context(), client, bucket, marked(pointer(present, bucket, "six"), "ExtendedPayloadSize"), largemessage.MaxBytes(6)); err != nil || got.Body != "hunter" {
		t.Errorf("got %v, %v at the limit", got, err)
	}
}

func mustBe(t *testing.T, err error, kind guard.Kind, code string) {
	t.Helper()
	if guard.KindOf(err) != kind || guard.Public(err).Code != code || strings.Contains(err.Error(), "hunter") {
		t.Errorf("got %v %s: %v\nwant %v %s", guard.KindOf(err), guard.Public(err).Code, err, kind, code)
	}
}

func TestWhatMayPassIsTriedAgain(t *testing.T) {
	refuse := func(status int, code string) awsproxy.Mishap {
		return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>no</Message></Error>")
		}
	}
	for name, tt := range map[string]struct {
		mishap awsproxy.Mishap
		kind   guard.Kind
		code   string
	}{
		"denied":    {refuse(403, "AccessDenied"), guard.Internal, "payload_refused"},
		"no bucket": {refuse(404, "NoSuchBucket"), guard.Internal, "payload_refused"},
		"archived":  {refuse(403, "InvalidObjectState"), guard.Internal, "payload_refused"},
		"slow down": {refuse(503, "SlowDown"), guard.Unavailable, "payload_unavailable"},
		"an error":  {refuse(500, "InternalError"), guard.Unavailable, "payload_unavailable"},
		"too many":  {refuse(429, "TooManyRequests"), guard.Unavailable, "payload_unavailable"},
		"throttled": {refuse(400, "RequestLimitExceeded"), guard.Unavailable, "payload_unavailable"},
		"no answer": {awsproxy.Drop, guard.Unavailable, "payload_unavailable"},
		"half of it": {func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			awsproxy.Reply{Status: 200, Body: []byte("hunter2")}.Write(w, 3)
			panic(http.ErrAbortHandler)
		}, guard.Unavailable, "payload_unavailable"},
		"no such name": {func(w http.ResponseWriter, r *http.Request, b []byte) { refuse(404, "")(w, r, b) }, guard.Internal, "payload_refused"},
	} {
		t.Run(name, func(t *testing.T) {
			p := awsproxy.New(t, "")
			p.Meet("", tt.mishap)
			got, err := run(t.Context(), awstest.S3(p.URL), "b", marked(pointer(present, "b", "k"), "ExtendedPayloadSize"))
			mustBe(t, err, tt.kind, tt.code)
			if got != nil || !guard.KindOf(err).Retryable() {
				t.Errorf("got %+v, tried again %v", got, guard.KindOf(err).Retryable())
			}
		})
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := run(canceled, awstest.S3(servers.Moto(t).URL()), "b", marked(pointer(present, "b", "k"), "ExtendedPayloadSize"))
	if mustBe(t, err, guard.Unavailable, "payload_unavailable"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

// endless never ends, says it is empty, and keeps how much was read.
type endless struct{ read, closed int }

func (e *endless) Read(p []byte) (int, error) { e.read += len(p); return len(p), nil }
func (e *endless) Close() error               { e.closed++; return nil }

func (e *endless) GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	none := int64(0)
	return &s3.GetObjectOutput{Body: e, ContentLength: &none}, nil
}

func TestNoMoreIsReadThanAllowedThoughTheSizeSaysLess(t *testing.T) {
	var body endless
	_, err := run(t.Context(), &body, "b", marked(pointer(present, "b", "k"), "ExtendedPayloadSize"), largemessage.MaxBytes(1000))
	mustBe(t, err, guard.TooLarge, "payload_too_large")
	if body.read > 2000 || body.closed != 1 {
		t.Errorf("got %d bytes and %d closed, want 1001 and 1", body.read, body.closed)
	}
	body = endless{}
	_, err = run(t.Context(), &body, "b", marked(pointer(present, "b", "k"), "ExtendedPayloadSize"))
	mustBe(t, err, guard.TooLarge, "payload_too_large")
	if body.read > 33<<20 {
		t.Errorf("got %d bytes, want 16 MiB and one", body.read)
	}
}

// owned keeps the owner that is expected.
type owned struct{ owner *string }

func (o *owned) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	o.owner = in.ExpectedBucketOwner
	return &s3.GetObjectOutput{Body: io.NopCloser(iotest.OneByteReader(strings.NewReader("body")))}, nil
}

func TestTheOwnerOfTheBucketIsChecked(t *testing.T) {
	var client owned
	m := marked(pointer(present, "b", "k"), "ExtendedPayloadSize")
	if got, err := run(t.Context(), &client, "b", m, largemessage.BucketOwner("111122223333")); err != nil || *client.owner != "111122223333" || got.Body != "body" {
		t.Errorf("got %v, %v and %v", client.owner, got, err)
	}
	if _, err := run(t.Context(), &client, "b", m); err != nil || client.owner != nil {
		t.Errorf("got %v and %v, want no owner", client.owner, err)
	}
}

func TestManyMessagesAtOnceHaveTheirOwnPayloads(t *testing.T) {
	client := awstest.S3(servers.Moto(t).URL())
	bucket := awstest.Bucket(t, client)
	handle := largemessage.Fetch(client, bucket)(func(_ context.Context, m events.SQSMessage) error {
		if m.Body != "payload "+m.MessageId {
			t.Errorf("%s: got %q", m.MessageId, m.Body)
		}
		return nil
	})
	var running sync.WaitGroup
	for i := range 16 {
		key := fmt.Sprint(i)
		put(t, client, bucket, key, "payload "+key)
		running.Go(func() {
			m := marked(pointer(present, bucket, key), "ExtendedPayloadSize")
			m.MessageId = key
			if err := handle(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
}

func TestTheErrorOfTheFunctionPasses(t *testing.T) {
	want := errors.New("own")
	err := largemessage.Fetch(&owned{}, "b")(func(context.Context, events.SQSMessage) error { return want })(t.Context(), marked("x"))
	if err != want {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestAMisconfigurationPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"no client":       func() { largemessage.Fetch(nil, "b") },
		"no owner":        func() { largemessage.BucketOwner("") },
		"a short owner":   func() { largemessage.BucketOwner("11112222333") },
		"no bucket":       func() { largemessage.Fetch(&owned{}, "") },
		"another unnamed": func() { largemessage.Bucket("") },
		"no bytes":        func() { largemessage.MaxBytes(0) },
	} {
		func() {
			defer func() {
				if r, _ := recover().(string); !strings.HasPrefix(r, "largemessage: ") {
					t.Errorf("%s: got %q, want a panic that names the package", name, r)
				}
			}()
			f()
		}()
	}
}
