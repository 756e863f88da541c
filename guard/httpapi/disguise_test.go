package httpapi_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/lambdarmor/lambdarmor/validate/schema"
)

// planted is a value that a caller sends: two words that nothing else has in
// it, and between them what needs escaping somewhere.
type planted struct{ text, word, digits string }

func plant(r *rand.Rand) planted {
	p := planted{word: letters(r, "QXZJ", 1) + letters(r, "qxzjkv", 9), digits: letters(r, "123456789", 12)}
	between := []string{"-", " ", `"`, "/", "%", "ü", "+", "&x=", "<", ",", "\n"}
	p.text = p.word + between[r.IntN(len(between))] + p.digits
	return p
}

func letters(r *rand.Rand, of string, n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = of[r.IntN(len(of))]
	}
	return string(text)
}

// drawing runs a check a hundred times. A subtest is named after its seed.
func drawing(t *testing.T, check func(t *testing.T, r *rand.Rand)) {
	t.Helper()
	seed := rand.Uint64()
	for n := range uint64(100) {
		t.Run(fmt.Sprintf("%d,%d", seed, n), func(t *testing.T) { check(t, rand.New(rand.NewPCG(seed, n))) })
	}
}

// in returns the part of the value that is in a text, in any form.
func (p planted) in(text string) string {
	lower := strings.ToLower(text)
	parts := []string{strings.ToLower(p.word[:5]), p.digits[:8], hex.EncodeToString([]byte(p.word[:5])), hex.EncodeToString([]byte(p.digits[:8]))}
	for skip := range 3 { // the three ways in which base64 can begin a word
		parts = append(parts, strings.ToLower(base64.StdEncoding.EncodeToString([]byte(p.word[skip:]))[:6]))
	}
	for _, part := range parts {
		if strings.Contains(lower, part) {
			return part
		}
	}
	return ""
}

// disguises are what the code between a caller and a log makes of a value.
var disguises = map[string]func(planted) string{
	"as it came":          func(p planted) string { return p.text },
	"escaped for a query": func(p planted) string { return url.QueryEscape(p.text) },
	"escaped for a path":  func(p planted) string { return url.PathEscape(p.text) },
	"hex":                 func(p planted) string { return hex.EncodeToString([]byte(p.text)) },
	"base64":              func(p planted) string { return base64.StdEncoding.EncodeToString([]byte(p.text)) },
	"upper case":          func(p planted) string { return strings.ToUpper(p.text) },
	"lower case":          func(p planted) string { return strings.ToLower(p.text) },
	"quoted":              func(p planted) string { return fmt.Sprintf("%q", p.text) },
	"quoted in ASCII":     func(p planted) string { return fmt.Sprintf("%+q", p.text) },
	"in parts":            func(p planted) string { return p.digits + ", " + p.word },
	"a prefix":            func(p planted) string { return p.text[:6] },
	"escaped for JSON":    func(p planted) string { out, _ := json.Marshal(p.text); return string(out) },
	"escaped for XML": func(p planted) string {
		var b strings.Builder
		_ = xml.EscapeText(&b, []byte(p.text))
		return b.String()
	},
	"Basic's user and password": func(p planted) string {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(p.word, p.digits)
		return r.Header.Get("Authorization")
	},
}

type ownError struct{ text string }

func (e ownError) Error() string { return e.text }

