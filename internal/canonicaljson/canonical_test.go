package canonicaljson

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// The example of RFC 8785, sections 3.2.2 to 3.2.4.
func TestExampleOfTheRFC(t *testing.T) {
	const in = `{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}`
	const want = `{"literals":[null,true,false],` +
		`"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
		`"string":"€$\u000f\nA'B\"\\\\\"/"}`
	wantCanonical(t, in, want)
}

// Section 3.2.3: names are sorted by UTF-16 code units, so that a surrogate
// pair comes before U+FB33.
func TestSortingExampleOfTheRFC(t *testing.T) {
	const in = `{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",` +
		`"\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`
	const want = `{"\r":"Carriage Return","1":"One","` + "\u0080" + `":"Control","ö":"Latin Small Letter O With Diaeresis",` +
		`"€":"Euro Sign","😀":"Emoji: Grinning Face","` + "\ufb33" + `":"Hebrew Letter Dalet With Dagesh"}`
	wantCanonical(t, in, want)
}

// What the authors of the RFC test implementations with, beside the above.
//
// https://github.com/cyberphone/json-canonicalization/tree/master/testdata
func TestVectorsOfTheAuthors(t *testing.T) {
	for in, want := range map[string]string{
		"[\n  56,\n  {\n    \"d\": true,\n    \"10\": null,\n    \"1\": [ ]\n  }\n]\n":                                                    `[56,{"1":[],"10":null,"d":true}]`,
		`{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization MUST","sin":"ignore locale"}`: `{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization MUST","sin":"ignore locale"}`,
		`{"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { }, "111": [ {"e": "yes","E": "no" } ], "A": { }}`:    `{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}`,
		`{"Unnormalized Unicode":"A\u030a"}`: `{"Unnormalized Unicode":"A` + "\u030a" + `"}`,
		`{"\u20ac":"Euro Sign","\r":"Carriage Return","\u000a":"Newline","1":"One","\u0080":"Control\u007f","\ud83d\ude02":"Smiley",` +
			`"\u00f6":"Latin Small Letter O With Diaeresis","\ufb33":"Hebrew Letter Dalet With Dagesh","</script>":"Browser Challenge"}`: `{"\n":"Newline","\r":"Carriage Return","1":"One","</script>":"Browser Challenge","` + "\u0080" + `":"Control` + "\x7f" +
			`","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😂":"Smiley","` + "\ufb33" + `":"Hebrew Letter Dalet With Dagesh"}`,
	} {
		wantCanonical(t, in, want)
	}
}

// Appendix B of RFC 8785: doubles and their texts. A double is written with all
// the digits that it has, so that nothing is left to the parser here.
func TestNumbersOfTheRFC(t *testing.T) {
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0",
		0x8000000000000000: "0",
		0x0000000000000001: "5e-324",
		0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308",
		0xffefffffffffffff: "-1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992",
		0xc340000000000000: "-9007199254740992",
		0x4430000000000000: "295147905179352830000",
		0x44b52d02c7e14af5: "9.999999999999997e+22",
		0x44b52d02c7e14af6: "1e+23",
		0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000",
		0x444b1ae4d6e2ef4f: "999999999999999900000",
		0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7",
		0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555553: "333333333.3333332",
		0x41b3de4355555554: "333333333.33333325",
		0x41b3de4355555555: "333333333.3333333",
		0x41b3de4355555556: "333333333.3333334",
		0x41b3de4355555557: "333333333.33333343",
		0xbecbf647612f3696: "-0.0000033333333333333333",
		0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		shortest := strconv.FormatFloat(math.Float64frombits(bits), 'e', -1, 64)
		wantCanonical(t, shortest, want)
	}
}

