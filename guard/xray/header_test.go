package xray_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	sdk "github.com/aws/aws-xray-sdk-go/xray"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/layer"
	"github.com/lambdarmor/lambdarmor/guard/xray"
)

// junk are values of the context in place of a tracing header.
var junk = map[string]any{
	"nothing":             nil,
	"empty":               "",
	"a number":            1,
	"bytes":               []byte(sampled),
	"a nil error":         (*brittle)(nil),
	"10 kB":               strings.Repeat("x", 10<<10),
	"10 kB of a root":     "Root=" + strings.Repeat("1-5759e988-", 1000) + ";Parent=" + parent + ";Sampled=1",
	"10 kB of semicolons": strings.Repeat(";", 10<<10),
	"not ASCII":           "Root=1-5759e988-bd862e3fe1be46a99427279é;Parent=" + parent + ";Sampled=1",
	"not UTF-8":           "Root=1-5759e988-bd862e3fe1be46a99427279\xff;Parent=" + parent + ";Sampled=1",
	"other digits":        "Root=" + root + ";Parent=٥٣٩٩٥c3f42cd8ad8;Sampled=1",
	"nested":              "Root=Root=" + root + ";Parent=" + parent + ";Sampled=1",
	"nested twice":        `{"Root":"` + root + `"}`,
	"a short root":        "Root=" + root[:34] + ";Parent=" + parent + ";Sampled=1",
	"a long root":         "Root=" + root + "0;Parent=" + parent + ";Sampled=1",
	"root 2":              "Root=2" + root[1:] + ";Parent=" + parent + ";Sampled=1",
	"no dash":             "Root=" + root[:10] + "0" + root[11:] + ";Parent=" + parent + ";Sampled=1",
	"no root":             "Parent=" + parent + ";Sampled=1",
	"an empty root":       "Root=;Parent=" + parent + ";Sampled=1",
	"a W3C id":            "Root=" + strings.ReplaceAll(root[2:], "-", "") + ";Parent=" + parent + ";Sampled=1",
	"a short parent":      "Root=" + root + ";Parent=" + parent[:15] + ";Sampled=1",
	"a long parent":       "Root=" + root + ";Parent=" + parent + "0;Sampled=1",
	"no parent":           "Root=" + root + ";Sampled=1",
	"an empty parent":     "Root=" + root + ";Parent=;Sampled=1",
	"a zero root":         "Root=1-00000000-000000000000000000000000;Parent=" + parent + ";Sampled=1",
	"a zero parent":       "Root=" + root + ";Parent=0000000000000000;Sampled=1",
	"lines":               "Root=" + root + ";Parent=" + parent[:14] + "\r\n;Sampled=1",
}

func TestJunkForAHeaderIsLoggedOnceAndSendsNothing(t *testing.T) {
	t.Setenv("_X_AMZN_TRACE_ID", sampled) // not to be used
	t.Setenv("AWS_XRAY_CONTEXT_MISSING", "RUNTIME_ERROR")
	for name, value := range junk {
		d := startDaemon(t)
		var j journal
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			if sdk.GetSegment(ctx) != nil {
				t.Errorf("%s: got a segment", name)
			}
			if id, span, _ := layer.Trace(ctx); id != "" || span != "" {
				t.Errorf("%s: got the trace %s, %s", name, id, span)
			}
			bare := roundTrip(func(r *http.Request) (*http.Response, error) {
				if len(r.Header) != 0 {
					t.Errorf("%s: got %v sent on", name, r.Header)
				}
				return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
			})
			resp, err := xray.Client(&http.Client{Transport: bare}).Do(httpRequest(ctx, t, "http://192.0.2.1/"))
			if err == nil {
				err = resp.Body.Close()
			}
			return []byte(`{}`), err
		}), xray.Trace(), guard.Log(j.logger()), xray.Subsegment("x", guard.Recover()))
		for range 3 {
			invoke(t, h, d.context(value), `{}`)
		}
		d.nothing()
		records := j.records(t)
		warnings := 0
		for _, r := range records {
			if r["level"] != "WARN" {
				continue
			}
			warnings++
			e, _ := r["error"].(map[string]any)
			cause, _ := e["cause"].(string)
			if e["code"] != "no_trace" || !strings.Contains(cause, "tracing header") || strings.Contains(cause, ";Root") || len(cause) > 200 {
				t.Errorf("%s: got %v, want a reason without the value", name, e)
			}
		}
		if len(records) != 4 || warnings != 1 {
			t.Errorf("%s: got %d records, %d of them warnings, want 3 invocations and 1 warning:\n%s", name, len(records), warnings, j.String())
		}
	}
}

