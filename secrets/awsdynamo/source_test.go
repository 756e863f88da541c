package awsdynamo_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awsdynamo"
)

// anyName is a function for New that makes an item of each name.
func anyName(name string) (awsdynamo.Item, bool) {
	return awsdynamo.Item{Table: "settings", Hash: awsdynamo.Text("id", name)}, true
}

func TestWhatAllSourcesOfAWSDo(t *testing.T) {
	awstest.Subject{
		Package:    "awsdynamo",
		New:        func(cfg aws.Config) secrets.Source { return awsdynamo.New(dynamodb.NewFromConfig(cfg), anyName) },
		Operations: []string{"GetItem"},
		Fetches:    [][]string{{"a"}, {"a", "b"}},
		Codes: []awstest.Meaning{
			{Status: 400, Code: "ResourceNotFoundException", Want: secrets.ErrNotFound},
			{Status: 400, Code: "ProvisionedThroughputExceededException", Want: secrets.ErrUnavailable},
		},
		Value:     map[string]any{"Item": map[string]any{"v": map[string]any{"S": "value"}}},
		Want:      `{"v":"value"}`,
		Unbatched: true,
		Cut:       `{"Item":{"v":{"S":"hunter2`,
		Misshapen: map[string]any{"Item": []string{"hunter2"}},
		AtOnce:    8,
	}.Test(t)
}

func TestNoOtherClientIsLinked(t *testing.T) { awstest.MustLinkOnly(t, "dynamodb") }

// A hyphen, a slash or a dot in a name or a key means nothing.
func TestItemsAreFoundByTheirKeys(t *testing.T) {
	s := setUp(t, types.ScalarAttributeTypeS, types.ScalarAttributeTypeN)
	for hash, sort := range map[string]string{"a": "1", "a-1": "1", "../a": "-2.5"} {
		s.put(t, attributes{"pKey": text(hash), "sKey": number(sort), "Data": text(hash + " at " + sort)})
	}
	item := func(hash, sort string) awsdynamo.Item {
		return awsdynamo.Item{Table: s.table, Hash: awsdynamo.Text("pKey", hash), Sort: awsdynamo.Number("sKey", sort)}
	}
	source := awsdynamo.New(s.client, awsdynamo.Items(map[string]awsdynamo.Item{
		"a-1":     item("a", "1"),
		"a-1-1":   item("a-1", "1"),
		"path":    item("../a", "-2.50"), // the same number
		"missing": item("a", "2"),
		"table":   {Table: "none", Hash: awsdynamo.Text("pKey", "a")},
	}))
	values := awstest.Fetch(t, source, awstest.Named("a-1", "a-1-1", "path", "missing", "table", "a", "a-1-")...)
	for i, want := range []string{
		`{"Data":"a at 1","pKey":"a","sKey":1}`, `{"Data":"a-1 at 1","pKey":"a-1","sKey":1}`, `{"Data":"../a at -2.5","pKey":"../a","sKey":-2.5}`,
	} {
		awstest.MustHave(t, values[i], want)
	}
	for _, v := range values[3:] {
		awstest.MustMean(t, v.Err, secrets.ErrNotFound)
	}
	if got := s.Taken(); !maps.Equal(got, map[string]int{"GetItem": 5}) {
		t.Errorf("got requests %v, want one for each item that is known", got)
	}
}

func TestATableWithoutASortKey(t *testing.T) {
	server := servers.DynamoDB(t)
	client, table := dynamodb.NewFromConfig(awstest.Config(server.URL())), "tenants"
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeN}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: attributes{"id": number("42"), "plan": text("pro")}})
	if err != nil {
		t.Fatal(err)
	}
	source := awsdynamo.New(client, func(id string) (awsdynamo.Item, bool) {
		return awsdynamo.Item{Table: table, Hash: awsdynamo.Number("id", id)}, true
	})
	values := awstest.Fetch(t, source, awstest.Named("42", "43", "no number")...)
	awstest.MustHave(t, values[0], `{"id":42,"plan":"pro"}`)
	awstest.MustMean(t, values[1].Err, secrets.ErrNotFound)
	awstest.MustMean(t, values[2].Err, nil) // a ValidationException
}

func TestReadsAreConsistent(t *testing.T) {
	var sent *dynamodb.GetItemInput
	client := getter(func(in *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
		sent = in
		return &dynamodb.GetItemOutput{Item: attributes{"id": text("a")}}, nil
	})
	awstest.MustHave(t, awstest.Fetch(t, awsdynamo.New(client, anyName), awstest.Named("a")...)[0], `{"id":"a"}`)
	if sent == nil || !aws.ToBool(sent.ConsistentRead) {
		t.Errorf("got %+v, want a consistent read", sent)
	}
}

type getter func(*dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error)

func (g getter) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return g(in)
}

