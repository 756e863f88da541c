package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

type item struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

type base struct {
	Tenant string `json:"tenant"`
}

type order struct {
	base
	Role  string            `json:"role"`
	Skew  string            `json:"skew"`
	Items []item            `json:"items"`
	First item              `json:"first"`
	Tags  map[string]item   `json:"tags"`
	Maybe *item             `json:"maybe"`
	Names map[string]string `json:"names"`
	Any   any               `json:"any"`
	When  time.Time         `json:"when"`
	Cost  json.Number       `json:"cost"`
	Fee   *float64          `json:"fee,string"`
	Plain string
	None  string `json:"-"`
}

func TestUnmarshalRefuses(t *testing.T) {
	for _, tc := range []struct {
		rule, text string
		code       strictjson.Code
		pointer    string
	}{
		{"a member twice", `{"role":"a","role":"b"}`, strictjson.DuplicateName, "/role"},
		{"a member twice, escaped", `{"role":"a","\u0072ole":"b"}`, strictjson.DuplicateName, "/role"},
		{"a member of a map twice", `{"names":{"a":"","a":""}}`, strictjson.DuplicateName, "/names/a"},
		{"a member of anything twice", `{"any":[{"a":1,"a":1}]}`, strictjson.DuplicateName, "/any/0/a"},
		{"a member of an unknown member twice", `{"other":{"a":1,"a":1}}`, strictjson.DuplicateName, "/other/a"},
		{"a case variant beside the member", `{"role":"user","ROLE":"admin"}`, strictjson.CaseVariant, "/ROLE"},
		{"a case variant alone", `{"Role":"admin"}`, strictjson.CaseVariant, "/Role"},
		{"a case variant of an untagged field", `{"plain":"x"}`, strictjson.CaseVariant, "/plain"},
		{"a case variant of an embedded struct's member", `{"Tenant":"x"}`, strictjson.CaseVariant, "/Tenant"},
		{"a case variant in an array", `{"items":[{"sku":"a"},{"Sku":"b"}]}`, strictjson.CaseVariant, "/items/1/Sku"},
		{"a case variant in a map", `{"tags":{"x":{"SKU":"b"}}}`, strictjson.CaseVariant, "/tags/x/SKU"},
		{"a case variant behind a pointer", `{"maybe":{"skU":"b"}}`, strictjson.CaseVariant, "/maybe/skU"},
		{"a case variant after an unknown member", `{"new":[1,{"x":null}],"ROLE":"x"}`, strictjson.CaseVariant, "/ROLE"},
		{"the long s", `{"ſkew":"x"}`, strictjson.CaseVariant, "/ſkew"},
		{"the Kelvin sign", "{\"s\u212Aew\":\"x\"}", strictjson.CaseVariant, "/s\u212Aew"},
		{"a second value", `{"role":"a"}{"role":"b"} junk`, strictjson.TrailingData, ""},
		{"trailing junk", `{"role":"a"} junk`, strictjson.TrailingData, ""},
		{"a trailing bracket", `{"role":"a"}]`, strictjson.TrailingData, ""},
		{"invalid UTF-8 in a value", "{\"role\":\"\xff\"}", strictjson.InvalidUTF8, "/role"},
		{"invalid UTF-8 in a name", "{\"\xff\":1}", strictjson.InvalidUTF8, ""},
		{"a surrogate without its half", `{"role":"\ud800"}`, strictjson.Malformed, "/role"},
		{"null for the whole", `null`, strictjson.WrongType, ""},
		{"null for an object", `{"first":null}`, strictjson.WrongType, "/first"},
		{"null for an object in an array", `{"items":[{"sku":"a"},null]}`, strictjson.WrongType, "/items/1"},
		{"a number for a string", `{"role":1}`, strictjson.WrongType, "/role"},
		{"a fraction for an int", `{"items":[{"quantity":1.5}]}`, strictjson.WrongType, "/items/0/quantity"},
		{"a number out of range", `{"items":[{"quantity":1e400}]}`, strictjson.WrongType, "/items/0/quantity"},
		{"an array for an object", `[]`, strictjson.WrongType, ""},
		{"a malformed time", `{"when":"yesterday"}`, strictjson.WrongType, "/when"},
		{"nothing", ` `, strictjson.Malformed, ""},
		{"half a text", `{"role":"a"`, strictjson.Malformed, ""},
		{"a bare word", `nul`, strictjson.Malformed, ""},
		{"a comment", `{"role":"a" /* b */}`, strictjson.Malformed, ""},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			var v order
			err := strictjson.Unmarshal([]byte(tc.text), &v, strictjson.Options{})
			var e *strictjson.Error
			if !errors.As(err, &e) {
				t.Fatalf("accepted as %+v, error %v", v, err)
			}
			if e.Code != tc.code || e.Pointer != tc.pointer {
				t.Errorf("%s at %q (%s), want %s at %q", e.Code, e.Pointer, e.Reason, tc.code, tc.pointer)
			}
		})
	}
}

