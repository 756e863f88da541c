package document_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/recursion/internal/document"
)

func TestADetailKeepsItsOtherMembers(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                              `{"_hops":3}`,
		` { "a" : 1.50 , "b":[ ] } `:      `{"_hops":3,"a":1.50,"b":[ ]}`,
		`{"_hops":1,"a":1,"_hops":"x"}`:   `{"_hops":3,"a":1}`,
		`{"\u005fhops":1}`:                `{"_hops":3}`,
		`{"\u0061":1,"é":"\ud83d\ude00"}`: `{"_hops":3,"\u0061":1,"é":"\ud83d\ude00"}`,
		`{"a":{"_hops":1}}`:               `{"_hops":3,"a":{"_hops":1}}`,
		`[]`:                              `[]`,
		``:                                ``,
		`null`:                            `null`,
		`{"a":1`:                          `{"a":1`,
		`{"a":1} x`:                       `{"a":1} x`,
		`{"a"}`:                           `{"a"}`,
	} {
		if got := document.Detail(text, "_hops", 3); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func FuzzDetail(f *testing.F) {
	f.Add(`{"a":1,"_hops":2}`)
	f.Add(`{"a":{"b":[1,2,{"c":null}]},"a":2}`)
	f.Fuzz(func(t *testing.T, text string) {
		var before, after map[string]any
		got := document.Detail(text, "_hops", 7)
		if json.Unmarshal([]byte(text), &before) != nil || before == nil {
			return // not an object, or one that encoding/json reads in another way
		}
		if err := json.Unmarshal([]byte(got), &after); err != nil {
			t.Fatalf("%q: got %q: %v", text, got, err)
		}
		before["_hops"] = 7.0
		if !reflect.DeepEqual(before, after) {
			t.Errorf("%q: got %v, want %v", text, after, before)
		}
	})
}
