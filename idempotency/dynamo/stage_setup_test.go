package dynamo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// shop is a bench with a table of orders, to which its operation adds one at
// each run.
type shop struct {
	*bench
	orders string
}

func openShop(t *testing.T, opts ...idempotency.Option) *shop {
	t.Helper()
	b := setUp(t, opts...)
	return &shop{bench: b, orders: table(t, b.direct, "")}
}

func id(v string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"id": text(v)}
}

// add is a Put of an order that must not be there.
func (s *shop) add(name string) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &s.orders, Item: map[string]types.AttributeValue{"id": text(name), "by": text(s.key)},
		ConditionExpression:                 aws.String("attribute_not_exists(id)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}
}

// count is an Update that is there twice when it takes place twice.
func (s *shop) count() types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{
		TableName: &s.orders, Key: id("counter"), UpdateExpression: aws.String("ADD orders :one"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":one": &types.AttributeValueMemberN{Value: "1"}},
	}}
}

// place stages an order and the count, in two calls.
func (s *shop) place(ctx context.Context) (string, error) {
	s.runs++
	if err := dynamo.Stage(ctx, s.add(fmt.Sprint("order ", s.runs))); err != nil {
		return "", err
	}
	if err := dynamo.Stage(ctx, s.count()); err != nil {
		return "", err
	}
	return fmt.Sprint("order ", s.runs), nil
}

func (s *shop) do(t *testing.T, fn func(context.Context) (string, error)) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return idempotency.Do(ctx, s.op, s.key, nil, fn)
}

// holdCommit holds the next commit, which its sender then gives up. The returned
// function lets it arrive, and checks that it fails at the fence.
func (s *shop) holdCommit(t *testing.T) (arrive func()) {
	var late sync.WaitGroup
	arrives := make(chan struct{})
	s.next("TransactWriteItems", func(p *proxy, _ http.ResponseWriter, r *http.Request, body []byte) {
		r = r.Clone(context.Background())
		late.Go(func() {
			<-arrives
			reply, err := p.Forward(r, body)
			if err != nil || reply.Status != http.StatusBadRequest || !strings.Contains(string(reply.Body), "ConditionalCheckFailed") {
				t.Errorf("the late commit: got %s and error %v, want a failed condition", reply.Body, err)
			}
		})
		panic(http.ErrAbortHandler)
	}, drop, drop)
	return func() {
		close(arrives)
		late.Wait()
	}
}

// once is the shop as an HTTP API.
func (s *shop) once(h func(context.Context) ([]byte, error), opts ...idempotency.Option) lambda.Handler {
	return guard.Wrap(guard.HandlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) { return h(ctx) }),
		httpapi.Problems(), guard.Recover(),
		idempotency.Once(s.store, idempotency.Header("Idempotency-Key"), opts...))
}

// post sends a request with the shop's key and gives the status and the answer.
func (s *shop) post(t *testing.T, h lambda.Handler) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := h.Invoke(ctx, sample.HTTP("POST", "/orders").Header("Idempotency-Key", s.key).JSON("{}").Bytes())
	var answer struct{ StatusCode int }
	if err == nil {
		err = json.Unmarshal(out, &answer)
	}
	if err != nil {
		t.Fatalf("%s, %v", out, err)
	}
	return answer.StatusCode, string(out)
}

// mustHave checks which orders there are, and that each was counted once.
func (s *shop) mustHave(t *testing.T, want ...string) {
	t.Helper()
	out, err := s.direct.Scan(t.Context(), &dynamodb.ScanInput{TableName: &s.orders, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	got, counted := map[string]bool{}, "0"
	for _, item := range out.Items {
		if n, ok := item["orders"].(*types.AttributeValueMemberN); ok {
			counted = n.Value
		} else {
			got[item["id"].(*types.AttributeValueMemberS).Value] = true
		}
	}
	ok := len(got) == len(want) && counted == fmt.Sprint(len(want))
	for _, name := range want {
		ok = ok && got[name]
	}
	if !ok {
		t.Errorf("orders %v, counted %s, want %q", got, counted, want)
	}
}

// mustBeFree checks that the key is, by a run that takes it.
func (s *shop) mustBeFree(t *testing.T) {
	t.Helper()
	if got, err := s.do(t, func(context.Context) (string, error) { return "free", nil }); err != nil || got != "free" {
		t.Errorf("%q, %v, want a key that is free", got, err)
	}
}

// cancel answers a transaction with reasons for its items, in their order.
func cancel(codes ...string) mishap { return cancelAs("", codes...) }

func cancelAs(message string, codes ...string) mishap {
	return func(_ *proxy, w http.ResponseWriter, _ *http.Request, _ []byte) {
		reasons := make([]map[string]string, len(codes))
		for i, code := range codes {
			reasons[i] = map[string]string{"Code": code}
			if code != "None" && message != "" {
				reasons[i]["Message"] = message
			}
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"__type":  "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
			"message": "Transaction cancelled", "CancellationReasons": reasons,
		})
	}
}

func attribute(item map[string]types.AttributeValue, name string) (string, error) {
	v, ok := item[name].(*types.AttributeValueMemberS)
	if !ok {
		return "", fmt.Errorf("%s is %v", name, item[name])
	}
	return v.Value, nil
}

func putItem(p *types.Put) *dynamodb.PutItemInput {
	return &dynamodb.PutItemInput{TableName: p.TableName, Item: p.Item}
}