// quoting are the ways in which errors quote what they could not read. The
// function panics where that is the way.
var quoting = map[string]func(s string) error{
	"errors.New":      func(s string) error { return errors.New("no customer " + s) },
	"fmt":             func(s string) error { return fmt.Errorf("no customer %s", s) },
	"fmt, wrapping":   func(s string) error { return fmt.Errorf("load %q: %w", s, io.ErrUnexpectedEOF) },
	"errors.Join":     func(s string) error { return errors.Join(io.EOF, errors.New(s)) },
	"one's own":       func(s string) error { return fmt.Errorf("x: %w", ownError{text: s}) },
	"a pointer to it": func(s string) error { return &ownError{text: s} },
	"strconv":         func(s string) error { _, err := strconv.Atoi(s); return err },
	"strconv.Unquote": func(s string) error { _, err := strconv.ParseBool(s); return err },
	"time":            func(s string) error { _, err := time.Parse(time.RFC3339, s); return err },
	"a duration":      func(s string) error { _, err := time.ParseDuration(s); return err },
	"netip":           func(s string) error { _, err := netip.ParseAddr(s); return err },
	"net":             func(s string) error { _, _, err := net.SplitHostPort("[" + s); return err },
	"url.Error": func(s string) error {
		return &url.Error{Op: "Get", URL: "https://crm.example/" + s, Err: errors.New(s)}
	},
	"net/url":  func(s string) error { _, err := url.Parse("http://host:" + s); return err },
	"net/http": func(s string) error { _, err := http.NewRequest(s+" ", "https://crm.example/", nil); return err },
	"DNS": func(s string) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Name: s, Err: s, Server: s}}
	},
	"a file":      func(s string) error { return &fs.PathError{Op: "open", Path: s, Err: fs.ErrNotExist} },
	"a regexp":    func(s string) error { _, err := regexp.Compile(s + "("); return err },
	"a template":  func(s string) error { _, err := template.New(s).Parse("{{" + s); return err },
	"JSON":        func(s string) error { return json.Unmarshal([]byte("["+s), new(any)) },
	"a JSON type": func(s string) error { out, _ := json.Marshal(s); return json.Unmarshal(out, new(int)) },
	"a JSON member": func(s string) error {
		out, _ := json.Marshal(map[string]string{s: s})
		return json.Unmarshal(out, new(map[string]int))
	},
	"strict JSON": func(s string) error {
		out, _ := json.Marshal(map[string]string{"note": s})
		return guard.EventOf(context.Background(), out).Decode(new(struct {
			Note int `json:"note"`
		}))
	},
	"XML":          func(s string) error { return xml.Unmarshal([]byte("<a>"+s+"</"+s+">"), new(struct{})) },
	"CSV":          func(s string) error { _, err := csv.NewReader(strings.NewReader(`a,"` + s)).ReadAll(); return err },
	"a media type": func(s string) error { _, _, err := mime.ParseMediaType("text/plain; " + s + "=" + s); return err },
	"base64":       func(s string) error { _, err := base64.StdEncoding.DecodeString(s + "!"); return err },
	"hex":          func(s string) error { _, err := hex.DecodeString(s); return err },
	"multipart": func(s string) error {
		_, err := multipart.NewReader(strings.NewReader("--x\r\n"+s+"\r\n"), "x").NextPart()
		return err
	},
	"guard.Errorf": func(s string) error { return guard.Errorf(guard.NotFound, "no_customer", "", fmt.Errorf("no %s", s)) },
	"inside one": func(s string) error {
		return fmt.Errorf("%s: %w", s, guard.Errorf(guard.Conflict, "taken", "Taken.", errors.New(s)))
	},
	"inside two": func(s string) error {
		return guard.Errorf(guard.Unavailable, "", "", guard.Errorf(guard.NotFound, "gone", "No "+s+"."))
	},
	"a panic":               func(s string) error { panic(s) },
	"an error of a panic":   func(s string) error { panic(fmt.Errorf("%s", s)) },
	"a panic with a struct": func(s string) error { panic(struct{ A string }{A: s}) },
}

