package request_test

import (
	"fmt"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/request"
)

// Who calls a resolver of AppSync or a handler of AppSync Events is in the
// identity, whose form goes by the way of signing in.
//
// https://docs.aws.amazon.com/appsync/latest/devguide/resolver-context-reference.html
func TestCallerOfAppSync(t *testing.T) {
	const graphQL, channel = `"arguments":{},"info":{"fieldName":"f"}`, `"events":null,"info":{"channel":{"path":"/a"},"operation":"SUBSCRIBE"}`
	for _, tt := range []struct {
		name     string
		api      string
		identity string
		want     string // "" is nobody
		err      error
	}{
		{name: "a token", api: graphQL, identity: `{"sub":"u-1","issuer":"https://i.example"}`, want: "jwt [https://i.example u-1]"},
		{name: "a token, of Events", api: channel, identity: `{"sub":"u-1","issuer":"https://i.example"}`, want: "jwt [https://i.example u-1]"},
		{name: "IAM, of Events", api: channel, identity: `{"userArn":"arn:aws:iam::1:user/u","accountId":"1"}`, want: "iam [arn:aws:iam::1:user/u ]"},
		{name: "a Lambda authorizer", api: graphQL, identity: `{"resolverContext":{"sub":"u-1"}}`, want: "lambda [u-1]"},
		{name: "a Lambda authorizer, of Events", api: channel, identity: `{"handlerContext":{"sub":"u-1"}}`, want: "lambda [u-1]"},
		{name: "a Lambda authorizer that names nobody, of Events", api: channel, identity: `{"handlerContext":{"tier":"gold"}}`, err: request.ErrNameless},
		{name: "an API key", api: graphQL, identity: `null`},
		{name: "an API key, of Events", api: channel, identity: `null`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := request.Read([]byte(`{` + tt.api + `,"identity":` + tt.identity + `,"request":{"headers":{}},"prev":null,"stash":{}}`))
			if err != nil || r.Trigger() != request.AppSync {
				t.Fatalf("got %s, %v, want %s", r.Trigger(), err, request.AppSync)
			}
			caller, err := r.Caller()
			got := ""
			if caller.Kind != "" {
				got = fmt.Sprint(caller.Kind, " ", caller.Parts)
			}
			if got != tt.want || err != tt.err {
				t.Errorf("got %q, %v, want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// Who has signed in, by every way that a gateway has.
func TestCaller(t *testing.T) {
	const (
		v1   = `{"version":"1.0","httpMethod":"GET","path":"/","requestContext":{"http":null,`
		rest = `{"httpMethod":"GET","path":"/","requestContext":{`
		v2   = `{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GET"},`
	)
	for _, tt := range []struct {
		name  string
		event string
		want  string // "" is nobody
		err   error
	}{
		{name: "nobody", event: rest + `"identity":{"sourceIp":"192.0.2.1"}}}`},
		{name: "IAM, 1.0", event: rest + `"identity":{"userArn":"arn:aws:iam::1:user/u","user":"U","caller":"C"}}}`, want: "iam [arn:aws:iam::1:user/u ]"},
		{name: "Cognito, 1.0", event: rest + `"identity":{"cognitoIdentityId":"eu-1:2"}}}`, want: "iam [ eu-1:2]"},
		{name: "IAM, 2.0", event: v2 + `"authorizer":{"iam":{"userArn":"arn:aws:iam::1:user/u","callerId":"C"}}}}`, want: "iam [arn:aws:iam::1:user/u ]"},
		{name: "IAM without a name", event: v2 + `"authorizer":{"iam":{"accountId":"1"}}}}`, err: request.ErrNameless},
		{name: "a token, 2.0", event: v2 + `"authorizer":{"jwt":{"claims":{"iss":"i","sub":"s"},"scopes":["a"]}}}}`, want: "jwt [i s]"},
		{name: "a token without claims", event: v2 + `"authorizer":{"jwt":{}}}}`, err: request.ErrNameless},
		{name: "a token, 1.0", event: v1 + `"authorizer":{"claims":{"iss":"i","client_id":"c"}}}}`, want: "jwt [i c]"},
		{name: "a Lambda authorizer, 2.0", event: v2 + `"authorizer":{"lambda":{"principalId":"p","sub":"s"}}}}`, want: "lambda for [p s]"},
		{name: "a Lambda authorizer, 1.0", event: rest + `"authorizer":{"principalId":"p","integrationLatency":4}}}`, want: "lambda [p]"},
		{name: "a Lambda authorizer that says nothing", event: rest + `"authorizer":{"integrationLatency":4}}}`},
		{name: "a Lambda authorizer that names nobody", event: rest + `"authorizer":{"tier":"gold"}}}`, err: request.ErrNameless},
		{name: "an API key", event: rest + `"identity":{"apiKeyId":"k"}}}`, want: "key [k]"},
		{name: "a certificate, 1.0", event: rest + `"identity":{"clientCert":{"subjectDN":"CN=c","issuerDN":"CN=i","serialNumber":"1"}}}}`, want: "certificate [CN=i CN=c]"},
		{name: "a certificate, 2.0", event: v2 + `"authentication":{"clientCert":{"clientCertPem":"PEM","issuerDN":"CN=i","serialNumber":"1"}}}}`, want: "certificate number [CN=i 1]"},
		{name: "no certificate", event: v2 + `"authentication":null}}`},
		{
			name:  "a certificate of a load balancer",
			event: `{"httpMethod":"GET","requestContext":{"elb":{}},"headers":{"x-amzn-mtls-clientcert-subject":"CN=c","x-amzn-mtls-clientcert-issuer":"CN=i"}}`,
			want:  "certificate [CN=i CN=c]",
		},
		{name: "OpenID Connect of a load balancer", event: `{"httpMethod":"GET","requestContext":{"elb":{}},"headers":{"x-amzn-oidc-identity":"u"}}`, want: "oidc [u]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := request.Read([]byte(tt.event))
			if err != nil {
				t.Fatal(err)
			}
			caller, err := r.Caller()
			got := ""
			if caller.Kind != "" {
				got = fmt.Sprint(caller.Kind, " ", caller.Parts)
			}
			if got != tt.want || err != tt.err {
				t.Errorf("got %q, %v, want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestThePartsOfACertificateAndOfASignature(t *testing.T) {
	r, err := request.Read([]byte(`{"httpMethod":"GET","requestContext":{"identity":{"userArn":"arn","user":"u","caller":"c","accountId":"1","accessKey":"AK",
		"principalOrgId":"o","cognitoIdentityId":"i","cognitoIdentityPoolId":"p",
		"clientCert":{"clientCertPem":"PEM","subjectDN":"S","issuerDN":"I","serialNumber":"N","validity":{"notBefore":"B","notAfter":"A"}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	iam := request.IAM{ARN: "arn", UserID: "u", Caller: "c", AccountID: "1", AccessKey: "AK", OrganizationID: "o", CognitoIdentityID: "i", CognitoPoolID: "p"}
	if got := r.Authorized().IAM; got == nil || *got != iam {
		t.Errorf("got %+v, want %+v", got, iam)
	}
	cert := request.Certificate{PEM: "PEM", SubjectDN: "S", IssuerDN: "I", SerialNumber: "N", NotBefore: "B", NotAfter: "A"}
	if got := r.Certificate(); got == nil || *got != cert {
		t.Errorf("got %+v, want %+v", got, cert)
	}
}
