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
		{rule: "a member twice", text: `{"role":"a","role":"b"}`, code: strictjson.DuplicateName, pointer: "/role"},
		{rule: "a member twice, escaped", text: `{"role":"a","\u0072ole":"b"}`, code: strictjson.DuplicateName, pointer: "/role"},
		{rule: "a member of a map twice", text: `{"names":{"a":"","a":""}}`, code: strictjson.DuplicateName, pointer: "/names/a"},
		{rule: "a member of anything twice", text: `{"any":[{"a":1,"a":1}]}`, code: strictjson.DuplicateName, pointer: "/any/0/a"},
		{
			rule:    "a member of an unknown member twice",
			text:    `{"other":{"a":1,"a":1}}`,
			code:    strictjson.DuplicateName,
			pointer: "/other/a",
		},
		{
			rule:    "a case variant beside the member",
			text:    `{"role":"user","ROLE":"admin"}`,
			code:    strictjson.CaseVariant,
			pointer: "/ROLE",
		},
		{rule: "a case variant alone", text: `{"Role":"admin"}`, code: strictjson.CaseVariant, pointer: "/Role"},
		{rule: "a case variant of an untagged field", text: `{"plain":"x"}`, code: strictjson.CaseVariant, pointer: "/plain"},
		{
			rule:    "a case variant of an embedded struct's member",
			text:    `{"Tenant":"x"}`,
			code:    strictjson.CaseVariant,
			pointer: "/Tenant",
		},
		{
			rule:    "a case variant in an array",
			text:    `{"items":[{"sku":"a"},{"Sku":"b"}]}`,
			code:    strictjson.CaseVariant,
			pointer: "/items/1/Sku",
		},
		{
			rule:    "a case variant in a map",
			text:    `{"tags":{"x":{"SKU":"b"}}}`,
			code:    strictjson.CaseVariant,
			pointer: "/tags/x/SKU",
		},
		{
			rule:    "a case variant behind a pointer",
			text:    `{"maybe":{"skU":"b"}}`,
			code:    strictjson.CaseVariant,
			pointer: "/maybe/skU",
		},
		{
			rule:    "a case variant after an unknown member",
			text:    `{"new":[1,{"x":null}],"ROLE":"x"}`,
			code:    strictjson.CaseVariant,
			pointer: "/ROLE",
		},
		{rule: "the long s", text: `{"ſkew":"x"}`, code: strictjson.CaseVariant, pointer: "/ſkew"},
		{rule: "the Kelvin sign", text: "{\"s\u212Aew\":\"x\"}", code: strictjson.CaseVariant, pointer: "/s\u212Aew"},
		{rule: "a second value", text: `{"role":"a"}{"role":"b"} junk`, code: strictjson.TrailingData},
		{rule: "trailing junk", text: `{"role":"a"} junk`, code: strictjson.TrailingData},
		{rule: "a trailing bracket", text: `{"role":"a"}]`, code: strictjson.TrailingData},
		{rule: "invalid UTF-8 in a value", text: "{\"role\":\"\xff\"}", code: strictjson.InvalidUTF8, pointer: "/role"},
		{rule: "invalid UTF-8 in a name", text: "{\"\xff\":1}", code: strictjson.InvalidUTF8},
		{rule: "a surrogate without its half", text: `{"role":"\ud800"}`, code: strictjson.Malformed, pointer: "/role"},
		{rule: "null for the whole", text: `null`, code: strictjson.WrongType},
		{rule: "null for an object", text: `{"first":null}`, code: strictjson.WrongType, pointer: "/first"},
		{
			rule:    "null for an object in an array",
			text:    `{"items":[{"sku":"a"},null]}`,
			code:    strictjson.WrongType,
			pointer: "/items/1",
		},
		{rule: "a number for a string", text: `{"role":1}`, code: strictjson.WrongType, pointer: "/role"},
		{
			rule:    "a fraction for an int",
			text:    `{"items":[{"quantity":1.5}]}`,
			code:    strictjson.WrongType,
			pointer: "/items/0/quantity",
		},
		{
			rule:    "a number out of range",
			text:    `{"items":[{"quantity":1e400}]}`,
			code:    strictjson.WrongType,
			pointer: "/items/0/quantity",
		},
		{rule: "an array for an object", text: `[]`, code: strictjson.WrongType},
		{rule: "a malformed time", text: `{"when":"yesterday"}`, code: strictjson.WrongType, pointer: "/when"},
		{rule: "nothing", text: ` `, code: strictjson.Malformed},
		{rule: "half a text", text: `{"role":"a"`, code: strictjson.Malformed},
		{rule: "a bare word", text: `nul`, code: strictjson.Malformed},
		{rule: "a comment", text: `{"role":"a" /* b */}`, code: strictjson.Malformed},
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

