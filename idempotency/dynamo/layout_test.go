package dynamo_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

func text(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

func number(v int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)}
}

func stringOf(t *testing.T, v types.AttributeValue) string {
	t.Helper()
	s, ok := v.(*types.AttributeValueMemberS)
	if !ok {
		t.Fatalf("%#v is not a string", v)
	}
	return s.Value
}

func numberOf(t *testing.T, v types.AttributeValue) int64 {
	t.Helper()
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		t.Fatalf("%#v is not a number", v)
	}
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func attributes(item map[string]types.AttributeValue) string {
	return strings.Join(slices.Sorted(maps.Keys(item)), " ")
}

func TestTheAttributesOfAnItem(t *testing.T) {
	b := setUp(t, idempotency.TTL(time.Hour), idempotency.Lease(time.Minute))
	start := time.Now()
	_, err := idempotency.Do(t.Context(), b.op, "k", "input", func(context.Context) (string, error) {
		item := b.item(t)
		if got := attributes(item); got != "epoch expiration id in_progress_expiration owner status validation" {
			t.Errorf("in progress it has %s", got)
		}
		if stringOf(t, item["status"]) != "INPROGRESS" || len(stringOf(t, item["owner"])) < 22 || numberOf(t, item["epoch"]) != 1 || len(stringOf(t, item["id"])) != 43 {
			t.Errorf("in progress it is %v", item)
		}
		if d := time.UnixMilli(numberOf(t, item["in_progress_expiration"])).Sub(start); d < time.Minute || d > time.Minute+10*time.Second {
			t.Errorf("the lease is %v", d)
		}
		return "<é>", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	item := b.item(t)
	if got := attributes(item); got != "data epoch expiration id in_progress_expiration owner status validation" {
		t.Errorf("completed it has %s", got)
	}
	if stringOf(t, item["status"]) != "COMPLETED" || !strings.Contains(stringOf(t, item["data"]), "é") {
		t.Errorf("completed it is %v", item)
	}
	if d := time.Unix(numberOf(t, item["expiration"]), 0).Sub(start); d < time.Hour || d > time.Hour+10*time.Second {
		t.Errorf("it expires after %v", d)
	}
}

func TestLargeResultsAreCompressed(t *testing.T) {
	for size, compressed := range map[int]bool{4000: false, 5000: true} {
		b := setUp(t)
		result := strings.Repeat("a", size)
		for range 2 {
			got, err := idempotency.Do(t.Context(), b.op, "k", nil, func(context.Context) (string, error) { return result, nil })
			if err != nil || got != result {
				t.Errorf("%d bytes: %d, %v", size, len(got), err)
			}
		}
		item := b.item(t)
		data, binary := item["data"].(*types.AttributeValueMemberB)
		if binary != compressed || compressed && (stringOf(t, item["encoding"]) != "gzip" || len(data.Value) > size/10) {
			t.Errorf("of %d bytes it is %v", size, item)
		}
	}
	b := setUp(t)
	plain := idempotency.NewOperation("plain", dynamo.New(b.direct, b.table, dynamo.CompressFrom(math.MaxInt)))
	result := strings.Repeat("a", 5000)
	if _, err := idempotency.Do(t.Context(), plain, "k", nil, func(context.Context) (string, error) { return result, nil }); err != nil {
		t.Error(err)
	}
	if data := stringOf(t, b.item(t)["data"]); len(data) != 5002 {
		t.Errorf("%d bytes, want text", len(data))
	}
}

// put writes an item as another library would.
func (b *bench) put(t *testing.T, item map[string]types.AttributeValue) {
	t.Helper()
	item["id"] = text(b.key)
	if _, err := b.direct.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &b.table, Item: item}); err != nil {
		t.Fatal(err)
	}
}

func TestRecordsOfOtherLibrariesAreRespected(t *testing.T) {
	now := time.Now()
	later, before := now.Add(time.Hour).Unix(), now.Add(-time.Hour).Unix()
	for name, c := range map[string]struct {
		item   map[string]types.AttributeValue
		status idempotency.Status // "" where the key is free
		result string
		next   bool // whether epoch 2 takes it over
	}{
		"completed":             {item: map[string]types.AttributeValue{"status": text("COMPLETED"), "expiration": number(later), "data": text(`{"a":1}`)}, status: idempotency.Completed, result: `{"a":1}`},
		"completed and expired": {item: map[string]types.AttributeValue{"status": text("COMPLETED"), "expiration": number(before), "data": text(`{"a":1}`)}},
		"completed for ever":    {item: map[string]types.AttributeValue{"status": text("COMPLETED"), "data": text("1")}, status: idempotency.Completed, result: "1"},
		"in progress":           {item: map[string]types.AttributeValue{"status": text("INPROGRESS"), "expiration": number(later), "in_progress_expiration": number(now.Add(time.Minute).UnixMilli())}, status: idempotency.InProgress},
		"without a lease":       {item: map[string]types.AttributeValue{"status": text("INPROGRESS"), "expiration": number(later)}, status: idempotency.InProgress},
		"abandoned":             {item: map[string]types.AttributeValue{"status": text("INPROGRESS"), "expiration": number(later), "in_progress_expiration": number(now.Add(-time.Minute).UnixMilli())}, status: idempotency.Abandoned, next: true},
		"with a fraction":       {item: map[string]types.AttributeValue{"status": text("COMPLETED"), "expiration": &types.AttributeValueMemberN{Value: "4102444800.5"}, "data": text("2")}, status: idempotency.Completed, result: "2"},
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			b.put(t, c.item)
			held, err := b.store.Claim(t.Context(), record(b.key, 1, time.Minute))
			if c.status == "" {
				if err != nil {
					t.Errorf("%v, held by %+v, want it free", err, held)
				}
				return
			}
			if !errors.Is(err, idempotency.ErrHeld) || held.Status != c.status || string(held.Result) != c.result || held.Owner != "" || held.Epoch != 1 {
				t.Errorf("%v, held by %+v", err, held)
			}
			// Whoever has no owner cannot be mistaken for it.
			for step, err := range map[string]error{
				"complete": b.store.Complete(t.Context(), idempotency.Record{Key: b.key, Epoch: 1}),
				"release":  b.store.Release(t.Context(), idempotency.Record{Key: b.key, Epoch: 1}),
			} {
				if !errors.Is(err, idempotency.ErrLost) {
					t.Errorf("%s: %v, want ErrLost", step, err)
				}
			}
			second := record(b.key, 2, time.Minute)
			if _, err := b.store.Claim(t.Context(), second); (err == nil) != c.next {
				t.Errorf("epoch 2: %v", err)
			}
		})
	}
}

