package dynamo_test

import (
	"net/http"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard"
)

// forgetReasons answers a canceled transaction without the items, as older
// engines do.
func forgetReasons(p *proxy, w http.ResponseWriter, r *http.Request, body []byte) {
	edited(p, w, r, body, func(answer map[string]any) {
		reasons, _ := answer["CancellationReasons"].([]any)
		for _, reason := range reasons {
			delete(reason.(map[string]any), "Item")
		}
	})
}

// A server that returns no items with failed conditions is asked for the record.
func TestStageOnAServerThatReturnsNoItems(t *testing.T) {
	s := openShop(t)
	s.next("TransactWriteItems", lose, func(p *proxy, w http.ResponseWriter, r *http.Request, body []byte) {
		forgetReasons(p, w, r, renewed(body))
	})
	s.next("DeleteItem", forget)
	if got, err := s.do(t, s.place); got != "order 1" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	s.mustTake(t, map[string]int{"PutItem": 1, "TransactWriteItems": 2, "DeleteItem": 1, "GetItem": 1})
	s.mustHave(t, "order 1")

	s.key += "'"
	s.next("TransactWriteItems", lose, drop, drop)
	s.next("DeleteItem", forget)
	s.next("GetItem", drop, drop, drop) // and the record cannot be read either
	_, err := s.do(t, s.place)
	mustBe(t, err, guard.Unavailable, "idempotency_commit_unknown")
	s.mustHave(t, "order 1", "order 2")
}
