package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/internal/logbook"
)

// hidden stands in every value that must not be in a log.
const hidden = "s3cr3t"

// A secretText hides itself from slog alone, a sealedText from JSON as well.
type secretText string

func (secretText) LogValue() slog.Value { return slog.StringValue("***") }

type sealedText struct{ text string }

func (sealedText) MarshalJSON() ([]byte, error) { return []byte(`"***"`), nil }

// A pointerSecret has its LogValue on the pointer, and cannot do with nil.
type pointerSecret struct{ Text string }

func (p *pointerSecret) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("length", len(p.Text)), slog.String("token", p.Text))
}

type leaf struct {
	Password string `json:"pass_word"`
	Public   string `json:"public"`
	private  string
}

type account struct {
	Leaf   leaf            `json:"leaf"`
	List   []leaf          `json:"list"`
	ByName map[string]leaf `json:"by_name"`
	Next   *account        `json:"next,omitempty"`
}

func TestRedactHidesAtAnyDepth(t *testing.T) {
	secret := leaf{Password: hidden, Public: "shown", private: hidden}
	shownLeaf := `{"pass_word":"[redacted]","public":"shown"}`
	deep := account{Leaf: secret, List: []leaf{secret}, ByName: map[string]leaf{"x": secret, "api-key": secret}}
	shownDeep := `{"leaf":` + shownLeaf + `,"list":[` + shownLeaf + `],"by_name":{"api-key":"[redacted]","x":` + shownLeaf + `}`
	type tagged struct {
		Token string `json:"-"`
		Plain string `json:"Secret"`
	}
	for _, tc := range []struct {
		rule string
		attr slog.Attr
		want string // the attribute as JSON; "" is left out
	}{
		{rule: "a name of the defaults", attr: slog.String("password", hidden), want: `"[redacted]"`},
		{rule: "in any spelling", attr: slog.String("API_Key", hidden), want: `"[redacted]"`},
		{rule: "with dashes", attr: slog.String("X-Api-Key", hidden), want: `"[redacted]"`},
		{
			rule: "the secrets of AWS's credentials",
			attr: slog.Any("a", struct{ AccessKeyID, SecretAccessKey, SessionToken string }{
				AccessKeyID:     "AKIA",
				SecretAccessKey: hidden,
				SessionToken:    hidden,
			}),
			want: `{"AccessKeyID":"AKIA","SecretAccessKey":"[redacted]","SessionToken":"[redacted]"}`,
		},
		{
			rule: "and as the environment has them",
			attr: slog.Any("a", map[string]string{"AWS_SECRET_ACCESS_KEY": hidden, "AWS_SESSION_TOKEN": hidden}),
			want: `{"AWS_SECRET_ACCESS_KEY":"[redacted]","AWS_SESSION_TOKEN":"[redacted]"}`,
		},
		{rule: "and a signed request", attr: slog.String("X-Amz-Security-Token", hidden), want: `"[redacted]"`},
		{rule: "whatever its kind", attr: slog.Any("credentials", deep), want: `"[redacted]"`},
		{rule: "a whole group", attr: slog.Group("secret", slog.String("a", hidden)), want: `"[redacted]"`},
		{
			rule: "the last part of a dotted name",
			attr: slog.String("http.request.header.authorization", hidden),
			want: `"[redacted]"`,
		},
		{rule: "a name that only contains one", attr: slog.String("passwordless", "shown"), want: `"shown"`},
		{rule: "a name of one's own", attr: slog.String("cardNumber", hidden), want: `"[redacted]"`},
		{
			rule: "in a group",
			attr: slog.Group("a", slog.Group("b", slog.String("Token", hidden), slog.Int("n", 1))),
			want: `{"b":{"Token":"[redacted]","n":1}}`,
		},
		{rule: "in a struct, by its JSON name", attr: slog.Any("a", secret), want: shownLeaf},
		{rule: "in a pointer to one", attr: slog.Any("a", &secret), want: shownLeaf},
		{rule: "in structs, slices and maps, nested", attr: slog.Any("a", account{Next: &account{Next: &deep}, List: nil}), want: `{"leaf":{"pass_word":"[redacted]","public":""},` +
			`"list":null,"by_name":null,"next":{"leaf":{"pass_word":"[redacted]","public":""},"list":null,"by_name":null,"next":` + shownDeep + `}}}`},
		{
			rule: "not what JSON leaves out, and what a tag calls so",
			attr: slog.Any("a", tagged{
				Token: hidden,
				Plain: hidden,
			}),
			want: `{"Secret":"[redacted]"}`,
		},
		{
			rule: "a hidden object goes whole",
			attr: slog.Any("a", map[string]any{"cookie": map[string]any{"x": []any{hidden, 1}}, "n": 1}),
			want: `{"cookie":"[redacted]","n":1}`,
		},
		{
			rule: "a value is no name",
			attr: slog.Any("a", map[string]any{"n": "password", "l": []string{"token"}}),
			want: `{"l":["token"],"n":"password"}`,
		},
		{
			rule: "raw JSON",
			attr: slog.Any("a", json.RawMessage(`{"token":"`+hidden+`","n":1e400}`)),
			want: `{"token":"[redacted]","n":1e400}`,
		},
		{rule: "a LogValuer", attr: slog.Any("a", secretText(hidden)), want: `"***"`},
		{
			rule: "a LogValuer that gives a group",
			attr: slog.Any("a", &pointerSecret{Text: hidden}),
			want: `{"length":6,"token":"[redacted]"}`,
		},
		{rule: "a LogValuer in a struct", attr: slog.Any("a", struct{ S secretText }{S: hidden}), want: `{"S":"***"}`},
		{
			rule: "a LogValuer in a slice and a map",
			attr: slog.Any("a", map[string][]secretText{"x": {hidden}}),
			want: `{"x":["***"]}`,
		},
		{
			rule: "a LogValuer by pointer, and a nil one",
			attr: slog.Any("a", []*pointerSecret{{
				Text: hidden,
			}, nil}),
			want: `[{"length":6,"token":"[redacted]"},null]`,
		},
		{
			rule: "a LogValuer behind an interface",
			attr: slog.Any("a", []any{secretText(hidden), "shown"}),
			want: `["***","shown"]`,
		},
		{rule: "what hides itself from JSON", attr: slog.Any("a", sealedText{text: hidden}), want: `"***"`},
		{rule: "the same inside", attr: slog.Any("a", []sealedText{{text: hidden}}), want: `["***"]`},
		{rule: "unexported fields", attr: slog.Any("a", struct{ text string }{text: hidden}), want: `{}`},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			// In a record, from With, in an open group, in the invocation's own record.
			for place, write := range map[string]func(context.Context, *slog.Logger){
				"record": func(ctx context.Context, log *slog.Logger) { log.LogAttrs(ctx, slog.LevelInfo, "m", tc.attr) },
				"With":   func(ctx context.Context, log *slog.Logger) { log.With(tc.attr).InfoContext(ctx, "m") },
				"WithGroup": func(ctx context.Context, log *slog.Logger) {
					log.WithGroup("g").With(tc.attr).InfoContext(ctx, "m")
				},
				"AddAttrs": func(ctx context.Context, _ *slog.Logger) { guard.AddAttrs(ctx, tc.attr) },
			} {
				log, book := logbook.New(logging.Redact("Card number"))
				h := guard.Wrap(doing(func(ctx context.Context) { write(ctx, log) }, nil), guard.Log(log))
				if _, err := h.Invoke(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				book.Records(t)
				name, _ := json.Marshal(tc.attr.Key)
				if line := book.String(); !strings.Contains(line, string(name)+":"+tc.want) || strings.Contains(line, hidden) {
					t.Errorf("%s: want %s in\n%s", place, tc.want, line)
				}
			}
		})
	}
}

