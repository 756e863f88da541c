package request

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestLinesOfAHeaderAreCombined(t *testing.T) {
	for _, tt := range []struct {
		rule  string
		lines []line
		want  []Field
	}{
		{rule: "nothing", want: []Field{}},
		{
			rule:  "a line is as it came, but for the case of its name",
			lines: []line{{name: "X-B", value: " b, B "}, {name: "x-a"}},
			want:  []Field{{Name: "x-a"}, {Name: "x-b", Value: " b, B "}},
		},
		{
			rule:  "lines of one spelling keep their order",
			lines: []line{{name: "a", value: "2"}, {name: "b", value: "x"}, {name: "a", value: "1"}, {name: "a", value: "3"}},
			want:  []Field{{Name: "a", Value: "2,1,3"}, {Name: "b", Value: "x"}},
		},
		{
			rule:  "spellings are in an order of their own",
			lines: []line{{name: "x-a", value: "3"}, {name: "X-a", value: "2"}, {name: "x-a", value: "4"}, {name: "X-A", value: "1"}},
			want:  []Field{{Name: "x-a", Value: "1,2,3,4"}},
		},
		{
			rule:  "an empty line counts",
			lines: []line{{name: "a"}, {name: "A"}},
			want:  []Field{{Name: "a", Value: ","}},
		},
		{
			rule:  "cookies have another separator",
			lines: []line{{name: "cookie", value: "b=2"}, {name: "Cookie", value: "a=1,1; c=3"}, {name: "set-cookie", value: "x"}, {name: "Set-Cookie", value: "y"}},
			want:  []Field{{Name: "cookie", Value: "a=1,1; c=3; b=2"}, {Name: "set-cookie", Value: "y,x"}},
		},
		{
			rule: "what only Unicode folds is another name",
			lines: []line{{
				name:  "x-\u212a",
				value: "kelvin",
			}, {
				name:  "x-k",
				value: "k",
			}, {
				name:  "\u017f",
				value: "long s",
			}, {
				name:  "S",
				value: "s",
			}, {
				name:  "É",
				value: "E",
			}, {
				name:  "é",
				value: "e",
			}},
			want: []Field{{
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
		if got := combine(slices.Clone(tt.lines)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.rule, got, tt.want)
		}
	}
}

// An object has no order: however its members come, a reader sees the same.
func TestTheOrderOfSpellingsIsNotThatOfTheEvent(t *testing.T) {
	lines := []line{{
		name:  "a",
		value: "1",
	}, {
		name:  "A",
		value: "2",
	}, {
		name:  "b",
		value: "3",
	}, {
		name:  "B",
		value: "4",
	}, {
		name:  "cookie",
		value: "5",
	}, {
		name:  "COOKIE",
		value: "6",
	}, {
		name:  "Cookie",
		value: "7",
	}}
	want := combine(slices.Clone(lines))
	for range 100 {
		rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		if got := combine(slices.Clone(lines)); !slices.Equal(got, want) {
			t.Fatalf("%+v is %+v, want %+v", lines, got, want)
		}
	}
}

func TestNamesAreTheSameWhereTheirKeysAre(t *testing.T) {
	names := []string{"", "a", "A", "content-type", "Content-Type", "CONTENT-TYPE", "content_type", "k", "\u212a", "s", "\u017f", "é", "É", "[", "{", "@", "`"}
	for _, a := range names {
		if key := lower(a); key != strings.ToLower(a) && strings.Trim(a, "\u212aÉ") == a {
			t.Errorf("the key of %q is %q", a, key)
		}
		for _, b := range names {
			if same := lower(a) == lower(b); sameName(a, b) != same {
				t.Errorf("%q and %q: %t, of one key: %t", a, b, !same, same)
			}
		}
	}
}

// Most names are in lower case already.
func TestTheKeyOfAPlainNameIsTheName(t *testing.T) {
	if n := testing.AllocsPerRun(10, func() { _ = lower("content-type") }); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}

func TestManyLinesOfOneSpellingKeepTheirOrder(t *testing.T) {
	var lines []line
	var want []string
	for i := range 100 {
		lines = append(lines, line{name: "x", value: strconv.Itoa(i)}, line{name: "y", value: "y"})
		want = append(want, strconv.Itoa(i))
	}
	if got := combine(slices.Clone(lines))[0].Value; got != strings.Join(want, ",") {
		t.Error(got)
	}
}
