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
