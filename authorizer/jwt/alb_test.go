package jwt_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

const (
	balancer    = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/49e9d65c45c6791a"
	balancerKid = "01234567-89ab-cdef-0123-456789abcdef"
	balancerURI = "https://public-keys.auth.elb.us-east-1.amazonaws.com/"
)

// balancerHeader is a header as a load balancer makes it.
func balancerHeader(changes map[string]any) string {
	all := map[string]any{
		"typ": "JWT", "kid": balancerKid, "alg": "ES256", "iss": issuer, "client": "c", "signer": balancer, "exp": now.Unix() + 60,
	}
	maps.Copy(all, changes)
	for name, value := range changes {
		if value == nil {
			delete(all, name)
		}
	}
	return string(must(json.Marshal(all)))
}

// padded signs what a load balancer signs: parts with padding.
func (k signingKey) padded(header, claims string) string {
	signed := base64.URLEncoding.EncodeToString([]byte(header)) + "." + base64.URLEncoding.EncodeToString([]byte(claims))
	return signed + "." + base64.URLEncoding.EncodeToString(k.signature(signed))
}

func (k signingKey) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(k.public))})
}

const userClaims = `{"sub":"u-1","email":"ada@example.com","email_verified":true}`

func TestALB(t *testing.T) {
	k := newEC("")
	n := newInternet(map[string][]byte{balancerURI + balancerKid: k.pem()})
	c := jwt.ALB(balancer, issuer, "c", "d")
	c.HTTPClient, c.Context = n.client(), []string{"email"}
	v := verifier(t, c)

	grant, err := v.Verify(t.Context(), k.padded(balancerHeader(nil), userClaims))
	if err != nil || grant.Principal != "u-1" || grant.Context["email"] != "ada@example.com" || !grant.Expires.Equal(now.Add(time.Minute)) {
		t.Fatalf("got %+v, %v; want the grant of u-1", grant, err)
	}
	more := func(member string) string { return userClaims[:len(userClaims)-1] + "," + member + "}" }
	foreign := strings.Replace(balancer, "123456789012", "210987654321", 1)
	for _, a := range []attack{
		{
			name:  "a foreign signer",
			token: k.padded(balancerHeader(map[string]any{"signer": foreign}), userClaims),
			code:  "token_issuer",
		},
		{
			name:  "a signer of the same name",
			token: k.padded(balancerHeader(map[string]any{"signer": balancer + "b"}), userClaims),
			code:  "token_issuer",
		},
		{name: "no signer", token: k.padded(balancerHeader(map[string]any{"signer": nil}), userClaims), code: "token_issuer"},
		{
			name:  "a signer in the claims alone",
			token: k.padded(balancerHeader(map[string]any{"signer": nil}), more(`"signer":"`+balancer+`"`)),
			code:  "token_issuer",
		},
		{
			name:  "a signer twice",
			token: k.padded(strings.Replace(balancerHeader(nil), "{", `{"signer":"x",`, 1), userClaims),
			code:  "token_malformed",
		},
		{
			name:  "a signer in another case",
			token: k.padded(strings.Replace(balancerHeader(nil), "{", `{"Signer":"x",`, 1), userClaims),
			code:  "token_malformed",
		},
		{
			name:  "another issuer",
			token: k.padded(balancerHeader(map[string]any{"iss": "https://evil.example"}), userClaims),
			code:  "token_issuer",
		},
		{
			name:  "another issuer in the claims",
			token: k.padded(balancerHeader(nil), more(`"iss":"https://evil.example"`)),
			code:  "token_issuer",
		},
		{
			name:  "another issuer, not in the claims",
			token: k.padded(balancerHeader(map[string]any{"iss": "https://evil.example"}), more(`"iss":"`+issuer+`"`)),
			code:  "token_issuer",
		},
		{
			name:  "another client, not in the claims",
			token: k.padded(balancerHeader(map[string]any{"client": "x"}), more(`"client_id":"c"`)),
			code:  "token_audience",
		},
		{name: "bits that are left", token: leftBitsBefore(k.padded(balancerHeader(nil), userClaims)), code: "token_malformed"},
		{
			name:  "another client",
			token: k.padded(balancerHeader(map[string]any{"client": "x"}), userClaims),
			code:  "token_audience",
		},
		{
			name:  "no client",
			token: k.padded(balancerHeader(map[string]any{"client": nil}), more(`"client":"c","client_id":"c"`)),
			code:  "token_audience",
		},
		{
			name:  "no exp",
			token: k.padded(balancerHeader(map[string]any{"exp": nil}), more(`"exp":1900000000`)),
			code:  "token_claims",
		},
		{
			name:  "exp that is a string",
			token: k.padded(balancerHeader(map[string]any{"exp": "1900000000"}), userClaims),
			code:  "token_claims",
		},
		{name: "expired", token: k.padded(balancerHeader(map[string]any{"exp": now.Unix()}), userClaims), code: "token_expired"},
		{
			name:  "expired, with a kid that is not known",
			token: k.padded(balancerHeader(map[string]any{"exp": now.Unix(), "kid": strings.Repeat("a", 36)}), userClaims),
			code:  "token_expired",
		},
		{
			name:  "expired in the header alone",
			token: k.padded(balancerHeader(map[string]any{"exp": now.Unix()}), more(`"exp":1900000000`)),
			code:  "token_expired",
		},
		{
			name:  "expired in the claims alone",
			token: k.padded(balancerHeader(nil), more(fmt.Sprintf(`"exp":%d`, now.Unix()))),
			code:  "token_expired",
		},
		{
			name:  "RS256",
			token: newRSA(jwt.RS256, "").padded(balancerHeader(map[string]any{"alg": "RS256"}), userClaims),
			code:  "token_algorithm",
		},
		{name: "none", token: k.padded(balancerHeader(map[string]any{"alg": "none"}), userClaims), code: "token_algorithm"},
		{name: "another key", token: newEC("").padded(balancerHeader(nil), userClaims), code: "token_signature"},
		{name: "no padding", token: k.sign(balancerHeader(nil), userClaims), code: "token_malformed"},
		{
			name:  "a path",
			token: k.padded(balancerHeader(map[string]any{"kid": "../../evil/0123-4567-89ab-cdef01234567"}), userClaims),
			code:  "token_malformed",
		},
		{
			name:  "a path of the length of a kid",
			token: k.padded(balancerHeader(map[string]any{"kid": "../01234567-89ab-cdef-0123-456789abc"}), userClaims),
			code:  "token_malformed",
		},
		{
			name:  "a kid that is too short",
			token: k.padded(balancerHeader(map[string]any{"kid": balancerKid[:35]}), userClaims),
			code:  "token_malformed",
		},
		{
			name:  "a query",
			token: k.padded(balancerHeader(map[string]any{"kid": balancerKid[:34] + "?a"}), userClaims),
			code:  "token_malformed",
		},
		{
			name:  "an escape",
			token: k.padded(balancerHeader(map[string]any{"kid": balancerKid[:33] + "%2e"}), userClaims),
			code:  "token_malformed",
		},
		{name: "no kid", token: k.padded(balancerHeader(map[string]any{"kid": nil}), userClaims), code: "token_malformed"},
		{
			name:  "line breaks",
			token: strings.Replace(k.padded(balancerHeader(nil), userClaims), ".", "\n.", 1),
			code:  "token_malformed",
		},
		{name: "a token of the issuer itself", token: k.token(claims(nil)), code: "token_issuer"},
	} {
		t.Run(a.name, func(t *testing.T) { expectCode(t, v, a.name, a.token, a.code) })
	}
	if n.count(balancerURI+balancerKid) != 1 || len(n.asked) != 1 {
		t.Errorf("got requests %v, want one for the key", n.asked)
	}
}