func TestAGroupThatIsOpenIsHiddenByItsName(t *testing.T) {
	log, book := logbook.New()
	log.WithGroup("a").WithGroup("secret").With("x", hidden).Info("m", "y", hidden)
	if got := fmt.Sprint(book.Only(t)["a"]); got != "map[secret:[redacted]]" {
		t.Error(got)
	}
}

type broken struct{}

func (broken) MarshalJSON() ([]byte, error) { return nil, errors.New("no JSON") }

// A told failure is an error that has a form of its own in JSON.
type told struct{ Code int }

func (told) Error() string { return "text" }

func (f told) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `{"code":%d}`, f.Code), nil }

type failure struct{ text string }

func (f *failure) Error() string { return f.text } // panics on nil

// What needs no hiding is written as slog's own handler writes it.
func TestOtherValuesAreWrittenAsSlogDoes(t *testing.T) {
	moment := time.Date(2024, 2, 29, 12, 0, 0, 1, time.UTC)
	deepText := strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	for rule, value := range map[string]any{
		"string": "a<b>&\u2028\x01", "int": -1, "uint": uint64(1 << 63), "float": 1e21, "small float": 1e-7, "bool": true, "nil": nil,
		"duration": time.Second, "time": moment, "bytes": []byte("abc"), "error": errors.New("e<"), "nil pointer": (*leaf)(nil),
		"text marshaler": netip.MustParseAddr("192.0.2.1"), "list": []any{1, "a<", nil, 1.5}, "map of ints": map[int]string{2: "b", 1: "a"},
		"struct": leaf{Public: "<&>"}, "no JSON": broken{}, "raw": json.RawMessage(` {"a" : [1, 2.0]} `),
		"nil map": map[string]any(nil), "empty": struct{}{}, "pointer to time": &moment, "nested duration": []time.Duration{1},
		"deep raw": json.RawMessage(deepText), "level": slog.LevelWarn, "array": [2]byte{1, 2}, "nil error": (*failure)(nil), "error in JSON": told{
			Code: 1,
		},
	} {
		t.Run(rule, func(t *testing.T) {
			var want, got bytes.Buffer
			text := func(h slog.Handler) { slog.New(h).Info("m", "v", value) }
			drop := func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}
			opts := &slog.HandlerOptions{ReplaceAttr: drop}
			text(slog.NewJSONHandler(&want, opts))
			text(logging.NewHandler(slog.NewJSONHandler(&got, opts)))
			// A struct with a hidden member is not the same; this one has an empty one.
			expected := strings.ReplaceAll(want.String(), `"pass_word":""`, `"pass_word":"[redacted]"`)
			switch rule {
			case "no JSON":
				expected = `{"level":"INFO","msg":"m","v":"!ERROR:`
			case "nil error":
				expected = `{"level":"INFO","msg":"m","v":"!PANIC"}`
			}
			if !strings.HasPrefix(got.String(), strings.TrimSpace(expected)) {
				t.Errorf("\n%swant\n%s", got.String(), expected)
			}
		})
	}
}

