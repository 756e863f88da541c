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

// behind gives a cache values that it fetches from a server in the place of AWS.
func behind(t *testing.T, log io.Writer, aWS http.HandlerFunc) func(*cache) {
	t.Helper()
	server := httptest.NewServer(aWS)
	t.Cleanup(server.Close)
	cfg := aws.Config{Region: "eu-central-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", token)}
	return func(c *cache) {
		c.store = newStore(listed{
			Parameters: []group{{Region: "us-west-2", Names: []string{"/shop/level"}}},
			Secrets:    []group{{Names: []string{"api-key", "cert"}}},
		}, cfg, time.Minute, slog.New(slog.NewJSONHandler(log, nil)))
	}
}

// AWS quotes in its errors what it was asked for.
func TestTheLogHasNothingThatWasSent(t *testing.T) {
	log := new(output)
	r := start(t, behind(t, log, func(w http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":"ValidationException","message":%q}`, "no such thing: "+string(asked))
	}))
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

func TestValuesThatAreLoadedInBatchesAreThoseOfEachRoute(t *testing.T) {
	var asked sync.Map
	r := start(t, behind(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
		_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=key/")
		asked.Store(strings.Split(scope, "/")[1], r.Header.Get("X-Amz-Target"))
		if strings.HasPrefix(r.Header.Get("X-Amz-Target"), "AmazonSSM") {
			fmt.Fprint(w, `{"Parameters":[{"Name":"/shop/level","Value":"debug","Version":7}]}`)
			return
		}
		fmt.Fprint(w, `{"SecretValues":[{"Name":"cert","ARN":"arn:2","SecretBinary":"/wD+","VersionId":"b"},{"Name":"api-key","ARN":"arn:1","SecretString":"\"<&>\u2028","VersionId":"a"}]}`)
	}), func(c *cache) { c.store.load(t.Context()) })
	for region, want := range map[string]string{"us-west-2": "AmazonSSM.GetParameters", "eu-central-1": "secretsmanager.BatchGetSecretValue"} {
		if got, _ := asked.Load(region); got != want {
			t.Errorf("%s: got %v, want %s", region, got, want)
		}
	}
	for target, want := range map[string]string{"/parameters?name=/shop/level": "debug", "/secrets?name=api-key": "\"<&>\u2028", "/secrets?name=cert": "\xff\x00\xfe"} {
		if a := ask(t, r.simple, target); a.status != http.StatusOK || a.body != want {
			t.Errorf("%s: got %d %q, want %q", target, a.status, a.body, want)
		}
	}
	if a := ask(t, r.aws, "/secretsmanager/get?secretId=cert"); a.status != http.StatusOK || !strings.Contains(a.body, `"ARN":"arn:2"`) || !strings.Contains(a.body, `"SecretBinary":"/wD+","SecretString":null`) {
		t.Errorf("got %d %s, want the secret alone", a.status, a.body)
	}
}

// So Parameter Store answers for a secret of bytes: its value is in SourceResult.
func TestAnAnswerWithoutAValueIsForClientsOfAWSAlone(t *testing.T) {
	r := start(t, behind(t, io.Discard, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"Name":"api-key","Parameters":[{"Name":"/shop/level","SourceResult":"{}","Version":0}]}`)
	}))
	for _, target := range []string{"/parameters?name=/shop/level", "/secrets?name=api-key"} {
		if a := ask(t, r.simple, target); a.status != http.StatusBadGateway {
			t.Errorf("%s: got %d %q, want an error", target, a.status, a.body)
		}
	}
	if a := ask(t, r.aws, "/systemsmanager/parameters/get?withDecryption=true&name=/shop/level"); a.status != http.StatusOK || !strings.Contains(a.body, `"SourceResult":"{}"`) || !strings.Contains(a.body, `"Value":null`) {
		t.Errorf("got %d %q, want the answer", a.status, a.body)
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
