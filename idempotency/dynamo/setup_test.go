package dynamo_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
	"github.com/lambdarmor/lambdarmor/idempotency/storetest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

// connect returns the real client of a server.
func connect(url string, opts ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       "eu-central-1",
		BaseEndpoint: &url,
		Credentials:  credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}, opts...)
}

var tables atomic.Int64

// table makes a table of its own for a test.
func table(t testing.TB, client *dynamodb.Client, sortKey string) string {
	t.Helper()
	name := fmt.Sprintf("records-%d", tables.Add(1))
	in := &dynamodb.CreateTableInput{
		TableName:            &name,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}
	if sortKey != "" {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &sortKey, AttributeType: types.ScalarAttributeTypeS})
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &sortKey, KeyType: types.KeyTypeRange})
	}
	if _, err := client.CreateTable(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestStoreIsAStore(t *testing.T) {
	client := connect(servers.DynamoDB(t).URL())
	name := table(t, client, "")
	storetest.Run(t, func(*testing.T) idempotency.Store { return dynamo.New(client, name) })
}

func TestStoreWithASortKeyAndOtherNamesIsAStore(t *testing.T) {
	client := connect(servers.DynamoDB(t).URL())
	name := table(t, client, "record")
	storetest.Run(t, func(*testing.T) idempotency.Store {
		return dynamo.New(client, name, dynamo.SortKey("record", "idempotency"), dynamo.CompressFrom(0), dynamo.Names(dynamo.Attributes{
			Status: "state", Expiration: "ttl", Lease: "until", Data: "value", Encoding: "how", Fingerprint: "hash", Owner: "size", Epoch: "count",
		}))
	})
}
