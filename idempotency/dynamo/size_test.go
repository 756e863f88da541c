package dynamo_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// Sizes are DynamoDB's: of each type the largest item that Stage takes is one
// that the server writes, and a byte more is one that it refuses as well.
func TestSizesAreThoseOfTheServer(t *testing.T) {
	number := func(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
	text := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	for name, value := range map[string]types.AttributeValue{
		"text":      text("größer"),
		"binary":    &types.AttributeValueMemberB{Value: []byte{0, 1, 2}},
		"true":      &types.AttributeValueMemberBOOL{Value: true},
		"null":      &types.AttributeValueMemberNULL{Value: true},
		"number":    number("123"),
		"zeros":     number("1200000"),
		"fraction":  number("12.34"),
		"texts":     &types.AttributeValueMemberSS{Value: []string{"a", "bc", "def"}},
		"numbers":   &types.AttributeValueMemberNS{Value: []string{"1", "234", "56789"}},
		"binaries":  &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2, 3}}},
		"list":      &types.AttributeValueMemberL{Value: []types.AttributeValue{text("a"), number("12"), text("")}},
		"map":       &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"one": text("a"), "two": number("12")}},
		"deep":      &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"l": &types.AttributeValueMemberL{}}}}},
		"empty map": &types.AttributeValueMemberM{},
	} {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			item := func(padding int) types.TransactWriteItem {
				item := s.blob("id", 1000)
				item.Put.Item["value"] = value
				item.Put.Item["blob"] = &types.AttributeValueMemberB{Value: make([]byte, padding)}
				return item
			}
			least, most := 400*kB-200, 400*kB // the one fits, the other does not
			tried := errors.New("tried")
			for most-least > 1 {
				padding := (most + least) / 2
				_, err := s.do(t, func(ctx context.Context) (string, error) {
					if err := dynamo.Stage(ctx, item(padding)); err != nil {
						return "", err
					}
					return "", tried
				})
				if errors.Is(err, tried) {
					least = padding
				} else {
					most = padding
				}
			}
			if _, err := s.direct.PutItem(t.Context(), putItem(item(least).Put)); err != nil {
				t.Errorf("the largest is refused: %v", err)
			}
			if _, err := s.direct.PutItem(t.Context(), putItem(item(most).Put)); err == nil {
				t.Error("a byte more is taken")
			}
		})
	}
}
