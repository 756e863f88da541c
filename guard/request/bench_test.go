package request_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard/request"
)

func BenchmarkRead(b *testing.B) {
	event, err := os.ReadFile("../../.ci/compare/testdata/post_order.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := request.Read(event)
		if err != nil || r.Trigger() != request.HTTPAPI {
			b.Fatal(r.Trigger(), err)
		}
	}
}

func BenchmarkBare(b *testing.B) {
	event, err := os.ReadFile("../../.ci/compare/testdata/post_order.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		var in events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(event, &in); err != nil {
			b.Fatal(err)
		}
	}
}