// The signer decides which load balancer it was, for any issuer.
func TestALoadBalancerOfAnyIssuer(t *testing.T) {
	k := newEC("")
	n := newInternet(map[string][]byte{balancerURI + balancerKid: k.pem()})
	c := jwt.ALB(balancer, "", "c")
	c.UnsafeAnyIssuer, c.HTTPClient = true, n.client()
	v := verifier(t, c)
	expectCode(t, v, "another issuer", k.padded(balancerHeader(map[string]any{"iss": "https://other.example"}), userClaims), "")
	expectCode(t, v, "another signer", k.padded(balancerHeader(map[string]any{"signer": "x"}), userClaims), "token_issuer")
}

// leftBitsBefore sets a bit that means nothing in the signature, of 64 bytes,
// whose last character is followed by two of padding.
func leftBitsBefore(token string) string {
	cut := strings.LastIndexByte(token, '.') + 1
	return token[:cut] + leftBits(strings.TrimSuffix(token[cut:], "==")) + "=="
}

func TestWhereLoadBalancersHaveTheirKeys(t *testing.T) {
	for arn, want := range map[string]string{
		balancer: balancerURI,
		"arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:1:loadbalancer/app/a/b": "https://s3-us-gov-west-1.amazonaws.com/aws-elb-public-keys-prod-us-gov-west-1/",
		"arn:aws-us-gov:elasticloadbalancing:us-gov-east-1:1:loadbalancer/app/a/b": "https://s3-us-gov-east-1.amazonaws.com/aws-elb-public-keys-prod-us-gov-east-1/",
		"arn:aws-cn:elasticloadbalancing:cn-north-1:1:loadbalancer/app/a/b":        "https://public-keys.auth.elb.cn-north-1.amazonaws.com.cn/",
	} {
		k := newEC("")
		n := newInternet(map[string][]byte{want + balancerKid: k.pem()})
		c := jwt.ALB(arn, issuer, "c")
		c.HTTPClient = n.client()
		expectCode(t, verifier(t, c), arn, k.padded(balancerHeader(map[string]any{"signer": arn}), userClaims), "")
		if n.count(want+balancerKid) != 1 {
			t.Errorf("%s: got requests %v, want one for the key", arn, n.asked)
		}
	}
}

