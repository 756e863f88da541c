package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/gateway"
)

func TestAuthorizerThatTakesTooLongIsNotWaitedFor(t *testing.T) {
	for name, decide := range map[string]func(context.Context, json.RawMessage) (any, error){
		"one that heeds its context": func(ctx context.Context, _ json.RawMessage) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"one that says Unauthorized too late": func(ctx context.Context, _ json.RawMessage) (any, error) {
			<-ctx.Done()
			return nil, errors.New("Unauthorized")
		},
		"one that allows too late": func(ctx context.Context, _ json.RawMessage) (any, error) {
			<-ctx.Done()
			return map[string]bool{"isAuthorized": true}, nil
		},
	} {
		var reason error
		s := serveAPI(t, gateway.HTTPAPIConfig{Authorizer: &gateway.Authorizer{
			Function: newAuthorizer(decide), SimpleResponses: true, Timeout: 30 * time.Millisecond,
			Failed: func(_ string, err error) { reason = err },
		}})
		if status, body := s.do("GET /"); status != 500 || body != serverError || !errors.Is(reason, context.DeadlineExceeded) {
			t.Errorf("%s: %d %s, %v", name, status, body, reason)
		}
	}
}

func TestClientThatLeavesAnAuthorizerIsNoFailure(t *testing.T) {
	inside, left := make(chan struct{}), make(chan struct{})
	a := newAuthorizer(func(ctx context.Context, _ json.RawMessage) (any, error) {
		close(inside)
		<-ctx.Done()
		return map[string]bool{"isAuthorized": true}, nil
	})
	api := newAPI(t, invokerFunc(func(context.Context, guardtest.Call) (guardtest.Result, error) {
		t.Error("the function is called")
		return guardtest.Result{}, nil
	}), gateway.HTTPAPIConfig{Authorizer: &gateway.Authorizer{
		Function: a, SimpleResponses: true, TTL: time.Minute, IdentitySources: []string{"$request.header.Authorization"},
		Failed: func(_ string, err error) { t.Error(err) },
	}})
	ctx, leave := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
	r.Header.Set("Authorization", "x")
	w := httptest.NewRecorder()
	go func() {
		defer close(left)
		api.ServeHTTP(w, r)
	}()
	<-inside
	leave()
	<-left
	if w.Body.Len() > 0 {
		t.Errorf("answered %s", w.Body)
	}
}

func TestConcurrentRequestsGetTheirOwnRuling(t *testing.T) {
	a := newAuthorizer(func(_ context.Context, raw json.RawMessage) (any, error) {
		var event events.APIGatewayV2CustomAuthorizerV2Request
		err := json.Unmarshal(raw, &event)
		who := event.IdentitySource[0]
		return map[string]any{"isAuthorized": !strings.HasSuffix(who, "0"), "context": map[string]string{"who": who}}, err
	})
	s := serveAPI(t, gateway.HTTPAPIConfig{Authorizer: &gateway.Authorizer{
		Function: a, SimpleResponses: true, TTL: time.Minute, IdentitySources: []string{"$request.header.Authorization"},
	}})
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			who := string(rune('a'+i%5)) + string(rune('0'+i%2))
			status, body := s.do("GET /", "Authorization", who)
			if i%2 == 0 && status != 403 || i%2 == 1 && body != `{"lambda":{"who":"`+who+`"}}` {
				t.Errorf("%s: %d %s", who, status, body)
			}
		})
	}
	wg.Wait()
	if n := a.calls.Load(); n < 10 || n > 100 {
		t.Errorf("%d calls for 10 identities", n)
	}
}
