package dynamo_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// What it takes for three items to be written once: the commit, and the whole of
// Do with the claim, in turn with the bare TransactWriteItems of the same items,
// so that a busy machine is busy for all. The commit is also compared with what
// it cannot do without, a transaction of those items and a completion.
func BenchmarkStage(b *testing.B) {
	client := connect(servers.DynamoDB(b).URL())
	keys, orders := table(b, client, ""), table(b, client, "")
	op := idempotency.NewOperation("order", dynamo.New(client, keys))
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	n := 0
	three := func() []types.TransactWriteItem {
		items := make([]types.TransactWriteItem, 3)
		for i := range items {
			n++
			items[i].Put = &types.Put{
				TableName: &orders, ConditionExpression: aws.String("attribute_not_exists(id)"),
				Item: map[string]types.AttributeValue{
					"id":    &types.AttributeValueMemberS{Value: fmt.Sprint(n)},
					"order": &types.AttributeValueMemberS{Value: `{"customer":"c-42","items":[{"sku":"KB-101","quantity":2}]}`},
				},
			}
		}
		return items
	}
	bare := func(more ...types.TransactWriteItem) time.Duration {
		in := &dynamodb.TransactWriteItemsInput{TransactItems: append(three(), more...)}
		start := time.Now()
		if _, err := client.TransactWriteItems(ctx, in); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	do := func() (commit, all time.Duration) {
		items := three()
		start := time.Now()
		var claimed time.Time
		_, err := idempotency.Do(ctx, op, fmt.Sprintf("%043d", n), nil, func(ctx context.Context) (string, error) {
			claimed = time.Now()
			return "a receipt", dynamo.Stage(ctx, items...)
		})
		if err != nil {
			b.Fatal(err)
		}
		return time.Since(claimed), time.Since(start)
	}
	completion := func() types.TransactWriteItem {
		return types.TransactWriteItem{Update: &types.Update{
			TableName: &keys, Key: id(fmt.Sprint("completion ", n)),
			UpdateExpression:         aws.String("SET #0 = :0, #1 = :1, #2 = :2"),
			ConditionExpression:      aws.String("attribute_not_exists(#3)"),
			ExpressionAttributeNames: map[string]string{"#0": "status", "#1": "expiration", "#2": "data", "#3": "owner"},
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":0": text("COMPLETED"), ":1": number(4102444800), ":2": text(`"a receipt"`),
			},
		}}
	}
	var alone, whole, committing, done time.Duration
	for b.Loop() {
		alone, whole = alone+bare(), whole+bare(completion())
		commit, all := do()
		committing, done = committing+commit, done+all
	}
	b.ReportMetric(float64(committing)/float64(alone), "commit/bare")
	b.ReportMetric(float64(committing)/float64(whole), "commit/bare+completion")
	b.ReportMetric(float64(done)/float64(alone), "do/bare")
}
