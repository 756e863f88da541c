package guard_test

import (
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
)

// A batch of a change stream has up to 10 000 events in 6 MB. One that is
// refused stops the stream until its events expire.
//
// https://docs.aws.amazon.com/lambda/latest/dg/with-documentdb.html
func TestAFullBatchOfDocumentDBIsWithinTheLimits(t *testing.T) {
	const change = `{"event":{"_id":{"_data":"0163eeb6e7000000090100000009000041e1"},"clusterTime":{"$timestamp":{"t":1676588775,"i":9}},` +
		`"documentKey":{"_id":{"$oid":"63eeb6e7d418cd98afb1c1d7"}},"fullDocument":{"_id":{"$oid":"63eeb6e7d418cd98afb1c1d7"},"n":{"$numberInt":"1"}},` +
		`"ns":{"db":"shop","coll":"orders"},"operationType":"insert"}}`
	payload := []byte(`{"eventSourceArn":"arn:aws:rds:eu-west-1:123456789012:cluster:shop","events":[` +
		strings.Repeat(change+",", 9_999) + change + `],"eventSource":"aws:docdb"}`)
	if len(payload) > mostBytes {
		t.Fatalf("%d bytes", len(payload))
	}
	if _, err := guard.Wrap(answers("", nil), guard.Limit(guard.Limits{})).Invoke(t.Context(), payload); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	nested := []byte(`{"events":[{"event":{"fullDocument":` + strings.Repeat(`{"a":`, 100) + `0` + strings.Repeat(`}`, 100) + `}}],"eventSource":"aws:docdb"}`)
	if _, err := guard.Wrap(answers("", nil), guard.Limit(guard.Limits{})).Invoke(t.Context(), nested); err != nil {
		t.Errorf("a document of 100 levels: got %v, want no error", err)
	}
}
