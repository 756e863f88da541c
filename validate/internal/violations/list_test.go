package violations_test

import (
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/validate/internal/violations"
)

func TestListShowsTheDeepestFirstAndEachOnce(t *testing.T) {
	list := violations.List{Max: 5}
	for _, pointer := range []string{"", "/2", "/10", "/b/0", "/2", "/a/0/b"} {
		if !list.Add(pointer, "type", "must be a string") {
			t.Errorf("%q is refused", pointer)
		}
	}
	if list.Add("/c", "type", "must be a string") {
		t.Error("a list of 5 takes a sixth place")
	}
	e := guard.Public(list.Err())
	var got []string
	for _, v := range e.Violations {
		got = append(got, v.Pointer)
	}
	if want := "/a/0/b /b/0 /2 /10 "; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", strings.Join(got, " "), want)
	}
	if want := "More than 5 places of the input break a rule. The first are listed."; e.Detail != want {
		t.Errorf("got %q, want %q", e.Detail, want)
	}
}

func TestAListWithoutPlacesIsNoError(t *testing.T) {
	list := violations.List{Max: 5}
	if err := list.Err(); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

func TestEscape(t *testing.T) {
	if got, want := string(violations.AppendToken([]byte("/a"), "~/b", -1)), "/a/~0~1b"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(violations.AppendToken(nil, "", 7)), "/7"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
