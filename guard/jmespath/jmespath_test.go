package jmespath_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/jmespath"
)

func TestText(t *testing.T) {
	const event = `{"headers":{"x-id":"a-1"},"n":9007199254740993,"list":["b","c"],"deep":{"er":null},"digits":"1700000000","nested":[[1]]}`
	for expr, want := range map[string]string{
		`headers."x-id"`:            "a-1",
		`n`:                         "9007199254740993",
		`list[-1]`:                  "c",
		`deep.er || list[0]`:        "b",
		`deep.er`:                   "",
		`headers`:                   "",
		`missing.member`:            "",
		`length(n)`:                 "", // a type error
		`abs(n)`:                    "", // a number of the event is a text
		`length(list)`:              "2",
		`to_number(digits)`:         "1700000000",
		`contains(nested, list)`:    "", // on which the library panics
		`join('-', list)`:           "b-c",
		`headers."x-id" || 'no'`:    "a-1",
		`powertools_json(headers)`:  "",
		`powertools_json(digits)`:   "1700000000",
		`list[?powertools_json(@)]`: "", // the first is not JSON
	} {
		ev := guard.EventOf(context.Background(), []byte(event))
		if got := jmespath.Text(expr)(context.Background(), ev); got != want {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
	ev := guard.EventOf(context.Background(), []byte(`{"n":1,"n":2}`))
	if got := jmespath.Text("n")(context.Background(), ev); got != "" {
		t.Errorf("an event with two meanings has %q", got)
	}
}

func TestMalformedExpressionPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	jmespath.Text("nosuch(a)")
}

func ExampleText() {
	ev := guard.EventOf(context.Background(), []byte(`{"detail":{"order":"o-17"}}`))
	fmt.Println(jmespath.Text("detail.order")(context.Background(), ev))
	// Output: o-17
}

// Header names of API Gateway's format 2.0 are in lower case.
func ExampleText_header() {
	id := jmespath.Text(`headers."x-correlation-id" || requestContext.requestId`)
	ev := guard.EventOf(context.Background(), []byte(`{"headers":{"accept":"*/*"},"requestContext":{"requestId":"JKJaXmPLvHcESHA="}}`))
	fmt.Println(id(context.Background(), ev))
	// Output: JKJaXmPLvHcESHA=
}

// The body of a message is text; powertools_json reads it.
func ExampleText_message() {
	id := jmespath.Text("Records[0].powertools_json(body).orderId")
	ev := guard.EventOf(context.Background(), []byte(`{"Records":[{"body":"{\"orderId\":\"o-17\"}"}]}`))
	fmt.Println(id(context.Background(), ev))
	// Output: o-17
}
