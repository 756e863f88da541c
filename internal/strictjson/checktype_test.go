package strictjson_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

type hidden struct{ X int }

type selfDecoding struct{ C chan int }

func (*selfDecoding) UnmarshalJSON([]byte) error { return nil }

// tagged is a struct of two fields with the tags that go vet would not let pass.
func tagged(a, b string, second ...string) any {
	fields := []reflect.StructField{
		{Name: "A", Type: reflect.TypeFor[int](), Tag: reflect.StructTag(a)},
		{Name: "B", Type: reflect.TypeFor[int](), Tag: reflect.StructTag(b)},
	}
	if len(second) > 0 { // unexported
		fields[1].Name, fields[1].PkgPath = second[0], "example.com/p"
	}
	return reflect.Zero(reflect.StructOf(fields)).Interface()
}

// field is a struct of a field with a tag that staticcheck would not let pass.
func field[T any](tag string) any {
	return reflect.Zero(reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.TypeFor[T](), Tag: reflect.StructTag(tag)}})).Interface()
}

type pointerToItself *pointerToItself

func TestCheckTypeRefuses(t *testing.T) {
	for _, tc := range []struct {
		rule  string
		value any
		want  string // in the error, which names the type as well
	}{
		{rule: "a channel", value: struct{ C chan int }{}, want: ".C: chan int has no form in JSON"},
		{rule: "a function", value: struct{ F func() }{}, want: ".F: func() has no form in JSON"},
		{rule: "a complex number", value: struct{ Z []complex128 }{}, want: ".Z: complex128 has no form in JSON"},
		{rule: "an interface with methods", value: struct{ E error }{}, want: ".E: error is an interface with methods"},
		{rule: "an embedded one", value: struct{ fmt.Stringer }{}, want: "field Stringer of non-struct type"},
		{rule: "a key that is a float", value: struct{ M map[float64]int }{}, want: ".M: float64 is no key of an object"},
		{rule: "a key that is a boolean", value: map[bool]int{}, want: "map[bool]int: bool is no key of an object"},
		{rule: "a key that is a struct", value: map[hidden]int{}, want: "hidden is no key of an object"},
		{rule: "one name twice", value: tagged(`json:"x"`, `json:"x"`), want: `fields A and B conflict over JSON object name "x"`},
		{rule: "a tag on an unexported field", value: tagged("", `json:"a"`, "b"), want: "unexported Go struct field b"},
		{rule: "a misspelled option", value: tagged(`json:"a,omitEmpty"`, ""), want: "omitEmpty"},
		{rule: "a comma too many", value: tagged(`json:"a,"`, ""), want: "trailing ','"},
		{rule: "the comma that makes - a name", value: tagged(`json:"-,"`, ""), want: "trailing ','"},
		{rule: "an option of another decoder", value: struct {
			A int `json:"a,case:ignore"`
		}{}, want: ".A: encoding/json has no option case:ignore"},
		{rule: "a format of another decoder", value: struct {
			A time.Time `json:"a,format:RFC3339"`
		}{}, want: "format"},
		{rule: "embedding of another decoder", value: struct {
			A map[string]int `json:",embed"`
		}{}, want: ".A: encoding/json has no option embed"},
		{rule: "a name that encoding/json ignores", value: struct {
			A int `json:"a€"`
		}{}, want: ".A: encoding/json takes \"a€\" for no name"},
		{
			rule:  "the option string of a struct",
			value: field[hidden](`json:"a,string"`),
			want:  ".A: the option string is for strings, booleans and numbers",
		},
		{
			rule:  "the option string of what decodes itself",
			value: field[time.Time](`json:"a,string"`),
			want:  ".A: the option string is for strings, booleans and numbers",
		},
		{
			rule:  "a pointer to an embedded unexported struct",
			value: struct{ *hidden }{},
			want:  ".hidden: a pointer to an unexported struct cannot be set",
		},
		{rule: "an embedded struct without exported fields", value: struct {
			sync.Mutex
			X int
		}{}, want: "no exported fields"},
		{rule: "a struct without exported fields", value: struct{ x int }{}, want: "no exported fields"},
		{rule: "further down", value: struct {
			A []map[string]*struct{ C chan int }
		}{}, want: ".C: chan int has no form in JSON"},
		{rule: "a pointer to itself", value: pointerToItself(nil), want: "the type is a pointer to itself"},
	} {
		t.Run(tc.rule, func(t *testing.T) {
			typ := reflect.TypeOf(tc.value)
			err := strictjson.CheckType(typ)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "cannot decode JSON into ") {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
			// Decoding all the same does not blame the text.
			err = strictjson.Unmarshal([]byte(`{}`), reflect.New(typ).Interface(), strictjson.Options{})
			if _, blamed := err.(*strictjson.Error); blamed || err == nil {
				t.Errorf("Unmarshal: got %v, want the same", err)
			}
		})
	}
}

