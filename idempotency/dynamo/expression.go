package dynamo

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency"
)

// expression collects the names and values that the expressions of one request
// refer to.
type expression struct {
	names  map[string]string
	values map[string]types.AttributeValue
}

func newExpression() *expression {
	return &expression{names: make(map[string]string), values: make(map[string]types.AttributeValue)}
}

// name returns the placeholder of an attribute, as any name may be a reserved word.
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

func (e *expression) is(attribute string, v types.AttributeValue) string {
	return e.name(attribute) + " = " + e.value(v)
}

// isFree is the condition of a claim.
func (s *Store) isFree(e *expression, r idempotency.Record) string {
	now := s.clock.Now()
	free := "attribute_not_exists(" + e.name(s.attr.Key) + ") OR " +
		e.name(s.attr.Expiration) + " < " + e.value(number(now.Unix()))
	before := r.Epoch - 1
	if before == 0 {
		return free
	}
	epoch := e.is(s.attr.Epoch, number(before))
	if before == 1 { // or another library's
		epoch = "(" + epoch + " OR attribute_not_exists(" + e.name(s.attr.Epoch) + "))"
	}
	request := ""
	if r.Fingerprint != "" {
		request = " AND (" + e.is(s.attr.Fingerprint, text(r.Fingerprint)) +
			" OR attribute_not_exists(" + e.name(s.attr.Fingerprint) + "))"
	}
	return free + " OR (" + e.is(s.attr.Status, text(inProgress)) +
		" AND " + e.name(s.attr.Lease) + " < " + e.value(number(now.UnixMilli())) + " AND " + epoch + request + ")"
}

// isOurs is the fence: the condition of a completion.
func (s *Store) isOurs(e *expression, r idempotency.Record) string {
	return e.is(s.attr.Owner, text(r.Owner)) + " AND " + e.is(s.attr.Epoch, number(r.Epoch))
}

// isOursInProgress is the condition of a release, and of a commit: a commit that
// was withdrawn or has taken place must not take place.
func (s *Store) isOursInProgress(e *expression, r idempotency.Record) string {
	return s.isOurs(e, r) + " AND " + e.is(s.attr.Status, text(inProgress))
}
