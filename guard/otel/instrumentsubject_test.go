package otel

import (
	"fmt"
	"slices"
	"testing"
)

// What no client that is linked here has, and input of another shape than any client's.
func TestTheSubjectOfACall(t *testing.T) {
	type text = *string
	of := func(s string) *string { return &s }
	type item struct{ Put *struct{ TableName *string } }
	for _, c := range []struct {
		name, service, operation string
		input                    any
		want                     string
	}{
		{name: "a stream", service: "Kinesis", operation: "PutRecord", input: &struct{ StreamName, StreamARN text }{StreamName: of("orders")}, want: "aws.kinesis.stream_name=orders"},
		{
			name: "a stream by its ARN", service: "Kinesis", operation: "PutRecords",
			input: &struct{ StreamName, StreamARN text }{StreamARN: of("arn:aws:kinesis:x:1:stream/orders")}, want: "aws.kinesis.stream_name=orders",
		},
		{name: "a function with a version", service: "Lambda", operation: "Invoke", input: &struct{ FunctionName text }{of("bill:1")}, want: "faas.invoked_name=bill faas.invoked_provider=aws faas.invoked_region=r"},
		{name: "part of an ARN", service: "Lambda", operation: "Invoke", input: &struct{ FunctionName text }{of("1:function:bill")}, want: "faas.invoked_name=bill faas.invoked_provider=aws faas.invoked_region=r"},
		{name: "a function whose name ends so", service: "Lambda", operation: "Invoke", input: &struct{ FunctionName text }{of("bill-function:live")}, want: "faas.invoked_name=bill-function faas.invoked_provider=aws faas.invoked_region=r"},
		{name: "the shortest part of an ARN", service: "Lambda", operation: "Invoke", input: &struct{ FunctionName text }{of("function:bill")}, want: "faas.invoked_name=bill faas.invoked_provider=aws faas.invoked_region=r"},
		{name: "a function that is not called", service: "Lambda", operation: "GetFunction", input: &struct{ FunctionName text }{of("bill")}},
		{name: "a key", service: "KMS", operation: "Decrypt", input: &struct{ KeyId text }{of("secret")}},
		{name: "a secret", service: "Secrets Manager", operation: "GetSecretValue", input: &struct{ SecretId text }{of("secret")}},
		{name: "a parameter", service: "SSM", operation: "GetParameter", input: &struct{ Name text }{of("secret")}},
		{name: "no input", service: "S3", operation: "ListBuckets"},
		{name: "a nil input", service: "S3", operation: "GetObject", input: (*struct{ Bucket text })(nil)},
		{name: "a nil member", service: "S3", operation: "GetObject", input: &struct{ Bucket text }{}},
		{name: "a member of another type", service: "S3", operation: "GetObject", input: &struct{ Bucket int }{7}},
		{name: "a nil item", service: "DynamoDB", operation: "TransactWriteItems", input: &struct{ TransactItems []item }{make([]item, 2)}, want: "db.system.name=aws.dynamodb"},
		{name: "items of another type", service: "DynamoDB", operation: "BatchGetItem", input: &struct{ RequestItems map[int]int }{map[int]int{1: 1}}, want: "db.system.name=aws.dynamodb"},
		{name: "a text that is none", service: "S3", operation: "GetObject", input: &struct{ Bucket text }{of("a\xffb")}, want: "aws.s3.bucket=ab"},
	} {
		attrs, _ := subjectOf(c.service, c.operation, "r", c.input)
		got := ""
		for i, a := range attrs {
			if i > 0 {
				got += " "
			}
			got += fmt.Sprint(a.Key, "=", a.Value.AsString())
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// With an endpoint of its own a client may have any region, or none.
func TestTheRegionOfAFunctionIsATextIfItIsThere(t *testing.T) {
	name := "bill"
	for _, c := range []struct {
		region string
		want   []string // attributes
	}{
		{region: "", want: []string{"faas.invoked_name=bill", "faas.invoked_provider=aws"}},
		{region: "a\xffb", want: []string{"faas.invoked_name=bill", "faas.invoked_provider=aws", "faas.invoked_region=ab"}},
	} {
		attrs, _ := subjectOf("Lambda", "Invoke", c.region, &struct{ FunctionName *string }{&name})
		var got []string
		for _, a := range attrs {
			got = append(got, fmt.Sprint(a.Key, "=", a.Value.AsString()))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("region %q: got %q, want %q", c.region, got, c.want)
		}
	}
}

func TestTheTablesOfACallAreBounded(t *testing.T) {
	requests := map[string]int{}
	for i := range 10_000 {
		requests[fmt.Sprint(i)] = i
	}
	attrs, _ := subjectOf("DynamoDB", "BatchGetItem", "r", &struct{ RequestItems map[string]int }{requests})
	if len(attrs) != 2 {
		t.Fatalf("got %v, want the tables", attrs)
	}
	if got := len(attrs[1].Value.AsStringSlice()); got != mostTables {
		t.Errorf("got %d tables, want %d", got, mostTables)
	}
}
