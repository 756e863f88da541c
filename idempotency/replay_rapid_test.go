package idempotency

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/answer"
	"pgregory.net/rapid"
)

// An answer may be filtered when it is stored and is filtered when it is
// replayed, so that filtering again must change nothing.
func TestReplayFormIsOfWhatItWasAppliedTo(t *testing.T) {
	for _, out := range []string{
		`{}`, `"text"`, `{"id":1}`, `{"statusCode":204}`, `{"headers":null,"statusCode":204}`, `{"statusCode":200,"multiValueHeaders":null}`,
		`{"statusCode":200,"multiValueHeaders":{}}`, `{"statusCode":200,"multiValueHeaders":{},"headers":{"Idempotent-Replayed":"true"}}`,
		`{"statusCode":200,"multiValueHeaders":{"Idempotent-Replayed":["true"]}}`, `{"statusCode":200,"headers":{"Idempotent-Replayed":"true","idempotent-replayed":"no"}}`,
		`{"statusCode":200,"headers":{"a":"1"},"headers":{"b":"2"}}`,
	} {
		for _, form := range []answer.Form{answer.Format2, answer.Format1} {
			if form == answer.Format2 || strings.Contains(out, "statusCode") { // which 1.0 asks for
				mustBeFiltered(t, out, form)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		mustBeFiltered(t, drawAnswer(t), rapid.SampledFrom([]answer.Form{answer.Format2, answer.Format1}).Draw(t, "form"))
	})
}

func mustBeFiltered(t interface{ Errorf(string, ...any) }, out string, format answer.Form) {
	once := string(replayForm([]byte(out), format, nil))
	if twice := string(replayForm([]byte(once), format, nil)); twice != once {
		t.Errorf("of %s (form %d)\ngot  %s\nwant %s", out, format, twice, once)
	}
	var form struct {
		Headers           map[string]string
		MultiValueHeaders map[string][]string
		Cookies           []string
	}
	if err := json.Unmarshal([]byte(once), &form); err != nil {
		t.Errorf("%s became %s: %v", out, once, err)
	}
	marks := 0
	for name, value := range form.Headers {
		if strings.EqualFold(name, "Set-Cookie") {
			t.Errorf("%s became %s, with a cookie", out, once)
		}
		if name == "Idempotent-Replayed" && value == "true" {
			marks++
		}
	}
	for name, values := range form.MultiValueHeaders {
		if strings.EqualFold(name, "Set-Cookie") {
			t.Errorf("%s became %s, with a cookie", out, once)
		}
		if name == "Idempotent-Replayed" && fmt.Sprint(values) == "[true]" {
			marks++
		}
	}
	if marks != 1 || len(form.Cookies) > 0 {
		t.Errorf("%s became %s, with %d marks and %d cookies", out, once, marks, len(form.Cookies))
	}
}

// drawAnswer draws what a function may answer: members in any order, with names
// in any spelling of JSON.
func drawAnswer(t *rapid.T) string {
	var b strings.Builder
	b.WriteString(`{"statusCode":200`)
	for _, member := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		"headers", "multiValueHeaders", "cookies", "body", "other",
	}), 0, 5, rapid.ID[string]).Draw(t, "members") {
		b.WriteString("," + spell(t, member) + ":")
		switch member {
		case "cookies":
			b.WriteString(`["a=b"]`)
		case "body", "other":
			b.WriteString(`"{\"headers\":1}"`)
		default:
			b.WriteString(drawHeaders(t, member == "multiValueHeaders"))
		}
	}
	return b.String() + "}"
}

func drawHeaders(t *rapid.T, lists bool) string {
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		"a", "b", "Set-Cookie", "set-cookie", "SET-COOKIE", "Idempotent-Replayed", "idempotent-replayed",
	}), 0, 4, rapid.ID[string]).Draw(t, "headers")
	if len(names) == 0 && rapid.Bool().Draw(t, "null") {
		return "null"
	}
	var members []string
	for _, name := range names {
		value := rapid.SampledFrom([]string{`"true"`, `"x"`}).Draw(t, "value")
		if lists {
			value = "[" + value + "]"
		}
		members = append(members, spell(t, name)+":"+value)
	}
	return "{" + strings.Join(members, ",") + "}"
}

// spell writes a name as JSON, now and then with an escape.
func spell(t *rapid.T, name string) string {
	if rapid.IntRange(0, 3).Draw(t, "escape") > 0 {
		return `"` + name + `"`
	}
	i := rapid.IntRange(0, len(name)-1).Draw(t, "at")
	return fmt.Sprintf(`"%s\u%04x%s"`, name[:i], name[i], name[i+1:])
}