func TestCheckTypeAccepts(t *testing.T) {
	for _, value := range []any{
		0, "", []byte(nil),
		map[string]any{},
		json.RawMessage(nil),
		struct{}{},
		&order{},
		Node{},
		time.Time{},
		url.URL{},
		selfDecoding{},
		map[textKey]int{},
		map[json.Number]json.Number{},
		struct {
			C chan int `json:"-"`
			u chan int
		}{},
		struct {
			B int `json:",omitempty"`
			C int `json:"c,omitzero,inline"` // which nobody knows
			D int `json:"$d.e/f g"`
		}{},
		struct {
			A struct{ X int }
			base
			*Inner
		}{},
	} {
		if err := strictjson.CheckType(reflect.TypeOf(value)); err != nil {
			t.Errorf("%T: %v", value, err)
		}
	}
	if err := strictjson.CheckType(reflect.TypeFor[any]()); err != nil {
		t.Errorf("any: %v", err)
	}
}

func TestCheckTypeAcceptsTheEventsOfAWS(t *testing.T) {
	for _, event := range []any{
		events.ALBTargetGroupRequest{},
		events.APIGatewayProxyRequest{},
		events.APIGatewayV2HTTPRequest{},
		events.APIGatewayWebsocketProxyRequest{},
		events.APIGatewayCustomAuthorizerRequest{},
		events.APIGatewayCustomAuthorizerRequestTypeRequest{},
		events.APIGatewayV2CustomAuthorizerV1Request{},
		events.APIGatewayV2CustomAuthorizerV2Request{},
		events.ActiveMQEvent{},
		events.AppSyncLambdaAuthorizerRequest{},
		events.AutoScalingEvent{},
		events.CloudwatchLogsEvent{},
		events.CloudWatchEvent{},
		events.EventBridgeEvent{},
		events.CodeBuildEvent{},
		events.CodeCommitEvent{},
		events.CodeDeployEvent{},
		events.CodePipelineEvent{},
		events.CognitoEvent{},
		events.CognitoEventUserPoolsPreSignup{},
		events.CognitoEventUserPoolsPreTokenGen{},
		events.ConfigEvent{},
		events.ConnectEvent{},
		events.DynamoDBEvent{},
		events.ECRScanEvent{},
		events.IoTCoreCustomAuthorizerRequest{},
		events.IoTButtonEvent{},
		events.KafkaEvent{},
		events.KinesisEvent{},
		events.KinesisFirehoseEvent{},
		events.LambdaFunctionURLRequest{},
		events.LexEvent{},
		events.RabbitMQEvent{},
		events.S3Event{},
		events.S3BatchJobEvent{},
		events.S3ObjectLambdaEvent{},
		events.SecretsManagerSecretRotationEvent{},
		events.SimpleEmailEvent{},
		events.SNSEvent{},
		events.SQSEvent{},
	} {
		if err := strictjson.CheckType(reflect.TypeOf(event)); err != nil {
			t.Errorf("%T: %v", event, err)
		}
	}
}

// AWS sends null where it knows nothing.
func TestTheEventsOfAWSTakeNullForAnObject(t *testing.T) {
	const text = `{"path":"/","requestContext":null}`
	var got, want events.APIGatewayProxyRequest
	if err := strictjson.Unmarshal([]byte(text), &got, strictjson.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &want); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v, %v", got, want, err)
	}
}