func TestKeysOfALoadBalancer(t *testing.T) {
	k, other := newEC(""), newEC("")
	const otherKid = "fedcba98-7654-3210-fedc-ba9876543210"
	n := newInternet(map[string][]byte{balancerURI + balancerKid: k.pem()})
	c := jwt.ALB(balancer, issuer, "c")
	c.HTTPClient = n.client()
	v, clock := started(c)
	lasting := func(kid string) string {
		return balancerHeader(map[string]any{"kid": kid, "exp": now.Unix() + 360_000})
	}
	token, unknown := k.padded(lasting(balancerKid), userClaims), other.padded(lasting(otherKid), userClaims)
	expectCode(t, v, "known", token, "")
	clock.move(time.Minute)
	for range 100 {
		expectRefusedIfAsked(t, n.total, v, unknown)
		clock.move(250 * time.Millisecond)
	}
	if got := n.count(balancerURI + otherKid); got != 25 {
		t.Errorf("%d requests for an unknown kid in 25 s, want 25", got)
	}
	n.put(balancerURI+otherKid, other.pem())
	clock.move(5 * time.Second)
	expectCode(t, v, "known now", unknown, "")

	// Kids that nobody has: at most one request a second, and none of them
	// takes the place of a key for long.
	start := n.total()
	for i := range 100 {
		expectRefusedIfAsked(t, n.total, v, other.padded(lasting(fmt.Sprintf("%08x-0000-0000-0000-000000000000", i)), userClaims))
		clock.move(100 * time.Millisecond)
	}
	if got := n.total() - start; got < 10 || got > 12 {
		t.Errorf("%d requests for 100 unknown kids in 10 s", got)
	}
	expectCode(t, v, "known all the time", token, "")
	if got := n.count(balancerURI + balancerKid); got != 1 {
		t.Errorf("%d requests for a known kid", got)
	}

	n.put(balancerURI+balancerKid, []byte("<html>"))
	clock.move(time.Hour)
	expectCode(t, v, "an answer that is no key", token, "")
	n.put(balancerURI+balancerKid, newRSA(jwt.RS256, "").pem())
	clock.move(time.Minute)
	expectCode(t, v, "a key of another kind", token, "token_algorithm")
	n.drop(balancerURI + otherKid)
	clock.move(time.Hour)
	expectCode(t, v, "taken back", unknown, "token_unknown_key")
}

