package jwt_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
	"github.com/lambdarmor/lambdarmor/guard"
)

// exampleIssuer has a key, and issues tokens with it.
func exampleIssuer() (keySet []byte, issue func(claims map[string]any) string) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	keySet = fmt.Appendf(nil, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":%q}]}`, encode(public))
	return keySet, func(claims map[string]any) string {
		payload, err := json.Marshal(claims)
		if err != nil {
			panic(err)
		}
		signed := encode([]byte(`{"alg":"EdDSA","kid":"1"}`)) + "." + encode(payload)
		return signed + "." + encode(ed25519.Sign(private, []byte(signed)))
	}
}

func Example() {
	keySet, issue := exampleIssuer()
	verifier := jwt.New(jwt.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://api.example"},
		Keys:      jwt.StaticJWKS(keySet), // without it, keys are discovered at the issuer
		Groups:    "groups",
		Context:   []string{"tenant"},
	})
	claims := map[string]any{
		"iss": "https://issuer.example", "aud": "https://api.example", "sub": "ada",
		"exp": time.Now().Add(time.Hour).Unix(), "scope": "orders:read orders:write",
		"groups": []string{"staff"}, "tenant": "t-1",
	}
	grant, err := verifier.Verify(context.Background(), issue(claims))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(grant.Principal, grant.Scopes, grant.Groups, grant.Context)

	claims["aud"] = "https://other.example"
	_, err = verifier.Verify(context.Background(), issue(claims))
	fmt.Println(guard.KindOf(err), guard.Public(err).Code)
	// Output:
	// ada [orders:read orders:write] [staff] map[tenant:t-1]
	// unauthenticated token_audience
}

// Claims that are not in the Grant are decoded into a type of your own.
func ExampleClaims_Decode() {
	keySet, issue := exampleIssuer()
	verifier := jwt.New(jwt.Config{
		Issuer: "https://issuer.example", Audiences: []string{"https://api.example"}, Keys: jwt.StaticJWKS(keySet),
	})
	claims, err := verifier.Claims(context.Background(), issue(map[string]any{
		"iss": "https://issuer.example", "aud": "https://api.example", "sub": "ada",
		"exp": time.Now().Add(time.Hour).Unix(), "tenant": map[string]any{"id": "t-1", "plan": "gold"},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	var mine struct {
		Tenant struct {
			ID   string `json:"id"`
			Plan string `json:"plan"`
		} `json:"tenant"`
	}
	fmt.Println(claims.Decode(&mine), mine.Tenant.ID, mine.Tenant.Plan)
	// Output: <nil> t-1 gold
}

// The keys of an issuer are fetched for the first token.
func ExampleJWKS() {
	keySet, issue := exampleIssuer()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Println("the keys are fetched")
		w.Header().Set("Cache-Control", "max-age=3600")
		_, _ = w.Write(keySet)
	}))
	defer server.Close()
	verifier := jwt.New(jwt.Config{
		Issuer:     "https://issuer.example",
		Clients:    []string{"shop"},
		Keys:       jwt.JWKS(server.URL + "/keys"),
		HTTPClient: server.Client(),
	})
	token := issue(map[string]any{
		"iss": "https://issuer.example", "client_id": "shop", "sub": "ada", "exp": time.Now().Add(time.Hour).Unix(),
	})
	for range 3 {
		grant, err := verifier.Verify(context.Background(), token)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(grant.Principal)
	}
	// Output:
	// the keys are fetched
	// ada
	// ada
	// ada
}

// The Config of a profile can be changed before it is used.
func ExampleCognito() {
	c := jwt.Cognito("eu-central-1_AbCdEfGhI", "7h2k3j4l5m6n7o8p9q0r1s2t3u")
	c.Context = []string{"username"}
	c.CacheTokens = 1000
	fmt.Println(c.Issuer)
	fmt.Println(c.TokenUse, c.Algorithms, c.Groups)
	_ = jwt.New(c)
	// Output:
	// https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI
	// access [RS256] cognito:groups
}

// A load balancer passes a token in a header of its own.
func ExampleALB() {
	tokens := jwt.New(jwt.ALB("arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/49e9d65c45c6791a",
		"https://issuer.example", "client-1"))
	check := func(ctx context.Context, r *authorizer.Request) (*authorizer.Grant, error) {
		return tokens.Verify(ctx, r.Header("X-Amzn-Oidc-Data"))
	}
	_ = authorizer.Require(check)
}
