package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/lambdarmor/lambdarmor/secrets"
)

// AWS quotes in its errors what it was asked for.
func TestTheLogHasNothingThatWasSent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":"ValidationException","message":%q}`, "no such thing: "+string(asked))
	}))
	defer server.Close()
	log := new(output)
	cfg := aws.Config{Region: "eu-central-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", token)}
	values := newStore(listed{
		Parameters: []group{{Names: []string{"/shop/level"}}},
		Secrets:    []group{{Names: []string{"api-key"}}},
	}, cfg, time.Minute, slog.New(slog.NewJSONHandler(log, nil)))
	r := start(t, func(c *cache) { c.store = values })
	for _, target := range []string{
		"/systemsmanager/parameters/get?name=/shop/level&label=hunter2", "/systemsmanager/parameters/get?name=/shop/level&version=hunter2",
		"/secretsmanager/get?secretId=api-key&versionId=hunter2", "/secretsmanager/get?secretId=api-key&versionStage=hunter2",
	} {
		if a := ask(t, r.aws, target); a.status != http.StatusBadRequest || strings.Contains(a.body, "hunter2") {
			t.Errorf("%s: got %d %s, want an error without it", target, a.status, a.body)
		}
	}
	if got := log.String(); strings.Contains(got, "hunter2") || strings.Count(got, "fetch failed") != 4 {
		t.Errorf("got log %s, want four failures without what was sent", got)
	}
}

// A value that is past its time is served to others while one request fetches it,
// which is no event for the log.
func TestAnOldValueThatIsBeingFetchedIsNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, v := new(output), &slow{vault: vault{values: map[string]string{"api-key": "hunter2"}}}
		s := store{secretValues: {}}
		s.add(secretValues, v, time.Minute, slog.New(slog.NewTextHandler(log, nil)), "api-key")
		get := func() secrets.Secret {
			t.Helper()
			found, err := s.get(t.Context(), secretValues, "api-key", "")
			if err != nil {
				t.Error(err)
			}
			return found
		}
		get()
		time.Sleep(2 * time.Minute)
		v.takes = time.Second
		var first sync.WaitGroup
		first.Go(func() {
			if get().Stale() {
				t.Error("got an old value, want one that was waited for")
			}
		})
		synctest.Wait()
		if !get().Stale() {
			t.Error("got a new value, want the old one")
		}
		first.Wait()
		if got := log.String(); got != "" {
			t.Errorf("got log %s, want none", got)
		}
	})
}

type slow struct {
	vault
	takes time.Duration
}

func (s *slow) Fetch(ctx context.Context, refs []secrets.Ref) ([]secrets.Value, error) {
	time.Sleep(s.takes)
	return s.vault.Fetch(ctx, refs)
}
