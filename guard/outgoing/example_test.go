package outgoing_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/outgoing"
)

// A handler asks another service of one's own, which gets the id of the request that
// came in.
func ExampleTransport() {
	stock := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "3 left, asked for %s", r.Header.Get("X-Correlation-Id"))
	}))
	defer stock.Close()

	client := &http.Client{Transport: outgoing.Transport(nil, outgoing.Hosts("127.0.0.1"))}
	order := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, stock.URL+"/sku/1", nil)
		if err != nil {
			return nil, err
		}
		res, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		defer func() { _ = res.Body.Close() }()
		return io.ReadAll(res.Body)
	})

	h := guard.Wrap(order, guard.Log(logging.New(io.Discard), guard.Correlate(outgoing.Received)))
	event := sample.Of(guard.HTTPAPI).Set("/headers/x-correlation-id", "order-7").Bytes()
	out, err := h.Invoke(context.Background(), event)
	fmt.Println(string(out), err)
	// Output: 3 left, asked for order-7 <nil>
}

// A service of somebody else is bounded in time too, and gets no ids.
func ExampleReserve() {
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer slow.Close()

	client := &http.Client{Transport: outgoing.Transport(nil, outgoing.Reserve(300*time.Millisecond))}
	price := guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, slow.URL, nil)
		if err != nil {
			return nil, err
		}
		res, err := client.Do(req)
		if guard.KindOf(err) == guard.Timeout {
			return []byte(`"yesterday's price"`), nil // there is time left for it
		}
		if err != nil {
			return nil, err
		}
		defer func() { _ = res.Body.Close() }()
		return io.ReadAll(res.Body)
	})

	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond) // of Lambda
	defer cancel()
	out, err := guard.Wrap(price).Invoke(ctx, nil)
	fmt.Println(string(out), err)
	// Output: "yesterday's price" <nil>
}

// Each message of a batch has an id of its own.
func ExampleRecords() {
	book := func(ctx context.Context, m events.SQSMessage) error {
		fmt.Println(m.Body, guard.CorrelationID(ctx))
		return nil
	}
	h := guard.Wrap(batch.SQS(batch.Chain(book, outgoing.Records[events.SQSMessage]())))

	attribute := func(id string) map[string]any {
		return map[string]any{"correlationId": map[string]string{"dataType": "String", "stringValue": id}}
	}
	event := sample.Of(guard.SQS).Messages("first", "second").
		Set("/Records/0/messageAttributes", attribute("order-7")).
		Set("/Records/1/messageAttributes", attribute("order-8"))
	out, err := h.Invoke(context.Background(), event.Bytes())
	fmt.Println(string(out), err)
	// Unordered output:
	// first order-7
	// second order-8
	// {"batchItemFailures":[]} <nil>
}
