package s3dead_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/batch/s3dead"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var _ s3dead.Client = (*s3.Client)(nil)

var servers testserver.Shared

func TestMain(m *testing.M) { os.Exit(servers.Run(m)) }

func TestNoOtherClientIsLinked(t *testing.T) { awstest.MustLinkOnly(t, "s3") }

func letter(change func(*batch.DeadLetter)) batch.DeadLetter {
	first := time.Date(2026, 12, 1, 23, 59, 59, 5000, time.UTC)
	l := batch.DeadLetter{
		Trigger: guard.SQS, Record: json.RawMessage(`{"body":"x"}`), Source: "arn:aws:sqs:eu-central-1:111122223333:orders", ID: "059f36b4-87a3",
		Group: "c-42", Attempts: 3, Code: "c", Detail: "d", RequestID: "r-1", FunctionARN: "arn:aws:lambda:eu-central-1:111122223333:function:f",
		FirstFailure: first, LastFailure: first.Add(time.Hour),
	}
	if change != nil {
		change(&l)
	}
	return l
}

func TestALetterIsReadBackAsItWas(t *testing.T) {
	client := awstest.S3(servers.Moto(t).URL())
	bucket := awstest.Bucket(t, client)
	want := letter(nil)
	if err := s3dead.New(client, bucket, s3dead.Prefix("dead/")).Send(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	objects := awstest.Objects(t, client, bucket)
	for key, object := range objects {
		if !regexp.MustCompile(`^dead/2026/12/01/orders\.[0-9a-f]{16}/059f36b4-87a3\.json$`).MatchString(key) {
			t.Errorf("got the key %s", key)
		}
		var got batch.DeadLetter
		if err := json.Unmarshal([]byte(object), &got); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	if len(objects) != 1 {
		t.Errorf("got %d objects, want 1", len(objects))
	}
}

func TestOneRecordIsOneObject(t *testing.T) {
	client := awstest.S3(servers.Moto(t).URL())
	for name, tt := range map[string]struct {
		second func(*batch.DeadLetter)
		want   int
	}{
		"the same letter":        {second: nil, want: 1},
		"given up again":         {second: func(l *batch.DeadLetter) { l.RequestID, l.LastFailure = "r-2", l.LastFailure.Add(9*time.Hour) }, want: 1},
		"another record":         {second: func(l *batch.DeadLetter) { l.ID = "2" }, want: 2},
		"of another account":     {second: func(l *batch.DeadLetter) { l.Source = strings.ReplaceAll(l.Source, "1111", "9999") }, want: 2},
		"of another region":      {second: func(l *batch.DeadLetter) { l.Source = strings.ReplaceAll(l.Source, "eu-", "us-") }, want: 2},
		"of another function":    {second: func(l *batch.DeadLetter) { l.FunctionARN += "2" }, want: 2},
		"of no source":           {second: func(l *batch.DeadLetter) { l.Source = "" }, want: 2},
		"with a slash for a dot": {second: func(l *batch.DeadLetter) { l.ID = "059f36b4/87a3" }, want: 2},
	} {
		t.Run(name, func(t *testing.T) {
			bucket := awstest.Bucket(t, client)
			sink := s3dead.New(client, bucket)
			for _, l := range []batch.DeadLetter{letter(nil), letter(tt.second)} {
				if err := sink.Send(t.Context(), l); err != nil {
					t.Fatal(err)
				}
			}
			if got := awstest.Objects(t, client, bucket); len(got) != tt.want {
				t.Errorf("got %d objects %q, want %d", len(got), slices.Sorted(maps.Keys(got)), tt.want)
			}
		})
	}
}

func TestTheLastReasonReplacesTheOneBefore(t *testing.T) {
	bucket := inMemory{}
	sink := s3dead.New(bucket, "b")
	for _, code := range []string{"first", "last"} {
		if err := sink.Send(t.Context(), letter(func(l *batch.DeadLetter) { l.Code = code })); err != nil {
			t.Fatal(err)
		}
	}
	for _, object := range bucket {
		if !strings.Contains(string(object), `"code":"last"`) {
			t.Errorf("got %s", object)
		}
	}
}

// What a caller chooses cannot lead out of its place, nor to that of another.
func TestAKeyIsSafeWithAnyID(t *testing.T) {
	bucket := inMemory{}
	sink := s3dead.New(bucket, "b", s3dead.Prefix("dead/"))
	ids := []string{
		"", ".", "..", "../../x", "a/b", "a-b", `a\b`, "a%2Fb", "a b", "a\x00b", "a\nb", "ä", "😀", "x.json", "x", "\xff", "orders-0:15", "orders-0-15",
		strings.Repeat("l", 128), strings.Repeat("l", 129), strings.Repeat("l", 2000), strings.Repeat("/", 2000),
	}
	sources := []string{"", "/", "arn:aws:dynamodb:eu-central-1:1:table/T/stream/2026-12-01T00:00:00.000", "../..", strings.Repeat("s", 3000)}
	for _, source := range sources {
		for _, id := range ids {
			if err := sink.Send(t.Context(), letter(func(l *batch.DeadLetter) { l.Source, l.ID = source, id })); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(bucket) != len(sources)*len(ids) {
		t.Errorf("got %d objects, want %d", len(bucket), len(sources)*len(ids))
	}
	for key := range bucket {
		if !regexp.MustCompile(`^dead/2026/12/01/[A-Za-z0-9_-]*(unknown|\.[0-9a-f]{16})/[A-Za-z0-9_-]+(\.[0-9a-f]{64})?\.json$`).MatchString(key) || len(key) > 1024 {
			t.Errorf("got the key %q", key)
		}
	}
}

func TestTheOwnerOfTheBucketIsChecked(t *testing.T) {
	p := awsproxy.New(t, "")
	owner := make(chan string, 2)
	p.Meet("", func(w http.ResponseWriter, r *http.Request, _ []byte) {
		owner <- r.Header.Get("X-Amz-Expected-Bucket-Owner")
	})
	if err := s3dead.New(awstest.S3(p.URL), "b", s3dead.BucketOwner("111122223333")).Send(t.Context(), letter(nil)); err != nil {
		t.Fatal(err)
	}
	if got := <-owner; got != "111122223333" {
		t.Errorf("got the owner %q, want 111122223333", got)
	}
	if err := s3dead.New(awstest.S3(p.URL), "b").Send(t.Context(), letter(nil)); err != nil {
		t.Fatal(err)
	}
	if got := <-owner; got != "" {
		t.Errorf("got the owner %q, want none", got)
	}
}

func TestAFailureIsAnErrorThatShowsNoValue(t *testing.T) {
	client := awstest.S3(servers.Moto(t).URL())
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx    context.Context
		bucket string
		record string
	}{
		"no bucket":      {ctx: t.Context(), bucket: "none", record: `"hunter2"`},
		"no time":        {ctx: canceled, bucket: awstest.Bucket(t, client), record: `"hunter2"`},
		"no record":      {ctx: t.Context(), bucket: awstest.Bucket(t, client), record: ""},
		"no JSON record": {ctx: t.Context(), bucket: awstest.Bucket(t, client), record: "hunter2"},
	} {
		err := s3dead.New(client, tt.bucket).Send(tt.ctx, letter(func(l *batch.DeadLetter) { l.Record = json.RawMessage(tt.record) }))
		if err == nil || !strings.HasPrefix(err.Error(), "s3dead: ") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, _, err := s3dead.NewPayloads(client, "none").Store(t.Context(), []byte("hunter2")); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestEqualPayloadsAreOneObject(t *testing.T) {
	client := awstest.S3(servers.Moto(t).URL())
	bucket := awstest.Bucket(t, client)
	payloads := s3dead.NewPayloads(client, bucket, s3dead.Prefix("p/"))
	var running sync.WaitGroup
	for i := range 8 {
		running.Go(func() {
			payload := fmt.Sprint("payload ", i%2)
			in, key, err := payloads.Store(t.Context(), []byte(payload))
			if err != nil || in != bucket || !strings.HasPrefix(key, "p/") {
				t.Errorf("got %s %s %v", in, key, err)
			}
		})
	}
	running.Wait()
	if got := slices.Sorted(maps.Values(awstest.Objects(t, client, bucket))); !slices.Equal(got, []string{"payload 0", "payload 1"}) {
		t.Errorf("got %q", got)
	}
}

func TestAMisconfigurationPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"no client":              func() { s3dead.New(nil, "b") },
		"no owner":               func() { s3dead.BucketOwner("") },
		"an owner of no digits":  func() { s3dead.BucketOwner("arn:aws:iam::1") },
		"no bucket":              func() { s3dead.New(inMemory{}, "") },
		"no client for payloads": func() { s3dead.NewPayloads(nil, "b") },
		"no bucket for payloads": func() { s3dead.NewPayloads(inMemory{}, "") },
	} {
		func() {
			defer func() {
				if r, _ := recover().(string); !strings.HasPrefix(r, "s3dead: ") {
					t.Errorf("%s: got %q, want a panic that names the package", name, r)
				}
			}()
			f()
		}()
	}
}
