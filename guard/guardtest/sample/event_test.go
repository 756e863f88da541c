package sample_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

func TestSetReplacesAddsAndAppends(t *testing.T) {
	sqs := sample.Of(guard.SQS)
	for _, tc := range []struct {
		rule    string
		event   sample.Event
		pointer string
		want    any
	}{
		{rule: "a member is replaced", event: sqs.Set("/Records/0/body", "<&>"), pointer: "/Records/0/body", want: "<&>"},
		{
			rule:    "a member is added to an object",
			event:   sqs.Set("/Records/0/attributes/New", 1),
			pointer: "/Records/0/attributes/New",
			want:    json.Number("1"),
		},
		{rule: "an element is replaced", event: sqs.Set("/Records/0", nil), pointer: "/Records/0"},
		{rule: "an element is appended", event: sqs.Set("/Records/-", true), pointer: "/Records/1", want: true},
		{
			rule:    "raw JSON stays as it is",
			event:   sqs.Set("/n", json.RawMessage(`12345678901234567890.10`)),
			pointer: "/n",
			want:    json.Number("12345678901234567890.10"),
		},
		{rule: "an object is put whole", event: sqs.Set("/o", map[string]string{"a": "b"}), pointer: "/o/a", want: "b"},
		{rule: "~0 and ~1 stand for ~ and /", event: sqs.Set("/a~1b~0c", "x"), pointer: "/a~1b~0c", want: "x"},
		{rule: "an empty name is a name", event: sqs.Set("/", "x"), pointer: "/", want: "x"},
	} {
		if got := tc.event.Get(tc.pointer); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.rule, got, tc.want)
		}
	}
	if got := sqs.Set("/a~1b~0c", "x").Delete("/Records").String(); got != `{"a/b~c":"x"}` {
		t.Errorf("the event is %s", got)
	}
}

func TestWhatIsNotThereCannotBeChanged(t *testing.T) {
	sqs := sample.Of(guard.SQS)
	for rule, misuse := range map[string]func(){
		"a pointer without a slash":         func() { sqs.Set("Records", 1) },
		"an empty pointer":                  func() { sqs.Set("", 1) },
		"a parent that is not there":        func() { sqs.Set("/Records/0/bdy/x", 1) },
		"an element past the end":           func() { sqs.Set("/Records/1", 1) },
		"an index with a zero before it":    func() { sqs.Set("/Records/00", 1) },
		"an index that is negative":         func() { sqs.Set("/Records/-1", 1) },
		"a member of a string":              func() { sqs.Set("/Records/0/body/x", 1) },
		"a value that is not JSON":          func() { sqs.Set("/x", func() {}) },
		"deleting what is not there":        func() { sqs.Delete("/Records/0/bdy") },
		"getting what is not there":         func() { sqs.Get("/records") },
		"deleting the end of an array":      func() { sqs.Delete("/Records/-") },
		"a trigger without a sample":        func() { sample.Of(guard.Unknown) },
		"a variant that is not there":       func() { sample.Of(guard.SQS, "lifo") },
		"the zero Event":                    func() { sample.Event{}.Set("/x", 1) },
		"messages in an S3 event":           func() { sample.Of(guard.S3).Messages("x") },
		"messages in an HTTP event":         func() { sample.Of(guard.HTTPAPI).Messages("x") },
		"records of an HTTP event":          func() { sample.Of(guard.HTTPAPI).Repeat(2) },
		"a negative number of records":      func() { sqs.Repeat(-1) },
		"records of an event that has none": func() { sqs.Repeat(0).Repeat(1) },
	} {
		t.Run(rule, func(t *testing.T) { wantPanic(t, misuse) })
	}
}

func wantPanic(t *testing.T, misuse func()) {
	t.Helper()
	defer func() {
		if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "sample: ") {
			t.Errorf("%s, want a panic with the package's name", text)
		}
	}()
	misuse()
}

func TestAnEventDoesNotChange(t *testing.T) {
	t.Parallel()
	base := sample.Of(guard.SQS)
	before := base.String()
	var tests sync.WaitGroup
	for i := range 8 {
		tests.Go(func() {
			event := base.Messages("a", "b").Set("/Records/0/messageId", fmt.Sprint(i))
			event.Bytes()[0] = '!'
			if got := event.Get("/Records/0/messageId"); got != fmt.Sprint(i) {
				t.Errorf("messageId %v, want %d", got, i)
			}
		})
	}
	tests.Wait()
	if base.String() != before {
		t.Errorf("the base became %s", base)
	}
}
