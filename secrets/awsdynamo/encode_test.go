package awsdynamo_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/secrets/awsdynamo"
)

// fetched returns what a source makes of an item.
func fetched(t *testing.T, item attributes) (string, error) {
	t.Helper()
	client := getter(func(*dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
		return &dynamodb.GetItemOutput{Item: item}, nil
	})
	v := awstest.Fetch(t, awsdynamo.New(client, anyName), awstest.Named("a")...)[0]
	return string(v.Data), v.Err
}

func TestAttributesAsJSON(t *testing.T) {
	const digits = "12345678901234567890123456789012345678"
	item := attributes{
		"text":    text(`"quoted" <b>& ü`),
		"empty":   text(""),
		"number":  number("-0.10"),
		"digits":  number(digits),
		"power":   number("1E+100"),
		"yes":     &types.AttributeValueMemberBOOL{Value: true},
		"null":    &types.AttributeValueMemberNULL{Value: true},
		"bytes":   &types.AttributeValueMemberB{Value: []byte{0, 255}},
		"map":     &types.AttributeValueMemberM{Value: attributes{"b": number("2"), "a": &types.AttributeValueMemberM{Value: attributes{}}}},
		"list":    &types.AttributeValueMemberL{Value: []types.AttributeValue{text("x"), number("1"), &types.AttributeValueMemberL{}}},
		"texts":   &types.AttributeValueMemberSS{Value: []string{"b", "a"}},
		"numbers": &types.AttributeValueMemberNS{Value: []string{"2", "10"}},
		"binary":  &types.AttributeValueMemberBS{Value: [][]byte{{1}, {0}}},
	}
	want := `{"binary":["AA==","AQ=="],"bytes":"AP8=","digits":` + digits + `,"empty":"","list":["x",1,[]],` +
		`"map":{"a":{},"b":2},"null":null,"number":-0.10,"numbers":[10,2],"power":1E+100,"text":"\"quoted\" <b>& ü","texts":["a","b"],"yes":true}`
	for range 20 { // of a map
		if got, err := fetched(t, item); err != nil || got != want {
			t.Fatalf("got %s, %v, want %s", got, err, want)
		}
	}
	var decoded struct {
		Digits json.Number `json:"digits"`
	}
	if err := json.Unmarshal([]byte(want), &decoded); err != nil || decoded.Digits != digits {
		t.Errorf("got %s, %v, want %s", decoded.Digits, err, digits)
	}
}

// The server returns the digits that it was given.
func TestNumbersAreExactBehindARealServer(t *testing.T) {
	s := setUp(t, types.ScalarAttributeTypeS, types.ScalarAttributeTypeN)
	const digits = "12345678901234567890123456789012345678"
	s.put(t, attributes{"pKey": text("p"), "sKey": number(digits), "all": &types.AttributeValueMemberNS{Value: []string{digits, "0.1"}}})
	source := awsdynamo.New(s.client, awsdynamo.Items(map[string]awsdynamo.Item{
		"n": {Table: s.table, Hash: awsdynamo.Text("pKey", "p"), Sort: awsdynamo.Number("sKey", digits)},
	}))
	awstest.MustHave(t, awstest.Fetch(t, source, awstest.Named("n")...)[0], `{"all":[0.1,`+digits+`],"pKey":"p","sKey":`+digits+`}`)
}

func TestWhatIsNoJSONIsAnErrorWithoutIt(t *testing.T) {
	for what, v := range map[string]types.AttributeValue{
		"no number":          number("hunter2"),
		"a number and more":  number("1,\"hunter2\":2"),
		"no number in a set": &types.AttributeValueMemberNS{Value: []string{"1", "hunter2"}},
		"no UTF-8":           text("hunter2\xff"),
		"an unknown type":    &types.UnknownUnionMember{Tag: "hunter2"},
		"nothing":            nil,
	} {
		t.Run(what, func(t *testing.T) {
			got, err := fetched(t, attributes{"v": &types.AttributeValueMemberM{Value: attributes{"in": v}}})
			awstest.MustMean(t, err, nil)
			if got != "" || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %s, %v, want an error without the item", got, err)
			}
		})
	}
}