func TestAValueThatPanicsFailsNothing(t *testing.T) {
	for rule, value := range map[string]any{
		"an error":       (*failure)(nil),
		"a Marshaler":    panicking{},
		"one in a slice": []any{panicking{}},
		"a LogValuer":    slog.LogValuer((*pointerSecret)(nil)),
	} {
		t.Run(rule, func(t *testing.T) {
			log, book := logbook.New()
			h := guard.Wrap(doing(func(ctx context.Context) {
				log.InfoContext(ctx, "m", "v", value)
				guard.AddAttrs(ctx, slog.Any("v", value))
			}, nil), guard.Log(log))
			if _, err := h.Invoke(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if records := book.Records(t); len(records) != 2 || strings.Contains(book.String(), hidden) {
				t.Errorf("\n%s", book)
			}
		})
	}
	log, book := logbook.New()
	_, _ = guard.Wrap(answers("", (*failure)(nil)), guard.Log(log)).Invoke(t.Context(), nil)
	if cause := book.Only(t)["error"].(map[string]any)["cause"]; cause != "*logging_test.failure" {
		t.Errorf("%v", cause)
	}
}

type panicking struct{}

func (panicking) MarshalJSON() ([]byte, error) { panic(hidden) }

func TestANilPointerInAStructIsNull(t *testing.T) {
	log, book := logbook.New()
	log.Info("m", slog.Any("a", struct{ P *pointerSecret }{}), slog.Any("b", map[string]any{"p": (*pointerSecret)(nil)}))
	record := book.Only(t)
	for _, got := range []any{record["a"].(map[string]any)["P"], record["b"].(map[string]any)["p"]} {
		if got != nil {
			t.Errorf("got %v, want null", got)
		}
	}
}
