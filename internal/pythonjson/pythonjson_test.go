package pythonjson_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/pythonjson"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// encode reads a JSON text and writes it as Python does.
func encode(t *testing.T, text string) string {
	t.Helper()
	tree, err := strictjson.Tree([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	out, err := pythonjson.Append(nil, tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestFloatsHaveTheirPythonRepr(t *testing.T) {
	for text, want := range map[string]string{
		"1.0":                     "1.0",
		"1.50":                    "1.5",
		"1e0":                     "1.0",
		"1E5":                     "100000.0",
		"0.0":                     "0.0",
		"-0.0":                    "-0.0",
		"-0e7":                    "-0.0",
		"0.1":                     "0.1",
		"0.1000000000000000055":   "0.1",
		"0.30000000000000004":     "0.30000000000000004",
		"0.0001":                  "0.0001",
		"0.00012":                 "0.00012",
		"0.00009999999999999999":  "9.999999999999999e-05",
		"1e-5":                    "1e-05",
		"1.5e-7":                  "1.5e-07",
		"1e-100":                  "1e-100",
		"5e-324":                  "5e-324",
		"1e-400":                  "0.0",
		"1e15":                    "1000000000000000.0",
		"9999999999999998.0":      "9999999999999998.0",
		"123456789012345680.0":    "1.2345678901234568e+17",
		"1e16":                    "1e+16",
		"1e22":                    "1e+22",
		"-2.5e20":                 "-2.5e+20",
		"1.7976931348623157e308":  "1.7976931348623157e+308",
		"2.2250738585072014e-308": "2.2250738585072014e-308",
	} {
		if got := encode(t, text); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}

func TestIntegersKeepAllTheirDigits(t *testing.T) {
	huge := strings.Repeat("1234567890", 40)
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "-7": "-7", "9007199254740993": "9007199254740993", huge: huge, "-" + huge: "-" + huge,
	} {
		if got := encode(t, text); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}

func TestAllButPrintableASCIIIsEscaped(t *testing.T) {
	for text, want := range map[string]string{
		`"plain ~"`:                     `"plain ~"`,
		`"<>&/'"`:                       `"<>&/'"`,
		`"\"\\\/"`:                      `"\"\\/"`,
		`"\n\r\t\b\f"`:                  `"\n\r\t\b\f"`,
		`"\u0000\u0001\u000b\u001f"`:    `"\u0000\u0001\u000b\u001f"`,
		`"\u007f\u0080"`:                `"\u007f\u0080"`,
		`"Zoë"`:                         `"Zo\u00eb"`,
		`"\u2028\uFFFD"`:                `"\u2028\ufffd"`,
		"\"\\ud83d\\ude00 \U0010ffff\"": `"\ud83d\ude00 \udbff\udfff"`,
	} {
		if got := encode(t, text); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}

func TestStructureHasPythonsSpacesAndOrder(t *testing.T) {
	for text, want := range map[string]string{
		`null`:                           `null`,
		`[]`:                             `[]`,
		`{}`:                             `{}`,
		`[true,false,[null]]`:            `[true, false, [null]]`,
		`{"b":1,"a":{"d":[],"c":2}}`:     `{"a": {"c": 2, "d": []}, "b": 1}`,
		`{"a":1,"B":2,"":3,"aa":4}`:      `{"": 3, "B": 2, "a": 1, "aa": 4}`,
		`{"\ud83d\ude00":1,"\ufb33":2}`:  `{"\ufb33": 2, "\ud83d\ude00": 1}`, // not the order of UTF-16
		`{"x":"{\"nested\": \"text\"}"}`: `{"x": "{\"nested\": \"text\"}"}`,
	} {
		if got := encode(t, text); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}

func TestWhatHasNoTextIsAnErrorAndAppendsNothing(t *testing.T) {
	for name, v := range map[string]any{
		"too large a number":  json.Number("1e999"),
		"no number":           json.Number("NaN"),
		"an empty number":     json.Number(""),
		"a quoted number":     json.Number(`"1"`),
		"a number with space": json.Number(" 1"),
		"a float of Go":       1.5,
		"bytes":               []byte("x"),
		"no UTF-8":            "\xff",
		"no UTF-8 in a name":  map[string]any{"\xff": nil},
		"deep in an array":    []any{"a", []any{2}},
		"deep in an object":   map[string]any{"a": map[string]any{"b": 2}},
	} {
		out, err := pythonjson.Append([]byte("kept"), v)
		if !errors.Is(err, pythonjson.ErrUnsupported) || string(out) != "kept" {
			t.Errorf("%s: %q and error %v", name, out, err)
		}
	}
}

// What is written is JSON, ASCII alone, and reads as what was written.
func FuzzAppend(f *testing.F) {
	for _, seed := range []string{`{"b":2,"a":[1.0,null,true]}`, `"Zoë 😀\u007f"`, `1e-5`, `-0.0`, `1e22`, `"\ud83d\ude00"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		tree, err := strictjson.Tree(text)
		if err != nil {
			return
		}
		out, err := pythonjson.Append(nil, tree)
		if err != nil {
			if !errors.Is(err, pythonjson.ErrUnsupported) {
				t.Fatal(err)
			}
			return
		}
		for _, b := range out {
			if b < ' ' || b > '~' {
				t.Fatalf("byte %#x in %s", b, out)
			}
		}
		again, err := strictjson.Tree(out)
		if err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		twice, err := pythonjson.Append(nil, again)
		if err != nil || string(twice) != string(out) {
			t.Fatalf("%s became %s, error %v", out, twice, err)
		}
	})
}
