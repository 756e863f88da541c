package guard_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/internal/logbook"
)

func TestALatticeRequestIsReadAsFormat2(t *testing.T) {
	got, err := guard.EventOf(t.Context(), []byte(`{
		"version": "2.0", "path": "/orders/a%20b?q=x%26&q=y+z&p=1", "method": "PUT", "requestId": "r-1",
		"headers": {"Accept": ["a", "b"], "user-agent": ["ua"], "cookie": ["a=1; b=2", "c=3"], "X-Forwarded-For": ["192.0.2.1"], "x-none": []},
		"queryStringParameters": {"q": ["x&", "y z"], "p": ["1"]},
		"body": "aGk=", "isBase64Encoded": true,
		"requestContext": {
			"serviceNetworkArn": "arn:aws:vpc-lattice:eu-west-1:123456789012:servicenetwork/sn-1",
			"serviceArn": "arn:aws:vpc-lattice:eu-west-1:123456789012:service/svc-1",
			"targetGroupArn": "arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-1",
			"identity": {
				"sourceVpcArn": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1", "type": "AWS_IAM",
				"principal": "arn:aws:sts::123456789012:assumed-role/r/s", "principalOrgID": "o-1", "sessionName": "s", "x509SubjectCn": "cn"
			},
			"region": "eu-west-1", "timeEpoch": "1690497599177430"
		}
	}`)).HTTP()
	want := &events.APIGatewayV2HTTPRequest{
		Version:               "2.0",
		RawPath:               "/orders/a%20b",
		RawQueryString:        "q=x%26&q=y+z&p=1",
		Cookies:               []string{"a=1", "b=2", "c=3"},
		Headers:               map[string]string{"accept": "a,b", "user-agent": "ua", "x-forwarded-for": "192.0.2.1"},
		QueryStringParameters: map[string]string{"q": "x&,y z", "p": "1"},
		Body:                  "aGk=",
		IsBase64Encoded:       true,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			Authorizer: &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
				IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{
					UserARN: "arn:aws:sts::123456789012:assumed-role/r/s",
				},
			},
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: "PUT", Path: "/orders/a%20b", UserAgent: "ua"},
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v, want\n%+v", err, got, want)
	}
}

// A query stands in the path and apart. As it was sent it goes before what was
// made of it, for the string and for its values alike.
func TestTheQueryOfALatticeRequest(t *testing.T) {
	for _, tc := range []struct {
		rule, path string
		apart      map[string][]string
		raw        string
		values     map[string]string
	}{
		{
			rule:   "in both places",
			path:   "/?b=2&a=1",
			apart:  map[string][]string{"a": {"1"}, "b": {"2"}},
			raw:    "b=2&a=1",
			values: map[string]string{"a": "1", "b": "2"},
		},
		{
			rule:   "that differ",
			path:   "/?a=1",
			apart:  map[string][]string{"a": {"2"}, "b": {"3"}},
			raw:    "a=1",
			values: map[string]string{"a": "1"},
		},
		{rule: "on the path alone", path: "/?a=1&a=%32", raw: "a=1&a=%32", values: map[string]string{"a": "1,2"}},
		{rule: "with a question mark in it", path: "/?a=?", raw: "a=?", values: map[string]string{"a": "?"}},
		{rule: "that is empty", path: "/?", apart: map[string][]string{"a": {"1"}}},
		{
			rule:   "that cannot be read whole",
			path:   "/?a=%zz&b=2;c=3&d=4",
			apart:  map[string][]string{"a": {"1"}},
			raw:    "a=%zz&b=2;c=3&d=4",
			values: map[string]string{"d": "4"},
		},
		{
			rule:   "apart alone",
			path:   "/",
			apart:  map[string][]string{"b": {"x&", "y z"}, "a": {"1"}},
			raw:    "a=1&b=x%26&b=y+z",
			values: map[string]string{"a": "1", "b": "x&,y z"},
		},
		{rule: "none", path: "/"},
	} {
		event := sample.Of(guard.VPCLattice).Set("/path", tc.path).Set("/queryStringParameters", tc.apart)
		req, err := guard.EventOf(t.Context(), event.Bytes()).HTTP()
		if err != nil || req.RawPath != "/" || req.RawQueryString != tc.raw || !reflect.DeepEqual(req.QueryStringParameters, tc.values) {
			t.Errorf("%s: %+v, %v", tc.rule, req, err)
		}
	}
}

