package metrics_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/guard/metrics"
)

type order struct {
	SKU   string `json:"sku"`
	Cents int    `json:"cents"`
}

func place(ctx context.Context, in order) (order, error) {
	currency := metrics.Dimension{Name: "Currency", Value: "EUR"}
	if err := metrics.Add(ctx, "Revenue", metrics.None, float64(in.Cents)/100, currency); err != nil {
		return order{}, err
	}
	_ = metrics.AddMetadata(ctx, "sku", in.SKU)             // to search for, no dimension
	return in, metrics.Add(ctx, "Placed", metrics.Count, 1) // beside Invocations and Duration
}

// The layer measures every invocation, and the handler what it knows.
func ExampleDefault() {
	log := logging.New(os.Stdout)
	emf := metrics.New(os.Stdout, "Shop")
	start := func() { guard.Start(httpapi.Func(place), metrics.Default(emf), httpapi.Default(log)) }
	_ = start // in main
}

// stdout shows documents without their times.
var stdout io.Writer = timeless{}

type timeless struct{}

var times = regexp.MustCompile(`("Timestamp"|"Duration"):[0-9.]+`)

func (timeless) Write(p []byte) (int, error) {
	fmt.Print(string(times.ReplaceAll(p, []byte("$1:0"))))
	return len(p), nil
}

// What is measured with other dimensions is another document.
func ExampleEmit() {
	service := metrics.Dimension{Name: "service", Value: "orders"}
	h := guard.Wrap(guard.Func(place), metrics.Emit(metrics.New(stdout, "Shop", metrics.Dimensions(service))))
	_, err := h.Invoke(context.Background(), []byte(`{"sku":"A-1","cents":1250}`))
	fmt.Println(err)
	// Output:
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["service","Currency"]],"Metrics":[{"Name":"Revenue"}]}]},"service":"orders","Currency":"EUR","Revenue":12.5,"sku":"A-1"}
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["service"]],"Metrics":[{"Name":"Placed","Unit":"Count"}]}]},"service":"orders","Placed":1,"sku":"A-1"}
	// <nil>
}

// A failure is counted by its kind. The first invocation is a cold start.
func ExampleDefault_failures() {
	refuse := guard.Func(func(context.Context, order) (order, error) {
		return order{}, guard.Errorf(guard.Conflict, "sold_out", "It is sold out.")
	})
	h := guard.Wrap(refuse, metrics.Default(metrics.New(stdout, "Shop", metrics.Dimensions())))
	_, err := h.Invoke(context.Background(), []byte(`{"sku":"A-1"}`))
	fmt.Println(guard.KindOf(err))
	// Output:
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"ColdStart","Unit":"Count"}]}]},"ColdStart":1}
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[[]],"Metrics":[{"Name":"Invocations","Unit":"Count"},{"Name":"Duration","Unit":"Milliseconds"}]}]},"Invocations":1,"Duration":0}
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["Kind"]],"Metrics":[{"Name":"Refusals","Unit":"Count"}]}]},"Kind":"conflict","Refusals":1}
	// conflict
}

// Outside of an invocation, such as in main, a document is written at once.
func ExampleEMF_Measure() {
	emf := metrics.New(stdout, "Shop", metrics.Dimensions(metrics.Dimension{Name: "service", Value: "orders"}))
	err := emf.Measure(context.Background(),
		metrics.Measurement{Name: "RulesLoaded", Unit: metrics.Count, Value: 120},
		metrics.Measurement{Name: "RulesSize", Unit: metrics.Bytes, Value: 4096})
	fmt.Println(err)
	// Output:
	// {"_aws":{"Timestamp":0,"CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["service"]],"Metrics":[{"Name":"RulesLoaded","Unit":"Count"},{"Name":"RulesSize","Unit":"Bytes"}]}]},"service":"orders","RulesLoaded":120,"RulesSize":4096}
	// <nil>
}

// What CloudWatch would drop without a word is an error.
func ExampleAdd() {
	h := guard.Wrap(guard.Func(func(ctx context.Context, _ any) (any, error) {
		return nil, metrics.Add(ctx, "Latency", "Hours", 1)
	}), metrics.Emit(metrics.New(stdout, "Shop")))
	_, err := h.Invoke(context.Background(), []byte(`{}`))
	fmt.Println(err)
	fmt.Println(metrics.Add(context.Background(), "Latency", metrics.Milliseconds, 1))
	// Output:
	// metrics: Latency: CloudWatch has no such unit
	// metrics: Add: no meter belongs to this context: list metrics.Default or metrics.Emit among the layers
}
