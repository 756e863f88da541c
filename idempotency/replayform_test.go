package idempotency

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/answer"
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
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	for range 2000 {
		mustBeFiltered(t, drawAnswer(r), []answer.Form{answer.Format2, answer.Format1}[r.IntN(2)])
		if t.Failed() {
			t.Fatalf("the seed was %d", seed)
		}
	}
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
func drawAnswer(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString(`{"statusCode":200`)
	for _, member := range some(r, 5, "headers", "multiValueHeaders", "cookies", "body", "other") {
		b.WriteString("," + spell(r, member) + ":")
		switch member {
		case "cookies":
			b.WriteString(`["a=b"]`)
		case "body", "other":
			b.WriteString(`"{\"headers\":1}"`)
		default:
			b.WriteString(drawHeaders(r, member == "multiValueHeaders"))
		}
	}
	return b.String() + "}"
}

func drawHeaders(r *rand.Rand, lists bool) string {
	names := some(r, 4, "a", "b", "Set-Cookie", "set-cookie", "SET-COOKIE", "Idempotent-Replayed", "idempotent-replayed")
	if len(names) == 0 && r.IntN(2) == 0 {
		return "null"
	}
	var members []string
	for _, name := range names {
		value := []string{`"true"`, `"x"`}[r.IntN(2)]
		if lists {
			value = "[" + value + "]"
		}
		members = append(members, spell(r, name)+":"+value)
	}
	return "{" + strings.Join(members, ",") + "}"
}

// some draws up to n of texts, in any order.
func some(r *rand.Rand, n int, texts ...string) []string {
	r.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	return texts[:r.IntN(n+1)]
}

// spell writes a name as JSON, now and then with an escape.
func spell(r *rand.Rand, name string) string {
	if r.IntN(4) > 0 {
		return `"` + name + `"`
	}
	i := r.IntN(len(name))
	return fmt.Sprintf(`"%s\u%04x%s"`, name[:i], name[i], name[i+1:])
}
