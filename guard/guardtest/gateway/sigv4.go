package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway/internal/event"
)

const (
	signedBy  = "AWS4-HMAC-SHA256"
	amzDate   = "20060102T150405Z"
	maxSkew   = 5 * time.Minute
	apiRegion = "us-east-1"
)

// A signature is the parsed Authorization header of a signed request. See
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
type signature struct {
	accessKey string
	scope     string // date/region/service/aws4_request
	headers   []string
	value     string
}

func parseSignature(authorization string) (s signature, ok bool) {
	rest, ok := strings.CutPrefix(authorization, signedBy+" ")
	if !ok {
		return s, false
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	s.accessKey, s.scope, _ = strings.Cut(parts["Credential"], "/")
	s.headers = strings.Split(parts["SignedHeaders"], ";")
	s.value = parts["Signature"]
	return s, s.accessKey != "" && s.scope != "" && s.value != ""
}

// matches signs the request again, including the host. It uses the address and the
// path that the client called, with a stage or a base path. See
// https://github.com/floci-io/floci/issues/4090
func (s signature) matches(req *event.Request, caller IAMCaller, service string, at time.Time) bool {
	again := &http.Request{Method: req.HTTP.Method, Host: req.HTTP.Host, Header: http.Header{}}
	u := *req.HTTP.URL
	u.Host, u.Scheme = req.HTTP.Host, "http"
	if req.HTTP.TLS != nil {
		u.Scheme = "https"
	}
	again.URL = &u
	for _, name := range s.headers {
		if values := req.HTTP.Header.Values(name); len(values) > 0 {
			again.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
		}
	}
	if slices.Contains(s.headers, "content-length") {
		again.ContentLength = int64(len(req.Body))
		again.Header.Del("Content-Length") // the signer adds it itself
	}
	sum := sha256.Sum256(req.Body)
	credentials := aws.Credentials{AccessKeyID: caller.AccessKeyID, SecretAccessKey: caller.SecretAccessKey, SessionToken: caller.SessionToken}
	err := v4.NewSigner().SignHTTP(context.Background(), credentials, again, hex.EncodeToString(sum[:]), service, apiRegion, at, func(o *v4.SignerOptions) {
		o.DisableSessionToken = !slices.Contains(s.headers, "x-amz-security-token")
	})
	if err != nil {
		return false
	}
	want, ok := parseSignature(again.Header.Get("Authorization"))
	return ok && slices.Equal(want.headers, s.headers) && hmac.Equal([]byte(want.value), []byte(s.value))
}
