package exampletest_test

import (
	"encoding/json"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
)

// A filter deletes what it does not match, so that nothing but a rehearsal may be
// deleted by that of the queue.
func TestTheFilterOfTheQueueDeletesNothingButRehearsals(t *testing.T) {
	properties := resourcesOf(t, "queue")["Function"].Properties
	fn := decode[struct {
		Events map[string]struct {
			Properties struct {
				FilterCriteria map[string]any `yaml:"FilterCriteria"`
			} `yaml:"Properties"`
		} `yaml:"Events"`
	}](t, &properties)
	criteria, err := json.Marshal(fn.Events["Order"].Properties.FilterCriteria)
	if err != nil {
		t.Fatal(err)
	}
	filter, err := pattern.ParseFilterCriteria(pattern.SQS, criteria)
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]bool{
		`{"id":"o-1","customer":"c-42","sku":"KB-101","quantity":2}`: true,
		`{"id":"o-1","rehearsal":true}`:                              false,
		`{}`:                                                         true,
		`order 7`:                                                    true,
		`{"id":`:                                                     true,
		`rehearsal`:                                                  false,
	} {
		record, _ := json.Marshal(sample.Of(guard.SQS).Messages(body).Get("/Records/0"))
		if got, err := filter.Match(record); got != want || err != nil {
			t.Errorf("%s: got %t, %v, want %t", body, got, err, want)
		}
	}
}
