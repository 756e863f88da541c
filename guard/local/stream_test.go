//go:build unix

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
)

const streamPackage = "./testdata/stream"

func (s *session) record(query, body string) (status int, answer string) {
	s.t.Helper()
	client := &http.Client{Timeout: patient}
	res, err := client.Post(s.url+"/_stream"+query, "text/plain", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

type shownStream struct {
	Stream  string
	Counts  source.Counts
	Records []line
}

func (s *session) shownStream() (shown shownStream) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.answer("/_stream")), &shown); err != nil {
		s.t.Fatal(err)
	}
	return shown
}

func TestStreamOfTheTemplate(t *testing.T) {
	t.Parallel()
	s := serveLocal(t, streamPackage)
	want := regexp.MustCompile(`^stream on http://127\.0\.0\.1:\d+ \(timeout 29s, memory 128 MB, payload format 2\.0\)
  POST /_stream puts a record into Readings, GET /_stream shows its ledger
try: curl -i -X POST 'http://127\.0\.0\.1:\d+/_stream\?key=k' -d '\{\}'
$`)
	if !want.MatchString(s.banner) {
		t.Errorf("it prints %s", s.banner)
	}
	for _, text := range []string{"good", "fail", "exit", "last"} {
		if status, answer := s.record("?key=meter-1", text); status != http.StatusOK || !strings.Contains(answer, "sequenceNumber") {
			t.Errorf("%s: %d %s", text, status, answer)
		}
	}
	s.record("?key=other", "filtered")
	s.onConsole("record last of meter-1")
	s.onConsole("stream Readings: discarded: {")
	s.onConsole("all failed: Runtime.ExitError")
	eventually(t, "all is settled", func() bool { return s.shownStream().Counts.Waiting == 0 })
	got := s.shownStream()
	if c := got.Counts; c.Sent != 5 || c.Done != 2 || c.DeadLettered != 2 || c.Filtered != 1 || got.Stream != "Readings" {
		t.Errorf("it shows %+v", got)
	}
	if len(got.Records) != 2 || got.Records[0].Tries < 2 {
		t.Errorf("records are %+v, want the two that were given up", got.Records)
	}
	if status, answer := s.record("", "no key"); status != http.StatusBadRequest || !strings.Contains(answer, "key") {
		t.Errorf("without a key: %d %s", status, answer)
	}
	if status, body := s.get("/orders"); status != 404 || !strings.Contains(body, "-route") {
		t.Errorf("another path: %d %s", status, body)
	}
	if status := s.end(syscall.SIGINT); status != exitOK {
		t.Errorf("exit status %d", status)
	}
	s.onConsole("stream Readings: 2 records were done, 2 discarded, and 0 not handled, which end with the command")
}

func TestPrintedCommandOfAStreamWorks(t *testing.T) {
	t.Parallel()
	for flag, pkg := range map[string]string{"-stream=readings": echoPackage, "-timeout=29s": "../../examples/changes"} {
		s := serveLocal(t, flag, pkg)
		command := printedCommand(t, s)
		answer, err := exec.Command("sh", "-c", command).Output()
		if err != nil || !strings.Contains(string(answer), "HTTP/1.1 200 OK") {
			t.Errorf("%s: %v, %s", command, err, answer)
		}
		eventually(t, "the record is settled", func() bool { return s.shownStream().Counts.Sent == 1 && s.shownStream().Counts.Waiting == 0 })
	}
}

func TestMappingOfTheTemplate(t *testing.T) {
	for _, tc := range []struct {
		example string
		want    stream.Config
	}{
		{example: "stream", want: stream.Config{
			Type: stream.Kinesis, Name: "Movements", Shards: 4, BatchSize: 100, BatchWindow: time.Second,
			ReportBatchItemFailures: true, BisectBatchOnFunctionError: true, MaximumRetryAttempts: new(10), MaximumRecordAge: 24 * time.Hour,
		}},
		{example: "changes", want: stream.Config{
			Type: stream.DynamoDB, Name: "Orders", BatchSize: 100,
			ReportBatchItemFailures: true, BisectBatchOnFunctionError: true, MaximumRetryAttempts: new(100), MaximumRecordAge: 12 * time.Hour,
		}},
	} {
		got, err := templateStream("../../examples/" + tc.example)
		if err != nil || got == nil || got.Filter == nil {
			t.Errorf("%s: got %+v, %v, want a mapping with a filter", tc.example, got, err)
			continue
		}
		got.Filter = nil
		if !reflect.DeepEqual(*got, tc.want) {
			t.Errorf("%s: got %+v, want %+v", tc.example, *got, tc.want)
		}
	}
	if got, err := templateStream("../../examples/orders"); got != nil || err != nil {
		t.Errorf("orders: got %+v, %v, want none", got, err)
	}
}

func TestAStreamThatCannotBe(t *testing.T) {
	fn := guardtest.NewInProcess(lambda.NewHandler(func() {}), guardtest.Config{})
	if _, err := newStreamDesk(fn, stream.Config{BatchSize: -1}, nil); err == nil || !strings.Contains(err.Error(), "BatchSize") {
		t.Errorf("got %v, want what is wrong with it", err)
	}
}
