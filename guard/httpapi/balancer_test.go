package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// A load balancer takes the form of the headers that it sends itself, and
// answers the other with a 502: for errors, for answers of this package, and for
// those of handlers that it has to open.
func TestALoadBalancerIsAnsweredInItsOwnForm(t *testing.T) {
	problem := httpapi.WithHeader(guard.Errorf(guard.Unauthenticated, "", ""), "X-A", "v")
	header := http.Header{"X-A": {"v", "w"}, "Set-Cookie": {"a=1", "b=2", "c=3", "d=4"}}
	for name, tt := range map[string]struct {
		h       guard.HandlerFunc
		status  int
		value   string
		cookies []string
	}{
		"an error":   {h: failing(problem).Invoke, status: 401, value: "v"},
		"a response": {h: handing(200, header), status: 200, value: "v, w", cookies: header["Set-Cookie"]},
		"another's": {
			h:       raw(`{"statusCode":200,"headers":{"X-A":"v","Set-Cookie":"a=1"},"body":"b"}`).Invoke,
			status:  200,
			value:   "v",
			cookies: []string{"a=1"},
		},
		"another's, 2": {
			h:       raw(`{"statusCode":200,"multiValueHeaders":{"X-A":["v"],"set-cookie":["a=1","b=2"]}}`).Invoke,
			status:  200,
			value:   "v",
			cookies: []string{"a=1", "b=2"},
		},
		"no cookies": {h: handing(200, http.Header{"X-A": {"v"}}), status: 200, value: "v"},
	} {
		for _, layers := range [][]guard.Middleware{{httpapi.Problems(), httpapi.SecurityHeaders()}, {httpapi.SecurityHeaders(), httpapi.Problems()}} {
			out, err := guard.Wrap(tt.h, layers...).Invoke(t.Context(), sample.Of(guard.ALB).Bytes())
			var plain struct {
				StatusCode        int
				Headers           map[string]string
				MultiValueHeaders any
				Cookies           any
			}
			if err := json.Unmarshal(out, &plain); err != nil {
				t.Fatalf("%s: %v in %s", name, err, out)
			}
			var cookies []string
			for name, value := range plain.Headers {
				if strings.EqualFold(name, "set-cookie") {
					cookies = append(cookies, value)
				}
			}
			slices.Sort(cookies)
			if err != nil || plain.StatusCode != tt.status || plain.Headers["x-a"] != tt.value || plain.Headers["x-content-type-options"] != "nosniff" ||
				!slices.Equal(cookies, tt.cookies) || plain.MultiValueHeaders != nil || plain.Cookies != nil {
				t.Errorf("%s: %s, %v", name, out, err)
			}

			out, err = guard.Wrap(tt.h, layers...).Invoke(t.Context(), sample.Of(guard.ALB, "multi-value").Bytes())
			if a := read(t, out); err != nil || a.status != tt.status || strings.Join(a.header["X-A"], ", ") != tt.value ||
				!slices.Equal(a.header["Set-Cookie"], tt.cookies) || a.fields["headers"] != nil || a.fields["cookies"] != nil {
				t.Errorf("%s, multi-value: %s, %v", name, out, err)
			}
		}
	}
}

// No two of the spellings that a cookie has are one.
func TestALoadBalancerIsGivenEachCookie(t *testing.T) {
	const many = 100
	header := http.Header{}
	for i := range many {
		header.Add("Set-Cookie", fmt.Sprintf("c%d=v", i))
	}
	out, err := guard.Wrap(handing(200, header)).Invoke(t.Context(), sample.Of(guard.ALB).Bytes())
	var plain struct{ Headers map[string]string }
	if failed := json.Unmarshal(out, &plain); err != nil || failed != nil || len(plain.Headers) != many {
		t.Errorf("%d of %d: %v, %v", len(plain.Headers), many, err, failed)
	}
}

// An error over a WebSocket is answered, as the status of a $connect decides on
// the connection; what a handler answered is its own, above all what API Gateway
// makes an error of.
func TestAnswersOverAWebSocketStayWhatTheyAre(t *testing.T) {
	layers := []guard.Middleware{httpapi.Problems(), httpapi.SecurityHeaders(), httpapi.CORS(httpapi.CORSConfig{Origins: []string{"*"}})}
	event := sample.Of(guard.WebSocket).Bytes()
	for _, want := range []string{`null`, `{}`, ``, `{"statusCode":"x"}`, `{"statusCode":200,"headers":{"Set-Cookie":"a=1"},"body":"b"}`} {
		out, err := guard.Wrap(raw(want), layers...).Invoke(t.Context(), event)
		if err != nil || string(out) != want {
			t.Errorf("%s: %s, %v", want, out, err)
		}
	}
	out, err := guard.Wrap(failing(guard.Errorf(guard.Unauthenticated, "", "")), layers...).Invoke(t.Context(), event)
	if a := read(t, out); err != nil || a.status != 401 || a.problem(t).Code != "unauthenticated" {
		t.Errorf("%s, %v", out, err)
	}
}
