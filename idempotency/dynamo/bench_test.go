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

// What Do adds to the two requests that it cannot do without: bare sends them
// with the plain client, conditions and all.
func BenchmarkDo(b *testing.B) {
	client := connect(servers.DynamoDB(b).URL())
	name := table(b, client, "")
	op := idempotency.NewOperation("charge", dynamo.New(client, name))
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	n := 0
	next := func() string { n++; return fmt.Sprintf("%043d", n) }
	charge := func(context.Context) (string, error) { return "a receipt", nil }

	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			bare(b, ctx, client, name, next())
		}
	})
	b.Run("do", func(b *testing.B) {
		for b.Loop() {
			if _, err := idempotency.Do(ctx, op, next(), nil, charge); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ratio", func(b *testing.B) { // in turn, so that a busy machine is busy for both
		var two, do time.Duration
		for b.Loop() {
			start := time.Now()
			bare(b, ctx, client, name, next())
			half := time.Now()
			if _, err := idempotency.Do(ctx, op, next(), nil, charge); err != nil {
				b.Fatal(err)
			}
			two, do = two+half.Sub(start), do+time.Since(half)
		}
		b.ReportMetric(float64(do)/float64(two), "do/bare")
	})
}

func bare(b *testing.B, ctx context.Context, client *dynamodb.Client, table, key string) {
	b.Helper()
	text := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	number := func(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &table,
		Item: map[string]types.AttributeValue{
			"id": text(key), "status": text("INPROGRESS"), "owner": text("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "epoch": number("1"),
			"expiration": number("4102444800"), "in_progress_expiration": number("4102444800000"),
		},
		ConditionExpression:                 aws.String("attribute_not_exists(#0) OR #1 < :0"),
		ExpressionAttributeNames:            map[string]string{"#0": "id", "#1": "expiration"},
		ExpressionAttributeValues:           map[string]types.AttributeValue{":0": number("1700000000")},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err != nil {
		b.Fatal(err)
	}
	_, err = client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                &table,
		Key:                      map[string]types.AttributeValue{"id": text(key)},
		UpdateExpression:         aws.String("SET #0 = :0, #1 = :1, #2 = :2"),
		ConditionExpression:      aws.String("#3 = :3 AND #4 = :4"),
		ExpressionAttributeNames: map[string]string{"#0": "status", "#1": "expiration", "#2": "data", "#3": "owner", "#4": "epoch"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":0": text("COMPLETED"), ":1": number("4102444800"), ":2": text(`"a receipt"`),
			":3": text("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), ":4": number("1"),
		},
	})
	if err != nil {
		b.Fatal(err)
	}
}
