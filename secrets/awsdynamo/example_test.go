package awsdynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awsdynamo"
)

// inMemory stands for a client of AWS, dynamodb.NewFromConfig(cfg). Its items are
// by their hash key.
type inMemory map[string]map[string]types.AttributeValue

func (m inMemory) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	id := in.Key["id"].(*types.AttributeValueMemberS).Value
	return &dynamodb.GetItemOutput{Item: m[id]}, nil
}

func Example() {
	client := inMemory{"berlin": {
		"id":    &types.AttributeValueMemberS{Value: "berlin"},
		"limit": &types.AttributeValueMemberN{Value: "250"},
	}}
	settings := secrets.New(awsdynamo.New(client, awsdynamo.Items(map[string]awsdynamo.Item{
		"settings": {Table: "shops", Hash: awsdynamo.Text("id", "berlin")},
	})))

	type shop struct {
		ID    string `json:"id"`
		Limit int    `json:"limit"`
	}
	s, err := secrets.JSON[shop](context.Background(), settings, "settings")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.ID, s.Limit)
	// Output: berlin 250
}

// One cache for the items of all tenants: the name is the tenant's id.
func Example_tenants() {
	client := inMemory{"t-1": {
		"id":   &types.AttributeValueMemberS{Value: "t-1"},
		"plan": &types.AttributeValueMemberS{Value: "pro"},
	}}
	tenants := secrets.New(awsdynamo.New(client, func(id string) (awsdynamo.Item, bool) {
		return awsdynamo.Item{Table: "tenants", Hash: awsdynamo.Text("id", id)}, true
	}), secrets.TTL(time.Minute))

	type tenant struct {
		Plan string `json:"plan"`
	}
	for _, id := range []string{"t-1", "t-2"} {
		t, err := secrets.JSON[tenant](context.Background(), tenants, id)
		fmt.Println(id, t.Plan, errors.Is(err, secrets.ErrNotFound))
	}
	// Output:
	// t-1 pro false
	// t-2  true
}

// Numbers have up to 38 digits.
func Example_digits() {
	client := inMemory{"berlin": {"balance": &types.AttributeValueMemberN{Value: "12345678901234567890.05"}}}
	accounts := secrets.New(awsdynamo.New(client, awsdynamo.Items(map[string]awsdynamo.Item{
		"account": {Table: "accounts", Hash: awsdynamo.Text("id", "berlin")},
	})))

	type account struct {
		Balance json.Number `json:"balance"`
	}
	a, err := secrets.JSON[account](context.Background(), accounts, "account")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Balance)
	// Output: 12345678901234567890.05
}

func ExampleNew() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	client := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.Retryer = retry.AddWithMaxBackoffDelay(retry.NewStandard(), 200*time.Millisecond)
	})
	settings := secrets.New(awsdynamo.New(client, awsdynamo.Items(map[string]awsdynamo.Item{
		"limits": {Table: "settings", Hash: awsdynamo.Text("shop", "berlin"), Sort: awsdynamo.Text("kind", "limits")},
	})))
	if err := settings.Prefetch(ctx, "limits"); err != nil { // at init, before the first invocation
		log.Print(err)
	}
}
