package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// causeIn is the error.cause that the log has of an invocation with payload
// that fails with a text.
func causeIn(t *testing.T, payload []byte, text string) string {
	t.Helper()
	log, book := newLog()
	_, _ = guard.Wrap(answers("", errors.New(text)), guard.Log(log)).Invoke(t.Context(), payload)
	cause, _ := book.only(t)["error"].(map[string]any)["cause"].(string)
	return cause
}

// request is an HTTP event with a query, cookies and credentials.
func request(t *testing.T, contentType, body string) []byte {
	t.Helper()
	out, err := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "POST /orders/{id}", "rawPath": "/orders/o-4711",
		"rawQueryString": "email=alice%40example.com&plain=value1&short=abc",
		"cookies":        []string{"sid=c00kie-value; x", "theme=dark"},
		"headers": map[string]string{
			"authorization": "Bearer t0ken-value", "content-type": contentType, "host": "api.example.com",
			"user-agent": "curl/8.5.0", "x-amzn-trace-id": "Root=1-5759e988", "x-api-key": "k3y-value", "x-forwarded-for": "198.51.100.7",
		},
		"requestContext": map[string]any{"http": map[string]any{"method": "POST", "path": "/orders/o-4711", "sourceIp": "198.51.100.7"}},
		"body":           body, "isBase64Encoded": false,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheValuesOfARequestAreTakenOutOfACause(t *testing.T) {
	const body = `{"name":"Alice Miller","age":12345,"small":123,"quote":"say \"hi\"\n","tags":["blue-green"],"nested":{"iban":"DE89 3704 0044"},"status":true,"amount":1.50,` +
		`"day":"2026-May day","city":"2026-Köln \"Süd\"\n","address":"192.0.2.east","link":"http://host:eight/x","street":"Miller Street 5"}`
	_, notNumber := strconv.Atoi("Alice Miller")
	_, notTime := time.Parse(time.DateOnly, "blue-green")
	host := "value1:value1"
	_, notURL := url.Parse("http://" + host)
	_, notMonth := time.Parse(time.DateOnly, "2026-May day")
	_, notASCII := time.Parse(time.DateOnly, "2026-Köln \"Süd\"\n")
	_, notAddress := netip.ParseAddr("192.0.2.east")
	port := "eight"
	_, notPort := url.Parse("http://host:" + port + "/x")
	for _, tc := range []struct{ rule, text, want string }{
		{"a member's value", "no customer Alice Miller", "no customer [redacted]"},
		{"quoted, by strconv", notNumber.Error(), `strconv.Atoi: parsing "[redacted]": invalid syntax`},
		{"by time", notTime.Error(), `parsing time "[redacted]" as "2006-01-02": cannot parse "[redacted]" as "2006"`},
		{"by net/url", notURL.Error(), `parse "http://[redacted]:[redacted]": invalid port ":[redacted]" after host`},
		{"with the rest that time could not read", notMonth.Error(), `parsing time "[redacted]" as "2006-01-02": cannot parse "[redacted]" as "01"`},
		{"with bytes escaped as by time", notASCII.Error(), `parsing time "[redacted]" as "2006-01-02": cannot parse "[redacted]" as "01"`},
		{"with the rest that net/netip could not", notAddress.Error(), `ParseAddr("[redacted]"): unexpected character (at "[redacted]")`},
		{"with the part that net/url could not", notPort.Error(), `parse "[redacted]": invalid port "[redacted]" after host`},
		{"quoted parts of what is not there stay", `unknown field "blue"`, `unknown field "blue"`},
		{"quoted parts after a quote that is escaped", `note "5\" wide", tag "blue-green" at "green"`, `note "5\" wide", tag "[redacted]" at "[redacted]"`},
		{"quoted parts shorter than 4 stay", `in "Alice Miller" at "ice"`, `in "[redacted]" at "ice"`},
		{"values that overlap", "no Alice Miller Street 5", "no [redacted]"},
		{"values side by side", "12345blue-green", "[redacted]"},
		{"with its characters escaped", fmt.Sprintf("bad text %q", "say \"hi\"\n"), `bad text "[redacted]"`},
		{"a number", "age 12345 is over 150", "age [redacted] is over 150"},
		{"a number as it was written", "amount 1.50", "amount [redacted]"},
		{"a value in an array", "unknown tag blue-green", "unknown tag [redacted]"},
		{"a value further down", "iban DE89 3704 0044 is closed", "iban [redacted] is closed"},
		{"more than once", "Alice Miller, Alice Miller", "[redacted], [redacted]"},
		{"a value shorter than 4 stays", "small 123, short abc", "small 123, short abc"},
		{"names stay", "name, age and iban are required", "name, age and iban are required"},
		{"true and null stay", "status is true, not null", "status is true, not null"},
		{"the path stays", "no order o-4711", "no order o-4711"},
		{"a query value, decoded", "no account alice@example.com", "no account [redacted]"},
		{"and as it came", "bad query email=alice%40example.com", "bad query email=[redacted]"},
		{"a cookie", "session c00kie-value; x expired", "session [redacted] expired"},
		{"a whole header", "header Bearer t0ken-value", "header [redacted]"},
		{"its token alone", "token t0ken-value is malformed", "token [redacted] is malformed"},
		{"another credential", "key k3y-value", "key [redacted]"},
		{"what the gateway says stays", "curl/8.5.0 asked api.example.com for application/json", "curl/8.5.0 asked api.example.com for application/json"},
		{"a text with nothing of it", "connection refused", "connection refused"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			if got := causeIn(t, request(t, "application/json", body), tc.text); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

func TestABodyThatIsNotJSONIsTakenOutToo(t *testing.T) {
	binary := fmt.Sprintf("%q", "\x00\x01binary\xff")
	for _, tc := range []struct{ rule, body, text, want string }{
		{"the whole of a text", "call me tomorrow", "cannot parse: call me tomorrow", "cannot parse: [redacted]"},
		{"quoted", "line one\nline two", fmt.Sprintf("cannot parse %q", "line one\nline two"), `cannot parse "[redacted]"`},
		{"the fields of a form", "name=Alice+Miller&iban=DE89%203704", "no Alice Miller at DE89 3704", "no [redacted] at [redacted]"},
		{"and as they came", "name=Alice+Miller&iban=DE89%203704", "no Alice+Miller", "no [redacted]"},
		{"a short body stays", "abc", "cannot parse abc", "cannot parse abc"},
		{"an empty one", "", "cannot parse", "cannot parse"},
		{"a text that is all but JSON hides all", `{"name":"Alice Miller"`, "no customer Alice Miller", "[redacted]"},
		{"and one with a member twice", `{"a":"Alice Miller","a":"Bob"}`, "no customer Alice Miller", "[redacted]"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			if got := causeIn(t, request(t, "text/plain", tc.body), tc.text); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
	t.Run("base64", func(t *testing.T) {
		if got := causeIn(t, httpEvent("\x00\x01binary\xff", true), "bad file "+binary); got != `bad file "[redacted]"` {
			t.Error(got)
		}
	})
}

func TestWhoseValuesAreTakenOutOfACause(t *testing.T) {
	for _, tc := range []struct{ rule, payload, text, want string }{
		{"a direct invocation's", `{"user":{"iban":"DE89 3704"}}`, "no DE89 3704 of user", "no [redacted] of user"},
		{"a direct text's", `"some text"`, "bad some text", "bad [redacted]"},
		{"a direct number's", `123456`, "bad 123456", "bad [redacted]"},
		{"a REST request's", `{"httpMethod":"POST","requestContext":{},"multiValueQueryStringParameters":{"iban":["DE89 3704"]},"body":"{\"name\":\"Alice\"}"}`, "no Alice with DE89 3704", "no [redacted] with [redacted]"},
		{"a load balancer's", string(readSample(t, "alb-lambda-target-request-headers-only.json")), "bad hello", "bad [redacted]"},
		{"a WebSocket's", `{"requestContext":{"connectionId":"R1km"},"body":"{\"name\":\"Alice\"}"}`, "no Alice", "no [redacted]"},
		{"a load balancer's body, in base64", `{"requestContext":{"elb":{}},"body":"eyJuYW1lIjoiQWxpY2UifQ==","isBase64Encoded":true}`, "no Alice", "no [redacted]"},
		{"an authorizer's token", `{"type":"TOKEN","methodArn":"arn:aws:x","authorizationToken":"Bearer abc.def.ghi"}`, "jwt abc.def.ghi is malformed", "jwt [redacted] is malformed"},
		{"an authorizer's header", `{"version":"2.0","type":"REQUEST","routeArn":"arn:aws:x","headers":{"authorization":"Bearer abc.def.ghi"}}`, "jwt abc.def.ghi is malformed", "jwt [redacted] is malformed"},
		{"an authorizer's cookie", `{"version":"2.0","type":"REQUEST","routeArn":"arn:aws:x","cookies":["theme=dark","sid=c00kie-value"]}`, "no session c00kie-value", "no session [redacted]"},
		{"an authorizer's cookies in one header", `{"type":"REQUEST","methodArn":"arn:aws:x","headers":{"Cookie":"theme=dark; sid=c00kie-value"}}`, "no session c00kie-value", "no session [redacted]"},
		{"a load balancer's cookies", `{"requestContext":{"elb":{}},"multiValueHeaders":{"cookie":["theme=dark; sid=c00kie-value"]}}`, "no session c00kie-value", "no session [redacted]"},
		{"not a queue's, whose ids say what to look at", string(readSample(t, "sqs-event.json")), "message MessageID_1 failed", "message MessageID_1 failed"},
		{"not a bucket's", string(readSample(t, "s3-event.json")), "no HappyFace.jpg in sourcebucket", "no HappyFace.jpg in sourcebucket"},
		{"a request's cookies in a header", `{"version":"2.0","requestContext":{"http":{"method":"GET"}},"headers":{"Cookie":"theme=dark; sid=c00kie-value"}}`, "no session c00kie-value", "no session [redacted]"},
		{"what cannot be read hides all", `{"a":1,"a":2}`, "connection refused", "[redacted]"},
		{"an HTTP request that cannot, too", `{"version":"2.0","requestContext":{"http":{"method":"GET"}},"body":1}`, "connection refused", "[redacted]"},
		{"no event is nothing to hide", ``, "connection refused", "connection refused"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			if got := causeIn(t, []byte(tc.payload), tc.text); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

func TestALongCauseIsCut(t *testing.T) {
	got := causeIn(t, nil, strings.Repeat("é", 10_000))
	if got != strings.Repeat("é", 4096)+"…" {
		t.Errorf("%d bytes, …%s", len(got), got[len(got)-10:])
	}
	// A value across the cut goes before the text is cut.
	got = causeIn(t, []byte(`"long value"`), strings.Repeat("x", 8<<10-4)+"long value")
	if strings.Contains(got, "long") {
		t.Errorf("…%s", got[len(got)-20:])
	}
}

// What a forged event says of itself does not fill the log, whether it could be
// read or not.
func TestALongMethodAndRouteAreCut(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, body := range []string{`""`, `1`} {
		log, book := newLog()
		payload := fmt.Sprintf(`{"version":"2.0","routeKey":%q,"requestContext":{"http":{"method":%q}},"body":%s}`, long, long, body)
		_, _ = guard.Wrap(reading(func(ev *guard.Event) error { _, err := ev.Body(); return err }), guard.Log(log)).Invoke(t.Context(), []byte(payload))
		record := book.only(t)
		for _, key := range []string{"method", "route"} {
			if got, _ := record[key].(string); got != long[:8<<10]+"…" {
				t.Errorf("body %s: %s has %d bytes", body, key, len(got))
			}
		}
	}
}

// Very many values times a long text is more work than a log may cost.
func TestTheSearchForValuesIsBounded(t *testing.T) {
	var body strings.Builder
	body.WriteString(`["Alice Miller"`)
	for i := range 90_000 {
		fmt.Fprintf(&body, `,"v%07d"`, i)
	}
	body.WriteString("]")
	payload := []byte(body.String())
	begin := time.Now()
	same := strings.Repeat("x", 1<<20) // in which half of it stands half a million times
	if cause := causeIn(t, []byte(`"`+same[:1<<19]+`"`), same); cause != "[redacted]" {
		t.Errorf("%.80s…", cause)
	}
	cause := causeIn(t, payload, "bad request: "+body.String())
	if cause != "[redacted]" {
		t.Errorf("%.80s…", cause)
	}
	if took := time.Since(begin); took > time.Minute { // some 100 ms, and 20 times that with the race detector
		t.Errorf("took %s", took)
	}
	if cause := causeIn(t, payload, "no customer Alice Miller"); cause != "no customer [redacted]" {
		t.Errorf("%.80s…", cause)
	}
}

func TestWrappedCausesAreScrubbedToo(t *testing.T) {
	log, book := newLog()
	h := guard.HandlerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
		return nil, fmt.Errorf("order: %w", &guard.Error{Kind: guard.Invalid, Code: "bad", Detail: "Bad.", Err: fmt.Errorf("iban %s", "DE89 3704")})
	})
	_, _ = guard.Wrap(h, guard.Log(log)).Invoke(t.Context(), []byte(`{"iban":"DE89 3704"}`))
	if cause := book.only(t)["error"].(map[string]any)["cause"]; cause != "order: bad: Bad.: iban [redacted]" {
		t.Errorf("%v", cause)
	}
}
