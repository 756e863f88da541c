package secrets_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"text/template"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/secrets"
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
			t.Errorf("%s: got the value %s, want it hidden: %s", how, form, text)
		}
	}
}

func hiddenSecret(t *testing.T) secrets.Secret {
	t.Helper()
	s, err := secrets.New(fixed(hidden)).Get(t.Context(), name)
	if err != nil || s.Text() != hidden {
		t.Fatal(err)
	}
	return s
}

type (
	exported struct{ S any }
	typed    struct{ s secrets.Secret }
)

// A cached value stays hidden from those who print the cache, by reflection
// into fields that are not exported as well.
func TestNothingOfACacheLeadsToAValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := secrets.New(function(fixed(hidden).Fetch))
		if err := c.Prefetch(t.Context(), names(20)...); err != nil {
			t.Fatal(err)
		}
		if _, err := secrets.JSON[string](t.Context(), c, name); err == nil {
			t.Fatal("got no error, want one: the value is no JSON")
		}
		synctest.Wait() // for the goroutines of the fetches
		mustHide(t, "%+v and %#v of a cache", fmt.Sprintf("%+v %#v", c, c))
		reached := everything(reflect.ValueOf(c), map[uintptr]bool{})
		if !strings.Contains(reached, "secret-19") {
			t.Fatal("got a cache without entries, want to look into them")
		}
		mustHide(t, "reflection", reached)
		mustHide(t, "reflection", everything(reflect.ValueOf(hiddenSecret(t)), map[uintptr]bool{}))
	})
}

// function is a source without anything to look into.
type function func(context.Context, []secrets.Ref) ([]secrets.Value, error)

func (f function) Fetch(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	return f(ctx, refs)
}

// everything is the text of all that can be reached by reflection.
func everything(v reflect.Value, seen map[uintptr]bool) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || seen[v.Pointer()] {
			return ""
		}
		seen[v.Pointer()] = true
		return everything(v.Elem(), seen)
	case reflect.Interface:
		return everything(v.Elem(), seen)
	case reflect.Struct:
		var all string
		for i := range v.NumField() {
			all += everything(v.Field(i), seen) + " "
		}
		return all
	case reflect.Slice, reflect.Array:
		var all string
		for i := range v.Len() {
			all += everything(v.Index(i), seen) + " "
		}
		return all
	case reflect.Map:
		var all string
		for _, k := range v.MapKeys() {
			all += everything(k, seen) + " " + everything(v.MapIndex(k), seen) + " "
		}
		return all
	case reflect.String:
		return v.String()
	case reflect.Invalid:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

func TestAPanicWithASecretDoesNotShowIt(t *testing.T) {
	s := hiddenSecret(t)
	for how, v := range map[string]any{"value": s, "pointer": &s, "field": typed{s: s}, "error": fmt.Errorf("%v", s)} {
		var log bytes.Buffer
		h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { panic(v) }),
			guard.Log(logging.New(&log)), guard.Errors(), guard.Recover())
		out, err := h.Invoke(t.Context(), []byte("{}"))
		mustHide(t, "a panic with a "+how, string(out)+log.String()+fmt.Sprint(err))
	}
}

func TestAPanicOfASourceDoesNotShowWhatItHad(t *testing.T) {
	for how, v := range map[string]any{
		"text": hidden, "bytes": []byte(hidden), "error": errors.New(hidden), "Value": secrets.Value{Data: []byte(hidden)},
		"map": map[string]string{hidden: hidden}, "struct": exported{S: hidden}, "secret": hiddenSecret(t),
	} {
		var told string
		c := secrets.New(function(func(context.Context, []secrets.Ref) ([]secrets.Value, error) { panic(v) }),
			secrets.OnFetch(func(_ context.Context, f secrets.FetchReport) { told = fmt.Sprintf("%v %+v %#v", f.Err, f, f) }))
		_, err := c.Get(t.Context(), name)
		mustBe(t, err, "secret_unavailable", secrets.ErrUnavailable)
		mustHide(t, "a panic with "+how, fmt.Sprintf("%v %+v", err, err)+told)
	}
	c := secrets.New(function(func(_ context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
		return []secrets.Value{{Data: []byte(refs[len(refs)].Name)}}, nil
	}))
	if _, err := c.Get(t.Context(), name); err == nil || !strings.Contains(err.Error(), "index out of range [1] with length 1") {
		t.Errorf("got %v, want the text of the runtime", err)
	}
}