func TestRefsThatCannotBeAskedFor(t *testing.T) {
	client := getter(func(in *dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
		t.Errorf("got a request for %v, want none", in.Key)
		return nil, errors.New("asked")
	})
	for _, tt := range []struct {
		what string
		ref  secrets.Ref
		item awsdynamo.Item
	}{
		{what: "no name", item: awsdynamo.Item{Table: "t", Hash: awsdynamo.Text("id", "")}},
		{what: "a version", ref: secrets.Ref{Name: "n", Version: "1"}, item: awsdynamo.Item{Table: "t", Hash: awsdynamo.Text("id", "n")}},
		{what: "a stage", ref: secrets.Ref{Name: "n", Stage: "AWSCURRENT"}, item: awsdynamo.Item{Table: "t", Hash: awsdynamo.Text("id", "n")}},
		{what: "encrypted", ref: secrets.Ref{Name: "n", Encrypted: true}, item: awsdynamo.Item{Table: "t", Hash: awsdynamo.Text("id", "n")}},
		{what: "no table", ref: secrets.Ref{Name: "n"}, item: awsdynamo.Item{Hash: awsdynamo.Text("id", "n")}},
		{what: "no hash key", ref: secrets.Ref{Name: "n"}, item: awsdynamo.Item{Table: "t"}},
		{what: "a sort key without a name", ref: secrets.Ref{Name: "n"}, item: awsdynamo.Item{Table: "t", Hash: awsdynamo.Text("id", "n"), Sort: awsdynamo.Text("", "1")}},
		{what: "one attribute as both keys", ref: secrets.Ref{Name: "n"}, item: awsdynamo.Item{Table: "t", Hash: awsdynamo.Text("id", "n"), Sort: awsdynamo.Text("id", "1")}},
	} {
		t.Run(tt.what, func(t *testing.T) {
			source := awsdynamo.New(client, func(string) (awsdynamo.Item, bool) { return tt.item, true })
			err := awstest.Fetch(t, source, tt.ref)[0].Err
			awstest.MustMean(t, err, nil)
			if !strings.HasPrefix(err.Error(), fmt.Sprintf("awsdynamo: %q: ", tt.ref.Name)) {
				t.Errorf("got %v, want an error that names %q", err, tt.ref.Name)
			}
		})
	}
}

func TestConstruction(t *testing.T) {
	client := getter(nil)
	for what, build := range map[string]func(){
		"no client":   func() { awsdynamo.New(nil, anyName) },
		"no function": func() { awsdynamo.New(client, nil) },
		"no table":    func() { awsdynamo.Items(map[string]awsdynamo.Item{"n": {Hash: awsdynamo.Text("id", "n")}}) },
	} {
		t.Run(what, func(t *testing.T) {
			defer func() {
				if r := recover(); !strings.HasPrefix(fmt.Sprint(r), "awsdynamo: ") {
					t.Errorf("got panic %v, want one of awsdynamo", r)
				}
			}()
			build()
		})
	}
}

func TestAnItemIsCachedAndItsOutagesAreBridged(t *testing.T) {
	s := setUp(t, types.ScalarAttributeTypeS, types.ScalarAttributeTypeS)
	put := func(data string) {
		s.put(t, attributes{"pKey": text("p"), "sKey": text("s"), "Data": text(data)})
	}
	clock := awstest.NewClock()
	cache := secrets.New(awsdynamo.New(s.client, awsdynamo.Items(map[string]awsdynamo.Item{
		"item": {Table: s.table, Hash: awsdynamo.Text("pKey", "p"), Sort: awsdynamo.Text("sKey", "s")},
	})), secrets.TTL(time.Minute), secrets.Jitter(0), secrets.Clock(clock.Now), secrets.FetchTimeout(time.Minute))
	mustGet := func(want string, stale bool) {
		t.Helper()
		got, err := cache.Get(t.Context(), "item")
		if want = `{"Data":"` + want + `","pKey":"p","sKey":"s"}`; err != nil || got.Text() != want || got.Stale() != stale {
			t.Fatalf("got %q, stale %v, %v, want %q, stale %v", got.Text(), got.Stale(), err, want, stale)
		}
	}
	put("old")
	mustGet("old", false)
	put("new")
	mustGet("old", false)
	if got := s.Taken(); got["GetItem"] != 1 {
		t.Errorf("got requests %v, want one", got)
	}
	clock.Advance(time.Minute + time.Second)
	for _, m := range []awsproxy.Mishap{awstest.Refuse(400, "ProvisionedThroughputExceededException"), awsproxy.Drop} {
		s.Meet("GetItem", m)
		mustGet("old", true)
		clock.Advance(2 * time.Minute) // of a backoff
	}
	s.Meet("GetItem", nil)
	mustGet("new", false)
	s.Meet("GetItem", awstest.Refuse(400, "AccessDeniedException"))
	clock.Advance(time.Minute + time.Second)
	_, err := cache.Get(t.Context(), "item")
	awstest.MustMean(t, err, secrets.ErrDenied)
}
