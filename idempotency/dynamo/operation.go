package dynamo

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/internal/reason"
)

// operation is one operation of a transaction, with its table and key.
type operation struct {
	table string
	key   attributes // nil for a Put, whose item includes it
	item  attributes // of a Put
	size  int        // in bytes, as far as it is known
}

func operationOf(item types.TransactWriteItem) (op operation, err error) {
	n := 0
	set := func(table *string, key, item attributes) {
		n++
		op = operation{table: aws.ToString(table), key: key, item: item, size: sizeOf(key) + sizeOf(item)}
	}
	if o := item.Put; o != nil {
		set(o.TableName, nil, o.Item)
	}
	if o := item.Update; o != nil {
		set(o.TableName, o.Key, nil)
		op.size += sizeOfUpdate(o)
	}
	if o := item.Delete; o != nil {
		set(o.TableName, o.Key, nil)
	}
	if o := item.ConditionCheck; o != nil {
		set(o.TableName, o.Key, nil)
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

// isOn reports whether the operation is on the item of a key.
func (op *operation) isOn(key attributes) bool {
	has := op.key
	if has == nil {
		has = op.item
	}
	for name, value := range key {
		if !reflect.DeepEqual(has[name], value) {
			return false
		}
	}
	return true
}

// isOnSameItem reports whether two operations are on one item. For two Puts that is
// known only if the names of the table's key are known.
func (op *operation) isOnSameItem(other *operation, keyNames attributes) bool {
	switch {
	case op.table != other.table:
		return false
	case other.key != nil:
		return op.isOn(other.key)
	case op.key != nil:
		return other.isOn(op.key)
	}
	for name := range keyNames {
		if !reflect.DeepEqual(op.item[name], other.item[name]) {
			return false
		}
	}
	return keyNames != nil
}
