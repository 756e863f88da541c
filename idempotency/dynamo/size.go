package dynamo

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// sizeOf is the size of an item in bytes, as DynamoDB counts.
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
		size = ofDocument
		for name, element := range v.Value {
			size += ofElement + len(name) + sizeOfValue(element)
		}
	}
	return size
}

// sizeOfNumber is a byte for each two significant digits, and one.
func sizeOfNumber(n string) int {
	digits, _, _ := strings.Cut(strings.ToLower(strings.TrimLeft(n, "+-")), "e")
	whole, fraction, _ := strings.Cut(digits, ".")
	digits = strings.Trim(whole+fraction, "0")
	return (len(digits)+1)/2 + 1
}
