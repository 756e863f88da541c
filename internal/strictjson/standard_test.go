package strictjson_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/mail"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// standardTypes are the types that have a meaning in JSON, and texts that
// encoding/json takes for them.
var standardTypes = []struct {
	rule   string
	agrees func(*testing.T, ...string)
	texts  []string
}{
	{
		rule:   "json.Number",
		agrees: agrees[json.Number],
		texts:  []string{`1.5`, `-0`, `1e400`, `9007199254740993`, `"1.5"`, `"-1e3"`},
	},
	{
		rule:   "json.RawMessage",
		agrees: agrees[json.RawMessage],
		texts:  []string{`{"a": 1.50}`, `[1,"x"]`, `"x"`, `1e400`, `true`},
	},
	{
		rule:   "time.Time",
		agrees: agrees[time.Time],
		texts:  []string{`"2026-01-02T03:04:05Z"`, `"2026-01-02T03:04:05.123456789+02:00"`},
	},
	{rule: "time.Duration", agrees: agrees[time.Duration], texts: []string{`1500000000`, `-1`}},
	{rule: "time.Month", agrees: agrees[time.Month], texts: []string{`12`}},
	{rule: "netip.Addr", agrees: agrees[netip.Addr], texts: []string{`"192.0.2.1"`, `"2001:db8::1"`, `""`}},
	{rule: "netip.Prefix", agrees: agrees[netip.Prefix], texts: []string{`"192.0.2.0/24"`}},
	{rule: "netip.AddrPort", agrees: agrees[netip.AddrPort], texts: []string{`"192.0.2.1:80"`}},
	{rule: "net.IP", agrees: agrees[net.IP], texts: []string{`"192.0.2.1"`}},
	{rule: "big.Int", agrees: agrees[big.Int], texts: []string{`123456789012345678901234567890`, `-1`}},
	{rule: "big.Float", agrees: agrees[big.Float], texts: []string{`"1.5"`, `"0x1p-2"`}},
	{rule: "big.Rat", agrees: agrees[big.Rat], texts: []string{`"1/3"`, `"1.5"`}},
	{
		rule:   "url.URL",
		agrees: agrees[url.URL],
		texts:  []string{`{"Scheme":"https","Host":"example.com","Path":"/p","User":null}`},
	},
	{rule: "url.Values", agrees: agrees[url.Values], texts: []string{`{"a":["1","2"],"b":null}`}},
	{rule: "http.Header", agrees: agrees[http.Header], texts: []string{`{"Accept":["a"]}`}},
	{rule: "mail.Address", agrees: agrees[mail.Address], texts: []string{`{"Name":"Alice","Address":"a@example.com"}`}},
	{rule: "regexp.Regexp", agrees: agrees[regexp.Regexp], texts: []string{`"^a+$"`}},
	{rule: "slog.Level", agrees: agrees[slog.Level], texts: []string{`"WARN+1"`}},
	{rule: "bytes", agrees: agrees[[]byte], texts: []string{`"cmF3"`, `""`, `"cm\nF3"`}},
	{rule: "a named slice of bytes", agrees: agrees[named], texts: []string{`"cmF3"`}},
	{rule: "an array of bytes", agrees: agrees[[3]byte], texts: []string{`[1,2,3]`, `[1]`}},
	{rule: "string", agrees: agrees[string], texts: []string{`"x"`, `"\u00e9\ud83d\ude00"`, `""`}},
	{rule: "int", agrees: agrees[int], texts: []string{`0`, `-9007199254740993`}},
	{rule: "uint64", agrees: agrees[uint64], texts: []string{`18446744073709551615`}},
	{rule: "float32", agrees: agrees[float32], texts: []string{`1.5`, `1e3`}},
	{rule: "float64", agrees: agrees[float64], texts: []string{`1.5`, `-0`, `1e308`}},
	{rule: "bool", agrees: agrees[bool], texts: []string{`true`, `false`}},
	{rule: "any", agrees: agrees[any], texts: []string{`{"a":[1,1.5,"x",true,null]}`, `1e3`, `"x"`}},
	{rule: "a map with int keys", agrees: agrees[map[int]string], texts: []string{`{"1":"a","-2":"b"}`, `{}`}},
	{rule: "a map with small keys", agrees: agrees[map[uint8]any], texts: []string{`{"255":1}`}},
	{rule: "a map with named keys", agrees: agrees[map[strKey]int], texts: []string{`{"a":1,"A":2}`}},
	{rule: "a map with keys that read themselves", agrees: agrees[map[textKey]int], texts: []string{`{"a":1}`}},
	{rule: "a map with addresses for keys", agrees: agrees[map[netip.Addr]int], texts: []string{`{"192.0.2.1":1}`}},
	{rule: "a map with numbers for keys", agrees: agrees[map[json.Number]int], texts: []string{`{"1":1}`}},
	{rule: "a map with json.Number", agrees: agrees[map[string]json.Number], texts: []string{`{"a":1.5}`}},
	{rule: "an array", agrees: agrees[[2]int], texts: []string{`[1]`, `[1,2]`}},
	{rule: "a slice of pointers", agrees: agrees[[]*int], texts: []string{`[1,null]`}},
	{rule: "an embedded struct", agrees: agrees[embedsBase], texts: []string{`{"tenant":"t","X":1}`}},
	{rule: "an embedded pointer", agrees: agrees[embedsPointer], texts: []string{`{"sku":"a","X":1}`}},
	{rule: "an embedded time", agrees: agrees[embedsTime], texts: []string{`"2026-01-02T03:04:05Z"`}},
	{
		rule:   "fields that hide each other",
		agrees: agrees[hiding],
		texts:  []string{`{"X":1,"name":"a","Name":"b","Deep":"d","Far":3}`, `{"Deep":"d","X":{"y":1}}`, `{"Twin":{"y":1}}`, `{"x":1}`, `{"X":{"SKU":1}}`},
	},
	{rule: "a named number", agrees: agrees[struct {
		N num
	}], texts: []string{`{"N":"any text"}`}},
}

