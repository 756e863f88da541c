package logtail

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestLogKeepsItsLastMiB(t *testing.T) {
	var all bytes.Buffer
	l := New(&all)
	for i := 0; all.Len() < 5*Kept; i++ {
		fmt.Fprintf(l, "%d %s\n", i, strings.Repeat("x", i%4000))
		if i%50 == 0 {
			if got, want := l.String(), all.Bytes()[max(0, all.Len()-Kept):]; got != string(want) {
				t.Fatalf("of %d bytes %d are kept, and not the last", all.Len(), len(got))
			}
		}
		if len(l.kept) > 2*Kept {
			t.Fatalf("%d bytes are held", len(l.kept))
		}
	}
	if err := l.Wait(t.Context(), all.String()[all.Len()-100:]); err != nil {
		t.Error(err)
	}
}

// BenchmarkLog is of a function that has written a lot.
func BenchmarkLog(b *testing.B) {
	l, line := New(nil), []byte(strings.Repeat("x", 200)+"\n")
	_, _ = l.Write(make([]byte, 2*Kept))
	for b.Loop() {
		_, _ = l.Write(line)
	}
}