// httpPlaces are where a client can put a value.
var httpPlaces = map[string]func(c *call, p planted){
	"a header":    func(c *call, p planted) { c.headers["x-customer"] = p.text },
	"credentials": func(c *call, p planted) { c.headers["authorization"] = disguises["Basic's user and password"](p) },
	"a bearer":    func(c *call, p planted) { c.headers["authorization"] = "Bearer " + p.text },
	"a cookie":    func(c *call, p planted) { c.cookies = []string{"sid=" + p.text} },
	"an agent":    func(c *call, p planted) { c.headers["user-agent"] = p.text },
	"the origin":  func(c *call, p planted) { c.headers["origin"] = "https://" + p.word + ".example" },
	"the query":   func(c *call, p planted) { c.query = "q=" + url.QueryEscape(p.text) },
	"the path":    func(c *call, p planted) { c.path = "/orders/" + url.PathEscape(p.text) },
	"a value of the path": func(c *call, p planted) {
		c.route, c.path, c.params = "POST /orders/{id}", "/orders/"+p.word, map[string]string{"id": p.word}
	},
	"the body":         func(c *call, p planted) { c.body = p.text },
	"JSON":             func(c *call, p planted) { c.body = `{"customer":` + disguises["escaped for JSON"](p) + `}` },
	"JSON, cut off":    func(c *call, p planted) { c.body = `{"customer":"` + p.word },
	"a base64 body":    func(c *call, p planted) { c.body, c.base64 = p.text, true },
	"the content type": func(c *call, p planted) { c.headers["content-type"] = p.word + "/" + p.digits },
	"a form": func(c *call, p planted) {
		c.headers["content-type"], c.body = "application/x-www-form-urlencoded", "a="+url.QueryEscape(p.text)
	},
	"a part of a form": func(c *call, p planted) {
		c.headers["content-type"] = "multipart/form-data; boundary=b"
		c.body = "--b\nContent-Disposition: form-data; name=\"n\"\n\n" + p.text + "\n--b--"
	},
	"XML": func(c *call, p planted) { c.headers["content-type"], c.body = "application/xml", "<a>"+p.text+"</a>" },
	"CSV": func(c *call, p planted) { c.headers["content-type"], c.body = "text/csv", "name\n"+p.text },
}

// SECURITY: Nothing leaks.
func TestNoDisguiseOfAValueLeavesAnHTTPFunction(t *testing.T) {
	body := validate.Body(schema.MustCompile([]byte(`{"type":"object","properties":{"customer":{"type":"string","pattern":"^c-[0-9]+$"}}}`)))
	drawing(t, func(t *testing.T, r *rand.Rand) {
		p := plant(r)
		s := disguises[oneOf(r, disguises)](p)
		way := ""                                                                                 // in which the handler's error quotes the value
		fail := func(s string) error { return cmp.Or(quoting[way](s), error(ownError{text: s})) } // not all is an error
		c := call{
			method: "POST", path: "/orders", headers: map[string]string{"content-type": "application/json"}, body: `{"customer":"c-1"}`,
			format1: r.IntN(2) == 0,
		}
		for range 1 + r.IntN(3) {
			httpPlaces[oneOf(r, httpPlaces)](&c, p)
		}
		c.rest, c.lattice = r.IntN(2) == 0, !c.format1 && r.IntN(2) == 0
		mux := http.NewServeMux()
		mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) { panic(fail(s)) })
		handlers := map[string]lambda.Handler{
			"a handler": guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, fail(s) }),
			"Func":      httpapi.Func(func(context.Context, benchOrder) (benchAnswer, error) { return benchAnswer{}, fail(s) }),
			"Routes": httpapi.Routes(map[string]lambda.Handler{"POST /orders/{id}": httpapi.Func(
				func(context.Context, struct{}) (benchAnswer, error) { return benchAnswer{}, fail(s) })}),
			"Serve": httpapi.Serve(mux),
		}
		kind := oneOf(r, handlers)
		var log bytes.Buffer
		layers := []guard.Middleware{httpapi.Default(logging.New(&log))}
		if r.IntN(2) == 0 {
			layers = append(layers, body)
		}
		h, payload := guard.Wrap(handlers[kind], layers...), c.event()
		for way = range quoting {
			log.Reset()
			out, err := h.Invoke(inLambda(context.Background()), payload)
			if err != nil {
				t.Fatalf("%s: an error left the chain: %v", way, err)
			}
			if found := p.in(string(out)); found != "" {
				t.Errorf("%s: %q is in the answer: %s", way, found, out)
			}
			if found := p.in(log.String()); found != "" || log.Len() == 0 {
				t.Errorf("%s: %q is in the log: %s", way, found, &log)
			}
		}
	})
}

