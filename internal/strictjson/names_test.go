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
		{"names that differ", `"Role":"a","Any":{"a":[{"a":1},{"a":1}]}`, "", ""},
		{"one name on two levels", `"Any":{"Any":{"Any":1}}`, "", ""},
		{"no names", `"Any":{}`, "", ""},
		{"a known member", `"Role":"a","Role":"a"`, strictjson.DuplicateName, "/Role"},
		{"an escaped one", `"Role":"a","\u0052ole":"a"`, strictjson.DuplicateName, "/Role"},
		{"an unknown one", `"u7":1`, strictjson.DuplicateName, "/u7"},
		{"one with an escape in its pointer", `"a/b":1,"a/b":1`, strictjson.DuplicateName, "/a~1b"},
		{"one of an inner struct", `"Inner":{"A":1,"B":2,"A":1}`, strictjson.DuplicateName, "/Inner/A"},
		{"one inside a list", `"Any":[0,{"a":1,"a":1}]`, strictjson.DuplicateName, "/Any/1/a"},
		{"one of an unknown object", `"more":{"x":{"a":1,"a":1}}`, strictjson.DuplicateName, "/more/x/a"},
		{"one of a map", `"Names":{"a":1,"a":1}`, strictjson.DuplicateName, "/Names/a"},
		{"a variant", `"ROLE":"a"`, strictjson.CaseVariant, "/ROLE"},
		{"a wrong type", `"Role":1`, strictjson.WrongType, "/Role"},
		{"invalid UTF-8 in a name", "\"\xff\":1", strictjson.InvalidUTF8, ""},
		{"a name without a value", `"Role"`, strictjson.Malformed, ""},
		{"a name that is none", `Role:1`, strictjson.Malformed, ""},
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

// The error of a text that has more after its end, or less, is that of the
// decoder, whatever comes before.
func TestATextOfManyNamesEndsWithItsValue(t *testing.T) {
	long := strange(11_000, `"note":""`)
	for _, tc := range []struct {
		text string
		code strictjson.Code
	}{{long + "{}", strictjson.TrailingData}, {long + " ", ""}, {long[:len(long)-1], strictjson.Malformed}, {long[:len(long)-12] + "}", strictjson.Malformed}} {
		err := decodeOrder(tc.text, false)
		var e *strictjson.Error
		if tc.code == "" && err != nil || tc.code != "" && (!errors.As(err, &e) || e.Code != tc.code) {
			t.Errorf("...%s: got %v, want %q", tc.text[len(tc.text)-20:], err, tc.code)
		}
	}
}

// Two names can be one key of a map, which the decoder alone can tell.
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
