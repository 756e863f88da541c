package canonicaljson_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/internal/canonicaljson"
	"pgregory.net/rapid"
)

func mustCanonicalize(t *rapid.T, text string) string {
	out, err := canonicaljson.Append(nil, []byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return string(out)
}

// However the members of a value are ordered, its strings escaped, its numbers
// written and all of it spaced, it has one text, and that is JSON.
func TestSpellingsOfAValueHaveOneText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := trees(numbers()).Draw(t, "value")
		a, b := spell(t, tree), spell(t, tree)
		x, y := mustCanonicalize(t, a), mustCanonicalize(t, b)
		if x != y {
			t.Fatalf("%s became %s, and %s became %s", a, x, b, y)
		}
		if !jsontext.Value(x).IsValid() || strings.ContainsAny(outsideStrings(x), " \t\r\n") {
			t.Fatalf("%s became %s", a, x)
		}
	})
}

func TestCanonicalTextIsCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := mustCanonicalize(t, spell(t, trees(numbers()).Draw(t, "value")))
		if again := mustCanonicalize(t, x); again != x {
			t.Fatalf("%s became %s", x, again)
		}
	})
}

// Two values have one text only if they are one value.
func TestDifferentValuesHaveDifferentTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := trees(numbers()).Draw(t, "value")
		b := changed(t, a)
		x, y := mustCanonicalize(t, spell(t, a)), mustCanonicalize(t, spell(t, b))
		if (x == y) != sameMeaning(a, b) {
			t.Fatalf("%s and %s", x, y)
		}
	})
}

// changed returns a tree that differs from another in little, or not at all.
func changed(t *rapid.T, tree any) any {
	if rapid.IntRange(0, 3).Draw(t, "other") == 0 {
		return trees(numbers()).Draw(t, "another value")
	}
	switch v := tree.(type) {
	case string:
		return v + rapid.SampledFrom([]string{"", "\x00", " ", "a"}).Draw(t, "more")
	case decimalNumber:
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			v.negative = !v.negative && v.coefficient != "0"
		case 1:
			v.exponent++
		case 2: // the next one, of as many digits
			if last := len(v.coefficient) - 1; v.coefficient[last] < '9' {
				v.coefficient = v.coefficient[:last] + string(v.coefficient[last]+1)
			}
		case 3: // in the last of many digits
			if v.coefficient != "0" && len(v.coefficient) < 30 {
				padding := strings.Repeat("0", 29-len(v.coefficient))
				v.exponent -= len(padding) + 1
				v.coefficient += padding + "1"
			}
		}
		return v
	case []any:
		if len(v) == 0 {
			return []any{nil}
		}
		other := append([]any(nil), v...)
		i := rapid.IntRange(0, len(v)-1).Draw(t, "item")
		if rapid.Bool().Draw(t, "swap") {
			other[0], other[i] = other[i], other[0]
		} else {
			other[i] = changed(t, v[i])
		}
		return other
	case map[string]any:
		other := make(map[string]any, len(v))
		for name, value := range v {
			other[name] = value
		}
		name := rapid.SampledFrom([]string{"a", "A", "", "é"}).Draw(t, "name")
		if value, ok := v[name]; ok {
			other[name] = changed(t, value)
		} else {
			other[name] = nil
		}
		return other
	default:
		return tree
	}
}

// Where every number is a double, the text is that of another implementation
// of RFC 8785.
func TestDoublesAreWrittenAsByAnotherImplementation(t *testing.T) {
	doubles := rapid.Map(rapid.OneOf(
		rapid.Float64(),
		rapid.Float64Range(1e-8, 1e-5), // where the layout changes
		rapid.Float64Range(1e19, 1e23),
		rapid.Map(rapid.Uint64(), math.Float64frombits),
		rapid.Map(rapid.Int64Range(-1<<53, 1<<53), func(n int64) float64 { return float64(n) }),
	), func(f float64) any {
		if math.IsNaN(f) || math.IsInf(f, 0) || f == 0 {
			return decimalNumber{coefficient: "0"}
		}
		digits, exponent, _ := strings.Cut(strconv.FormatFloat(math.Abs(f), 'e', -1, 64), "e")
		whole, fraction, _ := strings.Cut(digits, ".")
		n, _ := strconv.Atoi(exponent) // written by FormatFloat
		return decimalNumber{negative: f < 0, coefficient: whole + fraction, exponent: n - len(fraction)}
	})
	rapid.Check(t, func(t *rapid.T) {
		text := spell(t, trees(doubles).Draw(t, "value"))
		other := jsontext.Value(text)
		if err := other.Canonicalize(); err != nil {
			t.Fatal(err)
		}
		if x := mustCanonicalize(t, text); x != string(other) {
			t.Fatalf("%s became %s, elsewhere %s", text, x, other)
		}
	})
}

// Beyond 2^53, where that other implementation rounds, whole numbers stay what
// they are.
func TestWholeNumbersBeyondDoublesStayExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?[1-9][0-9]{15,40}`).Draw(t, "number")
		want, _ := new(big.Rat).SetString(text)
		x := mustCanonicalize(t, text)
		if got, ok := new(big.Rat).SetString(x); !ok || got.Cmp(want) != 0 {
			t.Fatalf("%s became %s", text, x)
		}
		f, _ := want.Float64()
		other := jsontext.Value(text)
		if err := other.Canonicalize(); err != nil {
			t.Fatal(err)
		}
		rounded, _ := new(big.Rat).SetString(string(other))
		if same := x == string(other); same != (rounded.Cmp(want) == 0) {
			t.Fatalf("%s (the double %v) became %s, elsewhere %s", text, f, x, other)
		}
	})
}

// What is written reads as what was meant.
func TestCanonicalTextMeansTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := trees(numbers()).Draw(t, "value")
		x := mustCanonicalize(t, spell(t, tree))
		dec := json.NewDecoder(bytes.NewReader([]byte(x)))
		dec.UseNumber()
		var back any
		if err := dec.Decode(&back); err != nil {
			t.Fatalf("%s: %v", x, err)
		}
		if !means(back, tree) {
			t.Fatalf("%s is not %v", x, tree)
		}
	})
}

// means reports whether a decoded value is a tree.
func means(decoded, tree any) bool {
	switch v := tree.(type) {
	case decimalNumber:
		n, ok := decoded.(json.Number)
		if !ok {
			return false
		}
		got, ok := new(big.Rat).SetString(n.String())
		return ok && got.Cmp(v.meaning()) == 0
	case []any:
		items, ok := decoded.([]any)
		if !ok || len(items) != len(v) {
			return false
		}
		for i := range v {
			if !means(items[i], v[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		members, ok := decoded.(map[string]any)
		if !ok || len(members) != len(v) {
			return false
		}
		for name, value := range v {
			if member, ok := members[name]; !ok || !means(member, value) {
				return false
			}
		}
		return true
	default:
		return decoded == tree
	}
}

// outsideStrings returns a text without its strings.
func outsideStrings(text string) string {
	var out strings.Builder
	inside := false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			inside = !inside
		case inside && text[i] == '\\':
			i++
		case !inside:
			out.WriteByte(text[i])
		}
	}
	return out.String()
}
