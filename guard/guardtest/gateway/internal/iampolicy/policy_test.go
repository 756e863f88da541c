package iampolicy

import (
	"fmt"
	"strings"
	"testing"
)

const theARN = "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/orders/42"

func TestResourceCoversAnARN(t *testing.T) {
	tests := []struct {
		resource, arn string
		covers        bool
	}{
		{resource: theARN, arn: theARN, covers: true},
		{resource: theARN, arn: theARN + "/"},
		{resource: theARN + "/", arn: theARN},
		{resource: strings.ToUpper(theARN), arn: theARN},
		{resource: "*", arn: theARN, covers: true},
		{resource: "arn:*", arn: theARN, covers: true},
		{resource: "arn:aws:execute-api:*", arn: theARN, covers: true},
		{resource: "arn:aws:execute-api:*:*:*", arn: theARN, covers: true},
		{resource: "arn:aws:execute-api:us-east-1:123456789012:*", arn: theARN, covers: true},
		{resource: "arn:aws:execute-api:us-east-1:123456789012:api/*", arn: theARN, covers: true},
		{resource: "arn:aws:execute-api:us-east-1:123456789012:api/*/GET/*", arn: theARN, covers: true},
		{resource: "arn:aws:execute-api:us-east-1:123456789012:api/*/42", arn: theARN, covers: true}, // * crosses slashes
		{resource: "arn:aws:execute-api:us-east-1:123456789012:api/*/POST/*", arn: theARN},
		{resource: "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/orders/*", arn: theARN, covers: true},
		{
			resource: "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/orders/*",
			arn:      "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/orders",
		},
		{
			resource: "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/orders*",
			arn:      "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/orders-admin",
			covers:   true,
		},
		{resource: "arn:aws:execute-api:us-east-1:123456789012:api/prod/*/orders/4?", arn: theARN, covers: true},
		{resource: "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/orders/4??", arn: theARN},
		{
			resource: "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/orders/?",
			arn:      "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/orders/ü",
			covers:   true,
		},
		{resource: "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET?orders/42", arn: theARN, covers: true},
		{resource: "arn:aws:execute-api:us-*-1:123456789012:api/*", arn: theARN, covers: true},
		{resource: "arn:aws:execute-api:us-*9012:api/*", arn: theARN}, // not beyond a field's end
		{resource: "arn:aws:execute-api:us-east-1?123456789012:api/*", arn: theARN},
		{resource: "arn:aws:execute-api:us-west-1:123456789012:api/*", arn: theARN},
		{
			resource: "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/a/*/c",
			arn:      "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/a/b:b/c",
			covers:   true,
		},
		{
			resource: "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/**a*b*",
			arn:      "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/xxaxxbxx",
			covers:   true,
		},
		{
			resource: "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/orders/[0-9]*",
			arn:      theARN,
		}, // no classes
		{arn: theARN},
	}
	for _, tt := range tests {
		if got := matchWildcards(tt.resource, tt.arn); got != tt.covers {
			t.Errorf("%s\ncovers %s: %t", tt.resource, tt.arn, got)
		}
	}
}

func TestManyWildcardsTakeNoLongTime(t *testing.T) {
	if matchWildcards(strings.Repeat("*a", 250)+"b", strings.Repeat("a", 1600)) {
		t.Error("it matches")
	}
}

func TestActionCoversInvoke(t *testing.T) {
	for action, covers := range map[string]bool{
		"execute-api:Invoke":            true,
		"execute-api:invoke":            true,
		"Execute-API:INVOKE":            true,
		"execute-api:*":                 true,
		"execute-api:Inv*":              true,
		"execute-api:Invok?":            true,
		"execute-*":                     true,
		"*":                             true,
		"execute-api:InvokeX":           false,
		"execute-api:ManageConnections": false,
		"execute-api":                   false,
		"execute?api?Invoke":            false,
		"lambda:*":                      false,
		"":                              false,
	} {
		p, err := Parse(fmt.Appendf(nil, `{"Statement":{"Effect":"Allow","Action":%q,"Resource":"*"}}`, action))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Decide(theARN) == Allowed; got != covers {
			t.Errorf("%q covers: %t", action, got)
		}
	}
}

