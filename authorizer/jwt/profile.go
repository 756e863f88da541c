package jwt

import "strings"

// accessTokenType is the typ of RFC 9068.
const accessTokenType = "at+jwt"

// Cognito is for access tokens of an Amazon Cognito user pool, like
// "eu-central-1_AbCdEfGhI", that were issued to one of the clients. Groups are
// those of cognito:groups. ID tokens are refused: they say who somebody is, not
// what an application may do in their name.
//
// It panics when pool is not the id of a user pool.
func Cognito(pool string, clients ...string) Config {
	issuer := cognitoIssuer(pool)
	return Config{
		Issuer:     issuer,
		Clients:    clients,
		Keys:       JWKS(issuer + "/.well-known/jwks.json"),
		Algorithms: []Algorithm{RS256},
		TokenUse:   "access",
		Groups:     "cognito:groups",
	}
}

// CognitoID is [Cognito] for ID tokens, in which aud is the client. They have
// no scopes.
func CognitoID(pool string, clients ...string) Config {
	c := Cognito(pool)
	c.TokenUse = "id"
	c.Audiences = clients
	return c
}

// AccessToken is for access tokens as RFC 9068 describes them, whose typ is
// at+jwt, with the keys of OpenID Connect Discovery. Of its claims iss, exp,
// aud, sub, client_id, iat and jti must be there.
func AccessToken(issuer string, audiences ...string) Config {
	return Config{Issuer: issuer, Audiences: audiences, Types: []string{accessTokenType}}
}

func cognitoIssuer(pool string) string {
	region, name, ok := strings.Cut(pool, "_")
	if !ok || !isRegion(region) || !isName(name, 55) {
		panic("jwt: Cognito: a user pool's id is like eu-central-1_AbCdEfGhI")
	}
	return "https://cognito-idp." + region + "." + domain(region) + "/" + pool
}

// isRegion reports whether s is like the name of a region: "eu-central-1".
func isRegion(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) < 3 {
		return false
	}
	for _, part := range parts {
		if !isName(part, 16) || part != strings.ToLower(part) {
			return false
		}
	}
	return true
}

// isName reports whether s is of 1 to limit letters and digits.
func isName(s string, limit int) bool {
	for _, c := range []byte(s) {
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z') {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

// domain is what the names of a region's hosts end in: that of its partition.
func domain(region string) string {
	for _, partition := range [...][2]string{
		{"cn-", "amazonaws.com.cn"},
		{"us-iso-", "c2s.ic.gov"},
		{"us-isob-", "sc2s.sgov.gov"},
		{"us-isof-", "csp.hci.ic.gov"},
		{"eu-isoe-", "cloud.adc-e.uk"},
		{"eusc-", "amazonaws.eu"},
	} {
		if strings.HasPrefix(region, partition[0]) {
			return partition[1]
		}
	}
	return "amazonaws.com"
}
