package xray_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	sdk "github.com/aws/aws-xray-sdk-go/xray"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/xray"
)

func ok(context.Context, []byte) ([]byte, error) { return []byte(`{}`), nil }

func TestTheInvocationIsASubsegmentOfLambdasSegment(t *testing.T) {
	for _, inLambda := range []string{"", "/var/task"} {
		t.Setenv("LAMBDA_TASK_ROOT", inLambda)
		// Another invocation has overwritten it.
		t.Setenv("_X_AMZN_TRACE_ID", "Root=1-00000000-111111111111111111111111;Parent=2222222222222222;Sampled=1")
		d := startDaemon(t)
		h := guard.Wrap(guard.HandlerFunc(ok), xray.Trace(xray.Service("orders")))
		ctx := lambdacontext.NewContext(d.context(sampled), &lambdacontext.LambdaContext{TenantID: "blue"})
		invoke(t, h, ctx, `{"secret":1}`)
		got := d.next()
		if got.TraceID != root || got.ParentID != parent || got.Type != "subsegment" || got.Name != "handler" || len(got.ID) != 16 {
			t.Errorf("got %s, want the subsegment handler of %s", got.text, sampled)
		}
		if got.InProgress || got.End < got.Start || got.Start < float64(time.Now().Add(-time.Hour).Unix()) {
			t.Errorf("got %s, want it done in its time", got.text)
		}
		want := map[string]any{"coldStart": true, "service": "orders", "tenant": "blue"}
		if !maps.Equal(got.Annotations, want) || got.Metadata != nil || strings.Contains(got.text, "secret") {
			t.Errorf("got %s, want the annotations %v alone", got.text, want)
		}
		invoke(t, h, ctx, `{}`)
		if again := d.next(); again.Annotations["coldStart"] != false || again.ID == got.ID {
			t.Errorf("got %s, want another subsegment of a warm start", again.text)
		}
		d.nothing()
	}
}

func TestTheLogHasTheIDsOfTheTrace(t *testing.T) {
	for name, arrange := range map[string]func(log guard.Middleware) []guard.Middleware{
		"log inside":  func(log guard.Middleware) []guard.Middleware { return []guard.Middleware{xray.Trace(), log} },
		"log outside": func(log guard.Middleware) []guard.Middleware { return []guard.Middleware{log, xray.Trace()} },
	} {
		d := startDaemon(t)
		var j journal
		log := j.logger()
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			log.InfoContext(ctx, "inside")
			return nil, nil
		}), arrange(guard.Log(log))...)
		invoke(t, h, d.context(sampled), `{}`)
		doc, records := d.next(), j.records(t)
		if len(records) != 2 {
			t.Fatalf("%s: got %v, want two records", name, records)
		}
		for _, r := range records {
			if r["trace_id"] != "5759e988bd862e3fe1be46a994272793" || r["span_id"] != doc.ID || r["traceId"] != root {
				t.Errorf("%s: got %v, want the ids of %s", name, r, doc.text)
			}
		}
	}
}

func TestUnsampledNothingIsSent(t *testing.T) {
	for name, c := range map[string]struct{ header, span string }{
		"Sampled=0": {header: "Root=" + root + ";Parent=" + parent + ";Sampled=0", span: parent},
		"undecided": {header: "Root=" + root + ";Parent=" + parent + ";Sampled=?", span: parent},
		"unsaid":    {header: "Root=" + root},
		"no parent": {header: "Root=" + root + ";Sampled=0"},
	} {
		d := startDaemon(t)
		var j journal
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			if err := sdk.AddAnnotation(ctx, "mine", 1); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			return nil, sdk.Capture(ctx, "own", func(context.Context) error { return nil })
		}), xray.Trace(), guard.Log(j.logger()), xray.Subsegment("x", guard.Recover()))
		invoke(t, h, d.context(c.header), `{}`)
		d.nothing()
		records := j.records(t)
		if span, _ := records[0]["span_id"].(string); len(records) != 1 || span != c.span {
			t.Errorf("%s: got %v, want one record, and the span %q", name, records, c.span)
		}
	}
}

