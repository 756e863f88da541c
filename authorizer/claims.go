package authorizer

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// claimsGrant makes a grant of the claims that a gateway has verified. An HTTP API passes
// on all of them as text, a list as "[a b]". A REST API separates a list by commas.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
func claimsGrant(claims map[string]any, scopes []string) (*Grant, error) {
	g := &Grant{
		Principal: cmp.Or(request.Text(claims["sub"]), request.Text(claims["client_id"])),
		Scopes:    slices.Clone(scopes),
		Groups:    claimedGroups(claims),
		Expires:   claimedEnd(request.Text(claims["exp"])),
		Context:   others(claims),
	}
	if g.Principal == "" {
		return nil, reason.New("authorizer: the token that the gateway has verified has no subject")
	}
	for _, scope := range strings.Fields(request.Text(claims["scope"])) {
		if !slices.Contains(g.Scopes, scope) {
			g.Scopes = append(g.Scopes, scope)
		}
	}
	delete(g.Context, "sub")
	return g, nil
}

// claimedGroups returns the groups of Cognito, whose names have no spaces, or else the
// claim groups. The text "[my admins]" may be one group or two, so it is ignored.
//
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateGroup.html
func claimedGroups(claims map[string]any) []string {
	if groups := listOf(claims["cognito:groups"]); len(groups) > 0 {
		return groups
	}
	groups := listOf(claims["groups"])
	if _, isText := claims["groups"].(string); isText && len(groups) > 1 {
		return nil
	}
	return groups
}

// listOf reads a list in any of the forms in which gateways pass one on.
func listOf(claim any) []string {
	if list, ok := claim.([]any); ok {
		var out []string
		for _, v := range list {
			out = append(out, request.Text(v))
		}
		return out
	}
	text := request.Text(claim)
	if inner, ok := strings.CutPrefix(text, "["); ok {
		return strings.Fields(strings.TrimSuffix(inner, "]"))
	}
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' })
}

// claimedEnd reads seconds since 1970, or a date as a REST API writes it. The gateway has
// checked the expiry already, so text in another form is ignored.
func claimedEnd(text string) time.Time {
	if seconds, err := strconv.ParseInt(text, 10, 53); err == nil {
		return time.Unix(seconds, 0)
	}
	end, _ := time.Parse(time.UnixDate, text)
	return end
}
