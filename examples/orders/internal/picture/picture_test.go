package picture_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/examples/orders/internal/picture"
)

var update = flag.Bool("update", false, "write ../../trace.svg anew")

const (
	pictureFile = "../../trace.svg"
	title       = "An order, seen from outside"
	description = "Three requests to the shop: an order is placed, placed again with the same key, and looked up. " +
		"For each there are the spans of its trace with their durations, and the log record and the metrics document with the same ids."
)

// The picture of the README is of a run like this one.
func TestThePictureShowsWhatHappens(t *testing.T) {
	var exchanges []picture.Exchange
	for _, v := range visitShop(t) {
		exchanges = append(exchanges, picture.Exchange{
			Request: v.request, Note: v.note, Status: v.answer.Status, Spans: v.trail.spans,
			Record:   members(t, v.trail.records, "level", "message", "requestId", "trace_id", "span_id", "route", "status", "durationMs"),
			Document: members(t, []line{v.trail.document()}, "_aws", "service", "requestId", "trace_id", "span_id", "Invocations", "Duration", "Replays"),
		})
	}
	drawn := picture.Draw(title, description, exchanges)
	if *update {
		if err := os.WriteFile(pictureFile, drawn, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(pictureFile)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := words(t, kept), words(t, drawn); got != want {
		t.Errorf("run go test ./internal/picture -run ThePicture -update: %s shows\n%s\nbut what happens is\n%s", pictureFile, got, want)
	}
}

// members returns the named members of the only line, in the line's order.
func members(t *testing.T, lines []line, names ...string) (shown picture.Lines) {
	t.Helper()
	if len(lines) != 1 {
		t.Fatalf("%d lines, want 1: %v", len(lines), lines)
	}
	d := json.NewDecoder(strings.NewReader(lines[0].text))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		for _, known := range names {
			if name == known {
				shown = append(shown, picture.Line{Name: known, Value: short(known, string(value))})
			}
		}
	}
	return shown
}

// short returns a value as it is shown: what describes the metrics has no room.
func short(name, value string) string {
	if name == "_aws" {
		return "{ … }"
	}
	return value
}

var (
	hexadecimal = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|\b[0-9a-f]{16}\b`)
	times       = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?( ms)?$`)
)

// words returns the texts of a picture, one a line. An id becomes the number by which
// it appears, so that what is the same stays the same, and times become "time".
// The status is text of its own and stays.
func words(t *testing.T, svg []byte) string {
	t.Helper()
	var out strings.Builder
	seen := map[string]string{}
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		element, ok := token.(xml.StartElement)
		if !ok || element.Name.Local != "text" && element.Name.Local != "title" && element.Name.Local != "desc" {
			continue
		}
		var text string
		if err := d.DecodeElement(&text, &element); err != nil {
			t.Fatal(err)
		}
		text = hexadecimal.ReplaceAllStringFunc(text, func(id string) string {
			if seen[id] == "" {
				seen[id] = fmt.Sprint("id ", len(seen)+1)
			}
			return seen[id]
		})
		if times.MatchString(text) && strings.ContainsAny(text, ". ") {
			text = "time"
		}
		out.WriteString(text + "\n")
	}
}