func TestAnOutageOfTheKeysOfALoadBalancer(t *testing.T) {
	k := newEC("")
	for name, body := range map[string][]byte{
		"HTML":         []byte("<html>"),
		"two keys":     append(k.pem(), newEC("").pem()...),
		"a small key":  signingKey{public: must(rsa.GenerateKey(rand.Reader, 1024)).Public()}.pem(),
		"a JWK Set":    jwks(k),
		"nothing":      {},
		"too much":     bytes.Repeat(k.pem(), 1000),
		"a long story": bytes.Repeat([]byte(" "), 200_000),
	} {
		n := newInternet(map[string][]byte{balancerURI + balancerKid: body})
		c := jwt.ALB(balancer, issuer, "c")
		c.HTTPClient = n.client()
		v, clock := started(c)
		token := k.padded(balancerHeader(nil), userClaims)
		for range 10 {
			expectCode(t, v, name, token, outage)
		}
		if n.count(balancerURI+balancerKid) != 1 {
			t.Errorf("%s: got requests %v, want one", name, n.asked)
		}
		n.put(balancerURI+balancerKid, k.pem())
		clock.move(time.Second)
		expectCode(t, v, name+", when it is over", token, "")
	}
}

func TestTokensOfALoadBalancerAreCached(t *testing.T) {
	k := newEC("")
	n := newInternet(map[string][]byte{balancerURI + balancerKid: k.pem()})
	c := jwt.ALB(balancer, issuer, "c")
	c.HTTPClient, c.CacheTokens = n.client(), 10
	v, clock := started(c)
	token := k.padded(balancerHeader(nil), userClaims)
	if first := must(v.Verify(t.Context(), token)); must(v.Verify(t.Context(), token)) != first {
		t.Error("got two grants, want the one that is cached")
	}
	clock.move(time.Minute)
	expectCode(t, v, "expired", token, "token_expired")
}

// A cached token does not keep its key.
func TestATokenIsVerifiedAgainWhenItsKeyIsGivenUp(t *testing.T) {
	k := newEC("")
	n := newInternet(map[string][]byte{balancerURI + balancerKid: k.pem()})
	c := jwt.ALB(balancer, issuer, "c")
	c.HTTPClient, c.CacheTokens = n.client(), 100
	v, clock := started(c)
	sign := func(kid string) string {
		return k.padded(balancerHeader(map[string]any{"kid": kid, "exp": now.Unix() + 3600}), userClaims)
	}
	first := sign(balancerKid)
	expectCode(t, v, "the first", first, "")
	for i := range 16 {
		kid := fmt.Sprintf("%08x-0000-0000-0000-000000000000", i)
		n.put(balancerURI+kid, k.pem())
		clock.move(time.Second)
		expectCode(t, v, kid, sign(kid), "")
	}
	clock.move(time.Second)
	expectCode(t, v, "the first again", first, "")
	if got := n.count(balancerURI + balancerKid); got != 2 {
		t.Errorf("got %d requests for its key, want 2", got)
	}
}

func TestNotAllKeysOfLoadBalancersAreKept(t *testing.T) {
	n := newInternet(map[string][]byte{})
	c := jwt.ALB(balancer, issuer, "c")
	c.HTTPClient = n.client()
	v, clock := started(c)
	for i := range 40 {
		kid := fmt.Sprintf("%08x-0000-0000-0000-000000000000", i)
		k := newEC("")
		n.put(balancerURI+kid, k.pem())
		expectCode(t, v, "a new key", k.padded(balancerHeader(map[string]any{"kid": kid, "exp": now.Unix() + 3600}), userClaims), "")
		if got := v.BalancerKeys(); got > 16 {
			t.Fatalf("%d keys are kept", got)
		}
		clock.move(time.Second)
	}
}