func TestPolicyIsEvaluatedAsIAMDoes(t *testing.T) {
	const (
		allow   = `{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}`
		deny    = `{"Effect":"Deny","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:api/prod/GET/orders/*"}`
		another = `{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:api/prod/POST/*"}`
		lists   = `{"Sid":"s","Effect":"Allow","Action":["sqs:*","execute-api:Invoke"],"Resource":["arn:aws:sqs:*","arn:aws:execute-api:*"]}`
		apart   = `{"Effect":"Deny","Action":"sqs:*","Resource":"*"}`
	)
	tests := []struct {
		name, policy string
		want         Decision
	}{
		{name: "an allow", policy: `{"Version":"2012-10-17","Statement":[` + allow + `]}`, want: Allowed},
		{
			name:   "a statement that is not in a list",
			policy: `{"Version":"2008-10-17","Id":"i","Statement":` + allow + `}`,
			want:   Allowed,
		},
		{name: "lists of actions and resources", policy: `{"Statement":[` + lists + `]}`, want: Allowed},
		{name: "an allow of something else", policy: `{"Statement":[` + another + `]}`, want: NotAllowed},
		{name: "an allow among others", policy: `{"Statement":[` + another + `,` + allow + `]}`, want: Allowed},
		{name: "a deny after an allow", policy: `{"Statement":[` + allow + `,` + deny + `]}`, want: Denied},
		{name: "a deny before an allow", policy: `{"Statement":[` + deny + `,` + allow + `]}`, want: Denied},
		{name: "a deny of another action", policy: `{"Statement":[` + apart + `,` + allow + `]}`, want: Allowed},
		{name: "a deny of another action alone", policy: `{"Statement":[` + apart + `]}`, want: NotAllowed},
	}
	for _, tt := range tests {
		p, err := Parse([]byte(tt.policy))
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := p.Decide(theARN); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestWhatIsNotEmulatedOfAPolicyIsAnError(t *testing.T) {
	statement := func(more string) string { return `{"Statement":[{"Effect":"Allow",` + more + `}]}` }
	for policy, want := range map[string]string{
		`null`:                                  "not an object",
		`"*"`:                                   "not an object",
		`{}`:                                    "its statements: missing",
		`{"Statement":null}`:                    "its statements: missing",
		`{"Statement":[]}`:                      "its statements: empty",
		`{"Statement":[null]}`:                  "null in it",
		`{"statement":[]}`:                      `"statement" is not emulated`,
		`{"Version":"2012-10-18"}`:              "version",
		`{"Statement":[{"Effect":"allow"}]}`:    "neither Allow nor Deny",
		statement(`"Action":"*"`):               "its resources: missing",
		statement(`"Resource":"*"`):             "its actions: missing",
		statement(`"Action":[],"Resource":"*"`): "its actions: empty",
		statement(`"Action":["*",null],"Resource":"*"`):                      "its actions: null in it",
		statement(`"Action":1,"Resource":"*"`):                               "its actions: json",
		statement(`"Action":"*","Resource":"orders"`):                        "is not an ARN",
		statement(`"Action":"*","Resource":""`):                              "is not an ARN",
		statement(`"Action":"*","Resource":"arn:${aws:username}"`):           "policy variable",
		statement(`"Action":"*","Resource":"*","Condition":{}`):              `"Condition" is not emulated`,
		statement(`"NotAction":"*","Resource":"*"`):                          `"NotAction" is not emulated`,
		statement(`"Action":"*","NotResource":"*"`):                          `"NotResource" is not emulated`,
		statement(`"Action":"*","Resource":"*","Principal":"*"`):             `"Principal" is not emulated`,
		statement(`"Action":"*","Resource":"*","Sid":1`):                     "Sid",
		statement(`"Action":"*","Resource":"arn:` + long(maxResource) + `"`): "more than 512",
	} {
		if p, err := Parse([]byte(policy)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v, want an error with %q", policy, p, err, want)
		}
	}
	if _, err := Parse([]byte(statement(`"Action":"*","Resource":"arn:` + long(maxResource-4) + `"`))); err != nil {
		t.Error(err)
	}
}

func long(n int) string { return strings.Repeat("ü", n) }