func packed(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAnItemThatCannotBeReadFailsClosed(t *testing.T) {
	later := number(time.Now().Add(time.Hour).Unix())
	for name, item := range map[string]map[string]types.AttributeValue{
		"another status":   {"status": text("DONE"), "expiration": later},
		"no status":        {"expiration": later},
		"another encoding": {"status": text("COMPLETED"), "expiration": later, "data": &types.AttributeValueMemberB{Value: []byte("x")}, "encoding": text("br")},
		"not gzip":         {"status": text("COMPLETED"), "expiration": later, "data": &types.AttributeValueMemberB{Value: []byte("x")}, "encoding": text("gzip")},
		"a gzip bomb":      {"status": text("COMPLETED"), "expiration": later, "data": &types.AttributeValueMemberB{Value: packed(t, make([]byte, 32<<20+1))}, "encoding": text("gzip")},
		"data of a map":    {"status": text("COMPLETED"), "expiration": later, "data": &types.AttributeValueMemberM{}},
		"epoch in words":   {"status": text("COMPLETED"), "expiration": later, "epoch": text("one")},
		"lease in words":   {"status": text("INPROGRESS"), "expiration": later, "in_progress_expiration": text("soon")},
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			b.put(t, item)
			held, err := b.store.Claim(t.Context(), record(b.key, 1, time.Minute))
			if err == nil || errors.Is(err, idempotency.ErrHeld) {
				t.Errorf("%v, held by %s with %d bytes", err, held.Status, len(held.Result))
			}
		})
	}
}

func TestARecordOfAnotherLibraryIsReplayedThroughOnce(t *testing.T) {
	b := setUp(t)
	var key string
	h := guard.Wrap(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		key = stringOf(t, b.item(t)["id"])
		return nil, errors.New("broken")
	}), idempotency.Once(b.store, idempotency.Header("Idempotency-Key")))
	event := []byte(`{"version":"2.0","routeKey":"POST /o","rawPath":"/o","headers":{"idempotency-key":"k"},"requestContext":{"http":{"method":"POST"}},"body":"{}"}`)
	if _, err := h.Invoke(t.Context(), event); err == nil {
		t.Fatal("no error")
	}
	b.key = key
	b.put(t, map[string]types.AttributeValue{
		"status": text("COMPLETED"), "expiration": number(time.Now().Add(time.Hour).Unix()),
		"data": text(`{"statusCode": 201, "headers": {"a": "b"}, "cookies": ["c=d"], "body": "x"}`),
	})
	out, err := h.Invoke(t.Context(), event)
	if want := `{"statusCode":201,"headers":{"a":"b","Idempotent-Replayed":"true"},"body":"x","isBase64Encoded":false}`; err != nil || string(out) != want {
		t.Errorf("%s (%v), want %s", out, err, want)
	}
}

func TestMisuseIsAPanicAtConstruction(t *testing.T) {
	client := connect("http://127.0.0.1:1")
	for name, misuse := range map[string]func(){
		"client":                             func() { dynamo.New(nil, "table") },
		"table":                              func() { dynamo.New(client, "") },
		"sort key":                           func() { dynamo.SortKey("", "p") },
		"names":                              func() { dynamo.Names(dynamo.Attributes{Data: "status"}) },
		"sort key that is another attribute": func() { dynamo.New(client, "table", dynamo.SortKey("owner", "p")) },
		"sort key that is the partition key": func() { dynamo.New(client, "table", dynamo.SortKey("id", "p")) },
		"attribute that is the sort key": func() {
			dynamo.New(client, "table", dynamo.SortKey("sk", "p"), dynamo.Names(dynamo.Attributes{Epoch: "sk"}))
		},
		"compress": func() { dynamo.CompressFrom(-1) },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "dynamo: ") {
					t.Errorf("%s: panic %q", name, text)
				}
			}()
			misuse()
		}()
	}
}
