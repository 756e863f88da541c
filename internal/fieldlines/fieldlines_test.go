package fieldlines_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/fieldlines"
)

func TestCombine(t *testing.T) {
	for _, tt := range []struct {
		rule  string
		lines []fieldlines.Line
		want  []fieldlines.Field
	}{
		{"nothing", nil, []fieldlines.Field{}},
		{
			"a line is as it came, but for the case of its name",
			[]fieldlines.Line{{"X-B", " b, B "}, {"x-a", ""}},
			[]fieldlines.Field{{"x-a", "", false}, {"x-b", " b, B ", false}},
		},
		{
			"lines of one spelling keep their order",
			[]fieldlines.Line{{"a", "2"}, {"b", "x"}, {"a", "1"}, {"a", "3"}},
			[]fieldlines.Field{{"a", "2,1,3", true}, {"b", "x", false}},
		},
		{
			"spellings are in an order of their own",
			[]fieldlines.Line{{"x-a", "3"}, {"X-a", "2"}, {"x-a", "4"}, {"X-A", "1"}},
			[]fieldlines.Field{{"x-a", "1,2,3,4", true}},
		},
		{
			"an empty line counts",
			[]fieldlines.Line{{"a", ""}, {"A", ""}},
			[]fieldlines.Field{{"a", ",", true}},
		},
		{
			"cookies have another separator",
			[]fieldlines.Line{{"cookie", "b=2"}, {"Cookie", "a=1,1; c=3"}, {"set-cookie", "x"}, {"Set-Cookie", "y"}},
			[]fieldlines.Field{{"cookie", "a=1,1; c=3; b=2", true}, {"set-cookie", "y,x", true}},
		},
		{
			"what only Unicode folds is another name",
			[]fieldlines.Line{{"x-\u212a", "kelvin"}, {"x-k", "k"}, {"\u017f", "long s"}, {"S", "s"}, {"É", "E"}, {"é", "e"}},
			[]fieldlines.Field{{"s", "s", false}, {"x-k", "k", false}, {"x-\u212a", "kelvin", false}, {"É", "E", false}, {"é", "e", false}, {"\u017f", "long s", false}},
		},
	} {
		if got := fieldlines.Combine(tt.lines); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.rule, got, tt.want)
		}
	}
}

// An object has no order: however its members come, a reader sees the same.
func TestTheOrderOfSpellingsIsNotThatOfTheEvent(t *testing.T) {
	lines := []fieldlines.Line{{"a", "1"}, {"A", "2"}, {"b", "3"}, {"B", "4"}, {"cookie", "5"}, {"COOKIE", "6"}, {"Cookie", "7"}}
	want := fieldlines.Combine(lines)
	for range 100 {
		rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		if got := fieldlines.Combine(lines); !slices.Equal(got, want) {
			t.Fatalf("%+v is %+v, want %+v", lines, got, want)
		}
	}
}

func TestNamesAreTheSameWhereTheirKeysAre(t *testing.T) {
	names := []string{"", "a", "A", "content-type", "Content-Type", "CONTENT-TYPE", "content_type", "k", "\u212a", "s", "\u017f", "é", "É", "[", "{", "@", "`"}
	for _, a := range names {
		if key := fieldlines.Key(a); key != strings.ToLower(a) && strings.Trim(a, "\u212aÉ") == a {
			t.Errorf("the key of %q is %q", a, key)
		}
		for _, b := range names {
			if same := fieldlines.Key(a) == fieldlines.Key(b); fieldlines.Same(a, b) != same {
				t.Errorf("%q and %q: %t, of one key: %t", a, b, !same, same)
			}
		}
	}
}

// Most names are in lower case already.
func TestTheKeyOfAPlainNameIsTheName(t *testing.T) {
	if n := testing.AllocsPerRun(10, func() { fieldlines.Key("content-type") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestManyLinesOfOneSpellingKeepTheirOrder(t *testing.T) {
	var lines []fieldlines.Line
	var want []string
	for i := range 100 {
		lines = append(lines, fieldlines.Line{Name: "x", Value: strconv.Itoa(i)}, fieldlines.Line{Name: "y", Value: "y"})
		want = append(want, strconv.Itoa(i))
	}
	if got := fieldlines.Combine(lines)[0].Value; got != strings.Join(want, ",") {
		t.Error(got)
	}
}
