package dynamo

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// expression collects the names and values that the texts of a request use.
type expression struct {
	names  map[string]string
	values map[string]types.AttributeValue
}

func (s *Store) expression() *expression {
	return &expression{names: make(map[string]string, 8), values: make(map[string]types.AttributeValue, 8)}
}

// name gives the placeholder of an attribute; any name may be reserved.
func (e *expression) name(attribute string) string {
	for placeholder, name := range e.names {
		if name == attribute {
			return placeholder
		}
	}
	placeholder := "#" + strconv.Itoa(len(e.names))
	e.names[placeholder] = attribute
	return placeholder
}

func (e *expression) value(v types.AttributeValue) string {
	placeholder := ":" + strconv.Itoa(len(e.values))
	e.values[placeholder] = v
	return placeholder
}

func (e *expression) text(v string) string { return e.value(text(v)) }

func (e *expression) number(v int64) string { return e.value(number(v)) }
