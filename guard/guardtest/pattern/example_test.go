package pattern_test

import (
	"fmt"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
)

// A test of a rule: the pattern as the template has it, and events that it must and must
// not choose.
func ExampleParse() {
	large, err := pattern.Parse(`{
		"source": ["shop.orders"],
		"detail-type": ["Order Placed"],
		"detail": {"total": [{"numeric": [">", 100]}], "country": [{"anything-but": ["DE", "AT"]}]}
	}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, event := range []string{
		`{"source":"shop.orders","detail-type":"Order Placed","detail":{"total":250,"country":"FR"}}`,
		`{"source":"shop.orders","detail-type":"Order Placed","detail":{"total":250,"country":"DE"}}`,
		`{"source":"shop.orders","detail-type":"Order Placed","detail":{"total":"250","country":"FR"}}`,
	} {
		fmt.Println(large.Match([]byte(event)))
	}
	// Output:
	// true <nil>
	// false <nil>
	// false <nil>
}

// An error names the place in the pattern.
func ExampleParse_refused() {
	_, err := pattern.Parse(`{"detail": {"total": [{"numeric": [">", 100, ">", 50]}]}}`)
	fmt.Println(err)
	// Output:
	// pattern: detail.total[0].numeric: a range is > or >=, then < or <=
}

// A filter of an SQS mapping sees the document in a body. A body that is no JSON does not
// pass a filter that asks for its members.
func ExampleNewFilter() {
	orders, err := pattern.NewFilter(pattern.SQS, `{"body": {"kind": ["order"]}}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(orders.Match([]byte(`{"messageId":"1","body":"{\"kind\":\"order\",\"id\":7}"}`)))
	fmt.Println(orders.Match([]byte(`{"messageId":"2","body":"order 7"}`)))
	// Output:
	// true <nil>
	// false <nil>
}

// The FilterCriteria of a template, read from its JSON.
func ExampleParseFilterCriteria() {
	inserts, err := pattern.ParseFilterCriteria(pattern.DynamoDB, []byte(`{"Filters":[
		{"Pattern":"{\"eventName\":[\"INSERT\"]}"},
		{"Pattern":"{\"dynamodb\":{\"NewImage\":{\"state\":{\"S\":[\"paid\"]}}}}"}
	]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(inserts.Match([]byte(`{"eventName":"MODIFY","dynamodb":{"NewImage":{"state":{"S":"paid"}}}}`)))
	fmt.Println(inserts.Match([]byte(`{"eventName":"REMOVE","dynamodb":{"OldImage":{"state":{"S":"paid"}}}}`)))
	// Output:
	// true <nil>
	// false <nil>
}
