package source_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
)

func TestTargetsThatLambdaDoesNotHavePanic(t *testing.T) {
	const queueARN = "arn:aws:sqs:us-east-1:123456789012:dead"
	take := func(source.Letter) error { return nil }
	for name, f := range map[string]func(){
		"a FIFO queue": func() { source.To(queueARN+".fifo", take) },
		"no ARN":       func() { source.To("dead", take) },
		"a table":      func() { source.To("arn:aws:dynamodb:us-east-1:123456789012:table/t", take) },
		"no take":      func() { source.To(queueARN, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v := recover(); v == nil || !strings.HasPrefix(fmt.Sprint(v), "source: ") {
					t.Errorf("got %v, want a panic with the package's name", v)
				}
			}()
			f()
		})
	}
}

// All of a letter counts for the limit of its service.
func TestTheSizeOfALetter(t *testing.T) {
	target := source.To("arn:aws:sns:us-east-1:123456789012:t", func(source.Letter) error { return nil })
	for name, c := range map[string]struct {
		letter source.Letter
		fits   bool
	}{
		"a body at the limit":    {letter: source.Letter{Body: strings.Repeat("x", 256<<10)}, fits: true},
		"a body over the limit":  {letter: source.Letter{Body: strings.Repeat("x", 256<<10+1)}},
		"an attribute over it":   {letter: source.Letter{Attributes: map[string]source.Attribute{"a": {String: strings.Repeat("x", 256<<10)}}}},
		"binary data over it":    {letter: source.Letter{Attributes: map[string]source.Attribute{"a": {Binary: make([]byte, 256<<10)}}}},
		"a body and its binary ": {letter: source.Letter{Body: "x", Attributes: map[string]source.Attribute{"a": {Binary: []byte{1}}}}, fits: true},
	} {
		if err := target.Send(c.letter); (err == nil) != c.fits {
			t.Errorf("%s: got %v, want it to fit: %t", name, err, c.fits)
		}
	}
}
