package answer_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/internal/answer"
)

func TestEncodeRefusesWhatIsMalformed(t *testing.T) {
	for name, a := range map[string]*answer.Answer{
		"an informational status": {Status: 100},
		"no status":               {Status: 600},
		"a name":                  {Status: 200, Fields: []answer.Field{{Name: "a b", Value: "x"}}},
		"a line break":            {Status: 200, Fields: []answer.Field{{Name: "a", Value: "x\n"}}},
		"a deleted character":     {Status: 200, Fields: []answer.Field{{Name: "a", Value: "\x7f"}}},
		"invalid UTF-8":           {Status: 200, Fields: []answer.Field{{Name: "a", Value: "\xff"}}},
		"a cookie":                {Status: 200, Cookies: []string{"a=\n"}},
		"a body too large":        {Status: 200, Body: []byte(strings.Repeat("x", answer.Max))},
	} {
		if out, err := a.Encode(answer.Format2); err == nil || name == "a body too large" && !errors.Is(err, answer.ErrTooLarge) {
			t.Errorf("%s: got %.60s, %v, want an error", name, out, err)
		}
	}
}

func TestABodyThatIsNotUTF8GoesThroughBase64(t *testing.T) {
	out, err := (&answer.Answer{Status: 200, Body: []byte{0xff}}).Encode(answer.Format2)
	if want := `{"statusCode":200,"headers":{},"body":"/w==","isBase64Encoded":true}`; string(out) != want || err != nil {
		t.Errorf("got %s, %v, want %s", out, err, want)
	}
}

func TestACompressedBodyGoesThroughBase64(t *testing.T) {
	a := &answer.Answer{Status: 200, Fields: []answer.Field{{Name: "content-encoding", Value: "br"}}, Body: []byte("x")}
	if out, err := a.Encode(answer.Format2); err != nil || !strings.Contains(string(out), `"body":"eA==","isBase64Encoded":true`) {
		t.Errorf("got %s, %v, want base64", out, err)
	}
}

func TestBufferedStopsAtTheLimit(t *testing.T) {
	body := strings.NewReader(strings.Repeat("x", 2*answer.Max))
	if _, err := answer.Buffered(&events.LambdaFunctionURLStreamingResponse{Body: body}); !errors.Is(err, answer.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, answer.ErrTooLarge)
	}
	if rest := body.Len(); rest < answer.Max-1024 {
		t.Errorf("got %d bytes left, want the rest unread", rest)
	}
}

func TestReadRefuses(t *testing.T) {
	for text, form := range map[string]answer.Form{
		`{"statusCode":200,"statusCode":403}`:       answer.Format2,
		`{"statusCode":200,"cookies":["a=\n"]}`:     answer.Format2,
		`{"statusCode":200.5}`:                      answer.Single,
		`{"statusCode":200,"headers":{"a":"\n"}}`:   answer.Format1,
		`{"statusCode":200,"headers":{"a":["\n"]}}`: answer.Lattice,
	} {
		if a, err := answer.Read([]byte(text), form); err == nil {
			t.Errorf("%s: got %+v, want an error", text, a)
		}
	}
}

func TestAValueOfBothObjectsIsReadOnce(t *testing.T) {
	a, err := answer.Read([]byte(`{"statusCode":200,"headers":{"A":"x","connection":"close"},"multiValueHeaders":{"a":["x","y"]}}`), answer.Format1)
	if err != nil || len(a.Fields) != 2 {
		t.Errorf("got %+v, %v, want two values and nothing of the connection", a, err)
	}
}

type asker struct {
	trigger, version string
	lists            bool
}

func (a asker) Trigger() string { return a.trigger }
func (a asker) Version() string { return a.version }
func (a asker) Lists() bool     { return a.lists }

func TestFormOf(t *testing.T) {
	for r, want := range map[asker]answer.Form{
		{trigger: "vpc-lattice", version: "2.0"}: answer.Lattice,
		{trigger: "alb"}:                         answer.Single,
		{trigger: "alb", lists: true}:            answer.Lists,
		{trigger: "rest-api", version: "1.0"}:    answer.Format1,
		{trigger: "http-api", version: "2.0"}:    answer.Format2,
	} {
		if got := answer.FormOf[string](r); got != want {
			t.Errorf("%+v: got %d, want %d", r, got, want)
		}
	}
}

func TestAddHeaderLeavesOutWhatTheGatewaySets(t *testing.T) {
	a := answer.New(200)
	a.AddHeader(http.Header{"Content-Length": {"1"}, "Set-Cookie": {"a=1"}, "X-A": {"b"}})
	if len(a.Fields) != 1 || a.Fields[0] != (answer.Field{Name: "x-a", Value: "b"}) || len(a.Cookies) != 1 {
		t.Errorf("got %+v", a)
	}
}