// otherEvents make what is no HTTP request of a value.
var otherEvents = map[string]func(p planted) any{
	"SQS": func(p planted) any {
		return object{"Records": []any{object{
			"eventSource": "aws:sqs", "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d", "body": p.text,
			"messageAttributes": object{"customer": object{"stringValue": p.text, "dataType": "String"}},
		}}}
	},
	"SNS": func(p planted) any {
		return object{"Records": []any{object{"EventSource": "aws:sns", "Sns": object{"Message": p.text, "Subject": p.word}}}}
	},
	"EventBridge": func(p planted) any {
		return object{"version": "0", "source": "shop", "detail-type": "order", "detail": object{"customer": p.text}}
	},
	"a direct one": func(p planted) any { return object{"customer": p.text, "items": []any{p.text}} },
	"a string":     func(p planted) any { return p.text },
	"AppSync": func(p planted) any {
		return object{"arguments": object{"id": p.text}, "identity": nil, "request": object{"headers": object{"x-api-key": p.text}}, "info": object{"fieldName": "f"}, "stash": object{}}
	},
}

// SECURITY: Nothing leaks.
func TestNoDisguiseOfAValueLeavesAFunction(t *testing.T) {
	drawing(t, func(t *testing.T, r *rand.Rand) {
		p := plant(r)
		s := disguises[oneOf(r, disguises)](p)
		way := ""                                                                                 // in which the handler's error quotes the value
		fail := func(s string) error { return cmp.Or(quoting[way](s), error(ownError{text: s})) } // not all is an error
		payload, err := json.Marshal(otherEvents[oneOf(r, otherEvents)](p))
		if err != nil {
			t.Fatal(err)
		}
		if r.IntN(2) == 0 {
			payload = payload[:len(payload)-1]
		}
		handlers := map[string]lambda.Handler{
			"a handler": guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, fail(s) }),
			"Func":      guard.Func(func(context.Context, benchOrder) (any, error) { return nil, fail(s) }),
			"of any":    guard.Func(func(context.Context, any) (any, error) { return nil, fail(s) }),
		}
		var log bytes.Buffer
		h := guard.Wrap(handlers[oneOf(r, handlers)], guard.Default(logging.New(&log)))
		for way = range quoting {
			log.Reset()
			out, err := h.Invoke(inLambda(context.Background()), payload)
			if err == nil {
				t.Fatalf("%s: got %s, want an error", way, out)
			}
			if found := p.in(err.Error() + string(out)); found != "" {
				t.Errorf("%s: %q is in the answer: %s, %v", way, found, out, err)
			}
			if found := p.in(log.String()); found != "" || log.Len() == 0 {
				t.Errorf("%s: %q is in the log: %s", way, found, &log)
			}
		}
	})
}

func oneOf[T any](r *rand.Rand, all map[string]T) string {
	names := slices.Sorted(maps.Keys(all))
	return names[r.IntN(len(names))]
}

// What finds a value in a text finds it in each disguise.
func TestNoDisguiseHidesAValueFromTheTest(t *testing.T) {
	p := planted{text: `Qxzjkvqxzj"123456789123`, word: "Qxzjkvqxzj", digits: "123456789123"}
	for name, disguise := range disguises {
		if p.in("x "+disguise(p)) == "" {
			t.Errorf("%s: not found in %s", name, disguise(p))
		}
	}
	if found := p.in("no customer"); found != "" {
		t.Errorf("got %q in a text without it", found)
	}
}
