package webhook_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/webhook"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// The vector that the specification of Standard Webhooks publishes.
const (
	standardKey  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	standardID   = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	standardTime = 1614265330
	standardBody = `{"test": 2432232314}`
	standardSign = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

// GitHub's.
const (
	githubKey  = "It's a Secret to Everybody"
	githubBody = "Hello, World!"
	githubSign = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
)

// Slack's.
const (
	slackKey  = "8f742231b10e8888abcd99yyyzzz85a5"
	slackTime = 1531420618
	slackBody = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	slackSign = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
)

var slack = webhook.HMACConfig{
	Signature: "X-Slack-Signature", Prefix: "v0=",
	Timestamp: "X-Slack-Request-Timestamp",
	Content:   "v0:{timestamp}:{body}",
}

func fixed(keys ...string) webhook.Keys {
	return webhook.KeysFunc(func(context.Context) ([]string, error) { return keys, nil })
}

func at(seconds int64) webhook.Option { return webhook.At(time.Unix(seconds, 0)) }

// delivery is a request, as header names and values by turns.
type delivery struct {
	body    string
	headers []string
	base64  bool
}

func (d delivery) event() []byte {
	b := sample.HTTP("POST", "/hooks").Body("application/octet-stream", []byte(d.body))
	if d.base64 {
		b = b.Base64()
	}
	for i := 0; i < len(d.headers); i += 2 {
		b = b.Header(d.headers[i], d.headers[i+1])
	}
	return b.Bytes()
}

// received is what a handler behind the layer saw; called is false where it was
// not reached.
type received struct {
	called bool
	webhook.Delivery
	key string
	err error // of the key
}

func receive(layer guard.Middleware, d delivery) (r received, err error) {
	h := guard.Wrap(guard.HandlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		r.called = true
		r.Delivery, _ = webhook.DeliveryFrom(ctx)
		r.key, r.err = webhook.DeliveryID(ctx, guard.EventOf(ctx, payload))
		return nil, nil
	}), layer)
	_, err = h.Invoke(context.Background(), d.event())
	return r, err
}

func standard(headers ...string) delivery {
	values := map[string]string{
		"webhook-id":        standardID,
		"webhook-timestamp": strconv.Itoa(standardTime),
		"webhook-signature": standardSign,
	}
	for i := 0; i < len(headers); i += 2 {
		values[headers[i]] = headers[i+1]
	}
	d := delivery{body: standardBody}
	for name, value := range values {
		if value != "" {
			d.headers = append(d.headers, name, value)
		}
	}
	return d
}

func mac256(key, content string) []byte {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(content))
	return m.Sum(nil)
}

func stripe(body, header string) delivery {
	return delivery{body: body, headers: []string{"Stripe-Signature", header}}
}

func stripeSign(key string, seconds int64, body string) string {
	return hex.EncodeToString(mac256(key, fmt.Sprintf("%d.%s", seconds, body)))
}

const (
	stripeKey  = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH"
	stripeTime = 1700000000
	stripeBody = `{"id":"evt_1","type":"charge.succeeded"}`
)

