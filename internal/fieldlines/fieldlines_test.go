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
		{rule: "nothing", want: []fieldlines.Field{}},
		{
			rule:  "a line is as it came, but for the case of its name",
			lines: []fieldlines.Line{{Name: "X-B", Value: " b, B "}, {Name: "x-a"}},
			want:  []fieldlines.Field{{Name: "x-a"}, {Name: "x-b", Value: " b, B "}},
		},
		{
			rule:  "lines of one spelling keep their order",
			lines: []fieldlines.Line{{Name: "a", Value: "2"}, {Name: "b", Value: "x"}, {Name: "a", Value: "1"}, {Name: "a", Value: "3"}},
			want:  []fieldlines.Field{{Name: "a", Value: "2,1,3", Several: true}, {Name: "b", Value: "x"}},
		},
		{
			rule:  "spellings are in an order of their own",
			lines: []fieldlines.Line{{Name: "x-a", Value: "3"}, {Name: "X-a", Value: "2"}, {Name: "x-a", Value: "4"}, {Name: "X-A", Value: "1"}},
			want:  []fieldlines.Field{{Name: "x-a", Value: "1,2,3,4", Several: true}},
		},
		{
			rule:  "an empty line counts",
			lines: []fieldlines.Line{{Name: "a"}, {Name: "A"}},
			want:  []fieldlines.Field{{Name: "a", Value: ",", Several: true}},
		},
		{
			rule:  "cookies have another separator",
			lines: []fieldlines.Line{{Name: "cookie", Value: "b=2"}, {Name: "Cookie", Value: "a=1,1; c=3"}, {Name: "set-cookie", Value: "x"}, {Name: "Set-Cookie", Value: "y"}},
			want:  []fieldlines.Field{{Name: "cookie", Value: "a=1,1; c=3; b=2", Several: true}, {Name: "set-cookie", Value: "y,x", Several: true}},
		},
		{
			rule: "what only Unicode folds is another name",
			lines: []fieldlines.Line{{
				Name:  "x-\u212a",
				Value: "kelvin",
			}, {
				Name:  "x-k",
				Value: "k",
			}, {
				Name:  "\u017f",
				Value: "long s",
			}, {
				Name:  "S",
				Value: "s",
			}, {
				Name:  "É",
				Value: "E",
			}, {
				Name:  "é",
				Value: "e",
			}},
			want: []fieldlines.Field{{
				Name:  "s",
				Value: "s",
			}, {
				Name:  "x-k",
				Value: "k",
			}, {
				Name:  "x-\u212a",
				Value: "kelvin",
			}, {
				Name:  "É",
				Value: "E",
			}, {
				Name:  "é",
				Value: "e",
			}, {
				Name:  "\u017f",
				Value: "long s",
			}},
		},
	} {
		if got := fieldlines.Combine(tt.lines); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.rule, got, tt.want)
		}
	}
}

// An object has no order: however its members come, a reader sees the same.
func TestTheOrderOfSpellingsIsNotThatOfTheEvent(t *testing.T) {
	lines := []fieldlines.Line{{
		Name:  "a",
		Value: "1",
	}, {
		Name:  "A",
		Value: "2",
	}, {
		Name:  "b",
		Value: "3",
	}, {
		Name:  "B",
		Value: "4",
	}, {
		Name:  "cookie",
		Value: "5",
	}, {
		Name:  "COOKIE",
		Value: "6",
	}, {
		Name:  "Cookie",
		Value: "7",
	}}
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