func TestWholeNumbersKeepTheirDigits(t *testing.T) {
	for in, want := range map[string]string{
		"9007199254740993":                     "9007199254740993",
		"-9007199254740993":                    "-9007199254740993",
		"9007199254740993.000":                 "9007199254740993",
		"900719925474099.3e1":                  "9007199254740993",
		"18446744073709551615":                 "18446744073709551615",
		"123456789012345678901":                "123456789012345678901",
		"1234567890123456789012":               "1.234567890123456789012e+21",
		"100000000000000000000000":             "1e+23",
		"1e23":                                 "1e+23",
		"1" + strings.Repeat("0", 400):         "1e+400",
		"1e400":                                "1e+400",
		"15e399":                               "1.5e+400",
		"1.0":                                  "1",
		"10e-1":                                "1",
		"-0":                                   "0",
		"-0.0":                                 "0",
		"0e99":                                 "0",
		"0.0e-5":                               "0",
		"100":                                  "100",
		"1E+2":                                 "100",
		"1e-400":                               "1e-400",
		"1" + strings.Repeat("0", 400) + ".5":  "1." + strings.Repeat("0", 399) + "05e+400",
		"0.1":                                  "0.1",
		"0.10":                                 "0.1",
		"0.1000000000000000055511151231257827": "0.1", // as RFC 8785 has it
		"-1.50e1":                              "-15",
	} {
		wantCanonical(t, in, want)
	}
}

func TestStringsAndSpaces(t *testing.T) {
	for in, want := range map[string]string{
		` [ 1 , { "b" : 2 , "a" : [ ] } , { } ] `:    `[1,{"a":[],"b":2},{}]`,
		`"\b\f\n\r\t\u0000\u001f\u007f\/"`:           `"\b\f\n\r\t\u0000\u001f` + "\x7f" + `/"`,
		`"\u0061\ud83d\uDE00z"`:                      `"a😀z"`,
		`"<>&\u2028"`:                                `"<>&` + "\u2028" + `"`,
		`{"B":1,"a":2}`:                              `{"B":1,"a":2}`, // no case folding
		`{"a":1,"A":2}`:                              `{"A":2,"a":1}`,
		`{"\u0061":{"z":{"y":1,"x":2},"b":1},"":[]}`: `{"":[],"a":{"b":1,"z":{"x":2,"y":1}}}`,
		`{"aa":1,"a":2,"b":3,"":4}`:                  `{"":4,"a":2,"aa":1,"b":3}`,
		`{"\ue000":1,"\ud800\udc00":2,"\ud7ff":3}`:   "{\"\ud7ff\":3,\"\U00010000\":2,\"\ue000\":1}",
		"true": "true", "false": "false", "null": "null", `""`: `""`,
	} {
		wantCanonical(t, in, want)
	}
}

