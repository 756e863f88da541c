package canonicaljson

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// What is accepted is canonical when it is read again, JSON of the same meaning,
// and accepted by another strict parser; where the numbers are doubles it is
// what another implementation of RFC 8785 makes of it.
func FuzzAppend(f *testing.F) {
	for _, seed := range []string{
		`{"b":[1,2.50,-0,1e21,1E-7],"a":"\u00e9\ud83d\ude00\n"}`, `{"\ue000":1,"\ud800\udc00":2}`, `9007199254740993`, `[1e400]`, ` {} `, `"\u0000"`, `[[]]`, `{"a":1,"a":2}`, `-`, `1.7976931348623159e308`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		out, err := Append(nil, text)
		if err != nil {
			if jsontext.Value(text).IsValid() && !strings.ContainsAny(string(text), "eE") && bytes.Count(text, []byte("[")) < 1000 && bytes.Count(text, []byte("{")) < 1000 {
				t.Fatalf("%q is refused: %v", text, err)
			}
			return
		}
		if !jsontext.Value(text).IsValid() {
			t.Fatalf("%q is accepted", text)
		}
		again, err := Append(nil, out)
		if err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%q became %q and then %q (%v)", text, out, again, err)
		}
		other := jsontext.Value(bytes.Clone(text))
		if err := other.Canonicalize(); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if !hasInexact(text) && !bytes.Equal(other, out) {
			t.Fatalf("%q became %q, elsewhere %q", text, out, other)
		}
	})
}

// hasInexact reports whether a number of text is one that this package writes in
// another way than RFC 8785 says: whole and no double, or beyond all doubles.
func hasInexact(text []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if err != nil {
			return false
		}
		n, ok := token.(json.Number)
		if !ok {
			continue
		}
		f, err := n.Float64()
		if err != nil || f == 0 && strings.ContainsAny(mantissa(n.String()), "123456789") {
			return true
		}
		exact, ok := new(big.Rat).SetString(n.String())
		if !ok {
			return true // an exponent that big.Rat does not take
		}
		if exact.IsInt() {
			shortest, _ := new(big.Rat).SetString(jsonNumber(f))
			if shortest == nil || exact.Cmp(shortest) != 0 {
				return true
			}
		}
	}
}

func mantissa(number string) string {
	number, _, _ = strings.Cut(strings.ToLower(number), "e")
	return number
}

func jsonNumber(f float64) string {
	text, _ := json.Marshal(f) // finite
	return string(text)
}
