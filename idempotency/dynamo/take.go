package dynamo

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Take implements the Counter of package guard/quota with one conditional
// UpdateItem. The counter may end above limit, by less than want: what is above is
// in nobody's share. A request that is sent again because its answer was lost takes
// a second time, and what it took first is lost.
func (s *Store) Take(ctx context.Context, key string, want, limit int64, expires time.Time) (took, used int64, err error) {
	e := newExpression()
	count := e.name(s.attr.Used)
	out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: s.key(key),
		UpdateExpression:         aws.String("SET " + e.is(s.attr.Expiration, number(seconds(expires))) + " ADD " + count + " " + e.value(number(want))),
		ConditionExpression:      aws.String("attribute_not_exists(" + count + ") OR " + count + " < " + e.value(number(limit))),
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		ReturnValues: types.ReturnValueUpdatedNew,
	})
	if _, exhausted := conditionFailed(err); exhausted {
		return 0, limit, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("dynamo: take: %w", err)
	}
	after, found, err := numberOf(out.Attributes, s.attr.Used)
	switch {
	case err != nil:
		return 0, 0, fmt.Errorf("dynamo: take: %w", err)
	case !found:
		return 0, 0, fmt.Errorf("dynamo: take: %s: %w", s.attr.Used, errNoNumber)
	}
	return min(want, limit-(after-want)), min(after, limit), nil
}