func TestWhatItsSenderHasSignedIsLetThrough(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signed := "v1a," + base64.StdEncoding.EncodeToString(
		ed25519.Sign(private, []byte(standardID+"."+strconv.Itoa(standardTime)+"."+standardBody)))
	whpk := "whpk_" + base64.StdEncoding.EncodeToString(public)
	bodyDigest := func(body string) string {
		sum := sha256.Sum256([]byte(body))
		return hex.EncodeToString(sum[:])
	}
	long := hmac.New(sha512.New, []byte("k"))
	long.Write([]byte("d-1|7|body"))
	sha512Config := webhook.HMACConfig{Signature: "X-Sign", Base64: true, SHA512: true, ID: "X-Id", Timestamp: "X-Time", Content: "{id}|{timestamp}|{body}"}

	for name, c := range map[string]struct {
		layer guard.Middleware
		delivery
		id, key string
		sent    int64
	}{
		"standard": {
			layer:    webhook.Standard(fixed(standardKey), at(standardTime)),
			delivery: standard(),
			id:       standardID,
			key:      standardID,
			sent:     standardTime,
		},
		"standard, body in base64": {
			layer: webhook.Standard(fixed(standardKey), at(standardTime)),
			delivery: delivery{
				body:    standardBody,
				headers: standard().headers,
				base64:  true,
			},
			id:   standardID,
			key:  standardID,
			sent: standardTime,
		},
		"standard, late by all of the tolerance": {
			layer:    webhook.Standard(fixed(standardKey), at(standardTime+300)),
			delivery: standard(),
			id:       standardID,
			key:      standardID,
			sent:     standardTime,
		},
		"standard, early by all of it": {
			layer:    webhook.Standard(fixed(standardKey), at(standardTime-300)),
			delivery: standard(),
			id:       standardID,
			key:      standardID,
			sent:     standardTime,
		},
		"standard, the previous key": {
			layer:    webhook.Standard(fixed("whsec_"+strings.Repeat("AAAA", 8), standardKey), at(standardTime)),
			delivery: standard(),
			id:       standardID,
			key:      standardID,
			sent:     standardTime,
		},
		"standard, one good signature of three": {
			layer:    webhook.Standard(fixed(standardKey), at(standardTime)),
			delivery: standard("webhook-signature", "v1,"+strings.Repeat("A", 43)+"= v2,abc "+standardSign),
			id:       standardID,
			key:      standardID,
			sent:     standardTime,
		},
		"standard, public key": {
			layer:    webhook.Standard(fixed(whpk), at(standardTime)),
			delivery: standard("webhook-signature", signed),
			id:       standardID,
			key:      standardID,
			sent:     standardTime,
		},
		"standard, private key": {
			layer:    webhook.Standard(fixed("whsk_"+base64.StdEncoding.EncodeToString(private)), at(standardTime)),
			delivery: standard("webhook-signature", signed),
			id:       standardID,
			key:      standardID,
			sent:     standardTime,
		},
		"standard, seed": {
			layer:    webhook.Standard(fixed("whsk_"+base64.StdEncoding.EncodeToString(private.Seed())), at(standardTime)),
			delivery: standard("webhook-signature", standardSign+" "+signed),
			id:       standardID,
			key:      standardID,
			sent:     standardTime,
		},
		"github": {
			layer:    webhook.GitHub(fixed(githubKey)),
			delivery: delivery{body: githubBody, headers: []string{"X-Hub-Signature-256", githubSign}},
			key:      bodyDigest(githubBody),
		},
		"slack": {
			layer:    webhook.HMAC(slack, fixed(slackKey), at(slackTime)),
			delivery: delivery{body: slackBody, headers: []string{"X-Slack-Signature", slackSign, "X-Slack-Request-Timestamp", strconv.Itoa(slackTime)}},
			key:      bodyDigest(slackBody),
			sent:     slackTime,
		},
		"hmac, sha-512, base64, id and time": {
			layer:    webhook.HMAC(sha512Config, fixed("k"), at(7)),
			delivery: delivery{body: "body", headers: []string{"X-Sign", base64.StdEncoding.EncodeToString(long.Sum(nil)), "X-Id", "d-1", "X-Time", "7"}},
			id:       "d-1",
			key:      "d-1",
			sent:     7,
		},
		"hmac of an empty body": {
			layer:    webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign"}, fixed("k")),
			delivery: delivery{headers: []string{"x-sign", hex.EncodeToString(mac256("k", ""))}},
			key:      bodyDigest(""),
		},
		"stripe": {
			layer:    webhook.Stripe(fixed(stripeKey), at(stripeTime)),
			delivery: stripe(stripeBody, fmt.Sprintf("t=%d,v1=%s", stripeTime, stripeSign(stripeKey, stripeTime, stripeBody))),
			key:      "evt_1",
			sent:     stripeTime,
		},
		"standard, a good signature before one of another key": {
			layer:    webhook.Standard(fixed(standardKey), at(standardTime)),
			delivery: standard("webhook-signature", standardSign+" v1,"+strings.Repeat("A", 43)+"="),
			id:       standardID,
			key:      standardID,
			sent:     standardTime,
		},
		"stripe, keys being rolled": {
			layer:    webhook.Stripe(fixed("whsec_old", stripeKey), at(stripeTime)),
			delivery: stripe(stripeBody, fmt.Sprintf("t=%d,v1=%s,v1=%s,v0=zz", stripeTime, strings.Repeat("0", 64), stripeSign(stripeKey, stripeTime, stripeBody))),
			key:      "evt_1",
			sent:     stripeTime,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := receive(c.layer, c.delivery)
			if err != nil || !got.called {
				t.Fatalf("called %v, error %v", got.called, err)
			}
			if got.err != nil || got.ID != c.id || got.key != c.key {
				t.Errorf("id %q, key %q, %v; want %q and %q", got.ID, got.key, got.err, c.id, c.key)
			}
			if (c.sent == 0) != got.Sent.IsZero() || c.sent != 0 && got.Sent.Unix() != c.sent {
				t.Errorf("sent %v, want %d", got.Sent, c.sent)
			}
		})
	}
}

