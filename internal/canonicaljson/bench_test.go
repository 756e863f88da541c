package canonicaljson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
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
// value with its members sorted; Compact only takes the space out of a text.
func BenchmarkAppend(b *testing.B) {
	for name, text := range map[string][]byte{"order": order, "large": large} {
		var tree any
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&tree); err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/canonical", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			var out []byte
			for b.Loop() {
				var err error
				if out, err = Append(out[:0], text); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/encoding-json-marshal", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := json.Marshal(tree); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/encoding-json-compact", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			var out bytes.Buffer
			for b.Loop() {
				out.Reset()
				if err := json.Compact(&out, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