func TestUnmarshalAccepts(t *testing.T) {
	for _, text := range []string{
		`{}`,
		`{"role":"user","unknown":{"ROLE":"x"}}`,
		`{"names":{"a":"1","A":"2"}}`,
		`{"any":{"a":1,"A":2}}`,
		`{"maybe":null,"items":null,"tags":null,"any":null,"role":null}`,
		`{"-":"x","None":"y"}`,
		` {"role":"\u00e9\ud83d\ude00","when":"2026-01-02T03:04:05Z"} `,
	} {
		var got, want order
		if err := strictjson.Unmarshal([]byte(text), &got, strictjson.Options{}); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, encoding/json makes it %+v", text, got, want)
		}
	}
}

// Node embeds what it is itself part of.
type Node struct {
	*Inner
	Role string `json:"role"`
}

// Inner is embedded by its pointer.
type Inner struct {
	*Node
	Sku string `json:"sku"`
}

func TestVariantsOfEmbeddedMembersAreRefused(t *testing.T) {
	for text, code := range map[string]strictjson.Code{
		`{"sku":"a","other":1}`:  "",
		`{"sku":"a","SKU":"b"}`:  strictjson.CaseVariant,
		`{"role":"a","ROLE":""}`: strictjson.CaseVariant,
	} {
		var in Node
		err := strictjson.Unmarshal([]byte(text), &in, strictjson.Options{})
		var e *strictjson.Error
		if errors.As(err, &e); (err == nil) != (code == "") || e != nil && e.Code != code {
			t.Errorf("%s: %v, want %q", text, err, code)
		}
	}
}

func TestNullForAMapIsRefusedWhereItIsTheWholeText(t *testing.T) {
	var whole map[string]int
	var e *strictjson.Error
	if err := strictjson.Unmarshal([]byte(" null "), &whole, strictjson.Options{}); !errors.As(err, &e) || e.Code != strictjson.WrongType || e.Pointer != "" {
		t.Errorf("%v", err)
	}
	var member struct{ Tags map[string]int }
	if err := strictjson.Unmarshal([]byte(`{"Tags":null}`), &member, strictjson.Options{}); err != nil || member.Tags != nil {
		t.Errorf("%v, %v", member, err)
	}
}

func TestRejectUnknown(t *testing.T) {
	for text, code := range map[string]strictjson.Code{
		`{"role":"a","admin":true}`: strictjson.UnknownName,
		`{"ROLE":"a"}`:              strictjson.CaseVariant,
	} {
		var v order
		var e *strictjson.Error
		err := strictjson.Unmarshal([]byte(text), &v, strictjson.Options{RejectUnknown: true})
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("%s: %v, want %s", text, err, code)
		}
	}
}

