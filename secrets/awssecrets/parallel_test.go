package awssecrets_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/lambdarmor/lambdarmor/secrets"
	"github.com/lambdarmor/lambdarmor/secrets/awssecrets"
)

func TestRequestsAtATimeAreBounded(t *testing.T) {
	p, source := stub(t)
	const most = 8
	var now, max, full atomic.Int64
	release := make(chan struct{})
	p.meet("GetSecretValue", func(w http.ResponseWriter, r *http.Request, body []byte) {
		n := now.Add(1)
		for old := max.Load(); n > old && !max.CompareAndSwap(old, n); old = max.Load() {
		}
		if n == most && full.Add(1) == 1 {
			close(release) // they are under way at once
		}
		<-release
		now.Add(-1)
		answer(entry{Name: "a", SecretString: "value"})(w, r, body)
	})
	refs := make([]secrets.Ref, 50)
	for i := range refs {
		refs[i] = secrets.Ref{Name: "a", Version: fmt.Sprint(i)}
	}
	for _, v := range fetch(t, source, refs...) {
		mustHave(t, v, "value")
	}
	if max.Load() != most {
		t.Errorf("%d requests at a time, want %d", max.Load(), most)
	}
}

type broken struct{ awssecrets.Client }

func (broken) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	panic("broken")
}

func TestAPanicOfTheClientIsTheCallers(t *testing.T) {
	defer func() {
		if r := recover(); r != "broken" {
			t.Errorf("recovered %v", r)
		}
	}()
	source := awssecrets.New(broken{})
	_, _ = source.Fetch(t.Context(), []secrets.Ref{{Name: "a", Version: "1"}, {Name: "a", Version: "2"}})
}