// outcome is what a subsegment says became of its handler.
type outcome struct {
	fault, error, throttle bool
	code                   string
}

func outcomeOf(d document) outcome {
	code, _ := d.Annotations["errorCode"].(string)
	return outcome{fault: d.Fault, error: d.Error, throttle: d.Throttle, code: code}
}

func TestEveryKindOfErrorIsMarked(t *testing.T) {
	cases := map[guard.Kind]outcome{
		guard.Internal:        {fault: true},
		guard.Unavailable:     {fault: true},
		guard.Timeout:         {fault: true},
		guard.TooManyRequests: {error: true, throttle: true},
		guard.Kind(200):       {fault: true, code: "internal"},
	}
	for _, k := range []guard.Kind{
		guard.Invalid, guard.Unauthenticated, guard.Forbidden, guard.NotFound, guard.MethodNotAllowed, guard.Conflict,
		guard.TooLarge, guard.UnsupportedMediaType, guard.Unprocessable,
	} {
		cases[k] = outcome{error: true}
	}
	for kind, want := range cases {
		if want.code == "" {
			want.code = kind.String()
		}
		fails := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, &guard.Error{Kind: kind} })
		for name, c := range map[string]struct {
			layers  []guard.Middleware
			payload []byte
		}{
			"plain":    {payload: []byte(`{}`)},
			"errors":   {payload: sample.Of(guard.SQS).Bytes(), layers: []guard.Middleware{guard.Errors(), guard.Recover()}},
			"problems": {payload: sample.HTTP("GET", "/orders").Bytes(), layers: []guard.Middleware{httpapi.Problems(), guard.Recover()}},
		} {
			d := startDaemon(t)
			_, _ = guard.Wrap(fails, append([]guard.Middleware{xray.Trace()}, c.layers...)...).Invoke(d.context(sampled), c.payload)
			got := d.next()
			if outcomeOf(got) != want || len(got.Cause.Exceptions) != 0 {
				t.Errorf("%v, %s: got %s, want %+v", kind, name, got.text, want)
			}
		}
	}
}

func TestEveryStatusIsMarked(t *testing.T) {
	for status, want := range map[int]outcome{
		200: {}, 204: {}, 302: {},
		400: {error: true}, 404: {error: true}, 429: {error: true, throttle: true}, 499: {error: true},
		500: {fault: true}, 503: {fault: true},
	} {
		d := startDaemon(t)
		answers := httpapi.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		for name, event := range map[string]sample.HTTPEvent{
			"2.0": sample.HTTP("GET", "/"), "1.0": sample.HTTP("GET", "/").Format1(), "URL": sample.HTTP("GET", "/").FunctionURL(),
			"REST": sample.HTTP("GET", "/").REST(), "Lattice": sample.HTTP("GET", "/").VPCLattice(),
		} {
			invoke(t, guard.Wrap(answers, xray.Trace(), httpapi.Problems()), d.context(sampled), event.String())
			if got := d.next(); outcomeOf(got) != want {
				t.Errorf("%d of %s: got %s, want %+v", status, name, got.text, want)
			}
		}
	}
}

func TestTheStatusIsWhatTheCallerGot(t *testing.T) {
	d := startDaemon(t)
	fallback := func(lambda.Handler) lambda.Handler {
		return guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			layer.SetError(ctx, errors.New("no rates"))
			return []byte(`{"statusCode":200,"body":"null"}`), nil
		})
	}
	invoke(t, guard.Wrap(guard.HandlerFunc(ok), xray.Trace(), fallback), d.context(sampled), sample.HTTP("GET", "/").String())
	if got, want := d.next(), (outcome{code: "internal"}); outcomeOf(got) != want {
		t.Errorf("got %s, want %+v, as the level of the record", got.text, want)
	}
}

