package validate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/httpapi"
	"github.com/lambdarmor/lambdarmor/validate"
	"github.com/lambdarmor/lambdarmor/validate/schema"
)

// The customisation of a unicorn: what would become SQL and a link elsewhere
// does not reach the function.
func Example() {
	customize := func(context.Context, map[string]string) (string, error) { return "done", nil }
	h := guard.Wrap(httpapi.Func(customize),
		httpapi.Problems(),
		guard.Recover(),
		validate.Body(schema.MustCompile(unicornSchema)),
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

func ExampleEvent() {
	withOrder := schema.MustCompile([]byte(`{"required": ["detail"], "properties": {"detail": {"required": ["orderId"]}}}`))
	h := guard.Wrap(accept, validate.Event(withOrder))
	_, err := h.Invoke(context.Background(), []byte(`{"detail": {"order": 7}}`))
	var refused *guard.Error
	fmt.Println(errors.As(err, &refused), refused.Code, refused.Violations[0].Pointer)
	// Output: true validation_failed /detail/orderId
}

func ExampleRecords() {
	item := schema.MustCompile([]byte(`{"required": ["sku"]}`))
	place := validate.Records[events.SQSMessage](item)(func(_ context.Context, m events.SQSMessage) error {
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
	list := schema.MustCompile([]byte(`{"properties": {"query": {"properties": {"limit": {"type": "integer", "maximum": 100}}}}}`))
	h := guard.Wrap(accept, validate.Parameters(list))
	_, err := h.Invoke(context.Background(), []byte(`{"version": "2.0", "rawQueryString": "limit=1000",
		"queryStringParameters": {"limit": "1000"}, "requestContext": {"http": {"method": "GET"}}}`))
	fmt.Println(guard.Public(err).Violations)
	// Output: [{/query/limit maximum must be at most 100}]
}

func ExampleResult() {
	customer := schema.MustCompile([]byte(`{"required": ["id"]}`))
	h := guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(`{"password": "…"}`), nil })
	_, err := guard.Wrap(h, guard.Errors(), validate.Result(customer)).Invoke(context.Background(), []byte(`{}`))
	answer, _ := json.Marshal(err)
	fmt.Println(string(answer))
	// Output: {"errorMessage":"Internal error","errorType":"internal"}
}