type (
	named      []byte
	strKey     string
	num        json.Number // a string to encoding/json
	embedsBase struct {
		base
		X int
	}
	embedsPointer struct {
		*Inner
		X int
	}
	embedsTime struct {
		time.Time
		X int
	}
)

type (
	hiding struct {
		Left
		*Right
		Deep string
	}
	// Left and Right both have an X, so neither counts. Both have a Twin, and the
	// tagged one counts.
	Left struct {
		X    int
		Twin struct{ Y int }
		Name string `json:"name"`
		Deep int
		Deeper
	}
	Right struct {
		X    int
		Twin map[string]int `json:"Twin"`
		Name string
	}
	Deeper struct {
		X   item
		Far int
	}
)

// A textKey reads itself.
type textKey struct{ s string }

func (k *textKey) UnmarshalText(b []byte) error { k.s = "t:" + string(b); return nil }

type (
	alone[T any]  struct{ V T }
	within[T any] struct {
		Slice   []T
		Pointer *T
		Map     map[string]T
		Array   [2]T
	}
)

// agrees checks that the texts are taken, alone and wherever a T can stand.
func agrees[T any](t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		taken[T](t, text)
		taken[alone[T]](t, `{"V":`+text+`}`)
		taken[alone[*T]](t, `{"V":`+text+`,"new":`+text+`}`)
		taken[within[T]](t, `{"Slice":[`+text+`,`+text+`],"Pointer":`+text+`,"Map":{"k":`+text+`},"Array":[`+text+`]}`)
	}
	for _, text := range oddTexts {
		compared[T](t, text)
		compared[alone[T]](t, `{"V":`+text+`}`)
		compared[within[T]](t, `{"Slice":[`+text+`],"Pointer":`+text+`,"Map":{"k":`+text+`},"Array":[`+text+`]}`)
	}
}

// oddTexts are put to every type.
var oddTexts = []string{
	`null`, `true`, `1`, `1.5`, `-0`, `1e400`, `1e3`, `9007199254740993`, `{}`, `[]`, `[null]`, `[1,2]`, `[1,2,3]`, `[[1]]`, `["a","b"]`,
	`"x"`, `""`, `"1"`, `"1.5"`, `"1; DROP TABLE t"`, `"true"`, `"null"`, `"\"x\""`, `"\"1\""`, `" 1"`, `"1 "`, `"-1"`, `"+1"`, `"01"`, `"0x10"`,
	`"0x1p-2"`, `"1_000"`, `"1e3"`, `"NaN"`, `"Inf"`, `"-Infinity"`, `"\u0031"`, `"1/3"`, `"1h"`, `"cmF3"`, `"cmF"`, `"cm\nF3"`,
	`"2026-01-02T03:04:05Z"`, `"2026-01-02T3:04:05Z"`, `"2026-01-02T03:04:05,5Z"`, `"2026-01-02T03:04:05+24:00"`,
	`"192.0.2.1"`, `"192.0.2.0/24"`, `"192.0.2.1:80"`, `"http://x/y"`,
	`{"a":1}`, `{"1":2}`, `{"1":"x"}`, `{"300":1}`, `{"01":1}`, `{"1":1,"01":2}`, `{"true":1}`, `{"a":null}`, `{"a":{"b":1}}`,
	`{"Host":"h","User":null}`, `{"User":{}}`, `{"Address":"a","X":2}`,
}

