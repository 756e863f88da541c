package validate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/validate"
)

// The customisation of a unicorn: what would become SQL and a link elsewhere
// does not reach the function.
func Example() {
	customize := func(context.Context, map[string]string) (string, error) { return "done", nil }
	h := guard.Wrap(httpapi.Func(customize),
		httpapi.Problems(),
		guard.Recover(),
		validate.Body(validate.MustCompile(unicornSchema)),
	)

	for _, body := range []string{
		unicorn,
		strings.Replace(unicorn, "https://", "htt://", 1),
		strings.Replace(unicorn, `"cape":"4"`, `"cape":"2); INSERT INTO Cape (NAME,PRICE) VALUES ('Bad color', 10000.00"`, 1),
	} {
		text, _ := json.Marshal(body)
		out, err := h.Invoke(context.Background(), []byte(`{"version":"2.0","headers":{"content-type":"application/json"},
			"requestContext":{"http":{"method":"POST"}},"body":`+string(text)+`}`))
		if err != nil {
			fmt.Println(err)
			continue
		}
		var response events.APIGatewayV2HTTPResponse
		if err := json.Unmarshal(out, &response); err != nil {
			fmt.Println(err)
			continue
		}
		var problem struct {
			Code   string
			Errors []struct{ Pointer, Detail string }
		}
		_ = json.Unmarshal([]byte(response.Body), &problem) // "done" is none
		fmt.Println(response.StatusCode, problem.Code, problem.Errors)
	}
	// Output:
	// 200  []
	// 400 validation_failed [{/imageUrl must match the pattern}]
	// 400 validation_failed [{/cape must match the pattern}]
}

func ExampleCompile() {
	_, err := validate.Compile([]byte(`{"properties": {"password": {"pattern": "^(?=.*[0-9]).+$"}}}`))
	fmt.Println(err)
	// Output: validate: schema schema.json: /properties/password/pattern: error parsing regexp: invalid or unsupported Perl syntax: `(?=`; patterns are RE2, which has neither look-around nor back-references
}

func ExampleCompileFS() {
	schemas := fstest.MapFS{ // an embed.FS, in a function
		"order.json":           {Data: []byte(`{"properties": {"customer": {"$ref": "common/customer.json"}}}`)},
		"common/customer.json": {Data: []byte(`{"type": "string", "pattern": "^c-[0-9]+$"}`)},
	}
	order, err := validate.CompileFS(schemas, "order.json")
	fmt.Println(order.Validate(map[string]any{"customer": "c-42"}), err)
	// Output: <nil> <nil>
}

func ExampleEvent() {
	schema := validate.MustCompile([]byte(`{"required": ["detail"], "properties": {"detail": {"required": ["orderId"]}}}`))
	h := guard.Wrap(accept, validate.Event(schema))
	_, err := h.Invoke(context.Background(), []byte(`{"detail": {"order": 7}}`))
	var refused *guard.Error
	fmt.Println(errors.As(err, &refused), refused.Code, refused.Violations[0].Pointer)
	// Output: true validation_failed /detail/orderId
}

func ExampleAt() {
	orders := validate.MustCompile([]byte(`{"type": "array", "items": {"required": ["sku"]}}`))
	h := guard.Wrap(accept, validate.At(validate.EnvelopeSQS, orders))
	_, err := h.Invoke(context.Background(), []byte(`{"Records": [{"body": "{\"sku\": \"KB-101\"}"}, {"body": "{}"}]}`))
	fmt.Println(guard.Public(err).Violations[0].Pointer)
	// Output: /1/sku
}

func ExampleRecords() {
	schema := validate.MustCompile([]byte(`{"required": ["sku"]}`))
	place := validate.Records(schema, func(_ context.Context, m events.SQSMessage) error {
		fmt.Println("placed", m.MessageId)
		return nil
	})
	for _, m := range []events.SQSMessage{{MessageId: "1", Body: `{"sku": "KB-101"}`}, {MessageId: "2", Body: `{}`}} {
		if err := place(context.Background(), m); err != nil {
			fmt.Println("refused", m.MessageId, guard.KindOf(err))
		}
	}
	// Output:
	// placed 1
	// refused 2 invalid
}

func ExampleParameters() {
	schema := validate.MustCompile([]byte(`{"properties": {"query": {"properties": {"limit": {"type": "integer", "maximum": 100}}}}}`))
	h := guard.Wrap(accept, validate.Parameters(schema))
	_, err := h.Invoke(context.Background(), []byte(`{"version": "2.0", "rawQueryString": "limit=1000",
		"queryStringParameters": {"limit": "1000"}, "requestContext": {"http": {"method": "GET"}}}`))
	fmt.Println(guard.Public(err).Violations)
	// Output: [{/query/limit maximum must be at most 100}]
}

func ExampleResult() {
	schema := validate.MustCompile([]byte(`{"required": ["id"]}`))
	h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(`{"password": "…"}`), nil })
	_, err := guard.Wrap(h, guard.Errors(), validate.Result(schema)).Invoke(context.Background(), []byte(`{}`))
	answer, _ := json.Marshal(err)
	fmt.Println(string(answer))
	// Output: {"errorMessage":"Internal error","errorType":"internal"}
}
