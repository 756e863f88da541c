// Package logbook reads what a logger has written, for tests.
package logbook

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/logging"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Book is what a logger has written.
type Book struct{ bytes.Buffer }

// New returns a logger and the book that it writes to.
func New(opts ...logging.Option) (*slog.Logger, *Book) {
	b := new(Book)
	return logging.New(b, opts...), b
}

// Records reads the lines. Each of them must be one strict JSON object.
func (b *Book) Records(t *testing.T) []map[string]any {
	t.Helper()
	var records []map[string]any
	for line := range strings.Lines(b.String()) {
		tree, err := strictjson.Tree([]byte(line))
		record, ok := tree.(map[string]any)
		if err != nil || !ok {
			t.Fatalf("got %s, want a JSON object: %v", line, err)
		}
		records = append(records, record)
	}
	return records
}

// Only returns the one record that there must be.
func (b *Book) Only(t *testing.T) map[string]any {
	t.Helper()
	records := b.Records(t)
	if len(records) != 1 {
		t.Fatalf("got %d records, want one:\n%s", len(records), b.String())
	}
	return records[0]
}

// Messages returns the messages of the records, with a space between them.
func (b *Book) Messages(t *testing.T) string {
	t.Helper()
	var all []string
	for _, record := range b.Records(t) {
		message, _ := record["message"].(string)
		all = append(all, message)
	}
	return strings.Join(all, " ")
}
