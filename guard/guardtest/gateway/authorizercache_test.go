package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

var byToken = []string{"$request.header.Authorization"}

// perRoute decides by the route, as many do: a user may list users and not admins.
func perRoute(_ context.Context, raw json.RawMessage) (any, error) {
	var event events.APIGatewayV2CustomAuthorizerV2Request
	err := json.Unmarshal(raw, &event)
	may := event.Headers["authorization"] == "admin" || event.RouteKey == "GET /list-users"
	return map[string]bool{"isAuthorized": may}, err
}

// The hole: API Gateway keeps a simple response by the identity sources alone.
func TestCachedSimpleResponseHoldsForEveryRoute(t *testing.T) {
	routes := []string{"GET /list-users", "GET /list-admins"}
	tests := []struct {
		name    string
		sources []string
		ttl     time.Duration
		admins  int // status of the second request, with the token of the first
		calls   int64
	}{
		{
			name:    "by the token alone, an allow opens the other route",
			sources: byToken,
			ttl:     5 * time.Minute,
			admins:  200,
			calls:   1,
		},
		{
			name:    "with the route key, each route is asked for",
			sources: append([]string{"$context.routeKey"}, byToken...),
			ttl:     5 * time.Minute,
			admins:  403,
			calls:   2,
		},
		{name: "without a cache, each request is asked for", sources: byToken, admins: 403, calls: 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAuthorizer(perRoute)
			s := serveAPI(t, gateway.HTTPAPIConfig{Routes: routes, Authorizer: &gateway.Authorizer{
				Function: a, SimpleResponses: true, IdentitySources: tt.sources, TTL: tt.ttl,
			}})
			if status, _ := s.do("GET /list-users", "Authorization", "user"); status != 200 {
				t.Errorf("users: %d", status)
			}
			if status, _ := s.do("GET /list-admins", "Authorization", "user"); status != tt.admins || a.calls.Load() != tt.calls {
				t.Errorf("admins: %d after %d calls, want %d after %d", status, a.calls.Load(), tt.admins, tt.calls)
			}
		})
	}
	t.Run("and a denial closes it", func(t *testing.T) {
		s := serveAPI(t, gateway.HTTPAPIConfig{Routes: routes, Authorizer: &gateway.Authorizer{
			Function: newAuthorizer(perRoute), SimpleResponses: true, IdentitySources: byToken, TTL: time.Minute,
		}})
		for _, path := range []string{"GET /list-admins", "GET /list-users"} {
			if status, _ := s.do(path, "Authorization", "user"); status != 403 {
				t.Errorf("%s: %d", path, status)
			}
		}
	})
}

