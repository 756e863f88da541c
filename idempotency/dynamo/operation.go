package dynamo

import (
	"bytes"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

type attributes = map[string]types.AttributeValue

// operation is what is known of one operation of a transaction.
type operation struct {
	table string
	key   attributes // nil in a Put, whose item has it among the others
	item  attributes // of a Put
	size  int        // of the item, in bytes, as far as it is known
}

func operationOf(item types.TransactWriteItem) (op operation, err error) {
	n := 0
	if p := item.Put; p != nil {
		n++
		op = operation{table: aws.ToString(p.TableName), item: p.Item, size: sizeOf(p.Item)}
	}
	if u := item.Update; u != nil {
		n++
		op = operation{table: aws.ToString(u.TableName), key: u.Key, size: sizeOf(u.Key) + sizeOfUpdate(u)}
	}
	if d := item.Delete; d != nil {
		n++
		op = operation{table: aws.ToString(d.TableName), key: d.Key, size: sizeOf(d.Key)}
	}
	if c := item.ConditionCheck; c != nil {
		n++
		op = operation{table: aws.ToString(c.TableName), key: c.Key, size: sizeOf(c.Key)}
	}
	switch {
	case n != 1:
		return op, reason.New("not one of Put, Update, Delete and ConditionCheck")
	case op.table == "":
		return op, reason.New("without a table")
	case len(op.key) == 0 && len(op.item) == 0:
		return op, reason.New("without a key")
	default:
		return op, nil
	}
}

// on reports whether the operation is on the item of that key.
func (op *operation) on(key attributes) bool {
	has := op.key
	if has == nil {
		has = op.item
	}
	for name, value := range key {
		if !equal(has[name], value) {
			return false
		}
	}
	return true
}

// meets reports whether two operations are on one item. Of two Puts that is
// seen where the names of their table's key are known.
func (op *operation) meets(other *operation, names attributes) bool {
	switch {
	case op.table != other.table:
		return false
	case other.key != nil:
		return op.on(other.key)
	case op.key != nil:
		return other.on(op.key)
	case names == nil:
		return false
	}
	for name := range names {
		if !equal(op.item[name], other.item[name]) {
			return false
		}
	}
	return true
}

// equal compares values of keys.
func equal(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberB:
		b, ok := b.(*types.AttributeValueMemberB)
		return ok && bytes.Equal(a.Value, b.Value)
	default:
		return false
	}
}

// sizeOfUpdate is that of the values which an update writes.
func sizeOfUpdate(u *types.Update) (size int) {
	values := u.ExpressionAttributeValues
	for _, word := range strings.FieldsFunc(aws.ToString(u.UpdateExpression), func(r rune) bool {
		return r != ':' && r != '_' && r != '#' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if value, ok := values[word]; ok {
			size += sizeOfValue(value)
		}
	}
	return size
}
