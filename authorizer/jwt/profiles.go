package jwt

import "strings"

// accessTokenType is the typ of RFC 9068.
const accessTokenType = "at+jwt"

// Cognito returns a Config for access tokens of an Amazon Cognito user pool, such
// as "eu-central-1_AbCdEfGhI", that were issued to one of the clients. The claim
// cognito:groups has the groups. ID tokens are refused: they say who a user is, not
// what an application may do.
//
// It panics if pool is not the id of a user pool.
func Cognito(pool string, clients ...string) Config {
	region, name, ok := strings.Cut(pool, "_")
	if !ok || !isRegion(region) || !consistsOf(name, lowerCase+upperCase) {
		panic("jwt: Cognito: the id of a user pool must be like eu-central-1_AbCdEfGhI")
	}
	issuer := "https://cognito-idp." + region + "." + domainOf(region) + "/" + pool
	return Config{
		Issuer:     issuer,
		Clients:    clients,
		Keys:       JWKS(issuer + "/.well-known/jwks.json"),
		Algorithms: []Algorithm{RS256},
		TokenUse:   "access",
		Groups:     "cognito:groups",
	}
}

// CognitoID is [Cognito] for ID tokens. They have no scopes.
func CognitoID(pool string, clients ...string) Config {
	c := Cognito(pool)
	c.TokenUse = "id"
	c.Audiences = clients
	return c
}

// AccessToken returns a Config for access tokens of type at+jwt, as RFC 9068
// describes them, with keys found by OpenID Connect Discovery. They must have the
// claims iss, exp, aud, sub, client_id, iat and jti.
func AccessToken(issuer string, audiences ...string) Config {
	return Config{Issuer: issuer, Audiences: audiences, Types: []string{accessTokenType}}
}

const (
	lowerCase = "abcdefghijklmnopqrstuvwxyz0123456789"
	upperCase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// consistsOf reports whether s is not empty and has characters of the set alone.
func consistsOf(s, set string) bool { return s != "" && strings.Trim(s, set) == "" }

// isRegion reports whether s looks like a region: "eu-central-1". It becomes part
// of a host name.
func isRegion(s string) bool { return consistsOf(s, lowerCase+"-") && strings.Count(s, "-") >= 2 }

// domainOf returns the domain of a region's partition.
func domainOf(region string) string {
	for prefix, domain := range map[string]string{
		"cn-":      "amazonaws.com.cn",
		"us-iso-":  "c2s.ic.gov",
		"us-isob-": "sc2s.sgov.gov",
		"us-isof-": "csp.hci.ic.gov",
		"eu-isoe-": "cloud.adc-e.uk",
		"eusc-":    "amazonaws.eu",
	} {
		if strings.HasPrefix(region, prefix) {
			return domain
		}
	}
	return "amazonaws.com"
}
