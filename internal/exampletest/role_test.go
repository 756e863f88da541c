package exampletest_test

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
)

// role is what a template allows, before a server that allows all. An action and
// the name of a resource in the template are one permission: "PutItem Orders".
type role struct {
	allowed  map[string]bool // and whether that is within a transaction only
	breaking atomic.Bool     // the next transaction is one that cannot be

	mu   sync.Mutex
	used map[string]bool
}

// roleOf reads the role of an example's function, but for its log.
func roleOf(t *testing.T, example string) *role {
	t.Helper()
	r := &role{allowed: map[string]bool{}, used: map[string]bool{}}
	properties := resourcesOf(t, example)["Role"].Properties
	for _, policy := range decode[samRole](t, &properties).Policies {
		for _, s := range policy.PolicyDocument.Statement {
			enclosing := s.Condition["ForAnyValue:StringEquals"]["dynamodb:EnclosingOperation"]
			if enclosing != "TransactWriteItems" && len(s.Condition) > 0 {
				t.Fatalf("a condition that this test does not know: %v", s.Condition)
			}
			for _, action := range s.Action {
				service, action, _ := strings.Cut(action, ":")
				if service != "logs" {
					r.allowed[action+" "+strings.TrimSuffix(s.Resource, ".Arn")] = enclosing != ""
				}
			}
		}
	}
	return r
}

// may reports whether the role allows an action, and keeps it. What the test has
// made in the place of a resource is named like it, with a hyphen and more.
func (r *role) may(action, resource string, enclosed bool) bool {
	name, _, _ := strings.Cut(resource, "-")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used[action+" "+name] = true
	withinOnly, ok := r.allowed[action+" "+name]
	return ok && (enclosed || !withinOnly)
}

type target struct{ TableName, SecretId string }

// allows reports whether the role allows a request: of a transaction each item.
func (r *role) allows(operation string, body []byte) bool {
	var request struct {
		target
		TransactItems []map[string]target
	}
	if json.Unmarshal(body, &request) != nil {
		return false
	}
	if operation != "TransactWriteItems" {
		return r.may(operation, request.TableName+request.SecretId, false)
	}
	for _, item := range request.TransactItems {
		for action, on := range item {
			if !r.may(action+"Item", on.TableName, true) {
				return false
			}
		}
	}
	return len(request.TransactItems) > 0
}

// before returns the address of a server behind the role.
func (r *role) before(t *testing.T, upstream string) string {
	t.Helper()
	refuse := func(w http.ResponseWriter, code string) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazon.coral.service#`+code+`","message":"no"}`)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		operation := awsproxy.Operation(req)
		if !r.allows(operation, body) {
			t.Errorf("the role does not allow %s", operation)
			refuse(w, "AccessDeniedException")
			return
		}
		if operation == "TransactWriteItems" && r.breaking.CompareAndSwap(true, false) {
			refuse(w, "ValidationException")
			return
		}
		reply, err := awsproxy.Forward(upstream, req, body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		reply.Write(w, len(reply.Body))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// needsAll checks that nothing is allowed which was not asked for.
func (r *role) needsAll(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if got, want := slices.Sorted(maps.Keys(r.used)), slices.Sorted(maps.Keys(r.allowed)); !slices.Equal(got, want) {
		t.Errorf("used is %q, allowed %q", got, want)
	}
}

func TestTheRoleOfOrdersIsWhatOrdersNeed(t *testing.T) {
	t.Parallel()
	c, r := connect(t), roleOf(t, "orders")
	orders, keys := "Orders-"+rand.Text(), "Keys-"+rand.Text()
	c.makeTable(t, orders)
	c.makeTable(t, keys)
	url := deploy(t, "orders", append(c.env, "ORDERS_TABLE="+orders, "IDEMPOTENCY_TABLE="+keys,
		"AWS_ENDPOINT_URL_DYNAMODB="+r.before(t, servers.DynamoDB(t).URL())))

	placed := post(t, url+"/orders", "k-1", order)
	again := post(t, url+"/orders", "k-1", order)
	if placed.status != 201 || again.status != 201 || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%+v, then %+v", placed, again)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+placed.header.Get("Location"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, body := do(t, req); res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if got := post(t, url+"/orders", "k-2", strings.ReplaceAll(order, "KB-101", "XX-000")); got.status != 422 {
		t.Errorf("%+v", got)
	}
	r.breaking.Store(true)
	if got := post(t, url+"/orders", "k-3", order); got.status < 500 {
		t.Errorf("%+v", got)
	}
	if got := post(t, url+"/orders", "k-3", order); got.status != 201 {
		t.Errorf("%+v", got)
	}
	r.needsAll(t)
}

func TestTheRoleOfWebhookIsWhatWebhookNeeds(t *testing.T) {
	t.Parallel()
	c, r := connect(t), roleOf(t, "webhook")
	vault, _ := secretStore(t)
	payments, deliveries, secret, key := "Payments-"+rand.Text(), "Deliveries-"+rand.Text(), "SigningKey-"+rand.Text(), newSigningKey()
	c.makeTable(t, payments)
	c.makeTable(t, deliveries)
	if _, err := vault.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &secret, SecretString: &key}); err != nil {
		t.Fatal(err)
	}
	url := deploy(t, "webhook", append(c.env, "PAYMENTS_TABLE="+payments, "IDEMPOTENCY_TABLE="+deliveries, "WEBHOOK_SECRET="+secret,
		"AWS_ENDPOINT_URL_DYNAMODB="+r.before(t, servers.DynamoDB(t).URL()), "AWS_ENDPOINT_URL_SECRETS_MANAGER="+r.before(t, servers.Moto(t).URL())))

	for _, want := range []string{"", "true"} {
		if res, body := deliver(t, url, key, "msg_1"); res.StatusCode != 200 || res.Header.Get("Idempotent-Replayed") != want {
			t.Errorf("%d %v %s", res.StatusCode, res.Header, body)
		}
	}
	if res, body := deliver(t, url, newSigningKey(), "msg_2"); res.StatusCode != 401 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	r.breaking.Store(true)
	if res, body := deliver(t, url, key, "msg_3"); res.StatusCode < 500 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, body := deliver(t, url, key, "msg_3"); res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	r.needsAll(t)
}