func TestErrorsRepeatNoValue(t *testing.T) {
	const marker = "s3cr3t"
	for _, text := range []string{
		`{"role":"` + marker + `","role":"` + marker + `"}`,
		`{"when":"` + marker + `"}`,
		`{"items":"` + marker + `"}`,
		`{"role":"a"} ` + marker,
		`{"role":` + marker + `}`,
	} {
		var v order
		err := strictjson.Unmarshal([]byte(text), &v, strictjson.Options{})
		if err == nil || strings.Contains(err.Error(), marker) {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := strictjson.Tree([]byte(text)); err != nil && strings.Contains(err.Error(), marker) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestPointersAreBounded(t *testing.T) {
	name := strings.Repeat("é", 1<<20)
	var v order
	err := strictjson.Unmarshal([]byte(`{"`+name+`":1,"`+name+`":2}`), &v, strictjson.Options{})
	var e *strictjson.Error
	if !errors.As(err, &e) || len(e.Pointer) > 300 || !strings.HasSuffix(e.Pointer, "é…") {
		t.Errorf("%.400v", err)
	}
}

func TestMeasure(t *testing.T) {
	for _, tc := range []struct {
		text         string
		depth, nodes int
	}{
		{`1`, 0, 1},
		{`"a,b:{[\"]}"`, 0, 1},
		{`{}`, 1, 1},
		{`[]`, 1, 1},
		{`[1, 2,3]`, 1, 4},
		{`{"a":1,"b":[true,null]}`, 2, 5},
		{`[[],[[]],{}]`, 3, 5},
		{` { "a" : { "b" : "c" } } `, 2, 3},
	} {
		if depth, nodes := strictjson.Measure([]byte(tc.text)); depth != tc.depth || nodes != tc.nodes {
			t.Errorf("%s: depth %d, nodes %d, want %d and %d", tc.text, depth, nodes, tc.depth, tc.nodes)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		code       strictjson.Code // "" passes
	}{
		{"as deep as allowed", strings.Repeat("[", 64) + strings.Repeat("]", 64), ""},
		{"one deeper", strings.Repeat("[", 65) + strings.Repeat("]", 65), strictjson.TooDeep},
		{"many shallow brackets", "[" + strings.Repeat("[],", 500) + "[]]", ""},
		{"as many as allowed", "[" + strings.Repeat("0,", 998) + "0]", ""},
		{"one more", "[" + strings.Repeat("0,", 999) + "0]", strictjson.TooManyNodes},
		{"brackets and commas in a string", `"` + strings.Repeat("[{,", 2000) + `"`, ""},
		{"members", "{" + strings.Repeat(`"":0,`, 999) + `"":0}`, strictjson.TooManyNodes},
		{"brackets never closed", strings.Repeat("[", 5000), strictjson.TooDeep},
		{"values before what is not JSON", "[" + strings.Repeat("0,", 1000) + strings.Repeat(":", 5000), strictjson.TooManyNodes},
		{"members before what is not JSON", "{" + strings.Repeat(`"":0,`, 1000) + `"":` + strings.Repeat("0:", 5000), strictjson.TooManyNodes},
		{"levels before what is not JSON", strings.Repeat("[", 65) + strings.Repeat("]", 5000), strictjson.TooDeep},
	} {
		err := strictjson.Check([]byte(tc.text), 64, 1000)
		var e *strictjson.Error
		if errors.As(err, &e); (err == nil) != (tc.code == "") || e != nil && e.Code != tc.code {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.code)
		}
	}
}

func TestCheckNamesThePlace(t *testing.T) {
	for _, tc := range []struct {
		text         string
		depth, nodes int
		pointer      string
	}{
		{`{"a":{"b":[1]}}`, 2, 100, "/a/b"},
		{`{"a":[1,2,{"b":3}]}`, 9, 4, "/a/2"},
		{`[[],[],[[]]]`, 2, 100, "/2/0"},
		{`{"a":[1,2`, 9, 3, "/a/1"},
	} {
		var e *strictjson.Error
		if err := strictjson.Check([]byte(tc.text), tc.depth, tc.nodes); !errors.As(err, &e) || e.Pointer != tc.pointer {
			t.Errorf("%s: %v, want %s", tc.text, err, tc.pointer)
		}
	}
}

func TestTree(t *testing.T) {
	got, err := strictjson.Tree([]byte(` {"a":[1.0,1e400,9007199254740993,"x",true,false,null,{}]} `))
	want := map[string]any{"a": []any{json.Number("1.0"), json.Number("1e400"), json.Number("9007199254740993"), "x", true, false, nil, map[string]any{}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, %v", got, err)
	}
	for text, code := range map[string]strictjson.Code{
		``:                  strictjson.Malformed,
		`{"a":1,"a":2}`:     strictjson.DuplicateName,
		`{"a":1} 2`:         strictjson.TrailingData,
		`{"a":1}]`:          strictjson.TrailingData,
		"\"\xff\"":          strictjson.InvalidUTF8,
		`[1,`:               strictjson.Malformed,
		`{"a"`:              strictjson.Malformed,
		`{"a":[{"b":01}]}`:  strictjson.Malformed,
		`{"a":{"b":"\x"}} `: strictjson.Malformed,
	} {
		_, err := strictjson.Tree([]byte(text))
		var e *strictjson.Error
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("%q: %v, want %s", text, err, code)
		}
	}
}

// What is accepted, encoding/json accepts with the same result; and the tree,
// the struct and the count see the same document.
//
// SECURITY: One meaning.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"role":"user","ROLE":"admin"}`, `{"A":1}{"A":2} junk`, `{"ſkew":1}`, `null`, `[]`, "\"\xff\"",
		`{"items":[{"sku":"KB-101","quantity":2}],"first":{"sku":"x"},"any":[1,1.5,"x",null,{"a":{}}],"when":"2026-01-02T03:04:05Z"}`,
		`{"tags":{"a":{"quantity":-0}},"names":{"":""},"maybe":{},"Plain":"\ud83d\ude00","tenant":"t"}`,
		`{"cost":1.50,"fee":"-0.25"}`, `{"cost":"1e3","fee":"NaN"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, want order
		accepted := strictjson.Unmarshal(data, &got, strictjson.Options{}) == nil
		if accepted {
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatalf("encoding/json refuses what was accepted: %v", err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%+v, encoding/json makes it %+v", got, want)
			}
		}
		tree, err := strictjson.Tree(data)
		if accepted && err != nil {
			t.Fatalf("the tree refuses what the struct accepts: %v", err)
		}
		if err != nil {
			return
		}
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		var plain any
		if err := dec.Decode(&plain); err != nil || !reflect.DeepEqual(tree, plain) {
			t.Fatalf("%#v, encoding/json makes it %#v, %v", tree, plain, err)
		}
		depth, nodes := strictjson.Measure(data)
		if d, n := count(tree); d != depth || n != nodes {
			t.Fatalf("measured depth %d and %d nodes, the tree has %d and %d", depth, nodes, d, n)
		}
	})
}

func count(v any) (depth, nodes int) {
	nodes = 1
	add := func(child any) {
		d, n := count(child)
		depth, nodes = max(depth, d), nodes+n
	}
	switch v := v.(type) {
	case map[string]any:
		for _, child := range v {
			add(child)
		}
		return depth + 1, nodes
	case []any:
		for _, child := range v {
			add(child)
		}
		return depth + 1, nodes
	}
	return 0, 1
}
