package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var (
	servers  testserver.Shared
	binaries programs
)

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "logshipper-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binaries.dir = dir
	return servers.Run(m)
}

// programs are built when the first test needs them.
type programs struct {
	dir               string
	once              sync.Once
	shipper, function string
	err               error
}

func (p *programs) build(t testing.TB) {
	t.Helper()
	p.once.Do(func() {
		var compiling sync.WaitGroup
		var other error
		compiling.Go(func() { p.function, other = guardtest.Compile(context.Background(), "./function", p.dir) })
		p.shipper, p.err = guardtest.Compile(context.Background(), ".", p.dir)
		compiling.Wait()
		p.err = errors.Join(p.err, other)
	})
	if p.err != nil {
		t.Fatal(p.err)
	}
}

// store is S3 with a bucket, and a proxy before it where requests meet mishaps.
type store struct {
	*awsproxy.Proxy
	t      testing.TB
	client *s3.Client // past the proxy
	bucket string
	read   *account
}

func newStore(t testing.TB) *store {
	t.Helper()
	moto := servers.Moto(t).URL()
	client := awstest.S3(moto)
	return &store{Proxy: awsproxy.New(t, moto), t: t, client: client, bucket: awstest.Bucket(t, client), read: &account{records: map[string]int{}, objects: map[string][]line{}}}
}

// env leads a process to the store.
func (s *store) env(more ...string) []string {
	return append([]string{
		"AWS_ENDPOINT_URL_S3=" + s.URL, "AWS_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"LOGSHIPPER_BUCKET=" + s.bucket,
	}, more...)
}

// open returns a shipper to the store, as main makes it.
func (s *store) open(log io.Writer, more ...string) *shipper {
	s.t.Helper()
	for _, pair := range s.env(more...) {
		name, value, _ := strings.Cut(pair, "=")
		s.t.Setenv(name, value)
	}
	settings, err := readSettings()
	if err != nil {
		s.t.Fatal(err)
	}
	bucket, err := openBucket(s.t.Context(), settings)
	if err != nil {
		s.t.Fatal(err)
	}
	return newShipper(newBuffer(settings, "orders"), bucket, slog.New(slog.NewJSONHandler(log, nil)))
}

// lost is a request that arrives, and whose answer does not.
func (s *store) lost(_ http.ResponseWriter, r *http.Request, body []byte) {
	if _, err := s.Forward(r, body); err != nil {
		s.t.Error(err)
	}
	panic(http.ErrAbortHandler)
}

// refuse answers as S3 does.
func refuse(status int, code string) awsproxy.Mishap {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
	}
}

// account is what there is of records.
type account struct {
	records map[string]int // in objects, of the function and the three of Lambda on each invocation
	dropped int            // and counted
	lambda  int            // of these by Lambda
	objects map[string][]line
}

// account reads the objects that it has not read yet: none ever changes.
func (s *store) account() *account {
	s.t.Helper()
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		must(s.t, err)
		for _, o := range page.Contents {
			if s.read.objects[*o.Key] != nil {
				continue
			}
			got, err := s.client.GetObject(s.t.Context(), &s3.GetObjectInput{Bucket: &s.bucket, Key: o.Key})
			must(s.t, err)
			body, err := io.ReadAll(got.Body)
			must(s.t, errors.Join(err, got.Body.Close()))
			lines := linesOf(s.t, body)
			s.read.objects[*o.Key] = lines
			s.read.add(s.t, lines)
		}
	}
	return s.read
}

func (a *account) add(t testing.TB, lines []line) {
	t.Helper()
	for _, l := range lines {
		switch l.Type {
		case "function", "platform.start", "platform.runtimeDone", "platform.report":
			a.records[string(l.Record)]++
		case "platform.logsDropped", "logshipper.logsDropped":
			var lost struct{ DroppedRecords int }
			must(t, json.Unmarshal(l.Record, &lost))
			a.dropped += lost.DroppedRecords
			if l.Type == "platform.logsDropped" {
				a.lambda += lost.DroppedRecords
			}
		}
	}
}

func (a *account) String() string {
	return fmt.Sprintf("%d records in %d objects, %d dropped, %d of these by Lambda", len(a.records), len(a.objects), a.dropped, a.lambda)
}

// mustBeOnce checks that no record is in two objects.
func (a *account) mustBeOnce(t *testing.T) {
	t.Helper()
	for record, n := range a.records {
		if n != 1 {
			t.Errorf("got %s %d times, want it once", record, n)
		}
	}
}

// mustHold checks that each acknowledged record is in one object, or was counted.
func (a *account) mustHold(t *testing.T, acknowledged []string) {
	t.Helper()
	a.mustBeOnce(t)
	found := 0
	for _, text := range acknowledged {
		found += a.records[text]
	}
	if found+a.dropped != len(acknowledged) || found != len(a.records) {
		t.Errorf("got %v, %d acknowledged; want %d, stored or dropped", a, found, len(acknowledged))
	}
}

func linesOf(t testing.TB, body []byte) (lines []line) {
	t.Helper()
	unpacked, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(unpacked); ; {
		var l line
		switch err := dec.Decode(&l); err {
		case nil:
			lines = append(lines, l)
		case io.EOF:
			return lines
		default:
			t.Fatal(err)
		}
	}
}

// said is a record of the function.
func said(text string) record {
	quoted, _ := json.Marshal(text)
	return record{Time: time.Now(), Type: "function", Raw: quoted}
}

func of(kind, request string) record {
	return record{Time: time.Now(), Type: kind, Raw: fmt.Appendf(nil, `{"requestId":%q}`, request)}
}
