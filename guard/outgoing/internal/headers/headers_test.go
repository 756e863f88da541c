package headers_test

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/outgoing/internal/headers"
)

func TestACopyIsApartAndCanonical(t *testing.T) {
	in := http.Header{"authorization": {"a"}, "X-Two": {"1", "2"}, "Traceparent": nil}
	got := headers.Copy(in)
	if want := (http.Header{"Authorization": {"a"}, "X-Two": {"1", "2"}, "Traceparent": nil}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	got["X-Two"][0], got["X-New"] = "changed", nil
	if in["X-Two"][0] != "1" || len(in) != 3 {
		t.Errorf("the header was changed to %v", in)
	}
	if headers.Copy(nil) == nil {
		t.Error("got nil, want an empty header")
	}
}
