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
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
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
	b := guardtest.HTTPEvent("POST", "/hooks").Body("application/octet-stream", []byte(d.body))
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
		r.Delivery, _ = webhook.From(ctx)
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
		"standard":                               {webhook.Standard(fixed(standardKey), at(standardTime)), standard(), standardID, standardID, standardTime},
		"standard, body in base64":               {webhook.Standard(fixed(standardKey), at(standardTime)), delivery{standardBody, standard().headers, true}, standardID, standardID, standardTime},
		"standard, late by all of the tolerance": {webhook.Standard(fixed(standardKey), at(standardTime+300)), standard(), standardID, standardID, standardTime},
		"standard, early by all of it":           {webhook.Standard(fixed(standardKey), at(standardTime-300)), standard(), standardID, standardID, standardTime},
		"standard, the previous key":             {webhook.Standard(fixed("whsec_"+strings.Repeat("AAAA", 8), standardKey), at(standardTime)), standard(), standardID, standardID, standardTime},
		"standard, one good signature of three":  {webhook.Standard(fixed(standardKey), at(standardTime)), standard("webhook-signature", "v1,"+strings.Repeat("A", 43)+"= v2,abc "+standardSign), standardID, standardID, standardTime},
		"standard, public key":                   {webhook.Standard(fixed(whpk), at(standardTime)), standard("webhook-signature", signed), standardID, standardID, standardTime},
		"standard, private key":                  {webhook.Standard(fixed("whsk_"+base64.StdEncoding.EncodeToString(private)), at(standardTime)), standard("webhook-signature", signed), standardID, standardID, standardTime},
		"standard, seed":                         {webhook.Standard(fixed("whsk_"+base64.StdEncoding.EncodeToString(private.Seed())), at(standardTime)), standard("webhook-signature", standardSign+" "+signed), standardID, standardID, standardTime},
		"github":                                 {webhook.GitHub(fixed(githubKey)), delivery{body: githubBody, headers: []string{"X-Hub-Signature-256", githubSign}}, "", bodyDigest(githubBody), 0},
		"slack":                                  {webhook.HMAC(slack, fixed(slackKey), at(slackTime)), delivery{body: slackBody, headers: []string{"X-Slack-Signature", slackSign, "X-Slack-Request-Timestamp", strconv.Itoa(slackTime)}}, "", bodyDigest(slackBody), slackTime},
		"hmac, sha-512, base64, id and time":     {webhook.HMAC(sha512Config, fixed("k"), at(7)), delivery{body: "body", headers: []string{"X-Sign", base64.StdEncoding.EncodeToString(long.Sum(nil)), "X-Id", "d-1", "X-Time", "7"}}, "d-1", "d-1", 7},
		"hmac of an empty body":                  {webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign"}, fixed("k")), delivery{headers: []string{"x-sign", hex.EncodeToString(mac256("k", ""))}}, "", bodyDigest(""), 0},
		"stripe":                                 {webhook.Stripe(fixed(stripeKey), at(stripeTime)), stripe(stripeBody, fmt.Sprintf("t=%d,v1=%s", stripeTime, stripeSign(stripeKey, stripeTime, stripeBody))), "", "evt_1", stripeTime},
		"stripe, keys being rolled":              {webhook.Stripe(fixed("whsec_old", stripeKey), at(stripeTime)), stripe(stripeBody, fmt.Sprintf("t=%d,v1=%s,v1=%s,v0=zz", stripeTime, strings.Repeat("0", 64), stripeSign(stripeKey, stripeTime, stripeBody))), "", "evt_1", stripeTime},
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
		"edited body":                    {ok, edited, invalid},
		"edited id":                      {ok, standard("webhook-id", "msg_other"), invalid},
		"edited timestamp":               {ok, standard("webhook-timestamp", strconv.Itoa(standardTime+1)), invalid},
		"no id":                          {ok, standard("webhook-id", ""), missing},
		"no timestamp":                   {ok, standard("webhook-timestamp", ""), missing},
		"no signature":                   {ok, standard("webhook-signature", ""), missing},
		"id with a dot":                  {ok, standard("webhook-id", "a.b"), malformed},
		"id sent twice":                  {ok, standard("webhook-id", "a,b"), malformed},
		"id of 256":                      {ok, standard("webhook-id", strings.Repeat("a", 256)), malformed},
		"timestamp with a sign":          {ok, standard("webhook-timestamp", "+"+strconv.Itoa(standardTime)), malformed},
		"timestamp with an exponent":     {ok, standard("webhook-timestamp", "1614265330e0"), malformed},
		"id that is not ASCII":           {ok, standard("webhook-id", "m\u00e9"), malformed},
		"timestamp of twelve digits":     {ok, standard("webhook-timestamp", "0"+strings.Repeat("1", 11)), malformed},
		"timestamp out of all range":     {ok, standard("webhook-timestamp", strings.Repeat("9", 40)), malformed},
		"late by a second":               {webhook.Standard(fixed(standardKey), at(standardTime+301)), standard(), untimely},
		"early by a second":              {webhook.Standard(fixed(standardKey), at(standardTime-301)), standard(), untimely},
		"late by a smaller tolerance":    {webhook.Standard(fixed(standardKey), at(standardTime+11), webhook.Tolerance(10*time.Second)), standard(), untimely},
		"unknown version of a signature": {ok, standard("webhook-signature", "v2"+strings.TrimPrefix(standardSign, "v1")), malformed},
		"signature without padding":      {ok, standard("webhook-signature", strings.TrimSuffix(standardSign, "=")), malformed},
		"signature with bits left over":  {ok, standard("webhook-signature", strings.Replace(standardSign, "OE=", "OF=", 1)), malformed},
		"signature with a line break":    {ok, standard("webhook-signature", standardSign[:20]+"\n"+standardSign[20:]), malformed},
		"signature cut short":            {ok, standard("webhook-signature", "v1,g0hM9SsE"), malformed},
		"public signature cut short":     {ok, standard("webhook-signature", "v1a,g0hM9SsE"), malformed},
		"nine signatures":                {ok, standard("webhook-signature", strings.TrimSuffix(strings.Repeat(standardSign+" ", 9), " ")), malformed},
		"another key":                    {webhook.Standard(fixed("whsec_"+strings.Repeat("AAAA", 8)), at(standardTime)), standard(), invalid},
		"v1 with a public key in place of the secret": {
			webhook.Standard(fixed("whpk_"+base64.StdEncoding.EncodeToString(mac256("", ""))), at(standardTime)),
			standard("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac256(string(mac256("", "")), standardID+"."+strconv.Itoa(standardTime)+"."+standardBody))),
			invalid,
		},
		"v1a with the other half of a private key": {
			webhook.Standard(fixed("whsk_"+base64.StdEncoding.EncodeToString(slices.Concat(mine[:32], theirs[32:]))), at(standardTime)),
			standard("webhook-signature", "v1a,"+base64.StdEncoding.EncodeToString(ed25519.Sign(theirs, []byte(standardID+"."+strconv.Itoa(standardTime)+"."+standardBody)))),
			invalid,
		},
		"v1a with a secret": {ok, standard("webhook-signature", "v1a,"+base64.StdEncoding.EncodeToString(make([]byte, 64))), invalid},
		"github's form with the same key": {
			webhook.GitHub(fixed(standardKey)),
			delivery{body: standardBody, headers: []string{"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(mac256(string(raw), standardBody))}},
			invalid,
		},
		"github, no signature":             {webhook.GitHub(fixed(githubKey)), delivery{body: githubBody}, missing},
		"github, the old SHA-1 alone":      {webhook.GitHub(fixed(githubKey)), delivery{body: githubBody, headers: []string{"X-Hub-Signature", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59"}}, missing},
		"github, no prefix":                {webhook.GitHub(fixed(githubKey)), delivery{body: githubBody, headers: []string{"X-Hub-Signature-256", strings.TrimPrefix(githubSign, "sha256=")}}, malformed},
		"github, not hexadecimal":          {webhook.GitHub(fixed(githubKey)), delivery{body: githubBody, headers: []string{"X-Hub-Signature-256", "sha256=" + strings.Repeat("g", 64)}}, malformed},
		"github, cut short":                {webhook.GitHub(fixed(githubKey)), delivery{body: githubBody, headers: []string{"X-Hub-Signature-256", githubSign[:69]}}, malformed},
		"github, sent twice":               {webhook.GitHub(fixed(githubKey)), delivery{body: githubBody, headers: []string{"X-Hub-Signature-256", githubSign + "," + githubSign}}, malformed},
		"github, a byte more":              {webhook.GitHub(fixed(githubKey)), delivery{body: githubBody + "\n", headers: []string{"X-Hub-Signature-256", githubSign}}, invalid},
		"stripe, only v0":                  {stripeOK, stripe(stripeBody, fmt.Sprintf("t=%d,v0=%s", stripeTime, v1)), malformed},
		"stripe, two timestamps":           {stripeOK, stripe(stripeBody, fmt.Sprintf("t=%d,t=%d,v1=%s", stripeTime-9000, stripeTime, v1)), malformed},
		"stripe, no timestamp":             {stripeOK, stripe(stripeBody, "v1="+v1), malformed},
		"stripe, spaces":                   {stripeOK, stripe(stripeBody, fmt.Sprintf("t=%d, v1=%s", stripeTime, v1)), malformed},
		"stripe, nothing":                  {stripeOK, delivery{body: stripeBody}, missing},
		"stripe, nine signatures":          {stripeOK, stripe(stripeBody, fmt.Sprintf("t=%d%s", stripeTime, strings.Repeat(",v1="+v1, 9))), malformed},
		"stripe, a signature cut short":    {stripeOK, stripe(stripeBody, fmt.Sprintf("t=%d,v1=%s", stripeTime, v1[:62])), malformed},
		"stripe, after 301 s":              {webhook.Stripe(fixed(stripeKey), at(stripeTime+301)), stripe(stripeBody, fmt.Sprintf("t=%d,v1=%s", stripeTime, v1)), untimely},
		"stripe, timestamp edited to pass": {webhook.Stripe(fixed(stripeKey), at(stripeTime+301)), stripe(stripeBody, fmt.Sprintf("t=%d,v1=%s", stripeTime+301, v1)), invalid},
		"slack, no time":                   {webhook.HMAC(slack, fixed(slackKey), at(slackTime)), delivery{body: slackBody, headers: []string{"X-Slack-Signature", slackSign}}, malformed},
		"slack, no signature":              {webhook.HMAC(slack, fixed(slackKey), at(slackTime)), delivery{body: slackBody}, missing},
		"slack, cut short":                 {webhook.HMAC(slack, fixed(slackKey), at(slackTime)), delivery{body: slackBody, headers: []string{"X-Slack-Signature", slackSign[:65], "X-Slack-Request-Timestamp", strconv.Itoa(slackTime)}}, malformed},
		"slack, another prefix":            {webhook.HMAC(slack, fixed(slackKey), at(slackTime)), delivery{body: slackBody, headers: []string{"X-Slack-Signature", "v1" + slackSign[2:], "X-Slack-Request-Timestamp", strconv.Itoa(slackTime)}}, malformed},
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
// bytes would give one delivery two names.
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
		"unavailable":      {webhook.KeysFunc(func(context.Context) ([]string, error) { return nil, guard.Errorf(guard.Unavailable, "x", "", down) }), guard.Unavailable, "x"},
		"none":             {fixed(), guard.Internal, "webhook_key_malformed"},
		"an empty prefix":  {fixed(standardKey, "_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), guard.Internal, "webhook_key_malformed"},
		"not base64":       {fixed("whsec_%%%"), guard.Internal, "webhook_key_malformed"},
		"too short":        {fixed("whsec_AAAA"), guard.Internal, "webhook_key_malformed"},
		"of 23 bytes":      {fixed("whsec_" + strings.Repeat("AAAA", 7) + "AAA="), guard.Internal, "webhook_key_malformed"},
		"of 65 bytes":      {fixed("whsec_" + strings.Repeat("AAAA", 21) + "AAA="), guard.Internal, "webhook_key_malformed"},
		"public, cut":      {fixed("whpk_" + strings.Repeat("AAAA", 8)), guard.Internal, "webhook_key_malformed"},
		"another's prefix": {fixed("sk_live_" + strings.Repeat("AAAA", 8)), guard.Internal, "webhook_key_malformed"},
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
	if _, err := receive(webhook.GitHub(fixed("")), delivery{headers: []string{"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(mac256("", ""))}}); guard.KindOf(err) != guard.Internal {
		t.Errorf("an empty key signs: %v", err)
	}
}

func TestAMalformedRequestMakesNobodyFetchAKey(t *testing.T) {
	keys := webhook.KeysFunc(func(context.Context) ([]string, error) { t.Error("fetched"); return nil, nil })
	for _, d := range []delivery{standard("webhook-signature", ""), standard("webhook-signature", "v1,abc"), standard("webhook-timestamp", "1")} {
		if _, err := receive(webhook.Standard(keys, at(standardTime)), d); err == nil {
			t.Error("let through")
		}
	}
}

func TestDeliveryIDNeedsAVerifiedRequest(t *testing.T) {
	ctx, ev := context.Background(), guard.EventOf(context.Background(), standard().event())
	if id, err := webhook.DeliveryID(ctx, ev); err == nil {
		t.Errorf("got %q", id)
	}
	if _, ok := webhook.From(ctx); ok {
		t.Error("a delivery without one")
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
			t.Errorf("%s: %v", payload, err)
		}
	}
}

func TestContradictionsPanicWhenBuilt(t *testing.T) {
	for name, build := range map[string]func(){
		"no keys":                      func() { webhook.GitHub(webhook.Keys{}) },
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
		"tolerance without timestamp": func() {
			webhook.HMAC(webhook.HMACConfig{Signature: "X-Sign"}, fixed("k"), webhook.Tolerance(time.Minute))
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "webhook: ") {
					t.Errorf("panicked with %q", text)
				}
			}()
			build()
		})
	}
}
