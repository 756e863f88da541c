package jwt_test

import (
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Clocks of issuers run ahead by a second or two.
func TestAClockThatIsAFewSecondsAheadIsNoReasonToRefuse(t *testing.T) {
	k := newEC("a")
	v := verifier(t, config(k))
	for _, tt := range []struct {
		claim  string
		offset int64
		want   string
	}{
		{claim: "nbf", offset: 5, want: ""},
		{claim: "nbf", offset: 6, want: "unavailable/token_not_yet_valid"},
		{claim: "iat", offset: 5, want: ""},
		{claim: "iat", offset: 6, want: "unavailable/token_not_yet_valid"},
		{claim: "exp", offset: 1, want: ""},
		{claim: "exp", offset: 0, want: "token_expired"},
	} {
		_, err := v.Verify(t.Context(), k.token(claims(map[string]any{tt.claim: now.Unix() + tt.offset})))
		if got := codeOf(err); got != tt.want {
			t.Errorf("%s at %+d: got %q, want %q", tt.claim, tt.offset, got, tt.want)
		}
	}
}

// A gateway keeps a denial for up to an hour. One that time alone mends is
// therefore none, however far the clocks are apart within that hour.
func TestATokenThatIsNotValidYetIsNotDeniedForLongerThanThat(t *testing.T) {
	k := newEC("a")
	v := verifier(t, config(k))
	at := func(claim string, offset time.Duration) string {
		return claims(map[string]any{claim: now.Add(offset).Unix(), "exp": now.Add(10 * time.Hour).Unix()})
	}
	for _, tt := range []struct {
		name  string
		token string
		want  string
		retry time.Duration
	}{
		{name: "valid in a second", token: k.token(at("nbf", 6*time.Second)), want: "unavailable/token_not_yet_valid", retry: time.Second},
		{name: "issued a second from now", token: k.token(at("iat", 6*time.Second)), want: "unavailable/token_not_yet_valid", retry: time.Second},
		{name: "valid in less than a second", token: k.token(claims(map[string]any{"nbf": raw("1800000005.5")})), want: "unavailable/token_not_yet_valid", retry: time.Second / 2},
		{name: "valid in an hour", token: k.token(at("nbf", time.Hour+5*time.Second)), want: "unavailable/token_not_yet_valid", retry: time.Hour},
		{name: "valid after an hour", token: k.token(at("nbf", time.Hour+6*time.Second)), want: "token_not_yet_valid"},
		{name: "issued in a year", token: k.token(at("iat", 9*time.Hour)), want: "token_not_yet_valid"},
		{name: "the later of the two counts", token: k.token(claims(map[string]any{"nbf": now.Unix() + 6, "iat": now.Unix() + 8})), want: "unavailable/token_not_yet_valid", retry: 3 * time.Second},
		{name: "wrong for ever as well", token: k.token(claims(map[string]any{"nbf": now.Unix() + 6, "aud": "other"})), want: "token_audience"},
		{name: "forged", token: newEC("a").token(at("nbf", 6*time.Second)), want: "token_signature"},
	} {
		_, err := v.Verify(t.Context(), tt.token)
		if got, retry := codeOf(err), guard.Public(err).RetryAfter; got != tt.want || retry != tt.retry {
			t.Errorf("%s: got %q, again after %v; want %q after %v", tt.name, got, retry, tt.want, tt.retry)
		}
	}
}

func TestAnAuthorizerDoesNotDenyWhatIsNotValidYet(t *testing.T) {
	k := newEC("a")
	for name, h := range map[string]lambda.Handler{
		"simple": authorizer.Simple(authorizer.Bearer(jwt.New(config(k)))),
		"policy": authorizer.Policy(authorizer.Bearer(jwt.New(config(k)))),
	} {
		out, err := h.Invoke(t.Context(), gatewayEvent(k.token(endless(map[string]any{"iat": time.Now().Add(10 * time.Minute).Unix()}))))
		if err == nil || guard.KindOf(err) != guard.Unavailable {
			t.Errorf("%s: got %s, %v; want an error that no gateway keeps", name, out, err)
		}
	}
}
