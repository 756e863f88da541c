package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/async"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// binary is the function as it is deployed, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(guardtest.Main(m, ".", &binary)) }

// files are those below a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		found[filepath.ToSlash(strings.TrimPrefix(name, dir+string(filepath.Separator)))] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A function fails behind Lambda's retries, its event reaches the dead-letter queue, and
// the listener, as it is deployed, keeps it with the reason.
func TestWhatReachesTheQueueIsKept(t *testing.T) {
	dir := t.TempDir()
	keeper := guardtest.Start(t, binary, guardtest.Config{Env: []string{"AWS_SAM_LOCAL=true", "TMPDIR=" + dir}})
	// The alarm and the queue's retention are in the template; here the time stands still.
	clock := source.NewClock(time.Date(2026, 11, 14, 18, 16, 5, 0, time.UTC))
	dead := queue.New(keeper, queue.Config{Name: "dead", Clock: clock, Mapping: queue.Mapping{ReportBatchItemFailures: true}})
	broken := guardtest.NewInProcess(guard.HandlerFunc(func(context.Context, []byte) ([]byte, error) {
		return nil, errors.New("the table does not answer")
	}), guardtest.Config{})
	purchases := async.New(broken, async.Config{DeadLetters: dead.Target(), Clock: clock})
	event := string(sample.Of(guard.SNS).Bytes())
	id, err := purchases.Invoke([]byte(event))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(purchases.Drain(t.Context()), dead.Drain(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(purchases.Ledger().Check(), dead.Ledger().Check()); err != nil {
		t.Error(err)
	}
	kept := files(t, filepath.Join(dir, "ingest"))
	if len(kept) != 1 {
		t.Fatalf("kept %v, want one file", kept)
	}
	for name, text := range kept {
		var m events.SQSMessage
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		if name != "dead-letters/2026/11/14/"+m.MessageId+".json" {
			t.Errorf("the file is %s", name)
		}
		if reason := m.MessageAttributes["ErrorMessage"].StringValue; m.Body != event || *m.MessageAttributes["RequestID"].StringValue != id || *reason != "the table does not answer" {
			t.Errorf("kept %s with %v", m.Body, m.MessageAttributes)
		}
	}
}

// full fails for some messages.
type full struct {
	mu    sync.Mutex
	names []string
}

func (f *full) put(_ context.Context, name string, _ []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if strings.Contains(name, "m-2") {
		return errors.New("the bucket does not answer")
	}
	f.names = append(f.names, name)
	return nil
}

func TestWhatCouldNotBeKeptComesAgain(t *testing.T) {
	to := &full{}
	event := sample.Of(guard.SQS).Repeat(3).Set("/Records/0/messageId", "m-1").Set("/Records/1/messageId", "m-2").Set("/Records/2/messageId", "m-3")
	out, err := listener(logging.New(io.Discard), to).Invoke(t.Context(), event.Bytes())
	if err != nil || string(out) != `{"batchItemFailures":[{"itemIdentifier":"m-2"}]}` || len(to.names) != 2 {
		t.Errorf("got %s, %v, and kept %q", out, err, to.names)
	}
}

func TestAnIDIsNoPath(t *testing.T) {
	got := nameOf(events.SQSMessage{MessageId: "../../x", Attributes: map[string]string{"SentTimestamp": "1763144165000"}})
	if want := "dead-letters/2025/11/14/..%2F..%2Fx.json"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAFolderKeepsTheLastOfAName(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{"first", "second"} {
		if err := folder(dir).put(t.Context(), "a/b.json", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if got := files(t, dir); len(got) != 1 || got["a/b.json"] != "second" {
		t.Errorf("got %v", got)
	}
	if err := folder(filepath.Join(dir, "a", "b.json")).put(t.Context(), "c.json", nil); err == nil {
		t.Error("a file was a folder")
	}
}

func TestNoBucketNoStart(t *testing.T) {
	fn := guardtest.Start(t, binary, guardtest.Config{})
	if _, err := fn.Invoke(t.Context(), []byte(`{}`)); err == nil {
		t.Fatal("the function started without a bucket")
	}
	if err := fn.WaitLog(t.Context(), "KEPT_BUCKET is not set"); err != nil {
		t.Error(err)
	}
}
