package authorizer_test

import (
	"io"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/authorizer"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

func TestIAMGrantsToItsPrincipals(t *testing.T) {
	const account, bob = "123456789012", "arn:aws:iam::123456789012:user/ops/bob"
	for _, tt := range []struct {
		name       string
		principals []string
		arn        string
		status     int
		who        string
	}{
		{name: "any signer", arn: session, status: 201, who: role},
		{name: "the role", principals: []string{role}, arn: session, status: 201, who: role},
		{name: "the role, one of several", principals: []string{bob, role}, arn: session, status: 201, who: role},
		// The ARN of a session leaves out the role's path:
		// https://github.com/hashicorp/terraform-provider-aws/issues/19957
		{name: "the role, with its path", principals: []string{"arn:aws:iam::123456789012:role/teams/shop/orders"}, arn: session, status: 201, who: role},
		{name: "any session of it", principals: []string{role}, arn: "arn:aws:sts::123456789012:assumed-role/orders/till-4", status: 201, who: role},
		{name: "as VPC Lattice's guide writes it", principals: []string{role}, arn: "arn:aws:iam::123456789012:assumed-role/orders/till-4", status: 201, who: role},
		{name: "another role", principals: []string{role}, arn: "arn:aws:sts::123456789012:assumed-role/order/s", status: 403},
		{name: "a role whose session is named like it", principals: []string{role}, arn: "arn:aws:sts::123456789012:assumed-role/other/orders", status: 403},
		{name: "another case", principals: []string{role}, arn: "arn:aws:sts::123456789012:assumed-role/Orders/till-3", status: 403},
		{name: "the role of another account", principals: []string{role}, arn: "arn:aws:sts::210987654321:assumed-role/orders/till-3", status: 403},
		{name: "the role of another partition", principals: []string{role}, arn: "arn:aws-cn:sts::123456789012:assumed-role/orders/till-3", status: 403},
		{name: "a role in China", principals: []string{"arn:aws-cn:iam::123456789012:role/orders"}, arn: "arn:aws-cn:sts::123456789012:assumed-role/orders/till-3", status: 201, who: "arn:aws-cn:iam::123456789012:role/orders"},
		{name: "a role of GovCloud", principals: []string{"arn:aws-us-gov:iam::123456789012:role/orders"}, arn: "arn:aws-us-gov:sts::123456789012:assumed-role/orders/till-3", status: 201, who: "arn:aws-us-gov:iam::123456789012:role/orders"},
		{name: "a user", principals: []string{bob}, arn: bob, status: 201, who: bob},
		{name: "a user with another path", principals: []string{bob}, arn: "arn:aws:iam::123456789012:user/bob", status: 403},
		{name: "a user named like the role", principals: []string{role}, arn: "arn:aws:iam::123456789012:user/orders", status: 403},
		{name: "a role named like the user", principals: []string{"arn:aws:iam::123456789012:user/orders"}, arn: session, status: 403},
		{name: "the account, a role", principals: []string{account}, arn: session, status: 201, who: role},
		{name: "the account, a user", principals: []string{account}, arn: bob, status: 201, who: bob},
		{name: "the account, its root", principals: []string{account}, arn: "arn:aws:iam::123456789012:root", status: 201, who: "arn:aws:iam::123456789012:root"},
		{name: "the root alone", principals: []string{"arn:aws:iam::123456789012:root"}, arn: bob, status: 403},
		{name: "another account", principals: []string{account}, arn: "arn:aws:iam::210987654321:user/bob", status: 403},
		{name: "an account in a name", principals: []string{account}, arn: "arn:aws:iam::210987654321:user/123456789012", status: 403},
		{name: "a federated user", principals: []string{account, role}, arn: "arn:aws:sts::123456789012:federated-user/orders", status: 403},

		{name: "no ARN", principals: []string{role}, arn: "orders", status: 403},
		{name: "of another service", principals: []string{role}, arn: "arn:aws:s3::123456789012:assumed-role/orders/till-3", status: 403},
		{name: "a session without a name", principals: []string{role}, arn: "arn:aws:sts::123456789012:assumed-role/orders", status: 403},
		{name: "a session with an empty name", principals: []string{role}, arn: "arn:aws:sts::123456789012:assumed-role/orders/", status: 403},
		{name: "a session of no role", principals: []string{account}, arn: "arn:aws:sts::123456789012:assumed-role//till-3", status: 403},
		{name: "a session with a slash", principals: []string{role}, arn: "arn:aws:sts::123456789012:assumed-role/orders/a/b", status: 403},
		{name: "a role by its end", principals: []string{role}, arn: "arn:aws:sts::123456789012:assumed-role/a/orders/b", status: 403},
		{name: "no account", principals: []string{role}, arn: "arn:aws:sts:::assumed-role/orders/till-3", status: 403},
		{name: "half an account", principals: []string{account}, arn: "arn:aws:sts::12345678901:assumed-role/orders/till-3", status: 403},
		{name: "more than an ARN", principals: []string{role}, arn: session + ":" + role, status: 403},
	} {
		for form, event := range map[string]sample.Event{
			"HTTP API":     authorized(sample.Of(guard.HTTPAPI), signed(tt.arn, nil)),
			"format 1.0":   identity(authorized(sample.Of(guard.HTTPAPI, "format-1.0"), nil), tt.arn, nil),
			"REST":         identity(sample.Of(guard.REST), tt.arn, nil),
			"function URL": authorized(sample.Of(guard.FunctionURL), signed(tt.arn, nil)),
			"VPC Lattice":  sample.Of(guard.VPCLattice).Set("/requestContext/identity/principal", tt.arn),
		} {
			b := new(backend)
			r := mustRespond(t, b.handler(io.Discard, authorizer.Require(authorizer.IAM(tt.principals...))), event)
			if r.StatusCode != tt.status || (b.calls == 1) != (tt.status == 201) {
				t.Errorf("%s, %s: got %+v after %d calls, want %d", tt.name, form, r, b.calls, tt.status)
			}
			if tt.who != "" && (b.grant == nil || b.grant.Principal != tt.who) {
				t.Errorf("%s, %s: got the grant %+v, want the grant of %s", tt.name, form, b.grant, tt.who)
			}
		}
	}
}

// All who sign in through one pool have its role, and each is somebody.
func TestIAMKeepsTheIdentitiesOfAPoolApart(t *testing.T) {
	check := authorizer.IAM(poolRole)
	for _, id := range []string{"us-east-1:a", "us-east-1:b"} {
		for form, event := range map[string]sample.Event{
			"HTTP API": authorized(sample.Of(guard.HTTPAPI), signed(poolARN, map[string]any{"identityId": id, "identityPoolId": "us-east-1:p"})),
			"REST":     identity(sample.Of(guard.REST), poolARN, id),
		} {
			b := new(backend)
			if r := mustRespond(t, b.handler(io.Discard, authorizer.Require(check)), event); r.StatusCode != 201 || b.grant.Principal != id {
				t.Errorf("%s: got %+v for %+v, want %s", form, r, b.grant, id)
			}
		}
	}
}

func TestIAMDeniesWhoHasNotSigned(t *testing.T) {
	for name, event := range map[string]sample.Event{
		"HTTP API":             sample.Of(guard.HTTPAPI),
		"a Lambda authorizer":  authorized(sample.Of(guard.HTTPAPI), map[string]any{"lambda": map[string]any{"principalId": role, "userArn": session}}),
		"a token":              authorized(sample.Of(guard.HTTPAPI), jwt(map[string]any{"sub": role, "userArn": session}, nil)),
		"a header":             sample.Of(guard.HTTPAPI).Set("/headers/authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/execute-api/aws4_request"),
		"in the place of 1.0":  identity(sample.Of(guard.HTTPAPI), session, nil),
		"in the place of 2.0":  authorized(sample.Of(guard.REST), signed(session, nil)),
		"REST":                 sample.Of(guard.REST),
		"function URL":         sample.Of(guard.FunctionURL),
		"Lattice without IAM":  sample.Of(guard.VPCLattice).Set("/requestContext/identity/type", nil).Set("/requestContext/identity/principal", nil),
		"Lattice, another way": sample.Of(guard.VPCLattice).Set("/requestContext/identity/type", "OTHER"),
		"a load balancer":      sample.Of(guard.ALB),
	} {
		for _, check := range []authorizer.Check{authorizer.IAM(), authorizer.IAM(role)} {
			b := new(backend)
			if r := mustRespond(t, b.handler(io.Discard, authorizer.Require(check)), event); r.StatusCode != 401 || !strings.Contains(r.Body, "credential_missing") || b.calls != 0 {
				t.Errorf("%s: got %+v after %d calls, want a 401", name, r, b.calls)
			}
		}
	}
}

// A session is its caller's choice, and a pattern would match by its text alone.
func TestWhatIsNoPrincipalPanics(t *testing.T) {
	for _, bad := range []string{
		"", "*", "orders", "arn", "arn:aws", "arn:aws:iam::123456789012", "urn:aws:iam::123456789012:role/orders", "12345678901", "1234567890123", session, strings.Replace(session, ":sts:", ":iam:", 1), "arn:aws:iam::123456789012:role/*", "arn:aws:iam::*:role/orders",
		"arn:aws:iam::123456789012:role/", "arn:aws:iam::123456789012:role/orders/", "arn:aws:iam::123456789012:role", "arn:aws:iam::123456789012:user/", "arn:aws:iam::123456789012:user/ord?rs",
		"arn:aws:iam::123456789012:group/g", "arn:aws:sts::123456789012:federated-user/carol", "arn:aws:iam::123456789012:*", "arn:*:iam::123456789012:role/orders", "arn:aws:iam:us-east-1:123456789012:role/orders",
	} {
		mustPanic(t, bad, "authorizer: IAM with", func() { authorizer.IAM(bad) })
	}
}

func TestIAMKeepsItsPrincipals(t *testing.T) {
	principals := []string{"arn:aws:iam::123456789012:role/ops/orders"}
	check := authorizer.IAM(principals...)
	if want := "arn:aws:iam::123456789012:role/ops/orders"; principals[0] != want {
		t.Errorf("got the caller's %s, want it unchanged", principals[0])
	}
	principals[0] = "arn:aws:iam::123456789012:role/another"
	event := authorized(sample.Of(guard.HTTPAPI), signed(session, nil))
	if _, err := authorizer.Require(check)(says("an order")).Invoke(t.Context(), event.Bytes()); err != nil {
		t.Errorf("got %v, want a grant to the role that was listed", err)
	}
}
