package strictjson_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// However many names a text has, one that is there twice is found, and what is
// refused for something else is refused for that.
//
// SECURITY: One meaning.
func TestATextOfManyNamesIsJudgedAsOneOfFew(t *testing.T) {
	type inner struct{ A, B int }
	type target struct {
		Role  string
		Inner inner
		Any   any
		Names map[string]int
	}
	var fill strings.Builder // more members than are left to the decoder
	for i := range 4000 {
		fmt.Fprintf(&fill, `"u%d":{"x":[{"y":%d}]},`, i, i)
	}
	for _, tc := range []struct {
		rule    string
		members string
		code    strictjson.Code // "" is accepted
		pointer string
	}{
		{rule: "names that differ", members: `"Role":"a","Any":{"a":[{"a":1},{"a":1}]}`},
		{rule: "one name on two levels", members: `"Any":{"Any":{"Any":1}}`},
		{rule: "no names", members: `"Any":{}`},
		{rule: "a known member", members: `"Role":"a","Role":"a"`, code: strictjson.DuplicateName, pointer: "/Role"},
		{rule: "an escaped one", members: `"Role":"a","\u0052ole":"a"`, code: strictjson.DuplicateName, pointer: "/Role"},
		{rule: "an unknown one", members: `"u7":1`, code: strictjson.DuplicateName, pointer: "/u7"},
		{rule: "one with an escape in its pointer", members: `"a/b":1,"a/b":1`, code: strictjson.DuplicateName, pointer: "/a~1b"},
		{
			rule:    "one of an inner struct",
			members: `"Inner":{"A":1,"B":2,"A":1}`,
			code:    strictjson.DuplicateName,
			pointer: "/Inner/A",
		},
		{rule: "one inside a list", members: `"Any":[0,{"a":1,"a":1}]`, code: strictjson.DuplicateName, pointer: "/Any/1/a"},
		{
			rule:    "one of an unknown object",
			members: `"more":{"x":{"a":1,"a":1}}`,
			code:    strictjson.DuplicateName,
			pointer: "/more/x/a",
		},
		{rule: "one of a map", members: `"Names":{"a":1,"a":1}`, code: strictjson.DuplicateName, pointer: "/Names/a"},
		{rule: "a variant", members: `"ROLE":"a"`, code: strictjson.CaseVariant, pointer: "/ROLE"},
		{rule: "a wrong type", members: `"Role":1`, code: strictjson.WrongType, pointer: "/Role"},
		{rule: "invalid UTF-8 in a name", members: "\"\xff\":1", code: strictjson.InvalidUTF8},
		{rule: "a name without a value", members: `"Role"`, code: strictjson.Malformed},
		{rule: "a name that is none", members: `Role:1`, code: strictjson.Malformed},
	} {
		for _, text := range []string{`{` + fill.String() + tc.members + `}`, `{"u7":1,` + tc.members + `}`} {
			for way, decode := range map[string]func() error{
				"Unmarshal": func() error { return strictjson.Unmarshal([]byte(text), new(target), strictjson.Options{}) },
				"into a map": func() error {
					return strictjson.Unmarshal([]byte(text), new(map[string]any), strictjson.Options{})
				},
				"Tree": func() error { _, err := strictjson.Tree([]byte(text)); return err },
			} {
				code := tc.code
				if way != "Unmarshal" && (code == strictjson.CaseVariant || code == strictjson.WrongType) {
					code = ""
				}
				err := decode()
				var e *strictjson.Error
				switch {
				case code == "" && err != nil:
					t.Errorf("%s, %s, %d bytes: got %v, want no error", tc.rule, way, len(text), err)
				case code != "" && (!errors.As(err, &e) || e.Code != code || tc.pointer != "" && e.Pointer != tc.pointer):
					t.Errorf("%s, %s, %d bytes: got %v, want %s at %q", tc.rule, way, len(text), err, code, tc.pointer)
				}
			}
		}
	}
}

// A text of many names that has more after its end, or less, is refused for
// that.
func TestATextOfManyNamesEndsWithItsValue(t *testing.T) {
	long := strange(11_000, `"note":""`)
	for _, tc := range []struct {
		text string
		code strictjson.Code
	}{{
		text: long + "{}",
		code: strictjson.TrailingData,
	}, {
		text: long + " ",
	}, {
		text: long[:len(long)-1],
		code: strictjson.Malformed,
	}, {
		text: long[:len(long)-12] + "}",
		code: strictjson.Malformed,
	}} {
		err := decodeOrder(tc.text, false)
		var e *strictjson.Error
		if tc.code == "" && err != nil || tc.code != "" && (!errors.As(err, &e) || e.Code != tc.code) {
			t.Errorf("...%s: got %v, want %q", tc.text[len(tc.text)-20:], err, tc.code)
		}
	}
}

// Two names can be one key of a map, and only the decoder can find out.
func TestTwoNamesThatAreOneKeyAreFoundAmongMany(t *testing.T) {
	type target struct{ Keys map[folded]int }
	text := `{"Keys":{"a":1,"A":2},` + strange(11_000, `"note":""`)[1:]
	var e *strictjson.Error
	if err := strictjson.Unmarshal([]byte(text), new(target), strictjson.Options{}); !errors.As(err, &e) || e.Code != strictjson.DuplicateName {
		t.Errorf("got %v, want %s", err, strictjson.DuplicateName)
	}
}

// folded is a key that does not mind case.
type folded string

func (f *folded) UnmarshalText(text []byte) error {
	*f = folded(strings.ToLower(string(text)))
	return nil
}
