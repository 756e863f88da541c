package pattern_test

import (
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
)

// Depth is no way to end the process: a document that is nested too deep is refused, or is
// a plain text where a document may be one.
func TestDocumentsThatAreNestedTooDeep(t *testing.T) {
	deep := strings.Repeat("[", 6<<20)
	if _, err := pattern.MustParse(`{"a":[1]}`).Match([]byte(`{"a":` + deep)); err == nil || !strings.Contains(err.Error(), "nested") {
		t.Errorf("an event: got %v, want that it is nested too deep", err)
	}
	objects := `{"a":` + strings.Repeat(`{"a":`, 2000) + "1" + strings.Repeat("}", 2001)
	if _, err := pattern.MustParse(`{"a":[1]}`).Match([]byte(objects)); err == nil || !strings.Contains(err.Error(), "nested") {
		t.Errorf("an event of objects: got %v, want that it is nested too deep", err)
	}
	if _, err := pattern.Parse(strings.Repeat("[", 4000)); err == nil || !strings.Contains(err.Error(), "nested") {
		t.Errorf("a pattern: got %v, want that it is nested too deep", err)
	}
	f := pattern.MustFilter(pattern.SQS, `{"body":["[["]}`)
	if matched, err := f.Match([]byte(`{"body":"` + strings.Repeat("[", 1<<20) + `"}`)); matched || err != nil {
		t.Errorf("a body: got %t, %v, want no match", matched, err)
	}
	allowed := `{"a":` + strings.Repeat("[", 900) + "1" + strings.Repeat("]", 900) + "}"
	if matched, err := pattern.MustParse(`{"a":[1]}`).Match([]byte(allowed)); !matched || err != nil {
		t.Errorf("900 arrays: got %t, %v, want a match", matched, err)
	}
}

// A criteria with a name that Lambda does not have would let every record pass.
func TestNamesOfFilterCriteria(t *testing.T) {
	for name, c := range map[string]struct{ criteria, err string }{
		"no filters":             {criteria: `{}`},
		"null filters":           {criteria: `{"Filters":null}`},
		"another name":           {criteria: `{"Filter":[{"Pattern":"{\"body\":[\"a\"]}"}]}`, err: "Filters"},
		"another case":           {criteria: `{"filters":[{"Pattern":"{\"body\":[\"a\"]}"}]}`, err: "Filters"},
		"a member besides":       {criteria: `{"Filters":[{"Pattern":"{\"body\":[\"a\"]}","Name":"a"}]}`, err: "Pattern"},
		"another case of a name": {criteria: `{"Filters":[{"pattern":"{\"body\":[\"a\"]}"}]}`, err: "Pattern"},
		"null":                   {criteria: `null`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pattern.ParseFilterCriteria(pattern.SQS, []byte(c.criteria))
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %v, want an error about %q", err, c.err)
			}
		})
	}
}
