package idempotency_test

import (
	"fmt"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/jmespath"
)

// restEvent is a request to a REST API, with members of its context and headers.
func restEvent(context, headers string) string {
	return fmt.Sprintf(`{"resource":"/orders","path":"/orders","httpMethod":"POST","headers":{"Idempotency-Key":"k"%s},`+
		`"requestContext":{"httpMethod":"POST","path":"/orders","stage":"prod"%s},"body":"{\"a\":1}"}`, headers, context)
}

// albEvent is a request behind a load balancer.
func albEvent(headers string) string {
	return fmt.Sprintf(`{"path":"/orders","httpMethod":"POST","headers":{"idempotency-key":"k"%s},"requestContext":{"elb":{}},"body":"{\"a\":1}"}`, headers)
}

// mustKeepApart invokes with each event twice: each runs once.
func mustKeepApart(t *testing.T, key idempotency.KeyFunc, events map[string]string) {
	t.Helper()
	f := new(function)
	h := guard.Wrap(f, idempotency.Once(idempotency.NewMemoryStore(), key))
	answers := map[string]string{}
	for name, event := range events {
		out, err := h.Invoke(t.Context(), []byte(event))
		if err != nil {
			t.Errorf("%s: got %v", name, err)
		}
		if answers[string(out)] != "" || isReplay(string(out)) {
			t.Errorf("%s: got another's answer, %s", name, out)
		}
		answers[string(out)] = name
		if _, err := h.Invoke(t.Context(), []byte(event)); err != nil {
			t.Errorf("%s again: got %v", name, err)
		}
	}
	f.mustHaveRun(t, int64(len(events)))
}

// A certificate or an API key may be that of an application, with many who use
// it: the handler can tell those apart by what they send beside.
func TestUsersOfOneApplicationNeverMeet(t *testing.T) {
	const (
		key   = `,"identity":{"apiKeyId":"k1"}`
		cert  = `,"identity":{"clientCert":{"subjectDN":"CN=app","issuerDN":"CN=x"}}`
		mtls  = `,"x-amzn-mtls-clientcert-subject":"CN=app","x-amzn-mtls-clientcert-issuer":"CN=x"`
		alice = `,"authorization":"Bearer alice"`
		bob   = `,"authorization":"Bearer bob"`
	)
	mustKeepApart(t, idempotency.Header("Idempotency-Key"), map[string]string{
		"a key":               restEvent(key, ""),
		"a key, alice":        restEvent(key, alice),
		"a key, bob":          restEvent(key, bob),
		"a key, a cookie":     restEvent(key, `,"cookie":"s=1"`),
		"a certificate":       restEvent(cert, ""),
		"a certificate alice": restEvent(cert, alice),
		"a certificate, bob":  restEvent(cert, bob),
	})
	mustKeepApart(t, idempotency.Header("Idempotency-Key"), map[string]string{
		"a load balancer's certificate":        albEvent(mtls),
		"a load balancer's certificate, alice": albEvent(mtls + alice),
		"a load balancer's certificate, bob":   albEvent(mtls + bob),
	})
}

// The subject of a certificate is empty where its names are elsewhere, and a load
// balancer that passes certificates through says of none.
func TestCertificatesWithoutASubjectNeverMeet(t *testing.T) {
	const cert = `,"identity":{"clientCert":{"clientCertPem":"%s","subjectDN":"","issuerDN":"CN=x","serialNumber":"%s"}}`
	mustKeepApart(t, idempotency.Header("Idempotency-Key"), map[string]string{
		"nobody":         restEvent("", ""),
		"a":              restEvent(fmt.Sprintf(cert, "A", "1"), ""),
		"b":              restEvent(fmt.Sprintf(cert, "B", "2"), ""),
		"of no serial":   restEvent(fmt.Sprintf(cert, "C", ""), ""),
		"another":        restEvent(fmt.Sprintf(cert, "D", ""), ""),
		"passed, nobody": albEvent(""),
		"passed, a":      albEvent(`,"x-amzn-mtls-clientcert":"A"`),
		"passed, b":      albEvent(`,"x-amzn-mtls-clientcert":"B"`),
		"verified, a":    albEvent(`,"x-amzn-mtls-clientcert-issuer":"CN=x","x-amzn-mtls-clientcert-serial-number":"1"`),
		"verified, b":    albEvent(`,"x-amzn-mtls-clientcert-issuer":"CN=x","x-amzn-mtls-clientcert-serial-number":"2"`),
	})
}