func TestAFailedRecordOfABatchIsNoFault(t *testing.T) {
	d := startDaemon(t)
	h := guard.Wrap(batch.SQS(func(context.Context, events.SQSMessage) error { return errors.New("no") }), xray.Trace(), guard.Errors())
	out := invoke(t, h, d.context(sampled), sample.Of(guard.SQS).String())
	if got := d.next(); outcomeOf(got) != (outcome{}) || !strings.Contains(string(out), "itemIdentifier") {
		t.Errorf("got %s for %s, want no mark, because the platform brings the record again", got.text, out)
	}
}

func TestWhatDoesNotReturnIsAFault(t *testing.T) {
	panics := func(context.Context, []byte) ([]byte, error) { panic("hunter2") }
	exits := func(context.Context, []byte) ([]byte, error) { runtime.Goexit(); return nil, nil }
	nilError := func(context.Context, []byte) ([]byte, error) { var e *brittle; return nil, e }
	for name, c := range map[string]struct {
		handler guard.HandlerFunc
		layers  []guard.Middleware
		leaves  bool // the chain by a panic or Goexit
		stack   bool
	}{
		"panic":               {handler: panics, leaves: true},
		"Goexit":              {handler: exits, leaves: true},
		"an error that does":  {handler: nilError, leaves: true},
		"recovered":           {handler: panics, layers: []guard.Middleware{guard.Recover()}, stack: true},
		"recovered, reported": {handler: panics, layers: []guard.Middleware{guard.Errors(), guard.Recover()}, stack: true},
		"recovered error":     {handler: nilError, layers: []guard.Middleware{guard.Recover()}, stack: true},
	} {
		d := startDaemon(t)
		h := guard.Wrap(c.handler, append([]guard.Middleware{xray.Trace(), xray.Subsegment("inner", guard.Deadline(0))}, c.layers...)...)
		left, value := true, any(nil)
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { value = recover() }()
			_, _ = h.Invoke(d.context(sampled), []byte(`{}`))
			left = false
		}()
		<-done
		if left != c.leaves || name == "panic" && value != "hunter2" {
			t.Errorf("%s: got %t with %v, want %t, and the value as it was", name, left, value, c.leaves)
		}
		got := d.next()
		want := outcome{fault: true, code: "panic"}
		if outcomeOf(got) != want || len(got.Subsegments) != 1 || outcomeOf(got.Subsegments[0]) != want {
			t.Errorf("%s: got %s, want %+v, of the layer too", name, got.text, want)
		}
		if strings.Contains(got.text, "hunter2") {
			t.Errorf("%s: got %s, want nothing of the value", name, got.text)
		}
		if !c.stack {
			continue
		}
		stack := got.Cause.Exceptions[0].Stack
		if !slices.ContainsFunc(stack, func(f struct{ Path, Label string }) bool { return strings.Contains(f.Path, "trace_test.go") }) {
			t.Errorf("%s: got %s, want the stack of the panic", name, got.text)
		}
	}
}

// brittle panics when a nil one is unwrapped.
type brittle struct{ err error }

func (b *brittle) Error() string { return "brittle" }
func (b *brittle) Unwrap() error { return b.err }

