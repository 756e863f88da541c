package canonicaljson

import (
	"bytes"
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
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

// Two texts of one value are one text, however their members are ordered and
// spaced and their strings escaped.
func TestEqualValuesHaveOneText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := values().Draw(t, "value")
		plain, err := json.Marshal(value)
		if err != nil {
			t.Skip(err)
		}
		var spaced bytes.Buffer
		enc := json.NewEncoder(&spaced)
		enc.SetEscapeHTML(rapid.Bool().Draw(t, "escape"))
		enc.SetIndent(" ", "\t")
		if err := enc.Encode(value); err != nil {
			t.Fatal(err)
		}
		a, err := Append(nil, plain)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Append(nil, spaced.Bytes())
		if err != nil || !bytes.Equal(a, b) {
			t.Fatalf("%s and %s (%v)", a, b, err)
		}
		var back any
		if err := json.Unmarshal(a, &back); err != nil || !reflect.DeepEqual(back, value) {
			t.Fatalf("%s is %#v (%v), was %#v", a, back, err, value)
		}
	})
}

// Whole numbers are equal if their texts are.
func TestWholeNumbersAreExact(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,40})(\.0{0,3}0)?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		x, okX := new(big.Rat).SetString(a)
		y, okY := new(big.Rat).SetString(b)
		if !okX || !okY {
			t.Fatal("not a number")
		}
		p, errP := Append(nil, []byte(a))
		q, errQ := Append(nil, []byte(b))
		if errP != nil || errQ != nil || bytes.Equal(p, q) != (x.Cmp(y) == 0) {
			t.Fatalf("%s is %s (%v), %s is %s (%v)", a, p, errP, b, q, errQ)
		}
		if z, ok := new(big.Rat).SetString(string(p)); !ok || z.Cmp(x) != 0 {
			t.Fatalf("%s became %s", a, p)
		}
	})
}

func values() *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), wrap[bool]), rapid.Map(rapid.String(), wrap[string]),
		rapid.Map(rapid.Float64Range(-1e300, 1e300), wrap[float64]), rapid.Map(rapid.IntRange(-1<<53, 1<<53), func(n int) any { return float64(n) }),
	)
	var deeper func(depth int) *rapid.Generator[any]
	deeper = func(depth int) *rapid.Generator[any] {
		if depth == 0 {
			return leaf
		}
		inner := deeper(depth - 1)
		return rapid.OneOf(leaf,
			rapid.Map(rapid.SliceOfN(inner, 0, 4), wrap[[]any]),
			rapid.Map(rapid.MapOfN(rapid.String(), inner, 0, 4), wrap[map[string]any]))
	}
	return deeper(3)
}

func wrap[T any](v T) any { return v }
