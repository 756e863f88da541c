package strictjson_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// lines returns an order of n items that ends with last.
func lines(n int, item, last string) string {
	return `{"customer":"c","items":[` + strings.Repeat(item+",", n-1) + last + `],"note":"n"}`
}

// strange is an order with n members that it has no place for, and then end.
func strange(n int, end string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&b, `"%06d":0,`, i)
	}
	return b.String() + end + `}`
}

const plainItem = `{"sku":"a","quantity":1}`

// bodies are texts that are refused, beside what they would be if they were
// accepted.
var bodies = []struct {
	name              string
	accepted, refused string
	reject            bool // unknown members, in what is to be refused
	code              strictjson.Code
}{
	{name: "unknown members", accepted: strange(99_000, `"note":""`), refused: strange(99_000, `"note":""`), reject: true, code: strictjson.UnknownName},
	{name: "an unknown member, last", accepted: lines(33_000, plainItem, plainItem), refused: lines(33_000, plainItem, `{"sku":"a","new":1}`), reject: true, code: strictjson.UnknownName},
	{name: "case variants", accepted: lines(33_000, plainItem, plainItem), refused: lines(33_000, `{"SKU":"a","quantity":1}`, plainItem), code: strictjson.CaseVariant},
	{name: "a case variant, last", accepted: lines(33_000, plainItem, plainItem), refused: lines(33_000, plainItem, `{"SKU":"a"}`), code: strictjson.CaseVariant},
	{name: "a case variant after unknown members", accepted: strange(99_000, `"note":""`), refused: strange(99_000, `"NOTE":""`), code: strictjson.CaseVariant},
	{name: "a member twice, last", accepted: lines(33_000, plainItem, plainItem), refused: lines(33_000, plainItem, `{"sku":"a","sku":"a"}`), code: strictjson.DuplicateName},
	{name: "a member twice after unknown members", accepted: strange(99_000, `"note":""`), refused: strange(99_000, `"note":"","note":""`), code: strictjson.DuplicateName},
	{name: "wrong types", accepted: lines(33_000, plainItem, plainItem), refused: lines(33_000, `{"sku":1,"quantity":"1"}`, plainItem), code: strictjson.WrongType},
	{name: "a wrong type, last", accepted: lines(33_000, plainItem, plainItem), refused: lines(33_000, plainItem, `{"sku":1}`), code: strictjson.WrongType},
	{name: "null for an object, last", accepted: lines(33_000, plainItem, plainItem), refused: lines(33_000, plainItem, `null`), code: strictjson.WrongType},
	{name: "invalid UTF-8, last", accepted: lines(33_000, plainItem, plainItem), refused: lines(33_000, plainItem, "{\"sku\":\"\xff\"}"), code: strictjson.InvalidUTF8},
	{name: "data behind", accepted: lines(33_000, plainItem, plainItem), refused: lines(33_000, plainItem, plainItem) + "{}", code: strictjson.TrailingData},
}

// A refusal may not cost more than the acceptance: who sends bad bodies would
// fill a function that good ones of that size do not. Time is the benchmark's.
//
// SECURITY: Bounded work.
func TestARefusalTakesNoMoreMemoryThanTheAcceptance(t *testing.T) {
	for _, tc := range bodies {
		t.Run(tc.name, func(t *testing.T) {
			var err error
			accepted := allocated(func() { err = decodeOrder(tc.accepted, false) })
			if err != nil {
				t.Fatal(err)
			}
			refused := allocated(func() { err = decodeOrder(tc.refused, tc.reject) })
			var e *strictjson.Error
			if e, _ = err.(*strictjson.Error); e == nil || e.Code != tc.code {
				t.Fatalf("got %v, want %s", err, tc.code)
			}
			if refused > accepted+64<<10 {
				t.Errorf("%d kB allocated for the refusal, %d for the acceptance", refused>>10, accepted>>10)
			}
		})
	}
}

func decodeOrder(text string, reject bool) error {
	var o benchOrder
	return strictjson.Unmarshal([]byte(text), &o, strictjson.Options{RejectUnknown: reject})
}

// allocated is all that f allocates, freed or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func BenchmarkRefusal(b *testing.B) {
	for _, tc := range bodies {
		name := strings.NewReplacer(" ", "-", ",", "").Replace(tc.name)
		b.Run(name+"/accepted", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = decodeOrder(tc.accepted, false)
			}
		})
		b.Run(name+"/refused", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = decodeOrder(tc.refused, tc.reject)
			}
		})
	}
}