func TestCachedPolicyIsEvaluatedForEachRequest(t *testing.T) {
	a := answering(policyFor("Allow", apiARN+"$default/GET/list-users", `,"context":{"a":"b"}`))
	s := serveAPI(t, gateway.HTTPAPIConfig{Authorizer: &gateway.Authorizer{Function: a, IdentitySources: byToken, TTL: time.Minute}})
	for _, tt := range []struct {
		target string
		status int
	}{{
		target: "GET /list-users",
		status: 200,
	}, {
		target: "GET /list-admins",
		status: 403,
	}, {
		target: "POST /list-users",
		status: 403,
	}, {
		target: "GET /list-users",
		status: 200,
	}} {
		if status, body := s.do(tt.target, "Authorization", "user"); status != tt.status || status == 200 && body != `{"lambda":{"a":"b"}}` {
			t.Errorf("%s: %d %s", tt.target, status, body)
		}
	}
	if n := a.calls.Load(); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestRulingIsKeptForItsTTL(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, allowed := range []bool{true, false} {
		a := answering(fmt.Sprintf(`{"isAuthorized":%t}`, allowed))
		s := serveAPI(t, gateway.HTTPAPIConfig{Authorizer: &gateway.Authorizer{
			Function: a, SimpleResponses: true, IdentitySources: byToken, TTL: time.Hour, Now: func() time.Time { return now },
		}})
		for _, step := range []struct {
			after time.Duration
			token string
			calls int64
		}{
			{token: "a", calls: 1},
			{token: "a", calls: 1},
			{token: "b", calls: 2},
			{token: "A", calls: 3},
			{after: time.Hour - 1, token: "a", calls: 3},
			{after: 1, token: "a", calls: 4},
			{after: time.Hour - 1, token: "a", calls: 4},
			{token: "b", calls: 5},
		} {
			now = now.Add(step.after)
			status, _ := s.do("GET /", "Authorization", step.token)
			if a.calls.Load() != step.calls || (status == 200) != allowed {
				t.Errorf("allowed %t, %+v: %d after %d calls", allowed, step, status, a.calls.Load())
			}
		}
	}
}

func TestIdentitiesAreKeptApartByEachValue(t *testing.T) {
	a := answering(`{"isAuthorized":true}`)
	s := serveAPI(t, gateway.HTTPAPIConfig{Authorizer: &gateway.Authorizer{
		Function: a, SimpleResponses: true, TTL: time.Minute, IdentitySources: []string{"$request.querystring.a", "$request.querystring.b"},
	}})
	for i, query := range []string{"a=1&b=2", "a=2&b=1", "a=12&b=3", "a=1&b=23", "a=1%2C2&b=3", "a=1&b=2%2C3", "a=1%202&b=3", "a=1&b=2%203", "a=%22,%22&b=x", "a=x&b=%22,%22", "a=%FE&b=1", "a=%FF&b=1"} {
		s.do("GET /?" + query)
		if n := a.calls.Load(); n != int64(i+1) {
			t.Errorf("%s: %d calls", query, n)
		}
	}
}

func TestFailureOfAnAuthorizerIsNotKept(t *testing.T) {
	answers := []func() (any, error){
		func() (any, error) { return nil, errors.New("Unauthorized") },
		func() (any, error) { return nil, errors.New("no database") },
		func() (any, error) { return "junk", nil },
		func() (any, error) { return map[string]bool{"isAuthorized": true}, nil },
		func() (any, error) { return nil, errors.New("not asked") },
	}
	asked := 0
	a := newAuthorizer(func(context.Context, json.RawMessage) (any, error) {
		asked++
		return answers[asked-1]()
	})
	s := serveAPI(t, gateway.HTTPAPIConfig{Authorizer: &gateway.Authorizer{Function: a, SimpleResponses: true, IdentitySources: byToken, TTL: time.Minute}})
	for i, want := range []int{401, 500, 500, 200, 200} {
		if status, _ := s.do("GET /", "Authorization", "x"); status != want {
			t.Errorf("request %d: %d, want %d", i, status, want)
		}
	}
}

// API Gateway's own defect, which an authorizer has to keep clear of.
func TestContextThatIsAStringOfJSONCannotBeReadFromTheCache(t *testing.T) {
	for value, cached := range map[string]int{
		`{\"sub\":\"u-1\"}`:  500,
		` [1,2] `:            500,
		`{not json}`:         200,
		`plain`:              200,
		`42`:                 200,
		`true`:               200,
		`eyJzdWIiOiJ1LTEifQ`: 200,
	} {
		var reason error
		s := serveAPI(t, gateway.HTTPAPIConfig{Authorizer: &gateway.Authorizer{
			Function: answering(`{"isAuthorized":true,"context":{"n":1,"claims":"` + value + `"}}`), SimpleResponses: true,
			IdentitySources: byToken, TTL: time.Minute, Failed: func(_ string, err error) { reason = err },
		}})
		first, _ := s.do("GET /", "Authorization", "x")
		second, _ := s.do("GET /", "Authorization", "x")
		if first != 200 || second != cached {
			t.Errorf("%s: %d, then %d, want 200, then %d", value, first, second, cached)
		}
		if cached == 500 && (reason == nil || !strings.Contains(reason.Error(), `"claims" is a string of JSON`)) {
			t.Errorf("%s: reported %v", value, reason)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	a := answering(`{"isAuthorized":true}`)
	api := newAPI(t, authorizerOf, gateway.HTTPAPIConfig{Authorizer: &gateway.Authorizer{Function: a, SimpleResponses: true, IdentitySources: byToken, TTL: time.Hour}})
	for i := range gateway.MaxRulings {
		ask(api, fmt.Sprint(i))
	}
	ask(api, "0")
	if n := a.calls.Load(); n != gateway.MaxRulings {
		t.Errorf("%d calls, want the first to be known", n)
	}
	ask(api, "one more")
	ask(api, "0")
	if n := a.calls.Load(); n != gateway.MaxRulings+2 {
		t.Errorf("%d calls, want the first to be forgotten", n)
	}
}
