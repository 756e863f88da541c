package powertoolstest

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/pythonjson"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

func TestKeyIsTheOneThatPythonStores(t *testing.T) {
	p := newPair(t)
	for payload, hash := range map[string]string{
		`"abc"`:                "ebd9f4c7b06cb0aaf5d13d80e49d8b90",
		`42`:                   "a1d0c6e83f027327d8461063f4ac58a6",
		`["user-1","order-9"]`: "e409a589299496b1273224dfc5a050ba",
		`{"b":2,"a":{"d":[1,null,true],"c":"x"}}`:    "1a631135efd8c658977eccf62ab2274a",
		`{"amount":1.0,"big":1e16,"small":1e-5}`:     "f12032cfb3639e2240c2d334d89fe508",
		`{"name":"Zoë 😀","html":"<&>\u2028\u007f/"}`: "af9b11e04fc60ac24cf569456b915253",
		`{"B":1,"a":2}`: "9f8fbffdf9771ade70b3821fa6dfae6e",
	} {
		t.Run(payload, func(t *testing.T) {
			c := call{Prefix: hash + ".app.handler", Event: []byte(payload), Result: []byte(`"Python's"`)}
			if o := p.start(c); o.Ran != 1 || o.Error != "" {
				t.Fatalf("Python: %+v", o)
			}
			if got := p.onlyID(c.Prefix); got != c.Prefix+"#"+hash {
				t.Errorf("Python stored %s, want the hash %s", got, hash)
			}
			if out, err := p.ask(p.goFunction(c, never(t)), c.Event); err != nil || out != `"Python's"` {
				t.Errorf("Go answered %s with error %v", out, err)
			}
		})
	}
}

func TestExpressionSelectsWhatItSelectsInPython(t *testing.T) {
	p := newPair(t)
	for expr, event := range map[string]string{
		"powertools_json(body).[customer, order]":                       `{"body":"{\"order\":1.50,\"customer\":\"Zo\\u00eb\",\"note\":null}"}`,
		"powertools_json(body)":                                         `{"body":"{\"a\":[null,{}],\"n\":123456789012345678901234567890}"}`,
		"powertools_json(powertools_base64(data)).id":                   `{"data":"eyJpZCI6NH0="}`,
		"powertools_base64_gzip(data)":                                  `{"data":"H4sIAAAAAAAAA0tMSgYAwkEkNQMAAAA="}`,
		"{who: user.name, what: [order, line]}":                         `{"user":{"name":"a"},"order":-0,"line":-0.0}`,
		"Records[*].messageId":                                          `{"Records":[{"messageId":"a"},{"messageId":"b"},{}]}`,
		"Records[?kind == 'key' && !test].{id: id}":                     `{"Records":[{"kind":"key","id":1e22},{"id":2},{"kind":"key","test":true}]}`,
		"lists[].items[] | [1:]":                                        `{"lists":[{"items":[1,[2]]},{"items":[3]}]}`,
		"[user || name, not_null(order, id), join('-', parts)]":         `{"name":"n","id":7,"parts":["a","b"]}`,
		"Records[?starts_with(id, 'a') || ends_with(id, 'z')].id | [0]": `{"Records":[{"id":"b"},{"id":"cz"},{"id":"a"}]}`,
		"['v1', `{\"on\":true}`, id]":                                   `{"id":0}`,
		"id":                                                            `{"id":0}`,
		"flag":                                                          `{"flag":false}`,
	} {
		t.Run(expr, func(t *testing.T) {
			c := call{Prefix: expr, Key: expr, Event: []byte(event), Result: []byte(`1`)}
			if o := p.start(c); o.Ran != 1 || o.Error != "" {
				t.Fatalf("Python: %+v", o)
			}
			if out, err := p.ask(p.goFunction(c, never(t)), c.Event); err != nil || out != "1" {
				t.Errorf("Go answered %s with error %v; Python has %s", out, err, p.onlyID(c.Prefix))
			}
		})
	}
}

func TestTextIsTheOneThatPythonHashes(t *testing.T) {
	dumps := run(t, "dumps.py")
	texts := []string{
		`{"b":[1.0,-0.0,-0,1e-400],"a":{}}`,
		`"\u0000\b\f\n\r\t\u007f\u0080\u2028\ud83d\ude00\"\\\/<&>"`,
		`{"\ud83d\ude00":1,"\ufb33":2,"a":3,"B":4}`,
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		f := math.Float64frombits(random.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		texts = append(texts, strconv.FormatFloat(f, 'e', -1, 64))
		near := random.NormFloat64() * math.Pow10(random.IntN(44)-22)
		texts = append(texts, strconv.FormatFloat(near, 'e', 3+random.IntN(18), 64))
		r, err := json.Marshal(string(rune(random.IntN(0x11000))) + string(rune(random.IntN(0x110000))))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(r))
	}
	for _, text := range texts {
		tree, err := strictjson.Tree([]byte(text))
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		got, err := pythonjson.Append(nil, tree)
		if err != nil {
			t.Fatal(err)
		}
		dumps.send([]byte(text))
		if want := dumps.line(); string(got) != want {
			t.Errorf("%s became %s, in Python %s", text, got, want)
		}
	}
}