// However many come at once, no more is asked for than one after the other.
func TestManyUnknownKidsOfALoadBalancerAtOnce(t *testing.T) {
	k := newEC("")
	n := newInternet(nil)
	c := jwt.ALB(balancer, issuer, "c")
	c.HTTPClient = n.client()
	v, _ := started(c)
	long := `{"sub":"u-1"` + `,"x":[` + strings.Repeat("0,", 1500) + `0]}`
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range 64 {
		token := k.padded(balancerHeader(map[string]any{"kid": fmt.Sprintf("%08x-0000-0000-0000-000000000000", i)}), long)
		all.Go(func() {
			<-start
			expectRefusedOrNotAsked(t, v, token)
		})
	}
	close(start)
	all.Wait()
	if len(n.asked) > 2 {
		t.Errorf("got %d requests at once, want 2 at most", len(n.asked))
	}
}

// The key that was fetched first makes room for a new one.
func TestWhichKeyOfALoadBalancerIsGivenUp(t *testing.T) {
	k := newEC("")
	n := newInternet(map[string][]byte{})
	c := jwt.ALB(balancer, issuer, "c")
	c.HTTPClient = n.client()
	v, clock := started(c)
	kid := func(i int) string { return fmt.Sprintf("%08x-0000-0000-0000-000000000000", i) }
	use := func(i int) {
		n.put(balancerURI+kid(i), k.pem())
		header := balancerHeader(map[string]any{"kid": kid(i), "exp": now.Unix() + 3600})
		expectCode(t, v, kid(i), k.padded(header, userClaims), "")
		clock.move(time.Second)
	}
	for i := range 17 {
		use(i)
	}
	for i := 16; i >= 0; i-- { // the first one last, as it takes the place of another
		use(i)
		want := 1
		if i == 0 {
			want = 2
		}
		if got := n.count(balancerURI + kid(i)); got != want {
			t.Errorf("key %d was asked for %d times, want %d", i, got, want)
		}
	}
}

func TestWhatAnAnswerSaysOfAKeyOfALoadBalancer(t *testing.T) {
	k := newEC("")
	for status, code := range map[int]string{403: "token_unknown_key", 404: "token_unknown_key", 301: outage, 401: outage, 429: outage, 500: outage, 503: outage} {
		c := jwt.ALB(balancer, issuer, "c")
		c.HTTPClient = &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Body: http.NoBody}, nil
		})}
		v, _ := started(c)
		expectCode(t, v, fmt.Sprint(status), k.padded(balancerHeader(nil), userClaims), code)
	}
}

// What is refused in any case uses none of the requests up that there are.
func TestExpiredTokensOfALoadBalancerKeepNoKeyFromBeingFound(t *testing.T) {
	k := newEC("")
	n := newInternet(map[string][]byte{balancerURI + balancerKid: k.pem()})
	c := jwt.ALB(balancer, issuer, "c")
	c.HTTPClient = n.client()
	v, _ := started(c)
	for i := range 10 {
		header := balancerHeader(map[string]any{"kid": fmt.Sprintf("%08x-0000-0000-0000-000000000000", i), "exp": now.Unix()})
		expectCode(t, v, "expired", k.padded(header, userClaims), "token_expired")
	}
	expectCode(t, v, "a good one", k.padded(balancerHeader(nil), userClaims), "")
}

func TestForgetDropsTheKeysOfLoadBalancers(t *testing.T) {
	k := newEC("")
	n := newInternet(map[string][]byte{balancerURI + balancerKid: k.pem()})
	c := jwt.ALB(balancer, issuer, "c", "d")
	c.HTTPClient = n.client()
	v := verifier(t, c)
	token := k.padded(balancerHeader(nil), userClaims)
	for i := range 3 {
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		if got := n.count(balancerURI + balancerKid); got != i+1 {
			t.Errorf("got %d fetches of the key, want %d", got, i+1)
		}
		v.Forget()
	}
}
