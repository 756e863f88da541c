package main

import (
	"errors"
	"os"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/authorizer/jwt"
)

// issuer gives who verifies tokens: access tokens as RFC 9068 describes them,
// issued by ISSUER for AUDIENCE. A local run without either issues its own, and
// nothing else does.
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