func TestEverythingElseIsRefused(t *testing.T) {
	ok := webhook.Standard(fixed(standardKey), at(standardTime))
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(standardKey, "whsec_"))
	edited := standard()
	edited.body = `{"test": 2432232315}`
	mine, theirs := ed25519.NewKeyFromSeed(mac256("", "mine")), ed25519.NewKeyFromSeed(mac256("", "theirs"))
	v1 := stripeSign(stripeKey, stripeTime, stripeBody)
	stripeOK := webhook.Stripe(fixed(stripeKey), at(stripeTime))
	const (
		missing   = "webhook_signature_missing"
		malformed = "webhook_signature_malformed"
		invalid   = "webhook_signature_invalid"
		untimely  = "webhook_timestamp_out_of_range"
	)
	for name, c := range map[string]struct {
		layer guard.Middleware
		delivery
		code string
	}{
		"edited body": {layer: ok, delivery: edited, code: invalid},
		"edited id":   {layer: ok, delivery: standard("webhook-id", "msg_other"), code: invalid},
		"edited timestamp": {
			layer:    ok,
			delivery: standard("webhook-timestamp", strconv.Itoa(standardTime+1)),
			code:     invalid,
		},
		"an unknown version, with a signature that would hold as v1a": {
			layer:    webhook.Standard(fixed("whsk_"+base64.StdEncoding.EncodeToString(mine)), at(standardTime)),
			delivery: standard("webhook-signature", "v2,"+base64.StdEncoding.EncodeToString(ed25519.Sign(mine, []byte(standardID+"."+strconv.Itoa(standardTime)+"."+standardBody)))),
			code:     malformed,
		},
		"no id":         {layer: ok, delivery: standard("webhook-id", ""), code: missing},
		"no timestamp":  {layer: ok, delivery: standard("webhook-timestamp", ""), code: missing},
		"no signature":  {layer: ok, delivery: standard("webhook-signature", ""), code: missing},
		"id with a dot": {layer: ok, delivery: standard("webhook-id", "a.b"), code: malformed},
		"id sent twice": {layer: ok, delivery: standard("webhook-id", "a,b"), code: malformed},
		"id of 256":     {layer: ok, delivery: standard("webhook-id", strings.Repeat("a", 256)), code: malformed},
		"timestamp with a sign": {
			layer:    ok,
			delivery: standard("webhook-timestamp", "+"+strconv.Itoa(standardTime)),
			code:     malformed,
		},
		"timestamp with an exponent": {layer: ok, delivery: standard("webhook-timestamp", "1614265330e0"), code: malformed},
		"id that is not ASCII":       {layer: ok, delivery: standard("webhook-id", "m\u00e9"), code: malformed},
		"timestamp of twelve digits": {
			layer:    ok,
			delivery: standard("webhook-timestamp", "0"+strings.Repeat("1", 11)),
			code:     malformed,
		},
		"timestamp out of all range": {
			layer:    ok,
			delivery: standard("webhook-timestamp", strings.Repeat("9", 40)),
			code:     malformed,
		},
		"late by a second": {
			layer:    webhook.Standard(fixed(standardKey), at(standardTime+301)),
			delivery: standard(),
			code:     untimely,
		},
		"early by a second": {
			layer:    webhook.Standard(fixed(standardKey), at(standardTime-301)),
			delivery: standard(),
			code:     untimely,
		},
		"late by a smaller tolerance": {
			layer:    webhook.Standard(fixed(standardKey), at(standardTime+11), webhook.Tolerance(10*time.Second)),
			delivery: standard(),
			code:     untimely,
		},
		"unknown version of a signature": {
			layer:    ok,
			delivery: standard("webhook-signature", "v2"+strings.TrimPrefix(standardSign, "v1")),
			code:     malformed,
		},
		"signature without padding": {
			layer:    ok,
			delivery: standard("webhook-signature", strings.TrimSuffix(standardSign, "=")),
			code:     malformed,
		},
		"signature with bits left over": {
			layer:    ok,
			delivery: standard("webhook-signature", strings.Replace(standardSign, "OE=", "OF=", 1)),
			code:     malformed,
		},
		"signature with a line break": {
			layer:    ok,
			delivery: standard("webhook-signature", standardSign[:20]+"\n"+standardSign[20:]),
			code:     malformed,
		},
		"signature cut short":        {layer: ok, delivery: standard("webhook-signature", "v1,g0hM9SsE"), code: malformed},
		"public signature cut short": {layer: ok, delivery: standard("webhook-signature", "v1a,g0hM9SsE"), code: malformed},
		"nine signatures": {
			layer:    ok,
			delivery: standard("webhook-signature", strings.TrimSuffix(strings.Repeat(standardSign+" ", 9), " ")),
			code:     malformed,
		},
		"another key": {
			layer:    webhook.Standard(fixed("whsec_"+strings.Repeat("AAAA", 8)), at(standardTime)),
			delivery: standard(),
			code:     invalid,
		},
		"v1 with a public key in place of the secret": {
			layer:    webhook.Standard(fixed("whpk_"+base64.StdEncoding.EncodeToString(mac256("", ""))), at(standardTime)),
			delivery: standard("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac256(string(mac256("", "")), standardID+"."+strconv.Itoa(standardTime)+"."+standardBody))),
			code:     invalid,
		},
		"v1a with the other half of a private key": {
			layer:    webhook.Standard(fixed("whsk_"+base64.StdEncoding.EncodeToString(slices.Concat(mine[:32], theirs[32:]))), at(standardTime)),
			delivery: standard("webhook-signature", "v1a,"+base64.StdEncoding.EncodeToString(ed25519.Sign(theirs, []byte(standardID+"."+strconv.Itoa(standardTime)+"."+standardBody)))),
			code:     invalid,
		},
		"v1a with a secret": {
			layer:    ok,
			delivery: standard("webhook-signature", "v1a,"+base64.StdEncoding.EncodeToString(make([]byte, 64))),
			code:     invalid,
		},
		"github's form with the same key": {
			layer:    webhook.GitHub(fixed(standardKey)),
			delivery: delivery{body: standardBody, headers: []string{"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(mac256(string(raw), standardBody))}},
			code:     invalid,
		},
		"github, no signature": {
			layer:    webhook.GitHub(fixed(githubKey)),
			delivery: delivery{body: githubBody},
			code:     missing,
		},
		"github, the old SHA-1 alone": {
			layer:    webhook.GitHub(fixed(githubKey)),
			delivery: delivery{body: githubBody, headers: []string{"X-Hub-Signature", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59"}},
			code:     missing,
		},
		"github, no prefix": {
			layer:    webhook.GitHub(fixed(githubKey)),
			delivery: delivery{body: githubBody, headers: []string{"X-Hub-Signature-256", strings.TrimPrefix(githubSign, "sha256=")}},
			code:     malformed,
		},
		"github, not hexadecimal": {
			layer:    webhook.GitHub(fixed(githubKey)),
			delivery: delivery{body: githubBody, headers: []string{"X-Hub-Signature-256", "sha256=" + strings.Repeat("g", 64)}},
			code:     malformed,
		},
		"github, cut short": {
			layer:    webhook.GitHub(fixed(githubKey)),
			delivery: delivery{body: githubBody, headers: []string{"X-Hub-Signature-256", githubSign[:69]}},
			code:     malformed,
		},
		"github, sent twice": {
			layer:    webhook.GitHub(fixed(githubKey)),
			delivery: delivery{body: githubBody, headers: []string{"X-Hub-Signature-256", githubSign + "," + githubSign}},
			code:     malformed,
		},
		"github, a byte more": {
			layer:    webhook.GitHub(fixed(githubKey)),
			delivery: delivery{body: githubBody + "\n", headers: []string{"X-Hub-Signature-256", githubSign}},
			code:     invalid,
		},
		"stripe, only v0": {
			layer:    stripeOK,
			delivery: stripe(stripeBody, fmt.Sprintf("t=%d,v0=%s", stripeTime, v1)),
			code:     malformed,
		},
		"stripe, two timestamps": {
			layer:    stripeOK,
			delivery: stripe(stripeBody, fmt.Sprintf("t=%d,t=%d,v1=%s", stripeTime-9000, stripeTime, v1)),
			code:     malformed,
		},
		"stripe, no timestamp":             {layer: stripeOK, delivery: stripe(stripeBody, "v1="+v1), code: malformed},
		"stripe, a timestamp that is none": {layer: stripeOK, delivery: stripe(stripeBody, "t=soon,v1="+v1), code: malformed},
		"stripe, an empty timestamp":       {layer: stripeOK, delivery: stripe(stripeBody, "t=,v1="+v1), code: malformed},
		"stripe, spaces": {
			layer:    stripeOK,
			delivery: stripe(stripeBody, fmt.Sprintf("t=%d, v1=%s", stripeTime, v1)),
			code:     malformed,
		},
		"stripe, nothing": {layer: stripeOK, delivery: delivery{body: stripeBody}, code: missing},
		"stripe, nine signatures": {
			layer:    stripeOK,
			delivery: stripe(stripeBody, fmt.Sprintf("t=%d%s", stripeTime, strings.Repeat(",v1="+v1, 9))),
			code:     malformed,
		},
		"stripe, a signature cut short": {
			layer:    stripeOK,
			delivery: stripe(stripeBody, fmt.Sprintf("t=%d,v1=%s", stripeTime, v1[:62])),
			code:     malformed,
		},
		"stripe, after 301 s": {
			layer:    webhook.Stripe(fixed(stripeKey), at(stripeTime+301)),
			delivery: stripe(stripeBody, fmt.Sprintf("t=%d,v1=%s", stripeTime, v1)),
			code:     untimely,
		},
		"stripe, timestamp edited to pass": {
			layer:    webhook.Stripe(fixed(stripeKey), at(stripeTime+301)),
			delivery: stripe(stripeBody, fmt.Sprintf("t=%d,v1=%s", stripeTime+301, v1)),
			code:     invalid,
		},
		"slack, no time": {
			layer:    webhook.HMAC(slack, fixed(slackKey), at(slackTime)),
			delivery: delivery{body: slackBody, headers: []string{"X-Slack-Signature", slackSign}},
			code:     malformed,
		},
		"slack, no signature": {
			layer:    webhook.HMAC(slack, fixed(slackKey), at(slackTime)),
			delivery: delivery{body: slackBody},
			code:     missing,
		},
		"slack, cut short": {
			layer:    webhook.HMAC(slack, fixed(slackKey), at(slackTime)),
			delivery: delivery{body: slackBody, headers: []string{"X-Slack-Signature", slackSign[:65], "X-Slack-Request-Timestamp", strconv.Itoa(slackTime)}},
			code:     malformed,
		},
		"slack, no prefix": {
			layer:    webhook.HMAC(slack, fixed(slackKey), at(slackTime)),
			delivery: delivery{body: slackBody, headers: []string{"X-Slack-Signature", slackSign[3:], "X-Slack-Request-Timestamp", strconv.Itoa(slackTime)}},
			code:     malformed,
		},
		"slack, another prefix": {
			layer:    webhook.HMAC(slack, fixed(slackKey), at(slackTime)),
			delivery: delivery{body: slackBody, headers: []string{"X-Slack-Signature", "v1" + slackSign[2:], "X-Slack-Request-Timestamp", strconv.Itoa(slackTime)}},
			code:     malformed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := receive(c.layer, c.delivery)
			e := guard.Public(err)
			if got.called || err == nil || e.Kind != guard.Unauthenticated || e.Code != c.code {
				t.Fatalf("called %v, %v; want %s", got.called, err, c.code)
			}
		})
	}
}

// An id and a timestamp that can be read in two ways out of the same signed
// bytes would mean two names for one delivery.
func TestAnIDCannotReachIntoWhatFollowsIt(t *testing.T) {
	c := webhook.HMACConfig{Signature: "X-Sign", ID: "X-Id", Content: "{id}::{body}"}
	sign := hex.EncodeToString(mac256("k", "a:::b"))
	for id, body := range map[string]string{"a:": "b", "a": ":b"} {
		got, err := receive(webhook.HMAC(c, fixed("k")), delivery{body: body, headers: []string{"X-Sign", sign, "X-Id", id}})
		if want := id == "a"; got.called != want {
			t.Errorf("id %q: called %v, %v", id, got.called, err)
		}
	}
}

func TestKeysThatFailAreNotTheSendersFault(t *testing.T) {
	down := errors.New("down")
	for name, c := range map[string]struct {
		keys webhook.Keys
		kind guard.Kind
		code string
	}{
		"unavailable": {
			keys: webhook.KeysFunc(func(context.Context) ([]string, error) { return nil, guard.Errorf(guard.Unavailable, "x", "", down) }),
			kind: guard.Unavailable,
			code: "x",
		},
		"none": {keys: fixed(), kind: guard.Internal, code: "webhook_key_malformed"},
		"an empty prefix": {
			keys: fixed(standardKey, "_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
			kind: guard.Internal,
			code: "webhook_key_malformed",
		},
		"not base64": {keys: fixed("whsec_%%%"), kind: guard.Internal, code: "webhook_key_malformed"},
		"too short":  {keys: fixed("whsec_AAAA"), kind: guard.Internal, code: "webhook_key_malformed"},
		"of 23 bytes": {
			keys: fixed("whsec_" + strings.Repeat("AAAA", 7) + "AAA="),
			kind: guard.Internal,
			code: "webhook_key_malformed",
		},
		"of 65 bytes": {
			keys: fixed("whsec_" + strings.Repeat("AAAA", 21) + "AAA="),
			kind: guard.Internal,
			code: "webhook_key_malformed",
		},
		"public, cut": {
			keys: fixed("whpk_" + strings.Repeat("AAAA", 8)),
			kind: guard.Internal,
			code: "webhook_key_malformed",
		},
		"an unknown prefix, with 32 bytes": {
			keys: fixed("abc_" + base64.StdEncoding.EncodeToString(make([]byte, 32))),
			kind: guard.Internal,
			code: "webhook_key_malformed",
		},
		"another's prefix": {
			keys: fixed("sk_live_" + strings.Repeat("AAAA", 8)),
			kind: guard.Internal,
			code: "webhook_key_malformed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := receive(webhook.Standard(c.keys, at(standardTime)), standard())
			if e := guard.Public(err); got.called || e.Kind != c.kind || e.Code != c.code {
				t.Fatalf("called %v, %v", got.called, err)
			}
			if strings.Contains(err.Error(), "AAAA") || strings.Contains(err.Error(), "MfKQ") {
				t.Errorf("the error shows a key: %v", err)
			}
		})
	}
	empty := delivery{headers: []string{"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(mac256("", ""))}}
	got, err := receive(webhook.GitHub(fixed("")), empty)
	if err == nil || got.called || guard.KindOf(err) != guard.Internal {
		t.Errorf("an empty key: got called %v, %v; want an internal error", got.called, err)
	}
}

func TestAMalformedRequestMakesNobodyFetchAKey(t *testing.T) {
	keys := webhook.KeysFunc(func(context.Context) ([]string, error) { t.Error("fetched"); return nil, nil })
	for _, d := range []delivery{standard("webhook-signature", ""), standard("webhook-signature", "v1,abc"), standard("webhook-timestamp", "1")} {
		if _, err := receive(webhook.Standard(keys, at(standardTime)), d); err == nil {
			t.Error("got a delivery, want a refusal")
		}
	}
}

func TestDeliveryIDNeedsAVerifiedRequest(t *testing.T) {
	ctx, ev := context.Background(), guard.EventOf(context.Background(), standard().event())
	if id, err := webhook.DeliveryID(ctx, ev); err == nil {
		t.Errorf("got %q, want an error", id)
	}
	if _, ok := webhook.DeliveryFrom(ctx); ok {
		t.Error("got a delivery, want none")
	}
	for _, body := range []string{`{"type":"no id"}`, `{"id":7}`, `{"id":" "}`, `{"id":"a,b"}`, `{"id":"` + strings.Repeat("a", 256) + `"}`, `["id"]`} {
		got, err := receive(webhook.Stripe(fixed(stripeKey), at(stripeTime)), stripe(body, fmt.Sprintf("t=%d,v1=%s", stripeTime, stripeSign(stripeKey, stripeTime, body))))
		if e := guard.Public(got.err); err != nil || e.Code != "webhook_event_without_id" || e.Violations[0].Pointer != "/id" {
			t.Errorf("%s: %v, %v", body, err, got.err)
		}
	}
}

func TestAnEventThatIsNoRequestIsRefused(t *testing.T) {
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		t.Error("called")
		return nil, nil
	}), webhook.GitHub(fixed("k")))
	for _, payload := range []string{`{}`, `{"Records":[]}`, `nonsense`, ``} {
		if _, err := h.Invoke(context.Background(), []byte(payload)); guard.KindOf(err) != guard.Invalid {
			t.Errorf("%s: got %v, want invalid", payload, err)
		}
	}
}

func TestContradictionsPanicWhenBuilt(t *testing.T) {
	for name, build := range map[string]func(){
		"no keys":                      func() { webhook.GitHub(webhook.Keys{}) },
		"keys of no function":          func() { webhook.KeysFunc(nil) },
		"a secret without a cache":     func() { webhook.Secret(nil, "key") },
		"a secret without a name":      func() { webhook.Secret(secrets.New(secrets.Env()), "") },
		"tolerance of nothing":         func() { webhook.Tolerance(0) },
		"tolerance of a day":           func() { webhook.Tolerance(24 * time.Hour) },
		"no header":                    func() { webhook.HMAC(webhook.HMACConfig{}, fixed("k")) },
		"a header that is none":        func() { webhook.HMAC(webhook.HMACConfig{Signature: "X Sign"}, fixed("k")) },
		"no body":                      func() { webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign", Content: "constant"}, fixed("k")) },
		"body not at the end":          func() { webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign", Content: "{body}."}, fixed("k")) },
		"body twice":                   func() { webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign", Content: "{body}{body}"}, fixed("k")) },
		"timestamp that is not signed": func() { webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign", Timestamp: "X-Time"}, fixed("k")) },
		"id that is not signed":        func() { webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign", ID: "X-Id"}, fixed("k")) },
		"timestamp without a header": func() {
			webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign", Content: "{timestamp}.{body}"}, fixed("k"))
		},
		"values that touch": func() {
			webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign", ID: "X-Id", Content: "{id}{body}"}, fixed("k"))
		},
		"digits after a timestamp": func() {
			webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign", Timestamp: "X-Time", Content: "{timestamp}0{body}"}, fixed("k"))
		},
		"a placeholder that there is not": func() {
			webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign", Content: "{time}.{body}"}, fixed("k"))
		},
		"a brace that opens nothing": func() {
			webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign", Content: "a}{body}"}, fixed("k"))
		},
		"a brace after a value": func() {
			webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign", ID: "X-Id", Content: "{id}}{body}"}, fixed("k"))
		},
		"a timestamp's header that is none": func() {
			webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign", Timestamp: "X Time", Content: "{timestamp}.{body}"}, fixed("k"))
		},
		"tolerance without timestamp": func() {
			webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign"}, fixed("k"), webhook.Tolerance(time.Minute))
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "webhook: ") {
					t.Errorf("got the panic %q, want one of webhook", text)
				}
			}()
			build()
		})
	}
}
