package compare

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

//go:embed testdata
var testdata embed.FS

const answer = `{"id":"o-1","status":"accepted"}`

// orders reads the whole body, as any real handler does.
func orders() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "/orders/o-1")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, answer)
	})
	return mux
}

// payload is an event of testdata as API Gateway sends it, without the white
// space of the file.
func payload(b *testing.B, file string) []byte {
	b.Helper()
	indented, err := testdata.ReadFile("testdata/" + file)
	if err != nil {
		b.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, indented); err != nil {
		b.Fatal(err)
	}
	return compact.Bytes()
}

// BenchmarkServe measures an http.ServeMux behind an HTTP API event.
func BenchmarkServe(b *testing.B) {
	raw := payload(b, "post_order.json")
	proxy := httpadapter.NewV2(orders()).ProxyWithContext

	// The event decoded already: what the adapter itself costs.
	b.Run("httpadapter/event", func(b *testing.B) {
		var event events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(raw, &event); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			resp, err := proxy(context.Background(), event)
			if err != nil {
				b.Fatal(err)
			}
			if resp.StatusCode != http.StatusCreated || resp.Body != answer {
				b.Fatalf("answered %d %s", resp.StatusCode, resp.Body)
			}
		}
	})

	// From the bytes that Lambda hands over to the bytes that it takes back.
	b.Run("httpadapter/bytes", func(b *testing.B) { benchmarkBytes(b, lambda.NewHandler(proxy), raw) })

	// Ours from bytes to bytes, the event read strictly and held to the limits.
	b.Run("httpapi/bytes", func(b *testing.B) { benchmarkBytes(b, guard.Wrap(httpapi.Serve(orders())), raw) })
}

func benchmarkBytes(b *testing.B, h lambda.Handler, raw []byte) {
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		resp, err := h.Invoke(context.Background(), raw)
		if err != nil {
			b.Fatal(err)
		}
		if !bytes.Contains(resp, []byte(`"statusCode":201`)) {
			b.Fatalf("answered %s", resp)
		}
	}
}
