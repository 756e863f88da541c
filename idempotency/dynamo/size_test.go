package dynamo_test

import (
	"bytes"
	"context"
	"fmt"
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
			fits := func(padding int) (locally, atServer error) {
				item := s.blob("id", 1000)
				item.Put.Item["value"] = value
				item.Put.Item["blob"] = &types.AttributeValueMemberB{Value: bytes.Repeat([]byte{1}, padding)}
				_, atServer = s.direct.PutItem(t.Context(), putItem(item.Put))
				s.key = fmt.Sprint("key ", padding)
				_, locally = s.do(t, func(ctx context.Context) (string, error) { return "", dynamo.Stage(ctx, item) })
				return locally, atServer
			}
			most, least := 400*kB, 400*kB-200
			for most-least > 1 { // least fits, most does not
				if locally, _ := fits((most + least) / 2); locally == nil {
					least = (most + least) / 2
				} else {
					most = (most + least) / 2
				}
			}
			if locally, atServer := fits(least); locally != nil || atServer != nil {
				t.Errorf("the largest is refused: %v, %v", locally, atServer)
			}
			if locally, atServer := fits(most); locally == nil || atServer == nil {
				t.Errorf("a byte more is taken: %v, %v", locally, atServer)
			}
		})
	}
}
