package awsdynamo

import (
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard"
)

// Item is where an item is. Sort is zero for a table without a sort key.
type Item struct {
	Table      string // name or ARN
	Hash, Sort Key
}

// Key is the name and value of a key attribute, from [Text] or [Number].
type Key struct {
	name  string
	value types.AttributeValue
}

// Text returns a key attribute of type S.
func Text(name, value string) Key {
	return Key{name, &types.AttributeValueMemberS{Value: value}}
}

// Number returns a key attribute of type N. The value is the number as text. If it
// is none, the error of the fetch is that of DynamoDB.
func Number(name, value string) Key {
	return Key{name, &types.AttributeValueMemberN{Value: value}}
}

// Items returns a function for [New] that knows these names alone. It panics if an
// item has no table or no hash key, or if its keys have the same name.
func Items(byName map[string]Item) func(name string) (Item, bool) {
	for name, it := range byName {
		if _, err := it.key(); err != nil {
			panic(fmt.Sprintf("awsdynamo: Items: %q: %v", name, err))
		}
	}
	byName = maps.Clone(byName)
	return func(name string) (Item, bool) {
		it, ok := byName[name]
		return it, ok
	}
}

// key returns the key of a request for the item.
func (it Item) key() (map[string]types.AttributeValue, error) {
	key := map[string]types.AttributeValue{it.Hash.name: it.Hash.value}
	switch {
	case it.Table == "":
		return nil, guard.Reason("no table")
	case it.Hash.name == "":
		return nil, guard.Reason("no hash key")
	case it.Sort == Key{}:
		return key, nil
	case it.Sort.name == "" || it.Sort.name == it.Hash.name:
		return nil, guard.Reason("the sort key needs a name of its own")
	}
	key[it.Sort.name] = it.Sort.value
	return key, nil
}
