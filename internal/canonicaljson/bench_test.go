package canonicaljson

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

var (
	order = []byte(`{"customer":"c-42","items":[{"sku":"KB-101","quantity":2},{"sku":"MS-204","quantity":1}],"note":"ring twice, the bell is quiet","total":14990}`)
	large = func() []byte {
		var b bytes.Buffer
		b.WriteString(`{"orders":[`)
		for i := range 200 {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"id":%d,"customer":"c-%d","name":"Zo\u00eb \"%d\"","price":%d.5,"tags":["a","b"],"open":true,"note":null}`, 9007199254740993+i, i, i, i)
		}
		b.WriteString(`]}`)
		return b.Bytes()
	}()
)

// The plain encoder to compare with is encoding/json, which writes the decoded
// value with its members sorted, and its second version, which sorts nothing
// unless it is asked to. Compact only takes the space out of a text.
func BenchmarkEncoders(b *testing.B) {
	for name, text := range map[string][]byte{"order": order, "large": large} {
		tree := decoded(b, text)
		var out []byte
		var compact bytes.Buffer
		for encoder, encode := range map[string]func() error{
			"append":          func() (err error) { out, err = Append(out[:0], text); return err },
			"marshal":         func() error { _, err := Marshal(tree); return err },
			"json-marshal":    func() error { _, err := stdjson.Marshal(tree); return err },
			"json-compact":    func() error { compact.Reset(); return stdjson.Compact(&compact, text) },
			"v2-marshal":      func() error { _, err := json.Marshal(tree, json.Deterministic(true)); return err },
			"v2-canonicalize": func() error { v := jsontext.Value(append(out[:0], text...)); return v.Canonicalize() },
		} {
			b.Run(name+"/"+encoder, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					if err := encode(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// How many times as long as encoding/json this package takes for the same
// value, in turn, so that a busy machine is busy for both.
func BenchmarkAgainstAPlainEncoder(b *testing.B) {
	type item struct {
		SKU      string `json:"sku"`
		Quantity int    `json:"quantity"`
	}
	fields := struct {
		Customer string `json:"customer"`
		Items    []item `json:"items"`
		Note     string `json:"note"`
		Total    int64  `json:"total"`
	}{Customer: "c-42", Items: []item{{SKU: "KB-101", Quantity: 2}, {SKU: "MS-204", Quantity: 1}}, Note: "ring twice, the bell is quiet", Total: 14990}
	for name, v := range map[string]struct {
		text  []byte
		value any
	}{"order": {text: order, value: decoded(b, order)}, "struct": {text: order, value: fields}, "large": {text: large, value: decoded(b, large)}} {
		text, tree := v.text, v.value
		b.Run(name, func(b *testing.B) {
			var plain, fromText, fromTree time.Duration
			var out []byte
			for b.Loop() {
				start := time.Now()
				_, errPlain := stdjson.Marshal(tree)
				first := time.Now()
				var errText error
				out, errText = Append(out[:0], text)
				second := time.Now()
				_, errTree := Marshal(tree)
				fromTree += time.Since(second)
				plain, fromText = plain+first.Sub(start), fromText+second.Sub(first)
				if err := errors.Join(errPlain, errText, errTree); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(fromText)/float64(plain), "append/plain")
			b.ReportMetric(float64(fromTree)/float64(plain), "marshal/plain")
		})
	}
}

func decoded(b *testing.B, text []byte) (tree any) {
	b.Helper()
	dec := stdjson.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil {
		b.Fatal(err)
	}
	return tree
}
