package strictjson_test

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

var body = []byte(`{"customer":"c-42","items":[{"sku":"KB-101","quantity":2},{"sku":"MS-200","quantity":1},{"sku":"CB-300","quantity":12}],"note":"ring twice, please leave it here"}`)

func BenchmarkTree(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := strictjson.Tree(body); err != nil {
			b.Fatal(err)
		}
	}
}

type benchItem struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

type benchOrder struct {
	Customer string      `json:"customer"`
	Items    []benchItem `json:"items"`
	Note     string      `json:"note"`
}

func BenchmarkStruct(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var o benchOrder
		if err := strictjson.Unmarshal(body, &o, strictjson.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
