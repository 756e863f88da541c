package otel_test

import (
	"os"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/otel/oteltest"
)

// The example sends spans and metrics with each header that Lambda may send, also with
// that of a function without active tracing, which is how functions are by default.
func TestTheExampleSendsSpansAndMetrics(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const root = "Root=1-5759e988-bd862e3fe1be46a994272793"
	for name, tt := range map[string]struct {
		header  string
		env     string
		service string
	}{
		"active tracing":    {header: segment, service: "place-order"},
		"no active tracing": {header: root + ";Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:fe460cdd:0", service: "place-order"},
		"a root alone":      {header: root, service: "place-order"},
		"a service":         {header: segment, env: "OTEL_SERVICE_NAME=shop", service: "shop"},
		"an attribute":      {header: segment, env: "OTEL_RESOURCE_ATTRIBUTES=service.version=3,service.name=shop", service: "shop"},
	} {
		t.Run(name, func(t *testing.T) {
			c := oteltest.Start(t)
			fn := guardtest.Start(t, self, guardtest.Config{
				Name: "place-order", Timeout: 10 * time.Second, InitTimeout: 2 * time.Minute,
				Env: []string{"RUN_EXAMPLE=1", "OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, tt.env},
			})
			call := guardtest.Call{TraceID: tt.header, Payload: sample.HTTP("POST", "/orders").Route("POST /orders").JSON(`{"sku":"KB-101"}`).Bytes()}
			if _, err := fn.Do(t.Context(), call); err != nil {
				t.Fatal(err)
			}
			spans, values := c.Spans(), c.Metrics()
			if len(spans) != 1 || spans[0].Name != "POST /orders" || spans[0].Resource["service.name"] != tt.service {
				t.Errorf("got spans %+v, want one of service %s", spans, tt.service)
			}
			if len(values) == 0 || values[0].Resource["service.name"] != tt.service {
				t.Errorf("got metrics %+v, want some of service %s", values, tt.service)
			}
		})
	}
}
