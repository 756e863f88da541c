package awstest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/secrets"
)

// Subject is a source under test, and what it asks the service for.
type Subject struct {
	Package    string                          // its errors begin with this
	New        func(aws.Config) secrets.Source // with the client of this configuration
	Operations []string                        // of the requests for Fetches; the first is that for a name a
	Fetches    [][]string                      // names to fetch together
	Codes      []Meaning                       // of the service's own errors
	Value      any                             // an answer of the first operation with a value for a
	Want       string                          // that value; "value" if empty
	Unbatched  bool                            // each name costs a request, and there are no versions
	Cut        string                          // the beginning of an answer, with "hunter2" in a value
	Misshapen  any                             // an answer that has "hunter2" where it should not be
	AtOnce     int                             // requests under way for one fetch
}

// Test tests what all sources of an AWS API must do.
func (s Subject) Test(t *testing.T) {
	t.Run("what errors mean", s.meanings)
	t.Run("without an answer it is unavailable", s.unanswered)
	t.Run("a deadline is unavailable", s.deadline)
	t.Run("a caller that leaves is no answer", s.leaving)
	t.Run("without a quota of retries it is unavailable", s.quota)
	t.Run("within a rate limit of its own it is unavailable", s.rateLimit)
	t.Run("credentials that cannot be fetched", s.credentials)
	t.Run("requests at a time are bounded", s.bounded)
	t.Run("a panic of the client is the caller's", s.panics)
}

// start returns a proxy at which all requests meet a mishap, and a source that asks
// it.
func (s Subject) start(t *testing.T, m awsproxy.Mishap, changes ...func(*aws.Config)) (*awsproxy.Proxy, secrets.Source) {
	t.Helper()
	p := awsproxy.New(t, "")
	for _, operation := range s.Operations {
		p.Meet(operation, m)
	}
	cfg := Config(p.URL)
	for _, change := range changes {
		change(&cfg)
	}
	return p, s.New(cfg)
}

func (s Subject) meanings(t *testing.T) {
	for _, tt := range slices.Concat(Meanings(), s.Codes) {
		t.Run(fmt.Sprint(tt.Status, " ", tt.Code), func(t *testing.T) {
			_, source := s.start(t, Refuse(tt.Status, tt.Code))
			for _, names := range s.Fetches {
				for i, v := range Fetch(t, source, Named(names...)...) {
					MustMean(t, v.Err, tt.Want)
					var api smithy.APIError
					if !errors.As(v.Err, &api) || api.ErrorCode() != tt.Code {
						t.Errorf("got %v, want an error with the cause %s", v.Err, tt.Code)
					}
					if !strings.HasPrefix(v.Err.Error(), fmt.Sprintf("%s: %q: ", s.Package, names[i])) {
						t.Errorf("got %v, want an error that names %q", v.Err, names[i])
					}
				}
			}
		})
	}
}

func (s Subject) bounded(t *testing.T) {
	text, err := json.Marshal(s.Value)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		release := make(chan struct{})
		cfg := Config("http://service.invalid")
		cfg.HTTPClient = do(func(r *http.Request) (*http.Response, error) {
			asked.Add(1)
			<-release
			return &http.Response{StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(bytes.NewReader(text))}, nil
		})
		done := make(chan []secrets.Value)
		go func() {
			values, _ := s.New(cfg).Fetch(t.Context(), s.refs(50))
			done <- values
		}()
		synctest.Wait()
		if n := asked.Load(); n != int64(s.AtOnce) {
			t.Errorf("got %d requests at a time, want %d", n, s.AtOnce)
		}
		close(release)
		for _, v := range <-done {
			MustHave(t, v, cmp.Or(s.Want, "value"))
		}
		if n := asked.Load(); n != 50 {
			t.Errorf("got %d requests, want 50", n)
		}
	})
}

// refs returns refs that cost a request each.
func (s Subject) refs(n int) []secrets.Ref {
	refs := make([]secrets.Ref, n)
	for i := range refs {
		refs[i] = secrets.Ref{Name: "a"}
		if !s.Unbatched {
			refs[i].Version = fmt.Sprint(i)
		}
	}
	return refs
}

func (s Subject) panics(t *testing.T) {
	cfg := Config("http://service.invalid")
	cfg.HTTPClient = do(func(*http.Request) (*http.Response, error) { panic("broken") })
	defer func() {
		if r := recover(); r != "broken" {
			t.Errorf("recovered %v, want the panic of the client", r)
		}
	}()
	_, _ = s.New(cfg).Fetch(t.Context(), s.refs(2))
}