// Without limits around it, too: a stack that overflows ends the process.
func TestATextAsDeepAsItIsLongIsRefused(t *testing.T) {
	for _, open := range []string{"[", `{"any":`} {
		var v map[string]any
		text := strings.Repeat(open, 4<<20)
		var e *strictjson.Error
		if err := strictjson.Unmarshal([]byte(text), &v, strictjson.Options{}); !errors.As(err, &e) {
			t.Errorf("%s: got %v, want an Error", open, err)
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

func TestCheckIsExact(t *testing.T) {
	for _, tc := range []struct {
		text         string
		depth, nodes int
	}{
		{text: `1`, nodes: 1},
		{text: `"a,b:{[\"]}"`, nodes: 1},
		{text: `{}`, depth: 1, nodes: 1},
		{text: `[]`, depth: 1, nodes: 1},
		{text: `[1, 2,3]`, depth: 1, nodes: 4},
		{text: `{"a":1,"b":[true,null]}`, depth: 2, nodes: 5},
		{text: `[[],[[]],{}]`, depth: 3, nodes: 5},
		{text: ` { "a" : { "b" : "c" } } `, depth: 2, nodes: 3},
	} {
		exactly(t, []byte(tc.text), tc.depth, tc.nodes)
	}
}

// exactly checks that a text is within limits, and within no smaller ones.
func exactly(t *testing.T, data []byte, depth, nodes int) {
	t.Helper()
	if err := strictjson.Check(data, depth, nodes); err != nil {
		t.Errorf("%s: depth %d, nodes %d: got %v, want no error", data, depth, nodes, err)
	}
	for code, limits := range map[strictjson.Code][2]int{
		strictjson.TooDeep:      {depth - 1, nodes},
		strictjson.TooManyNodes: {depth, nodes - 1},
	} {
		var e *strictjson.Error
		if err := strictjson.Check(data, limits[0], limits[1]); !errors.As(err, &e) || e.Code != code {
			t.Errorf("%s: depth %d, nodes %d: got %v, want %s", data, limits[0], limits[1], err, code)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		code       strictjson.Code // "" passes
	}{
		{name: "as deep as allowed", text: strings.Repeat("[", 64) + strings.Repeat("]", 64)},
		{name: "one deeper", text: strings.Repeat("[", 65) + strings.Repeat("]", 65), code: strictjson.TooDeep},
		{name: "many shallow brackets", text: "[" + strings.Repeat("[],", 500) + "[]]"},
		{name: "as many as allowed", text: "[" + strings.Repeat("0,", 998) + "0]"},
		{name: "one more", text: "[" + strings.Repeat("0,", 999) + "0]", code: strictjson.TooManyNodes},
		{name: "brackets and commas in a string", text: `"` + strings.Repeat("[{,", 2000) + `"`},
		{name: "members", text: "{" + strings.Repeat(`"":0,`, 999) + `"":0}`, code: strictjson.TooManyNodes},
		{name: "brackets never closed", text: strings.Repeat("[", 5000), code: strictjson.TooDeep},
		{
			name: "values before what is not JSON",
			text: "[" + strings.Repeat("0,", 1000) + strings.Repeat(":", 5000),
			code: strictjson.TooManyNodes,
		},
		{
			name: "members before what is not JSON",
			text: "{" + strings.Repeat(`"":0,`, 1000) + `"":` + strings.Repeat("0:", 5000),
			code: strictjson.TooManyNodes,
		},
		{
			name: "levels before what is not JSON",
			text: strings.Repeat("[", 65) + strings.Repeat("]", 5000),
			code: strictjson.TooDeep,
		},
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
		{text: `{"a":{"b":[1]}}`, depth: 2, nodes: 100, pointer: "/a/b"},
		{text: `{"a":[1,2,{"b":3}]}`, depth: 9, nodes: 4, pointer: "/a/2"},
		{text: `[[],[],[[]]]`, depth: 2, nodes: 100, pointer: "/2/0"},
		{text: `{"a":[1,2`, depth: 9, nodes: 3, pointer: "/a/1"},
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
		depth, nodes := count(tree)
		exactly(t, data, depth, nodes)
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
