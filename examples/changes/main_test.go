package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
)

// binary is the function as it is deployed, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(guardtest.Main(m, ".", &binary)) }

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/iam-policy-example-lamda-process-dynamodb-streams.html
func TestTheRoleMayReadTheStream(t *testing.T) {
	text, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"} {
		if !strings.Contains(string(text), "dynamodb:"+action) {
			t.Errorf("Lambda needs dynamodb:%s", action)
		}
	}
}

// newStream returns a stream with the mapping of the template.
func newStream(t *testing.T, fn guardtest.Invoker) *stream.Stream {
	t.Helper()
	text, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`- Pattern: '(.*)'`).FindSubmatch(text)
	if found == nil {
		t.Fatal("the template has no filter")
	}
	return stream.New(fn, stream.Config{
		Type: stream.DynamoDB, Name: "orders", ReportBatchItemFailures: true, BisectBatchOnFunctionError: true,
		MaximumRetryAttempts: new(100), MaximumRecordAge: 12 * time.Hour,
		Filter: pattern.MustFilter(pattern.DynamoDB, string(found[1])), Clock: source.NewClock(time.Now()),
	})
}

func drain(t *testing.T, s *stream.Stream) {
	t.Helper()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Ledger().Check(); err != nil {
		t.Error(err)
	}
}

func item(id, status string) map[string]events.DynamoDBAttributeValue {
	if status == "" {
		return nil
	}
	return map[string]events.DynamoDBAttributeValue{
		"id": events.NewStringAttribute(id), "customer": events.NewStringAttribute("c-42"),
		"status": events.NewStringAttribute(status), "margin": events.NewNumberAttribute("0.31"),
	}
}

// change is that of an order's status; "" is an order that is not there.
func change(id, before, after string) (c events.DynamoDBEventRecord) {
	c.Change.Keys = map[string]events.DynamoDBAttributeValue{"id": events.NewStringAttribute(id)}
	c.Change.OldImage, c.Change.NewImage = item(id, before), item(id, after)
	return c
}

// busy is an EventBridge that refuses some entries at first.
type busy struct {
	refuse int
	got    []types.PutEventsRequestEntry
}

func (b *busy) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	if b.refuse--; b.refuse >= 0 {
		return &eventbridge.PutEventsOutput{FailedEntryCount: 1, Entries: []types.PutEventsResultEntry{{ErrorCode: new("ThrottlingException"), ErrorMessage: new("later")}}}, nil
	}
	b.got = append(b.got, in.Entries...)
	return &eventbridge.PutEventsOutput{Entries: []types.PutEventsResultEntry{{EventId: new("1")}}}, nil
}

func TestWhatIsAnnounced(t *testing.T) {
	b := &busy{}
	s := newStream(t, guardtest.NewInProcess(announcer(slog.New(slog.DiscardHandler), &bus{client: b, name: "shop"}), guardtest.Config{}))
	s.PutChange(change("42", "", "placed"))
	s.PutChange(change("42", "placed", "placed")) // something else has changed
	s.PutChange(change("42", "placed", "paid"))
	s.PutChange(change("42", "paid", ""))
	expired := change("41", "paid", "")
	expired.UserIdentity = &events.DynamoDBUserIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
	s.PutChange(expired) // by its time to live
	drain(t, s)
	var got []string
	for _, e := range b.got {
		var d map[string]string
		if err := json.Unmarshal([]byte(*e.Detail), &d); err != nil {
			t.Fatal(err)
		}
		delete(d, "change")
		got = append(got, fmt.Sprint(*e.EventBusName, " ", *e.Source, " ", *e.DetailType, " ", d))
	}
	want := []string{
		"shop shop.orders Order Placed map[customer:c-42 order:42 status:placed]",
		"shop shop.orders Order Changed map[customer:c-42 order:42 status:paid statusBefore:placed]",
		"shop shop.orders Order Removed map[order:42 statusBefore:paid]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if counts := s.Ledger().Counts(); counts.Filtered != 1 {
		t.Errorf("got %+v, want the change of the time to live filtered", counts)
	}
}

// PutEvents reports a refused entry in its answer, with status 200.
func TestAnEventThatIsRefusedIsPutAgain(t *testing.T) {
	b := &busy{refuse: 3}
	s := newStream(t, guardtest.NewInProcess(announcer(slog.New(slog.DiscardHandler), &bus{client: b, name: "shop"}), guardtest.Config{}))
	for _, c := range []events.DynamoDBEventRecord{change("42", "", "placed"), change("42", "placed", "paid"), change("42", "paid", "sent")} {
		s.PutChange(c)
	}
	drain(t, s)
	var got []string
	for _, e := range b.got {
		var d detail
		if err := json.Unmarshal([]byte(*e.Detail), &d); err != nil {
			t.Fatal(err)
		}
		got = append(got, d.Status)
	}
	if want := []string{"placed", "paid", "sent"}; !slices.Equal(got, want) {
		t.Errorf("got the events %q, want %q, each once and in order", got, want)
	}
}

// The binary that is deployed, in a local run.
func TestTheFunctionRuns(t *testing.T) {
	fn := guardtest.Start(t, binary, guardtest.Config{Env: []string{"AWS_SAM_LOCAL=true"}})
	s := newStream(t, fn)
	for i := range 100 {
		s.PutChange(change(fmt.Sprint("o-", i), "", "placed"))
	}
	drain(t, s)
	if err := fn.WaitLog(t.Context(), `"order":"o-99"`); err != nil {
		t.Error(err)
	}
	if strings.Contains(fn.Log(), "0.31") {
		t.Error("the margin is in the log")
	}
}

func TestNoBusNoStart(t *testing.T) {
	fn := guardtest.Start(t, binary, guardtest.Config{Env: []string{"AWS_SAM_LOCAL="}})
	if _, err := fn.Invoke(t.Context(), []byte(`{}`)); err == nil {
		t.Fatal("the function started without BUS_NAME")
	}
	if err := fn.WaitLog(t.Context(), "BUS_NAME is not set"); err != nil {
		t.Error(err)
	}
}