func TestTextsAndPayloadsAreSentOnlyIfAskedFor(t *testing.T) {
	fails := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		_ = sdk.Capture(ctx, "own", func(context.Context) error { return errors.New("hunter2 of the handler") })
		_ = sdk.AddError(ctx, errors.New("hunter2 again"))
		return []byte(`{"answer":"hunter2"}`), errors.New("hunter2 of the error")
	})
	for name, c := range map[string]struct {
		opts []xray.Option
		want []string
	}{
		"nothing": {},
		"texts": {
			opts: []xray.Option{xray.UnsafeErrorTexts()},
			want: []string{"hunter2 of the handler", "hunter2 again", "hunter2 of the error"},
		},
		"payload": {opts: []xray.Option{xray.UnsafePayload()}, want: []string{`"event":"{\"password\":\"hunter2\"}"`, `"answer":"{\"answer\":\"hunter2\"}"`}},
	} {
		d := startDaemon(t)
		h := guard.Wrap(fails, xray.Trace(c.opts...), xray.Subsegment("inner", guard.Recover()))
		_, _ = h.Invoke(d.context(sampled), []byte(`{"password":"hunter2"}`))
		got := d.next().text
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: got %s, want %s in it", name, got, want)
			}
		}
		if len(c.want) == 0 && strings.Contains(got, "hunter2") {
			t.Errorf("%s: got %s, want nothing that was sent or said", name, got)
		}
		if !strings.Contains(got, `"type":"errors.errorString"`) {
			t.Errorf("%s: got %s, want the types of errors that the handler records", name, got)
		}
	}
}

func TestADocumentFitsIntoAPacket(t *testing.T) {
	d := startDaemon(t)
	long := strings.Repeat("\x00\xff", 1<<20)
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		return []byte(long), &guard.Error{Code: long, Err: errors.New(long)}
	}), xray.Trace(xray.UnsafePayload(), xray.UnsafeErrorTexts()))
	ctx := lambdacontext.NewContext(d.context(sampled), &lambdacontext.LambdaContext{TenantID: long})
	if _, err := h.Invoke(ctx, []byte(long)); err == nil {
		t.Fatal("want the error of the handler")
	}
	got := d.next()
	for key, value := range got.Annotations {
		if text, _ := value.(string); len(text) > 1000 {
			t.Errorf("got %d bytes of %s, want at most 1 000", len(text), key)
		}
	}
}

func TestWhatOthersChooseDoesNotOverfillAPacket(t *testing.T) {
	huge := strings.Repeat("a", 80_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-RequestId", huge)
		_, _ = io.WriteString(w, `{}`)
	}))
	defer server.Close()
	db := connect(server.URL, func(o *dynamodb.Options) { o.DisableValidateResponseChecksum = true })
	refuses := xray.Client(&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.EOF })})
	for name, do := range map[string]func(ctx context.Context) error{
		"a host": func(ctx context.Context) error {
			_, err := refuses.Do(httpRequest(ctx, t, "http://"+huge+"/"))
			return err
		},
		"a method": func(ctx context.Context) error {
			r := httpRequest(ctx, t, "http://192.0.2.1/")
			r.Method = huge
			_, err := refuses.Do(r)
			return err
		},
		"a request id": func(ctx context.Context) error {
			_, err := db.ListTables(ctx, &dynamodb.ListTablesInput{})
			return cmp.Or(err, io.EOF)
		},
	} {
		d := startDaemon(t)
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			for range 20 { // as many as the SDK puts into a packet
				if err := do(ctx); !errors.Is(err, io.EOF) {
					t.Errorf("%s: got %v, want the end", name, err)
				}
			}
			return nil, nil
		}), xray.Trace())
		invoke(t, h, d.context(sampled), `{}`)
		end, err := net.Dial("udp", d.conn.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer end.Close()
		if _, err := end.Write([]byte("end")); err != nil {
			t.Fatal(err)
		}
		if got := d.packet(); got == "end" {
			t.Errorf("%s: got no document, want one that fits", name)
		}
	}
}

func TestAnAnnotationHasAtMostWhatXRayTakes(t *testing.T) {
	d := startDaemon(t)
	long := strings.Repeat("x", 2000)
	fails := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, &guard.Error{Code: long} })
	ctx := lambdacontext.NewContext(d.context(sampled), &lambdacontext.LambdaContext{TenantID: long})
	if _, err := guard.Wrap(fails, xray.Trace()).Invoke(ctx, []byte(`{}`)); err == nil {
		t.Fatal("want the error of the handler")
	}
	got := d.next()
	for _, key := range []string{"tenant", "errorCode"} {
		if text, _ := got.Annotations[key].(string); text != long[:1000] {
			t.Errorf("got %d characters of %s, want 1 000", len(text), key)
		}
	}
}

