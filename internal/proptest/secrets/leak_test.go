package secrets_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	v2 "github.com/go-json-experiment/json"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/secrets"
	"pgregory.net/rapid"
)

// hidden is the value that must not show, in any of the forms that a printer
// may give it.
const hidden = "S3CR3T-hunter2!"

func mustHide(t interface {
	Helper()
	Errorf(string, ...any)
}, how, text string,
) {
	t.Helper()
	for form, shows := range map[string]string{
		"as it is":   hidden,
		"in hex":     fmt.Sprintf("%x", hidden),
		"in HEX":     fmt.Sprintf("%X", hidden),
		"as numbers": strings.Trim(fmt.Sprint([]byte(hidden)), "[]"),
		"as Go has":  strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", []byte(hidden)), "[]byte{"), "}"),
		"in base64":  "UzNDUjNULWh1bnRlcjIh",
	} {
		if strings.Contains(strings.ReplaceAll(text, "\n", ""), shows) {
			t.Errorf("%s shows the value %s: %s", how, form, text)
		}
	}
}

// hiding is a source with that value for every name.
type hiding struct{}

func (hiding) Fetch(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	return slices.Repeat([]secrets.Value{{Data: []byte(hidden)}}, len(refs)), nil
}

func hiddenSecret(t *testing.T) secrets.Secret {
	t.Helper()
	s, err := secrets.New(hiding{}).Get(t.Context(), "name")
	if err != nil || s.Text() != hidden {
		t.Fatalf("got a value of %d bytes, %v, want the hidden one", len(s.Text()), err)
	}
	return s
}

type (
	exported   struct{ S any }
	unexported struct{ s any }
	typed      struct{ s secrets.Secret }
	embedding  struct{ secrets.Secret }
	pointing   struct{ p *secrets.Secret }
	deep       struct{ a, b any }
)

// nestings put a value into another one.
var nestings = map[string]func(any) any{
	"pointer":           func(v any) any { return &v },
	"slice":             func(v any) any { return []any{v, 1} },
	"array":             func(v any) any { return [1]any{v} },
	"map":               func(v any) any { return map[string]any{"k": v} },
	"exported field":    func(v any) any { return exported{S: v} },
	"unexported field":  func(v any) any { return unexported{s: v} },
	"pointer to struct": func(v any) any { return &unexported{s: v} },
	"second field":      func(v any) any { return &deep{a: 1, b: v} },
	"error":             func(v any) any { return fmt.Errorf("wrapped: %v %w", v, errors.New("x")) },
}

// SECURITY: Nothing leaks.
func TestNothingShowsASecret(t *testing.T) {
	s := hiddenSecret(t)
	leaves := map[string]any{
		"Secret": s, "pointer": &s, "typed field": typed{s: s}, "typed field by pointer": &typed{s: s},
		"embedded": embedding{Secret: s}, "embedded by pointer": &embedding{Secret: s}, "pointer in a field": pointing{p: &s},
		"slice": []secrets.Secret{s}, "array": [2]secrets.Secret{s, s}, "map": map[int]secrets.Secret{1: s},
		"reflect.Value": reflect.ValueOf(s), "field by reflection": reflect.ValueOf(typed{s: s}).Field(0),
		"what is in it": reflect.ValueOf(s).Field(0),
	}
	rapid.Check(t, func(t *rapid.T) {
		how := rapid.SampledFrom(slices.Sorted(maps.Keys(leaves))).Draw(t, "leaf")
		v := leaves[how]
		for range rapid.IntRange(0, 4).Draw(t, "depth") {
			nesting := rapid.SampledFrom(slices.Sorted(maps.Keys(nestings))).Draw(t, "nesting")
			how += " in " + nesting
			v = nestings[nesting](v)
		}
		verb := "%" + rapid.StringMatching(`[-+# 0]{0,3}([1-9][0-9]?)?(\.[0-9])?`).Draw(t, "flags") +
			string(rapid.SampledFrom([]rune("vTtbcdoOqxXUeEfFgGspwz")).Draw(t, "verb"))
		mustHide(t, verb+" of "+how, fmt.Sprintf(verb, v))
		mustHide(t, "Sprint of "+how, fmt.Sprint(v))
		mustHide(t, "Errorf of "+how, fmt.Errorf("x: "+verb, v).Error())

		var text, lines, guarded bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "k", v, slog.Group("g", "k", v))
		slog.New(slog.NewJSONHandler(&lines, nil)).Info("m", "k", v, slog.Group("g", "k", v))
		logging.New(&guarded).Info("m", "k", v, slog.Group("g", "k", v))
		mustHide(t, "slog text of "+how, text.String())
		mustHide(t, "slog JSON of "+how, lines.String())
		mustHide(t, "guard's log of "+how, guarded.String())

		for encoder, encode := range map[string]func(any) ([]byte, error){
			"json": json.Marshal, "json v2": func(v any) ([]byte, error) { return v2.Marshal(v) }, "xml": xml.Marshal,
			"gob": func(v any) ([]byte, error) {
				var b bytes.Buffer
				err := gob.NewEncoder(&b).Encode(v)
				return b.Bytes(), err
			},
		} {
			out, err := encode(v)
			mustHide(t, encoder+" of "+how, string(out)+fmt.Sprint(err))
		}
	})
}
