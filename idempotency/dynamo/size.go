package dynamo

import (
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// sizeOf returns the size of an item in bytes, as DynamoDB counts.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func sizeOf(item attributes) (size int) {
	for name, value := range item {
		size += len(name) + sizeOfValue(value)
	}
	return size
}

func sizeOfValue(v types.AttributeValue) (size int) {
	const ofDocument, ofElement = 3, 1
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return sizeOfNumber(v.Value)
	case *types.AttributeValueMemberBOOL, *types.AttributeValueMemberNULL:
		return 1
	case *types.AttributeValueMemberSS:
		for _, s := range v.Value {
			size += len(s)
		}
	case *types.AttributeValueMemberBS:
		for _, b := range v.Value {
			size += len(b)
		}
	case *types.AttributeValueMemberNS:
		for _, n := range v.Value {
			size += sizeOfNumber(n)
		}
	case *types.AttributeValueMemberL:
		size = ofDocument
		for _, element := range v.Value {
			size += ofElement + sizeOfValue(element)
		}
	case *types.AttributeValueMemberM:
		size = ofDocument + len(v.Value)*ofElement + sizeOf(v.Value)
	}
	return size
}

// sizeOfNumber returns a byte for each two significant digits, and one more.
func sizeOfNumber(n string) int {
	digits, _, _ := strings.Cut(strings.ToLower(strings.TrimLeft(n, "+-")), "e")
	digits = strings.Trim(strings.Replace(digits, ".", "", 1), "0")
	return (len(digits)+1)/2 + 1
}

// sizeOfUpdate returns the size of the values that an update writes. Values of its
// condition do not count.
func sizeOfUpdate(u *types.Update) (size int) {
	for _, word := range strings.FieldsFunc(aws.ToString(u.UpdateExpression), func(r rune) bool {
		return r != ':' && r != '_' && r != '#' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if value, ok := u.ExpressionAttributeValues[word]; ok {
			size += sizeOfValue(value)
		}
	}
	return size
}
