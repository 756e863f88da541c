package quota_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard/quota"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
	"github.com/lambdarmor/lambdarmor/idempotency/valkey"
	valkeygo "github.com/valkey-io/valkey-go"
)

// stores are the ones that a quota can be over. open returns what one process has of
// the store; now is the clock of the process.
var stores = []struct {
	name string
	make func(t testing.TB) (open func(now func() time.Time) quota.Counter)
}{
	{name: "memory", make: func(testing.TB) func(func() time.Time) quota.Counter {
		store := idempotency.NewMemoryStore()
		return func(func() time.Time) quota.Counter { return store }
	}},
	{name: "DynamoDB", make: func(t testing.TB) func(func() time.Time) quota.Counter {
		url := servers.DynamoDB(t).URL()
		name := table(t, url, "")
		return func(now func() time.Time) quota.Counter {
			return dynamo.New(dynamoClient(url), name, dynamo.Clock(now))
		}
	}},
	{name: "DynamoDB with a sort key and other names", make: func(t testing.TB) func(func() time.Time) quota.Counter {
		url := servers.DynamoDB(t).URL()
		name := table(t, url, "record")
		return func(now func() time.Time) quota.Counter {
			return dynamo.New(dynamoClient(url), name, dynamo.Clock(now), dynamo.SortKey("record", "quotas"),
				dynamo.Names(dynamo.Attributes{Expiration: "ttl", Used: "size"}))
		}
	}},
	{name: "Valkey", make: func(t testing.TB) func(func() time.Time) quota.Counter {
		addr := servers.Valkey(t).Addr()
		prefix := fmt.Sprintf("quota-%d:", names.Add(1))
		return func(now func() time.Time) quota.Counter {
			return valkey.New(valkeyClient(t, addr), valkey.Clock(now), valkey.Prefix(prefix))
		}
	}},
}

var names atomic.Int64

// dynamoClient returns the real client, with connections of its own, which retries
// at once and not for long.
func dynamoClient(url string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			o.RateLimiter = unlimited{}
		}),
	})
}

// unlimited lets every retry go.
type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (unlimited) AddTokens(uint) error { return nil }

func table(t testing.TB, url, sortKey string) string {
	t.Helper()
	name := fmt.Sprintf("quotas-%d", names.Add(1))
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}
	if sortKey != "" {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &sortKey, AttributeType: types.ScalarAttributeTypeS})
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &sortKey, KeyType: types.KeyTypeRange})
	}
	if _, err := dynamoClient(url).CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	return name
}

func valkeyClient(t testing.TB, addr string) valkeygo.Client {
	t.Helper()
	client, err := valkeygo.NewClient(valkeygo.ClientOption{InitAddress: []string{addr}, ForceSingleClient: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
