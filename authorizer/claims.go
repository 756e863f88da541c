package authorizer

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/request"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// claimsGrant makes a grant of the claims that a gateway has verified. An HTTP
// API passes all of them on as text: a list as "[a b]". A REST API separates it
// by commas.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
func claimsGrant(claims map[string]any, scopes []string) (*Grant, error) {
	g := &Grant{Principal: request.Text(claims["sub"])}
	if g.Principal == "" { // a token of a client's own
		g.Principal = request.Text(claims["client_id"])
	}
	if g.Principal == "" {
		return nil, reason.New("authorizer: the token that the gateway has verified has no subject")
	}
	g.Scopes = slices.Clone(scopes)
	for _, scope := range strings.Fields(request.Text(claims["scope"])) {
		if !slices.Contains(g.Scopes, scope) {
			g.Scopes = append(g.Scopes, scope)
		}
	}
	g.Groups = groupsOf(claims)
	g.Expires = endOf(request.Text(claims["exp"]))
	for name, value := range claims {
		if _, ok := reserved[name]; ok || name == "sub" {
			continue
		}
		if g.Context == nil {
			g.Context = make(map[string]any, len(claims))
		}
		g.Context[name] = plainValue(value)
	}
	return g, nil
}

// groupsOf reads the groups of Cognito, whose names have no spaces, and otherwise
// the claim groups: of a text "[my admins]" it cannot be told whether it is one
// group or two, and so it is none.
//
// https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateGroup.html
func groupsOf(claims map[string]any) []string {
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
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// endOf reads the end of a token: seconds since 1970, or a date as a REST API
// writes it. The gateway has held the token to it; what cannot be read is no end.
func endOf(text string) time.Time {
	if seconds, err := strconv.ParseInt(text, 10, 53); err == nil {
		return time.Unix(seconds, 0)
	}
	end, _ := time.Parse(time.UnixDate, text)
	return end
}
