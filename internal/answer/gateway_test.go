package answer_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

// said is a function that returns a fixed answer.
type said struct{ answer []byte }

func (s *said) Invoke(context.Context, []byte) ([]byte, error) { return s.answer, nil }

// A frontend is a gateway that takes answers in a form.
type frontend struct {
	name    string
	form    answer.Form
	said    *said
	handler http.Handler
}

func gateways(t testing.TB) []frontend {
	t.Helper()
	all := []frontend{
		{name: "format 2.0", form: answer.Format2},
		{name: "format 1.0", form: answer.Format1},
		{name: "a load balancer", form: answer.Single},
		{name: "a load balancer with lists", form: answer.Lists},
	}
	for i := range all {
		g := &all[i]
		g.said = new(said)
		function := guardtest.NewInProcess(g.said, guardtest.Config{})
		var err error
		switch g.form {
		case answer.Format2:
			g.handler, err = gateway.NewHTTPAPI(function, gateway.HTTPAPIConfig{})
		case answer.Format1:
			g.handler, err = gateway.NewRESTAPI(function, gateway.RESTAPIConfig{Routes: []string{"ANY /"}})
		default:
			g.handler, err = gateway.NewALB(function, gateway.ALBConfig{MultiValueHeaders: g.form == answer.Lists})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// seen is what a client gets.
type seen struct {
	status int
	header http.Header
	body   string
}

func (g frontend) send(out []byte) seen {
	g.said.answer = out
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	header := maps.Clone(w.Header())
	for name, values := range header {
		if name != "Set-Cookie" && len(values) > 0 { // several lines mean the same as one
			header[name] = []string{strings.ReplaceAll(strings.Join(values, ","), ", ", ",")}
		}
		if strings.Contains(name, "Request") || strings.Contains(name, "Amz") || name == "Date" || len(values) == 0 {
			delete(header, name)
		}
	}
	return seen{status: w.Code, header: header, body: w.Body.String()}
}

// judge says how the reader differs from the gateway on an answer.
func (g frontend) judge(out []byte) string {
	got := g.send(out)
	refused := got.status == http.StatusBadGateway || got.status == http.StatusInternalServerError
	if status, ok := answer.Status(out, g.form); ok == refused || ok && status != got.status {
		return fmt.Sprintf("Status returns %d, %t", status, ok)
	}
	a, err := answer.Read(out, g.form)
	if refused != (err != nil) {
		return fmt.Sprintf("Read returns the error %v", err)
	}
	if err != nil {
		return ""
	}
	again, err := a.Encode(g.form)
	if err != nil {
		return fmt.Sprintf("Encode returns the error %v", err)
	}
	if sent := g.send(again); !reflect.DeepEqual(sent, got) {
		return fmt.Sprintf("it is written as %s", again)
	}
	return ""
}

// drawn is an answer as a handler should not make one.
func drawn(r *rand.Rand, form answer.Form) []byte {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	if r.IntN(12) == 0 {
		return []byte(pick(`"text"`, `"a\"b"`, `""`, `null`, `1`, `[]`, `[1]`, `{}`, `{"a":1}`, `{"body":1}`, ``, `{`, `"`, `true`, ` {"a":1} `))
	}
	value := func() string {
		return pick(`"x"`, `"y"`, `""`, `"a, b"`, `"x"`, `"y"`, `1`, `-0.50`, `true`, `null`, `{}`, `["x"]`, `"\n"`, `"ü"`)
	}
	headers, others := `"headers":`, `"multiValueHeaders":`
	if form == answer.Lists || form == answer.Format1 && r.IntN(2) == 0 {
		headers, others = others, headers
		one := value
		value = func() string { return pick(`["x"]`, `["x","y"]`, `["a, b"]`, "["+one()+"]", `"x"`, `null`) }
	}
	fields := func() string {
		var all []string
		names := []string{`"a"`, `"B"`, pick(`"Set-Cookie"`, `"set-cookie"`), `"content-type"`, `"Location"`, `"\u0063"`, `"b c"`, `""`, `"é"`}
		for _, i := range r.Perm(len(names))[:r.IntN(3)] {
			all = append(all, names[i]+":"+value())
		}
		return "{" + strings.Join(all, ",") + "}"
	}
	var parts []string
	if r.IntN(12) > 0 {
		status := pick(`200`, `204`, `304`, `404`, `403`, `"201"`, `"+201"`, `201.0`, `2.01e2`, `100`, `199`, `600`, `99`, `null`, `""`, `"x"`, `true`, `[200]`, `0200`, `-200`, ` 200`, `"\u0032\u0030\u0030"`)
		parts = append(parts, pick(`"statusCode"`, `"statusCode"`, `"statusCode"`, `"status\u0043ode"`, `"statuscode"`)+":"+status)
	}
	if r.IntN(2) == 0 {
		parts = append(parts, `"body":`+pick(`"b"`, `"YQ=="`, `"YQ"`, `""`, `null`, `1`, `{}`, `"{\"a\":1}"`, `"\u0000ü"`))
	}
	if r.IntN(3) == 0 {
		parts = append(parts, `"isBase64Encoded":`+pick(`true`, `false`, `null`, `"true"`, `1`))
	}
	if r.IntN(4) == 0 {
		parts = append(parts, `"statusDescription":`+pick(`"200 OK"`, `""`, `null`, `1`))
	}
	if r.IntN(4) > 0 {
		parts = append(parts, headers+pick(fields(), fields(), fields(), `null`, `[]`, `"a"`))
		if r.IntN(3) == 0 { // as encoding/json has it of a struct for both
			parts = append(parts, others+`null`)
		}
	}
	if form == answer.Format2 && r.IntN(3) == 0 {
		parts = append(parts, `"cookies":`+pick(`["a=1","b=2"]`, `[]`, `null`, `"a=1"`, `[1]`))
	}
	r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return []byte("{" + strings.Join(parts, ",") + "}")
}

// What a gateway sends of an answer is what the reader sees of it, and what is
// read and written again is sent alike.
func TestAnAnswerIsReadAsTheGatewayReadsIt(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	taken := 0
	for _, g := range gateways(t) {
		wrong := 0
		for range 5_000 {
			out := drawn(r, g.form)
			if why := g.judge(out); why != "" && wrong < 20 {
				wrong++
				t.Errorf("seed %d: %s: of %s %s, and the client gets %+v", seed, g.name, out, why, g.send(out))
			}
			if _, ok := answer.Status(out, g.form); ok {
				taken++
			}
		}
	}
	if taken < 1_000 {
		t.Errorf("got %d answers that are some, want thousands", taken)
	}
}
