package amzntrace_test

import (
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/internal/amzntrace"
)

const root = "1-5759e988-bd862e3fe1be46a994272793"

func TestAHeaderIsReadAndWritten(t *testing.T) {
	for _, tc := range []struct{ rule, text, want string }{
		{rule: "of Lambda", text: "Root=" + root + ";Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:0", want: "Root=" + root + ";Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:0"},
		{rule: "an older lineage", text: "Root=" + root + ";Lineage=a87bd80c:0|68fd508a:5", want: "Root=" + root + ";Lineage=a87bd80c:0|68fd508a:5"},
		{rule: "a lineage as the AWS SDK encodes it", text: "Root=" + root + ";Lineage=a87bd80c:0%7C68fd508a:5", want: "Root=" + root + ";Lineage=a87bd80c:0|68fd508a:5"},
		{rule: "another encoded character", text: "Root=" + root + ";Lineage=a87bd80c:0%0D%0A", want: "Root=" + root},
		{rule: "of a function that only passes it through", text: "Root=" + root, want: "Root=" + root},
		{rule: "another order, spaces and case", text: " sampled=? ; root=" + strings.ToUpper(root) + "; PARENT=53995C3F42CD8AD8", want: "Root=" + root + ";Parent=53995c3f42cd8ad8;Sampled=?"},
		{rule: "of a load balancer", text: "Self=1-67891234-12456789abcdef012345678;Root=" + root + ";CalledFrom=app", want: "Root=" + root},
		{rule: "the first of two", text: "Root=" + root + ";Root=1-00000000-000000000000000000000001", want: "Root=" + root},
		{rule: "nothing"},
		{rule: "no root", text: "Parent=53995c3f42cd8ad8;Sampled=1"},
		{rule: "zeros", text: "Root=1-00000000-000000000000000000000000;Parent=0000000000000000"},
		{rule: "a zero parent", text: "Root=" + root + ";Parent=0000000000000000", want: "Root=" + root},
		{rule: "another version", text: "Root=2-5759e988-bd862e3fe1be46a994272793"},
		{rule: "a short root", text: "Root=1-5759e988-bd862e3fe1be46a99427279"},
		{rule: "a line break", text: "Root=" + root + ";Parent=53995c3f42cd8ad8\r\nX-Evil: 1;Sampled=1\r\nX-Evil: 1", want: "Root=" + root},
		{rule: "not ASCII", text: "Root=1-5759é98-bd862e3fe1be46a99427279;Lineage=ü"},
		{rule: "nested", text: "Root=Root=" + root + ";Lineage=a;Lineage=\"x;Root=" + root + "\"", want: ""},
		{rule: "10 kB", text: "Root=" + root + ";Lineage=" + strings.Repeat("a", 10_000) + ";" + strings.Repeat("Parent=x;", 1000), want: "Root=" + root},
	} {
		if got := amzntrace.Parse(tc.text).String(); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.rule, got, tc.want)
		}
	}
}

func TestATraceIDIsThatOfW3C(t *testing.T) {
	if got, want := amzntrace.Parse("Root="+root).TraceID(), "5759e988bd862e3fe1be46a994272793"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (amzntrace.Header{}).TraceID(); got != "" {
		t.Errorf("got %q without a root, want nothing", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Root=" + root + ";Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:0")
	f.Add("Root=" + root + ";Lineage=a|b\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		h := amzntrace.Parse(text)
		s := h.String()
		for i := range len(s) {
			if s[i] <= ' ' || s[i] > '~' {
				t.Fatalf("got %q of %q", s, text)
			}
		}
		if h.Root != "" && amzntrace.Parse(s) != h {
			t.Errorf("got %q, which is read as another header", s)
		}
	})
}
