package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
)

// streamPath is where records are put, and the ledger is shown.
const streamPath = "/_stream"

// streamSettings are those of the template, or of the flag. It returns nil without a stream.
func (f sourceFlag) streamSettings(dir string) (*stream.Config, error) {
	if f.off {
		return nil, nil
	}
	cfg, err := templateStream(dir)
	if err != nil || (cfg == nil && !f.set) {
		return nil, err
	}
	if cfg == nil {
		cfg = &stream.Config{Name: "stream", ReportBatchItemFailures: true, BisectBatchOnFunctionError: true, MaximumRetryAttempts: new(3)}
	}
	if f.value != "" {
		cfg.Name = f.value
	}
	return cfg, nil
}

// A streamDesk is a stream in memory before the function.
type streamDesk struct {
	cfg     stream.Config
	stream  *stream.Stream
	console *console
}

func newStreamDesk(fn guardtest.Invoker, cfg stream.Config, console *console) (d *streamDesk, err error) {
	defer func() { // a mapping that cannot be
		if v := recover(); v != nil {
			d, err = nil, fmt.Errorf("the stream cannot be: %v", v)
		}
	}()
	d = &streamDesk{console: console}
	cfg.CountOnly = true
	cfg.OnBatch = d.batch
	cfg.OnFailure = source.To("arn:aws:sqs:us-east-1:"+guardtest.AccountID+":discarded", d.discarded)
	d.cfg, d.stream = cfg, stream.New(fn, cfg)
	return d, nil
}

func (d *streamDesk) batch(b source.BatchReport) {
	what := "done"
	switch {
	case b.Err != nil:
		what = fmt.Sprintf("all failed: %v", b.Err)
	case b.Failed > 0:
		what = fmt.Sprintf("%d come again", b.Failed)
	}
	d.console.say("stream %s: batch %d, %s, %s", d.cfg.Name, b.Number, plural(b.Messages, "record"), what)
}

// discarded shows what would go to the destination of the mapping.
func (d *streamDesk) discarded(l source.Letter) error {
	d.console.say("stream %s: discarded: %s", d.cfg.Name, l.Body)
	return nil
}

// ServeHTTP puts a record into the stream, or shows the ledger.
func (d *streamDesk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		answer(w, http.StatusOK, struct {
			Stream  string        `json:"stream"`
			Counts  source.Counts `json:"counts"`
			Records []line        `json:"records"`
		}{d.cfg.Name, d.stream.Ledger().Counts(), openLines(d.stream.Ledger())})
	case http.MethodPost:
		id, err := d.put(w, r)
		if err != nil {
			answer(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
			return
		}
		answer(w, http.StatusOK, map[string]string{"sequenceNumber": id})
	default:
		w.Header().Set("Allow", "GET, POST")
		answer(w, http.StatusMethodNotAllowed, map[string]string{"message": "POST puts a record, GET shows the ledger"})
	}
}

// Limits of PutRecord, see
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html
const (
	maxRecord       = 10 << 20
	maxPartitionKey = 256
)

// put adds the body as a record of the key, or to the stream of a table as a change: the
// members eventName, which may be missing, and dynamodb with Keys, NewImage and OldImage.
func (d *streamDesk) put(w http.ResponseWriter, r *http.Request) (id string, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRecord))
	if err != nil {
		return "", err
	}
	key := r.URL.Query().Get("key")
	if d.cfg.Type != stream.DynamoDB {
		if key == "" || utf8.RuneCountInString(key) > maxPartitionKey || !utf8.ValidString(key) {
			return "", fmt.Errorf("the record needs a key of 1 to %d characters of UTF-8: POST %s?key=…", maxPartitionKey, streamPath)
		}
		return d.stream.Put(key, body), nil
	}
	var change events.DynamoDBEventRecord
	if err := json.Unmarshal(body, &change); err != nil {
		return "", fmt.Errorf("the body is not a change: %w", err)
	}
	if len(change.Change.Keys) == 0 {
		return "", fmt.Errorf(`the change has no Keys: %s`, exampleChange)
	}
	return d.stream.PutChange(change), nil
}

const exampleChange = `{"dynamodb":{"Keys":{"id":{"S":"42"}},"NewImage":{"id":{"S":"42"}}}}`

// before returns the handler of the command. others says whether there is something besides
// the stream.
func (d *streamDesk) before(next http.Handler, others bool) http.Handler {
	if d == nil {
		return next
	}
	return atPath(streamPath, "stream", d, next, others)
}

// start reads until ctx ends. The channel is closed when no batch is under way any more.
func (d *streamDesk) start(ctx context.Context) (read <-chan struct{}) {
	if d == nil {
		return finished()
	}
	return inBackground(ctx, d.stream.Run, d.console, "stream "+d.cfg.Name)
}

// left says what ends with the command.
func (d *streamDesk) left() {
	if d == nil {
		return
	}
	counts := d.stream.Ledger().Counts()
	d.console.say("stream %s: %s were done, %d discarded, and %d not handled, which end with the command", d.cfg.Name,
		plural(counts.Done, "record"), counts.DeadLettered, counts.Waiting)
}

// describe is for the line behind the routes.
func (d *streamDesk) describe() string {
	if d == nil {
		return ""
	}
	return "  POST " + streamPath + " puts a record into " + d.cfg.Name + ", GET " + streamPath + " shows its ledger\n"
}

// curl is a command that puts a record.
func (d *streamDesk) curl(base string) string {
	if d.cfg.Type == stream.DynamoDB {
		return "curl -i -X POST " + base + streamPath + " -d '" + strings.ReplaceAll(exampleChange, "'", "") + "'"
	}
	return "curl -i -X POST '" + base + streamPath + "?key=k' -d '{}'"
}