func taken[T any](t *testing.T, text string) {
	t.Helper()
	if err := compared[T](t, text); err != nil {
		t.Errorf("%T refuses %s: %v", *new(T), text, err)
	}
}

// compared checks that what is taken is what encoding/json makes of it, and
// that what encoding/json alone takes is refused for a reason.
func compared[T any](t *testing.T, text string) error {
	t.Helper()
	var got, want T
	err := strictjson.Unmarshal([]byte(text), &got, strictjson.Options{})
	wantErr := json.Unmarshal([]byte(text), &want)
	switch {
	case err == nil && wantErr != nil:
		t.Errorf("%T takes %s as %+v, encoding/json says %v", got, text, got, wantErr)
	case err == nil && !reflect.DeepEqual(got, want):
		t.Errorf("%T of %s: got %#v, want %#v", got, text, got, want)
	case err != nil && wantErr == nil && !argued(err):
		t.Errorf("%T refuses %s, which encoding/json takes as %+v: %v", got, text, want, err)
	}
	return err
}

// argued are the reasons to refuse what encoding/json takes.
func argued(err error) bool {
	var e *strictjson.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case strictjson.DuplicateName, // two names in a map that are one key
		strictjson.CaseVariant: // encoding/json would match them
		return true
	case strictjson.WrongType:
		switch e.Reason {
		case "must be an object, not null", // encoding/json leaves the struct as if nothing had been sent
			"an object has no place here",      // and one without exported fields
			"the string has to hold one value", // text that is no JSON inside a field with the option string
			"the string has the wrong form",    // the string "null" there, for a string
			"must be a number":                 // a json.Number that is the key of a map, and any text
			return true
		}
	}
	return false
}

func TestStandardTypesDecodeAsWithEncodingJSON(t *testing.T) {
	for _, tc := range standardTypes {
		t.Run(tc.rule, func(t *testing.T) { tc.agrees(t, tc.texts...) })
	}
}

// A field with the option string holds a value inside a string.
func TestTheOptionStringDecodesAsWithEncodingJSON(t *testing.T) {
	type quoted struct {
		Number  json.Number  `json:",string"`
		Pointer *json.Number `json:",string"`
		Int     int          `json:",string"`
		IntP    *int         `json:",string"`
		Float   float64      `json:",string"`
		Bool    bool         `json:",string"`
		String  string       `json:",string"`
	}
	for _, text := range []string{
		`{"Number":"1.5","Pointer":"-0","Int":"7","IntP":"8","Float":"1e3","Bool":"true","String":"\"x\""}`,
		`{"Number":null,"Pointer":null,"Int":null,"IntP":null,"Float":null,"Bool":null,"String":null}`,
	} {
		taken[quoted](t, text)
	}
	for _, name := range []string{"Number", "Pointer", "Int", "IntP", "Float", "Bool", "String"} {
		for _, text := range oddTexts {
			compared[quoted](t, `{"`+name+`":`+text+`}`)
		}
	}
}

func TestANumberIsANumber(t *testing.T) {
	type payment struct {
		Amount json.Number            `json:"amount"`
		Parts  []json.Number          `json:"parts"`
		Rates  map[string]json.Number `json:"rates"`
		Tip    *json.Number           `json:"tip"`
		Fee    json.Number            `json:"fee,string"`
	}
	const injection = `"1; DROP TABLE t"`
	for _, text := range []string{
		`{"amount":` + injection + `}`, `{"parts":[` + injection + `]}`, `{"rates":{"a":` + injection + `}}`,
		`{"tip":` + injection + `}`, `{"fee":` + injection + `}`, `{"amount":""}`, `{"amount":true}`, `{"amount":[]}`, `{"fee":1.5}`,
	} {
		var in payment
		err := strictjson.Unmarshal([]byte(text), &in, strictjson.Options{})
		var e *strictjson.Error
		if !errors.As(err, &e) || e.Code != strictjson.WrongType || e.Pointer == "" {
			t.Errorf("%s: got %+v, %v, want %s with a place", text, in, err, strictjson.WrongType)
		}
	}
}