// Lattice sends the principal that it has authenticated, and how.
func TestWhoALatticeRequestComesFrom(t *testing.T) {
	const arn = "arn:aws:sts::123456789012:assumed-role/r/s"
	for _, tc := range []struct {
		rule     string
		identity any
		want     string
	}{
		{rule: "signed", identity: map[string]any{"type": "AWS_IAM", "principal": arn}, want: arn},
		{rule: "not signed", identity: map[string]any{"sourceVpcArn": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1"}},
		{rule: "of a VPC that is not known", identity: map[string]any{}},
		{rule: "null"},
		{rule: "by nobody", identity: map[string]any{"type": "AWS_IAM", "principal": ""}},
		{rule: "in no known way", identity: map[string]any{"type": "OTHER", "principal": arn}},
		{rule: "in no way", identity: map[string]any{"principal": arn}},
	} {
		event := sample.HTTP("GET", "/").VPCLattice().Event().Set("/requestContext/identity", tc.identity)
		ev := guard.EventOf(t.Context(), event.Bytes())
		full, err := ev.HTTP()
		if err != nil {
			t.Fatalf("%s: %v", tc.rule, err)
		}
		got := ""
		if a := full.RequestContext.Authorizer; a != nil {
			got = a.IAM.UserARN
		}
		req, err := ev.Request()
		if err != nil || got != tc.want || req.HasCredentials() != (tc.want != "") {
			t.Errorf("%s: %q, identified %t, %v", tc.rule, got, req.HasCredentials(), err)
		}
	}
}

func TestALatticeRequestIsReadStrictly(t *testing.T) {
	base := sample.Of(guard.VPCLattice)
	for _, tc := range []struct {
		rule  string
		event sample.Event
		code  string
	}{
		{
			rule:  "a principal in another spelling",
			event: base.Set("/requestContext/identity/Principal", "p"),
			code:  "case_variant_member",
		},
		{rule: "a path in another spelling", event: base.Set("/Path", "/"), code: "case_variant_member"},
		{rule: "a header that is a number", event: base.Set("/headers/accept", 1), code: "wrong_type"},
		{rule: "a query that is a number", event: base.Set("/queryStringParameters/a", 1), code: "wrong_type"},
		{rule: "no method", event: base.Delete("/method"), code: "not_an_http_event"},
	} {
		ev := guard.EventOf(t.Context(), tc.event.Bytes())
		_, err := ev.Request()
		wantError(t, err, guard.Invalid, tc.code)
		_, err = ev.HTTP()
		wantError(t, err, guard.Invalid, tc.code)
		_, err = ev.Body()
		wantError(t, err, guard.Invalid, tc.code)
	}
	twice := strings.Replace(base.String(), `"method":"POST"`, `"method":"POST","method":"GET"`, 1)
	_, err := guard.EventOf(t.Context(), []byte(twice)).Request()
	wantError(t, err, guard.Invalid, "duplicate_member")
}

func TestHeadersOfALatticeRequest(t *testing.T) {
	event := sample.Of(guard.VPCLattice).Set("/headers/authorization", []string{"Bearer b", "Bearer a"}).Set("/headers/Authorization", []string{"Bearer c"})
	req, err := guard.EventOf(t.Context(), event.Bytes()).Request()
	if err != nil || req.Header("AUTHORIZATION") != "Bearer c,Bearer b,Bearer a" || req.Header("Content-Type") != "application/json" || req.Header("none") != "" {
		t.Errorf("%+v, %v", req, err)
	}
	if got := fmt.Sprint(req.Version(), req.Method(), req.RouteKey(), req.RawPath(), req.RawQuery(), req.Stage(), req.Domain()); got != "2.0POST/ordersdryRun=true" {
		t.Error(got)
	}
}

func TestALatticeRequestInTheLog(t *testing.T) {
	for _, tc := range []struct {
		rule    string
		payload []byte
		out     string
		err     error
		want    map[string]any
	}{
		{
			rule:    "answered",
			payload: sample.Of(guard.VPCLattice).Bytes(),
			out:     `{"statusCode":404}`,
			want:    map[string]any{"level": "WARN", "trigger": "vpc-lattice", "method": "POST", "status": "404"},
		},
		{
			rule:    "that cannot be read",
			payload: sample.Of(guard.VPCLattice).Set("/body", 1).Bytes(),
			out:     `{"statusCode":200}`,
			want:    map[string]any{"level": "INFO", "trigger": "vpc-lattice", "method": "POST", "status": "200"},
		},
	} {
		log, book := logbook.New()
		if _, err := guard.Wrap(answers(tc.out, tc.err), guard.Log(log)).Invoke(invocation(t.Context(), "r-1"), tc.payload); err != nil {
			t.Fatal(err)
		}
		record := book.Only(t)
		for key, want := range tc.want {
			if got := fmt.Sprint(record[key]); got != want {
				t.Errorf("%s: %s is %s, want %s", tc.rule, key, got, want)
			}
		}
		if _, ok := record["route"]; ok {
			t.Errorf("%s: got a route, want none: %v", tc.rule, record)
		}
	}
}

// Two spellings are told, and which one AWS sends must not decide who is refused.
func TestHowALatticeEventSpellsTheOrganizationDoesNotMatter(t *testing.T) {
	for _, name := range []string{"principalOrgID", "principalOrgId"} {
		_, err := guard.EventOf(t.Context(), []byte(`{"version":"2.0","path":"/","method":"GET","headers":{},"requestContext":{`+
			`"serviceArn":"arn:aws:vpc-lattice:eu-west-1:123456789012:service/svc-1","identity":{"type":"AWS_IAM","principal":"arn:p","`+name+`":"o-1"}}}`)).HTTP()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
