package xray_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	sdk "github.com/aws/aws-xray-sdk-go/xray"
	"github.com/aws/aws-xray-sdk-go/xraylog"

	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/internal/testserver"
)

var servers testserver.Shared

func TestMain(m *testing.M) {
	sdk.SetLogger(xraylog.NullLogger)
	if os.Getenv(isFunction) != "" {
		function()
		return
	}
	os.Exit(servers.Run(m))
}

const (
	root    = "1-5759e988-bd862e3fe1be46a994272793"
	parent  = "53995c3f42cd8ad8"
	sampled = "Root=" + root + ";Parent=" + parent + ";Sampled=1"
)

// document is a segment document, as the daemon takes it.
// See https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
type document struct {
	Name        string         `json:"name"`
	ID          string         `json:"id"`
	TraceID     string         `json:"trace_id"`
	ParentID    string         `json:"parent_id"`
	Type        string         `json:"type"`
	Namespace   string         `json:"namespace"`
	Start       float64        `json:"start_time"`
	End         float64        `json:"end_time"`
	InProgress  bool           `json:"in_progress"`
	Fault       bool           `json:"fault"`
	Error       bool           `json:"error"`
	Throttle    bool           `json:"throttle"`
	Annotations map[string]any `json:"annotations"`
	Metadata    map[string]any `json:"metadata"`
	AWS         map[string]any `json:"aws"`
	HTTP        map[string]map[string]any
	Cause       struct {
		Exceptions []struct {
			Type, Message string
			Stack         []struct{ Path, Label string }
		}
	}
	Subsegments []document `json:"subsegments"`

	text string // all of it
}

// daemon stands in for the X-Ray daemon: the SDK sends to it over UDP.
type daemon struct {
	t       testing.TB
	conn    *net.UDPConn
	emitter *sdk.DefaultEmitter
}

func startDaemon(t testing.TB) *daemon {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadBuffer(4 << 20); err != nil {
		t.Fatal(err)
	}
	emitter, err := sdk.NewDefaultEmitter(conn.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	return &daemon{t: t, conn: conn, emitter: emitter}
}

// context is that of an invocation with a tracing header, whose segments the SDK
// sends to the daemon.
func (d *daemon) context(header any) context.Context {
	ctx := context.WithValue(d.t.Context(), sdk.RecorderContextKey{}, &sdk.Config{Emitter: d.emitter})
	//lint:ignore SA1029 the key is aws-lambda-go's
	return context.WithValue(ctx, "x-amzn-trace-id", header)
}

// packet returns the next packet.
func (d *daemon) packet() string {
	d.t.Helper()
	if err := d.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		d.t.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	n, _, err := d.conn.ReadFrom(buf)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(buf[:n])
}

// next returns the next document.
func (d *daemon) next() document {
	d.t.Helper()
	packet := d.packet()
	header, text, ok := strings.Cut(packet, "\n")
	var h struct {
		Format  string
		Version int
	}
	if err := json.Unmarshal([]byte(header), &h); err != nil || !ok || h.Format != "json" || h.Version != 1 {
		d.t.Fatalf("got the packet %q, want the daemon's header, a line end and a document", packet)
	}
	doc := document{text: text}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		d.t.Fatalf("%v in %s", err, text)
	}
	return doc
}

// nothing fails the test if a packet has come that next has not returned.
func (d *daemon) nothing() {
	d.t.Helper()
	c, err := net.Dial("udp", d.conn.LocalAddr().String())
	if err != nil {
		d.t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("end")); err != nil {
		d.t.Fatal(err)
	}
	if got := d.packet(); got != "end" {
		d.t.Errorf("got %s, want nothing", got)
	}
}

// journal is a log with the records that were written to it.
type journal struct{ bytes.Buffer }

func (j *journal) logger() *slog.Logger { return logging.New(j) }

func (j *journal) records(t testing.TB) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(j.String()) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		all = append(all, r)
	}
	return all
}

func invoke(t testing.TB, h lambda.Handler, ctx context.Context, payload string) []byte {
	t.Helper()
	out, err := h.Invoke(ctx, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