func TestTheWarningOfAPanickingInvocationIsLoggedToo(t *testing.T) {
	var j journal
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic(1) }), xray.Trace(), guard.Log(j.logger()))
	func() {
		defer func() { _ = recover() }()
		_, _ = h.Invoke(t.Context(), nil)
	}()
	if !strings.Contains(j.String(), "an invocation is not traced") || !strings.Contains(j.String(), "the context has no tracing header") {
		t.Errorf("got %s, want the warning", j.String())
	}
}

func TestOfAHeaderOnlyWhatIsKnownIsSentOn(t *testing.T) {
	for name, c := range map[string]struct{ extra, want string }{
		"Lineage":          {extra: ";Lineage=25:12326a9d:0|1:abcdef01:2", want: ";Lineage=25:12326a9d:0|1:abcdef01:2"},
		"a space":          {extra: "; Lineage=1:12326a9d:0 ", want: ";Lineage=1:12326a9d:0"},
		"other fields":     {extra: ";Self=1-1-1;CalledFrom=app;x=y;=;a"},
		"a long Lineage":   {extra: ";Lineage=" + strings.Repeat("0", 10<<10)},
		"a false Lineage":  {extra: ";Lineage=1:12326a9d:0\r\nX-Admin: 1"},
		"an empty Lineage": {extra: ";Lineage="},
		"Lineage, nested":  {extra: ";Lineage=Root=1"},
		"fields again":     {extra: ";Root=1-00000000-000000000000000000000001;Parent=0000000000000001;Sampled=0"},
	} {
		d := startDaemon(t)
		var sent string
		got := traced(t, d, sampled+c.extra, func(ctx context.Context) {
			resp, err := xray.Client(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				sent = r.Header.Get("X-Amzn-Trace-Id")
				return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
			})}).Do(httpRequest(ctx, t, "http://192.0.2.1/"))
			if err != nil {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil {
				t.Fatal(err)
			}
		})
		if want := "Root=" + root + ";Parent=" + got.Subsegments[0].ID + ";Sampled=1" + c.want; sent != want {
			t.Errorf("%s: got %q, want %q", name, sent, want)
		}
		if strings.Contains(got.text, "12326a9d") || len(got.text) > 2<<10 {
			t.Errorf("%s: got %s, want nothing of the rest", name, got.text)
		}
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(sampled)
	for _, value := range junk {
		if text, ok := value.(string); ok {
			f.Add(text)
		}
	}
	const known = "=;:|-?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	f.Fuzz(func(t *testing.T, header string) {
		var sent string
		client := xray.Client(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			sent = r.Header.Get("X-Amzn-Trace-Id")
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})})
		h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			resp, err := client.Do(httpRequest(ctx, t, "http://192.0.2.1/"))
			if err == nil {
				err = resp.Body.Close()
			}
			return nil, err
		}), xray.Trace())
		//lint:ignore SA1029 the key is aws-lambda-go's
		ctx := context.WithValue(t.Context(), "x-amzn-trace-id", header)
		invoke(t, h, context.WithValue(ctx, sdk.RecorderContextKey{}, &sdk.Config{Emitter: nowhere{}}), `{}`)
		if strings.Trim(sent, known) != "" || len(sent) > 400 {
			t.Errorf("got %q sent on of %q", sent, header)
		}
	})
}

// nowhere is an emitter that sends nothing.
type nowhere struct{}

func (nowhere) Emit(*sdk.Segment)                      {}
func (nowhere) RefreshEmitterWithAddress(*net.UDPAddr) {}
