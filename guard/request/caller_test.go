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
