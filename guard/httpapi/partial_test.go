package httpapi_test

import (
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
)

// A preflight is one of a browser's to an API. An event of another kind that
// looks like one is the function's to answer.
func TestAPreflightIsAnHTTPRequest(t *testing.T) {
	const headers = `"headers":{"origin":"` + shopOrigin + `","access-control-request-method":"PUT"}`
	cors := httpapi.CORS(httpapi.CORSConfig{Origins: []string{shopOrigin}})
	for name, event := range map[string]string{
		"a direct invocation": `{"httpMethod":"OPTIONS",` + headers + `}`,
		"an authorizer's":     `{"type":"REQUEST","methodArn":"arn:aws:execute-api:r:1:a/s/OPTIONS/","httpMethod":"OPTIONS",` + headers + `,"requestContext":{}}`,
		"a rule's":            `{"detail-type":"x","source":"y","httpMethod":"OPTIONS",` + headers + `}`,
	} {
		out, err := guard.Wrap(raw(`{"own":true}`), cors).Invoke(t.Context(), []byte(event))
		if err != nil || string(out) != `{"own":true}` {
			t.Errorf("%s: got %s, %v, want the function's answer", name, out, err)
		}
	}
}

// Whatever is refused of a request is answered in its trigger's form, by every
// layer and without a word of what was sent.
func TestARefusedRequestIsAnsweredInTheFormOfItsTrigger(t *testing.T) {
	layers := []guard.Middleware{
		httpapi.Problems(), httpapi.SecurityHeaders(), httpapi.CORS(httpapi.CORSConfig{Origins: []string{shopOrigin}, Credentials: true}), guard.Limit(guard.Limits{}),
	}
	const head = `"headers":{"origin":"` + shopOrigin + `","authorization":"Bearer planted"},`
	for name, tt := range map[string]struct{ event, form string }{
		"2.0": {
			event: `{"version":"2.0","rawPath":"/planted",` + head + `"requestContext":{"http":{"method":"GET"}}`,
			form:  `"headers":{`,
		},
		"1.0": {
			event: `{"version":"1.0","httpMethod":"GET","path":"/planted",` + head + `"requestContext":{}`,
			form:  `"multiValueHeaders":{`,
		},
		"REST": {
			event: `{"httpMethod":"GET","path":"/planted",` + head + `"requestContext":{}`,
			form:  `"multiValueHeaders":{`,
		},
		"ALB": {
			event: `{"httpMethod":"GET","path":"/planted",` + head + `"requestContext":{"elb":{}}`,
			form:  `"headers":{`,
		},
		"ALB, lists": {
			event: `{"httpMethod":"GET","multiValueHeaders":{"origin":["` + shopOrigin + `"]},"requestContext":{"elb":{}}`,
			form:  `"multiValueHeaders":{`,
		},
		"Lattice": {
			event: `{"version":"2.0","method":"GET","path":"/planted",` + head + `"requestContext":{"serviceArn":"arn:aws:vpc-lattice:x"}`,
			form:  `"headers":{`,
		},
	} {
		for what, end := range map[string]string{
			"no end":              ``,
			"a member twice":      `,"body":"planted","body":"planted"}`,
			"invalid UTF-8":       ",\"body\":\"planted\xff\"}",
			"a lone surrogate":    `,"body":"planted\ud800"}`,
			"another case":        `,"Body":"planted"}`,
			"a wrong type":        `,"body":{"planted":1}}`,
			"too deep":            `,"x":` + strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100) + `}`,
			"deeper than a stack": `,"x":` + strings.Repeat(`[`, 20_000),
			"too many":            `,"x":[` + strings.Repeat(`0,`, 100_000) + `0]}`,
			"a body of 2 MiB":     `,"body":"` + strings.Repeat("a", 2<<20) + `"}`,
			"10 MiB":              `,"x":"` + strings.Repeat("a", 10<<20) + `"}`,
			"an empty name twice": `,"":1,"":2}`,
		} {
			out, err := guard.Wrap(httpapi.Func(forWhom), layers...).Invoke(t.Context(), []byte(tt.event+end))
			a := read(t, out)
			if err != nil || a.status != 400 && a.status != 413 || strings.Contains(string(out), "planted") || !strings.Contains(string(out), tt.form) {
				t.Errorf("%s, %s: got %s, %v", name, what, out, err)
			}
			if a.header.Get("Access-Control-Allow-Origin") != shopOrigin || a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s, %s: got headers %v", name, what, a.header)
			}
		}
	}
}