// What a load balancer says of the caller in a header says nothing elsewhere,
// where a client can send it.
func TestHeadersOfALoadBalancerSayNothingElsewhere(t *testing.T) {
	f := new(function)
	h := protect(f, idempotency.NewMemoryStore())
	for _, headers := range []string{"", `,"x-amzn-oidc-identity":"alice"`, `,"x-amzn-mtls-clientcert-subject":"CN=alice"`, `,"x-amzn-mtls-clientcert":"A"`} {
		if _, err := h.Invoke(t.Context(), []byte(restEvent(`,"identity":{"apiKeyId":"k1"}`, headers))); err != nil {
			t.Errorf("%s: got %v", headers, err)
		}
	}
	f.mustHaveRun(t, 1)
}

// resolve is an event of AppSync for a resolver.
func resolve(field, arguments, identity, headers, trace string) string {
	return fmt.Sprintf(`{"arguments":%s,"identity":%s,"source":null,"request":{"headers":{"x-amzn-trace-id":"Root=%s"%s},"domainName":null},`+
		`"prev":null,"info":{"selectionSetList":["id"],"fieldName":"%s","parentTypeName":"Mutation","variables":{}},"stash":{}}`,
		arguments, identity, trace, headers, field)
}

// Callers of AppSync never meet, nor do fields; and a repeat is one, whatever the
// headers of its request are.
func TestCallersOfAppSyncNeverMeet(t *testing.T) {
	const arguments = `{"id":"k-1","amount":1.50}`
	for name, key := range map[string]idempotency.KeyFunc{
		"the payload":   idempotency.Payload(),
		"an expression": jmespath.Key("arguments.id"),
	} {
		t.Run(name, func(t *testing.T) {
			events := map[string]func(trace string) string{}
			for who, identity := range map[string]string{
				"alice":     `{"sub":"alice","issuer":"https://a","username":"a","claims":{"exp":%s}}`,
				"bob":       `{"sub":"bob","issuer":"https://a","username":"b","claims":{"exp":%s}}`,
				"another":   `{"sub":"alice","issuer":"https://b","username":"a","claims":{"exp":%s}}`,
				"a role":    `{"accountId":"1","userArn":"arn:aws:sts::1:assumed-role/r/s","username":"u%s"}`,
				"a pool's":  `{"cognitoIdentityId":"eu:1","userArn":"arn:aws:sts::1:assumed-role/r/CognitoIdentityCredentials","username":"u%s"}`,
				"another's": `{"cognitoIdentityId":"eu:2","userArn":"arn:aws:sts::1:assumed-role/r/CognitoIdentityCredentials","username":"u%s"}`,
				"a lambda":  `{"resolverContext":{"sub":"u1","n":"%s"}}`,
				"lambda's":  `{"resolverContext":{"sub":"u2","n":"%s"}}`,
			} {
				events[who] = func(trace string) string { return resolve("pay", arguments, fmt.Sprintf(identity, trace), "", trace) }
			}
			events["an API key"] = func(trace string) string { return resolve("pay", arguments, `null`, `,"x-api-key":"da2-1"`, trace) }
			events["another key"] = func(trace string) string { return resolve("pay", arguments, `null`, `,"x-api-key":"da2-2"`, trace) }
			events["another field"] = func(trace string) string {
				return resolve("refund", arguments, `{"sub":"alice","issuer":"https://a","claims":{}}`, "", trace)
			}
			f := new(function)
			f.handle = answering(`{"id":"o-1"}`).handle
			h := guard.Wrap(f, idempotency.Once(idempotency.NewMemoryStore(), key))
			for _, trace := range []string{"1", "2"} {
				for who, event := range events {
					if _, err := h.Invoke(t.Context(), []byte(event(trace))); err != nil {
						t.Errorf("%s, %s: got %v", who, trace, err)
					}
				}
				f.mustHaveRun(t, int64(len(events)))
			}
		})
	}
}

// A field that is asked for without arguments has nothing to be told by.
func TestAFieldWithoutArgumentsHasNoKey(t *testing.T) {
	h := guard.Wrap(new(function), idempotency.Once(idempotency.NewMemoryStore(), idempotency.Payload()))
	out, err := h.Invoke(t.Context(), []byte(resolve("pay", `{}`, `{"sub":"alice"}`, "", "1")))
	mustBe(t, string(out), err, guard.Invalid, "idempotency_key_missing")
}

// The same key for another request is refused.
func TestAKeyOfAppSyncIsForOneRequest(t *testing.T) {
	h := guard.Wrap(new(function), idempotency.Once(idempotency.NewMemoryStore(), jmespath.Key("arguments.id")))
	const alice = `{"sub":"alice","issuer":"https://a","claims":{}}`
	if _, err := h.Invoke(t.Context(), []byte(resolve("pay", `{"id":"k-1","amount":1}`, alice, "", "1"))); err != nil {
		t.Fatal(err)
	}
	out, err := h.Invoke(t.Context(), []byte(resolve("pay", `{"id":"k-1","amount":2}`, alice, "", "2")))
	mustBe(t, string(out), err, guard.Unprocessable, "idempotency_key_reused")
}
