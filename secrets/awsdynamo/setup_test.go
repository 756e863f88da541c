package awsdynamo_test

import (
	"crypto/rand"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
	"github.com/lambdarmor/lambdarmor/secrets/awsdynamo"
)

var _ awsdynamo.Client = (*dynamodb.Client)(nil)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

// store is a table of a real DynamoDB server behind a proxy.
type store struct {
	*awsproxy.Proxy
	direct *dynamodb.Client
	client *dynamodb.Client // through the proxy
	table  string
}

// setUp makes a table with the hash key pKey and the sort key sKey.
func setUp(t testing.TB, hash, sort types.ScalarAttributeType) *store {
	t.Helper()
	server := servers.DynamoDB(t)
	p := awsproxy.New(t, server.URL())
	s := &store{
		Proxy: p, table: "settings-" + rand.Text(),
		direct: dynamodb.NewFromConfig(awstest.Config(server.URL())), client: dynamodb.NewFromConfig(awstest.Config(p.URL)),
	}
	_, err := s.direct.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   &s.table,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pKey"), AttributeType: hash},
			{AttributeName: aws.String("sKey"), AttributeType: sort},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pKey"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sKey"), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type attributes = map[string]types.AttributeValue

func (s *store) put(t testing.TB, item attributes) {
	t.Helper()
	if _, err := s.direct.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: item}); err != nil {
		t.Fatal(err)
	}
}

func text(v string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: v} }
func number(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
