package main

import (
	"errors"
	"os"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// issuer returns the verifier of access tokens (RFC 9068) that ISSUER issued for
// AUDIENCE. Only a local run may leave both out: it issues tokens of its own.
func issuer() (authorizer.Verifier, error) {
	url, audience := os.Getenv("ISSUER"), os.Getenv("AUDIENCE")
	switch {
	case url == "" && audience == "" && os.Getenv("AWS_SAM_LOCAL") == "true":
		return localIssuer(os.Stderr), nil
	case url == "":
		return nil, errors.New("ISSUER is not set")
	case audience == "":
		return nil, errors.New("AUDIENCE is not set")
	}
	config := jwt.AccessToken(url, audience)
	config.CacheTokens = 1000
	return jwt.New(config), nil
}
