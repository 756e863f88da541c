package powertoolstest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
	"github.com/lambdarmor/lambdarmor/idempotency/powertools"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

const prefix = "orders.app.handler"

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

// pair is a function in Go and one in Python that share a table.
type pair struct {
	t      *testing.T
	url    string
	client *dynamodb.Client
	table  string
	*python
}

var tables atomic.Int64

func newPair(t *testing.T) *pair {
	t.Helper()
	return newPairOn(t, "")
}

// newPairOn shares a table with a sort key, unless that is "".
func newPairOn(t *testing.T, sortKey string) *pair {
	t.Helper()
	testserver.Python(t) // skips before a server is started
	p := &pair{t: t, url: servers.DynamoDB(t).URL(), table: fmt.Sprintf("shared-%d", tables.Add(1))}
	p.client = dynamodb.New(dynamodb.Options{
		Region:       "eu-central-1",
		BaseEndpoint: &p.url,
		Credentials:  credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	in := &dynamodb.CreateTableInput{
		TableName:            &p.table,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}
	if sortKey != "" {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &sortKey, AttributeType: types.ScalarAttributeTypeS})
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &sortKey, KeyType: types.KeyTypeRange})
	}
	if _, err := p.client.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	p.python = p.another()
	return p
}

// another is a second process of the Python function.
func (p *pair) another() *python {
	p.t.Helper()
	return run(p.t, "function.py", p.url, p.table)
}

// goFunction protects h as c says that Python protects its own.
func (p *pair) goFunction(c call, h handler, opts ...idempotency.Option) lambda.Handler {
	opts = append(opts, idempotency.TTL(time.Hour))
	layout := []dynamo.Option{dynamo.CompressFrom(math.MaxInt)}
	if c.SortKey != "" {
		layout = append(layout, dynamo.SortKey(c.SortKey, "idempotency#"+functionName))
	}
	store := dynamo.New(p.client, p.table, layout...)
	return guard.Wrap(h, idempotency.Once(store, c.key(), opts...))
}

// key is the key function of Go for what c has in Python.
func (c call) key() idempotency.KeyFunc {
	if c.Validation != "" {
		return powertools.KeyWithValidation(c.Prefix, c.Key, c.Validation)
	}
	return powertools.Key(c.Prefix, c.Key)
}

// ask calls a Go function with 10 s left.
func (p *pair) ask(h lambda.Handler, event []byte) (string, error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	out, err := h.Invoke(ctx, event)
	return string(out), err
}

// item is the one of an id, nil where there is none.
func (p *pair) item(id string) map[string]types.AttributeValue {
	p.t.Helper()
	out, err := p.client.GetItem(p.t.Context(), &dynamodb.GetItemInput{
		TableName: &p.table, Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return out.Item
}

// onlyID is that of the one item whose id has a prefix.
func (p *pair) onlyID(prefix string) string {
	p.t.Helper()
	out, err := p.client.Scan(p.t.Context(), &dynamodb.ScanInput{TableName: &p.table})
	if err != nil {
		p.t.Fatal(err)
	}
	var ids []string
	for _, item := range out.Items {
		if id, ok := item["id"].(*types.AttributeValueMemberS); ok && strings.HasPrefix(id.Value, prefix+"#") {
			ids = append(ids, id.Value)
		}
	}
	if len(ids) != 1 {
		p.t.Fatalf("items %q, want one", ids)
	}
	return ids[0]
}

// handler is what a Go function does.
type handler func(context.Context, []byte) ([]byte, error)

func (h handler) Invoke(ctx context.Context, event []byte) ([]byte, error) { return h(ctx, event) }

// never is a handler that must not run.
func never(t *testing.T) handler {
	return func(context.Context, []byte) ([]byte, error) {
		t.Error("the handler ran")
		return nil, errors.New("ran")
	}
}

func returning(result string) handler {
	return func(context.Context, []byte) ([]byte, error) { return []byte(result), nil }
}

func mustFail(t *testing.T, err error, code string) {
	t.Helper()
	var e *guard.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var a, b any
	if err := errors.Join(json.Unmarshal([]byte(got), &a), json.Unmarshal([]byte(want), &b)); err != nil {
		t.Fatalf("%v in %s or %s", err, got, want)
	}
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("%s, want %s", got, want)
	}
}

func milliseconds(n int) *int { return &n }