func TestRefused(t *testing.T) {
	for _, in := range []string{
		"", " ", "{", "[", `"`, "{]", "[1,]", `{"a":1,}`, `{"a"}`, `{a:1}`, `{1:1}`, "tru", "nul", "1 2", "[1][2]", "{}x",
		"01", "-", "-01", "+1", ".5", "1.", "1e", "1e+", "0x1", "1.e1", "NaN", "Infinity", "1e1000000000", "1e-1000000000",
		`{"a":1,"a":1}`, `{"b":1,"a":1,"\u0061":2}`, `[{"x":1,"x":1}]`,
		`"\ud800"`, `"\ud800\u0041"`, `"\udc00\ud800"`, `"\ud800x"`, `"\u12"`, `"\x41"`, `"\`, `"\u00g0"`,
		"\"\xff\"", "\"\\n\xff\"", "\"\x80\"", "\"\\n\x80\"", "\"\xed\xa0\x80\"", "\"a\nb\"", "\"\\n\n\"", "\xef\xbb\xbf1",
		strings.Repeat("[", 1001) + strings.Repeat("]", 1001),
		strings.Repeat(`{"a":`, 1001) + "1" + strings.Repeat("}", 1001),
	} {
		out, err := Append([]byte("kept"), []byte(in))
		if !errors.Is(err, ErrInvalid) || string(out) != "kept" {
			t.Errorf("%.40q: %q, %v", in, out, err)
		}
	}
}

func TestDepthOfAThousandIsTaken(t *testing.T) {
	in := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	wantCanonical(t, in, in)
}

func TestManyMembersAreSortedAtEveryLevel(t *testing.T) {
	object := func(order []int, inner string) string {
		members := make([]string, len(order))
		for i, n := range order {
			members[i] = fmt.Sprintf(`"%02d":%s`, n, inner)
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	for _, n := range []int{2, 16, 17, 64} {
		up, down := make([]int, n), make([]int, n)
		for i := range n {
			up[i], down[n-1-i] = i, i
		}
		wantCanonical(t, object(down, object(down, "[1.0]")), object(up, object(up, "[1]")))
		twice := object(append(down, 0), "null")
		if _, err := Append(nil, []byte(twice)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d members and one of them again: %v", n, err)
		}
	}
}

// Sorting takes about as long as reading, however deep the objects are.
//
// SECURITY: Bounded work.
func TestSortingDeepObjectsMovesTheirTextOnce(t *testing.T) {
	const depth, size = 900, 1 << 16
	text := func(name string) string {
		return strings.Repeat(`{"`+name+`":`, depth) + `"` + strings.Repeat("x", size) + `"` + strings.Repeat(`,"b":0}`, depth)
	}
	allocated := func(text string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Append(nil, []byte(text)); err != nil {
			t.Error(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	sorted, unsorted := allocated(text("a")), allocated(text("c"))
	if unsorted > 4*sorted {
		t.Errorf("got %d kB for an unsorted text, want about the %d kB of a sorted one", unsorted>>10, sorted>>10)
	}
}

func TestMarshal(t *testing.T) {
	got, err := Marshal(map[string]any{
		"b": int64(9007199254740993), "a": "<é>", "c": []float64{1, 0.5},
		"d": []any{json.Number("1.0"), "1", json.Number("")}, "e": json.RawMessage(`{"y":1,"x":2}`),
	})
	if want := `{"a":"<é>","b":9007199254740993,"c":[1,0.5],"d":[1,"1",0],"e":{"x":2,"y":1}}`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	for _, bad := range []any{
		math.NaN(), math.Inf(1), math.Inf(-1), func() {}, json.Number("1x"), json.RawMessage(`{"a":1,"a":2}`), json.RawMessage("\"\xff\""),
		"\xff",
		map[string]int{"\xff": 1},
		[]any{json.Number("1"), "a\xed\xa0\x80"},
		struct{ A, B string }{A: "\ufffd", B: "\xff"},
		json.Number(`"1"`), json.Number(" 1"), json.Number("{}"),
	} {
		if got, err := Marshal(bad); err == nil {
			t.Errorf("%v became %s", bad, got)
		}
	}
}

// Values that encoding/json writes differently are different.
func TestMarshalTakesNumbersAsEncodingJSONDoes(t *testing.T) {
	for want, v := range map[string]any{
		`{"1":2,"b":3}`: map[json.Number]int{"1": 2, "b": 3},
		`{"N":"12"}`: struct {
			N json.Number `json:",string"`
		}{N: "12"},
	} {
		if got, err := Marshal(v); err != nil || string(got) != want {
			t.Errorf("%#v became %s (%v), want %s", v, got, err, want)
		}
	}
}

// U+FFFD is a character like others where it is meant.
func TestMarshalOfTheReplacementCharacter(t *testing.T) {
	for want, v := range map[string]any{
		`"` + "\ufffd" + `"`:         "\ufffd",
		`"\\ufffd"`:                  `\ufffd`,
		`[1,"` + "\ufffd" + `"]`:     []any{json.Number("1.0"), json.RawMessage(`"\uFFFD"`)},
		`{"` + "\ufffd" + `":"<é>"}`: map[string]string{"\ufffd": "<é>"},
		`["` + "\ufffd" + `",0]`:     []any{json.RawMessage(`"\ufffd"`), json.Number("")},
	} {
		if got, err := Marshal(v); err != nil || string(got) != want {
			t.Errorf("%#v became %s (%v), want %s", v, got, err, want)
		}
	}
}

func wantCanonical(t *testing.T, in, want string) {
	t.Helper()
	got, err := Append([]byte("x"), []byte(in))
	if err != nil || string(got) != "x"+want {
		t.Errorf("%.60s became %.80s (%v), want %.80s", in, got[1:], err, want)
	}
}

func ExampleAppend() {
	text, _ := Append(nil, []byte(`{ "total": 10.0, "id": 9007199254740993, "\u0061": "\u00e9" }`))
	fmt.Println(string(text))
	// Output: {"a":"é","id":9007199254740993,"total":10}
}
