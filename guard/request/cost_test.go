package request_test

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// filled is an event of 6 MiB that holds a member's text as often as it fits.
func filled(open, unit, end string) []byte {
	const size = 6 << 20
	return []byte(open + strings.Repeat(unit, (size-len(open)-len(end))/len(unit)) + end)
}

// An event of any form, refused or not, takes little memory beside itself. Eight
// at once fit into a function of 128 MB.
func TestAPartialRequestTakesLittleMemory(t *testing.T) {
	const context = `"requestContext":{"elb":{}},"httpMethod":"GET",`
	for name, event := range map[string][]byte{
		"headers":            filled(`{`+context+`"headers":{`, `"":"",`, `"a":"b"}}`),
		"lists of values":    filled(`{`+context+`"multiValueHeaders":{"":[`, `"",`, `""]}}`),
		"cookies":            filled(`{`+context+`"cookies":[`, `"",`, `""]}`),
		"the query":          filled(`{`+context+`"queryStringParameters":{`, `"":"",`, `"a":"b"}}`),
		"path parameters":    filled(`{`+context+`"pathParameters":{`, `"":"",`, `"a":"b"}}`),
		"no end":             filled(`{`+context+`"headers":{`, `"":"",`, ``),
		"members":            filled(`{`+context, `"":0,`, `"a":0}`),
		"members of objects": filled(`{`+context+`"requestContext":{`, `"":0,`, `"a":0}}`),
		"members twice":      filled(`{`+context, `"headers":{},`, `"a":0}`),
		"authorizer":         filled(`{`+context+`"requestContext":{"elb":{},"authorizer":[`, `0,`, `0]}}`),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := request.Partial(event)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 2<<20 {
				t.Errorf("got %d KiB allocated, want less than 2048", took>>10)
			}
			if r.Trigger() != request.ALB {
				t.Errorf("got trigger %q", r.Trigger())
			}
		})
	}
}

// The query takes time by its size, and not by its square: the time for each
// parameter is to be about the same.
func BenchmarkQuery(b *testing.B) {
	for _, params := range []int{500, 16_000} {
		b.Run(strconv.Itoa(params), func(b *testing.B) {
			var event strings.Builder
			event.WriteString(`{"requestContext":{"elb":{}},"httpMethod":"GET","path":"/","queryStringParameters":{"a":"b"`)
			for i := range params - 1 {
				fmt.Fprintf(&event, `,"%06d":"v"`, i)
			}
			event.WriteString(`}}`)
			r, err := request.Read([]byte(event.String()))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if got := len(r.Query()); got != params {
					b.Fatalf("got %d parameters, want %d", got, params)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*params), "ns/parameter")
		})
	}
}

// What no gateway sends is refused before it is kept.
func TestARequestHasNoMoreLinesThanAGatewaySends(t *testing.T) {
	var headers strings.Builder
	for i := range 90_000 {
		fmt.Fprintf(&headers, `"%050d":"",`, i)
	}
	for name, event := range map[string]string{
		"headers": `{"requestContext":{"elb":{}},"httpMethod":"GET","headers":{` + headers.String() + `"a":"b"}}`,
		"cookies": `{"version":"2.0","requestContext":{"http":{"method":"GET"}},"cookies":[` + strings.Repeat(`"",`, 90_000) + `""]}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := request.Read([]byte(event))
		runtime.ReadMemStats(&after)
		var strict *strictjson.Error
		if !errors.As(err, &strict) || strict.Code != strictjson.TooManyNodes {
			t.Errorf("%s: got %v, want %s", name, err, strictjson.TooManyNodes)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
			t.Errorf("%s: got %d KiB allocated, want less than 16384", name, took>>10)
		}
	}
}
