package awsdynamo

import (
	"bytes"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lambdarmor/lambdarmor/guard"
)

// encode returns an item as JSON: the same bytes for the same item, so that a
// cache sees whether it has changed.
func encode(item map[string]types.AttributeValue) ([]byte, error) {
	data, err := json.Marshal(object(item), json.Deterministic(true))
	if err != nil { // its text may quote the item
		return nil, guard.Reason("an attribute is no JSON: it has an unknown type, a number that is none, or a text that is not UTF-8")
	}
	return data, nil
}

func object(item map[string]types.AttributeValue) map[string]any {
	members := make(map[string]any, len(item))
	for name, v := range item {
		members[name] = value(v)
	}
	return members
}

// value returns what is encoded for an attribute. What is not known cannot be
// encoded.
func value(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return jsontext.Value(v.Value)
	case *types.AttributeValueMemberBOOL:
		return v.Value
	case *types.AttributeValueMemberNULL:
		return nil
	case *types.AttributeValueMemberB:
		return v.Value
	case *types.AttributeValueMemberM:
		return object(v.Value)
	case *types.AttributeValueMemberL:
		elements := make([]any, len(v.Value))
		for i, e := range v.Value {
			elements[i] = value(e)
		}
		return elements
	case *types.AttributeValueMemberSS:
		return slices.Sorted(slices.Values(v.Value))
	case *types.AttributeValueMemberNS:
		numbers := make([]jsontext.Value, 0, len(v.Value))
		for _, n := range slices.Sorted(slices.Values(v.Value)) {
			numbers = append(numbers, jsontext.Value(n))
		}
		return numbers
	case *types.AttributeValueMemberBS:
		return slices.SortedFunc(slices.Values(v.Value), bytes.Compare)
	}
	return func() {}
}