func TestTheSDKCanBeDisabled(t *testing.T) {
	t.Setenv("AWS_XRAY_SDK_DISABLED", "true")
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		if _, _, sampled := layer.Trace(ctx); sampled {
			t.Error("got a trace, want none")
		}
		return nil, sdk.Capture(ctx, "own", func(ctx context.Context) error {
			_, err := xray.Client(nil).Transport.RoundTrip(httpRequest(ctx, t, "http://127.0.0.1:1/"))
			if err == nil {
				t.Error("want no connection")
			}
			return nil
		})
	}), xray.Trace(), xray.Subsegment("x", guard.Recover()))
	ctx := context.WithValue(startDaemon(t).context(sampled), sdk.RecorderContextKey{}, &sdk.Config{Emitter: unused{t}})
	invoke(t, h, ctx, `{}`)
}

func TestTheSDKCanBeDisabledWithinAnInvocation(t *testing.T) {
	d := startDaemon(t)
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		t.Setenv("AWS_XRAY_SDK_DISABLED", "true")
		_, err := xray.Client(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if len(r.Header) != 0 {
				t.Errorf("got %v, want no header", r.Header)
			}
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})}).Do(httpRequest(ctx, t, "http://192.0.2.1/"))
		return nil, err
	}), xray.Trace(), xray.Subsegment("x", pass))
	invoke(t, h, d.context(sampled), `{}`)
	d.nothing()
}

// unused is an emitter that is not to be used.
type unused struct{ t *testing.T }

func (u unused) Emit(seg *sdk.Segment)                  { u.t.Errorf("got the segment %s, want none", seg.Name) }
func (u unused) RefreshEmitterWithAddress(*net.UDPAddr) {}

func TestTheGlobalConfigurationStays(t *testing.T) {
	d := startDaemon(t)
	if err := sdk.Configure(sdk.Config{Emitter: d.emitter}); err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1029 the key is aws-lambda-go's
	ctx := context.WithValue(t.Context(), "x-amzn-trace-id", sampled)
	invoke(t, guard.Wrap(guard.HandlerFunc(ok), xray.Trace()), ctx, `{}`)
	if got := d.next(); got.ParentID != parent {
		t.Errorf("got %s, want it sent by the emitter that the program has set", got.text)
	}
	// Elsewhere the SDK's own error texts are still the SDK's own.
	ctx, seg := sdk.BeginFacadeSegment(t.Context(), "other", nil)
	_ = sdk.Capture(ctx, "own", func(context.Context) error { return errors.New("as it is") })
	seg.Close(nil)
	if got := d.next(); !strings.Contains(got.text, "as it is") {
		t.Errorf("got %s, want the text of the error", got.text)
	}
}

func TestMisuseIsFoundAsTheChainIsBuilt(t *testing.T) {
	long := strings.Repeat("x", 201)
	for name, misuse := range map[string]func(){
		"no service":        func() { xray.Service("") },
		"a long service":    func() { xray.Service(long) },
		"no name":           func() { xray.Subsegment("", guard.Recover()) },
		"a long name":       func() { xray.Subsegment(long, guard.Recover()) },
		"no layer":          func() { xray.Subsegment("x", nil) },
		"no config":         func() { xray.Instrument(nil) },
		"an unsafe order":   func() { guard.Wrap(batch.SQS(noRecords), xray.Subsegment("x", httpapi.Problems())) },
		"a layer of itself": func() { guard.Wrap(batch.SQS(noRecords), httpapi.Problems(), xray.Subsegment("x", guard.Recover())) },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "xray: ") && !strings.HasPrefix(text, "guard: ") {
					t.Errorf("%s: got %q, want a panic that names the package", name, text)
				}
			}()
			misuse()
		}()
	}
}

func noRecords(context.Context, events.SQSMessage) error { return nil }

var _ lambda.Handler = guard.HandlerFunc(ok)