func TestWhatIsShownIsThatSomethingIsNot(t *testing.T) {
	s := hiddenSecret(t)
	for _, v := range []any{s, &s, secrets.Secret{}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if got := fmt.Sprintf(verb, v); got != "[redacted]" {
				t.Errorf("%s: got %s, want [redacted]", verb, got)
			}
		}
		if got, err := json.Marshal(map[string]any{"k": v}); string(got) != `{"k":"[redacted]"}` {
			t.Errorf("JSON: got %s, %v, want [redacted]", got, err)
		}
	}
	asJSON, err := s.MarshalJSON()
	if got := s.String() + s.LogValue().String() + string(asJSON); got != `[redacted][redacted]"[redacted]"` || err != nil {
		t.Errorf("String, LogValue and MarshalJSON: got %s, %v, want [redacted]", got, err)
	}
	if got, err := xml.Marshal(exported{S: s}); string(got) != "<exported><S>[redacted]</S></exported>" {
		t.Errorf("XML: got %s, %v, want [redacted]", got, err)
	}
}

// plain is a log handler that does not resolve what it gets.
type plain struct{ to *bytes.Buffer }

func (plain) Enabled(context.Context, slog.Level) bool { return true }
func (p plain) WithAttrs([]slog.Attr) slog.Handler     { return p }
func (p plain) WithGroup(string) slog.Handler          { return p }
func (p plain) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(p.to, "%v %+v %#v", a, a.Value, a.Value.Any())
		return true
	})
	return nil
}

func TestNothingThatPrintsShowsASecret(t *testing.T) {
	s := hiddenSecret(t)
	page := `{{.}} {{printf "%v %#v %x %p" . . . .}} {{html .}} {{js .}} {{urlquery .}}`
	script := `<a href="{{.}}" onclick="{{.}}">{{.}}</a><script>let x = {{.}}</script>`
	for what, v := range map[string]any{"value": s, "pointer": &s, "exported field": exported{S: s}, "field": typed{s: s}, "map": map[string]secrets.Secret{"k": s}} {
		var out bytes.Buffer
		for _, verb := range "vsqxXdtbcoOUeEfFgGpTwz!" {
			for _, flags := range []string{"", "+", "#", "-10.3", "0", " ", "[1]"} {
				fmt.Fprintf(&out, "%"+flags+string(verb), v)
			}
		}
		for _, format := range []string{"", "%[2]d", "%.*d", "%[3]*.[2]*[1]f"} {
			fmt.Fprintf(&out, format, v, v)
		}
		slog.New(plain{&out}).Info("m", "k", v)
		_ = template.Must(template.New("").Parse(page)).Execute(&out, v)
		_ = htmltemplate.Must(htmltemplate.New("").Parse(script)).Execute(&out, v)
		_ = gob.NewEncoder(&out).Encode(v)
		mustHide(t, what, out.String())
	}
	var out bytes.Buffer
	if err := xml.NewEncoder(&out).Encode(struct {
		XMLName xml.Name       `xml:"x"`
		A       secrets.Secret `xml:"a,attr"`
		T       secrets.Secret `xml:",chardata"`
	}{A: s, T: s}); err != nil || out.String() != `<x a="[redacted]">[redacted]</x>` {
		t.Errorf("XML: got %s, %v, want [redacted] twice", out.String(), err)
	}
}

// A Value passes between a source and a cache alone, and has to show its fields
// to both. By itself it is as silent.
func TestAValueHidesItsData(t *testing.T) {
	v := secrets.Value{Data: []byte(hidden), Version: "1"}
	for _, v := range []any{v, &v, []secrets.Value{v}, exported{S: v}} {
		var text, lines bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "k", v)
		slog.New(slog.NewJSONHandler(&lines, nil)).Info("m", "k", v)
		asJSON, _ := json.Marshal(v)
		asXML, _ := xml.Marshal(v)
		mustHide(t, "a Value", fmt.Sprintf("%v %+v %#v %s %q %x %d", v, v, v, v, v, v, v)+text.String()+lines.String()+string(asJSON)+string(asXML))
	}
}

func TestTheZeroSecretIsEmpty(t *testing.T) {
	var s secrets.Secret
	if !s.IsZero() || s.Text() != "" || len(s.Bytes()) != 0 || s.Version() != "" || !s.FetchedAt().IsZero() || s.Stale() {
		t.Errorf("got text %q, version %q, fetched at %v, stale %v, zero %v, want nothing", s.Text(), s.Version(), s.FetchedAt(), s.Stale(), s.IsZero())
	}
}
