package exampletest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/stream"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// bomb is the article whose movements kill the process that books them.
const bomb = "ZZ-999"

// A bomber stands between the processes of examples/stream and its tables. It kills a
// process that books a bomb, each time, and others at random.
type bomber struct {
	upstream string

	mu        sync.Mutex
	kills                      // at random
	killed    int              // also by the movements
	committed map[string][]int // article → pieces of its movements, in the order of their commits
}

// script is a function that has the id of its process in the path of its requests.
func (b *bomber) script(t *testing.T, binary, url string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bootstrap")
	text := fmt.Sprintf("#!/bin/sh\nexec env AWS_ENDPOINT_URL_DYNAMODB='%s'/$$ '%s'\n", url, binary)
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func (b *bomber) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	pid, _ := strconv.Atoi(strings.Trim(req.URL.Path, "/"))
	req.URL.Path = "/"
	sku, pieces, isCommit := movementIn(req, body)
	b.mu.Lock()
	now, before := b.strike()
	b.mu.Unlock()
	if sku == bomb || now && before {
		b.kill(pid)
		panic(http.ErrAbortHandler)
	}
	answer, err := awsproxy.Forward(b.upstream, req, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if isCommit && answer.Status == http.StatusOK {
		b.mu.Lock()
		b.committed[sku] = append(b.committed[sku], pieces)
		b.mu.Unlock()
	}
	if now {
		b.kill(pid)
		panic(http.ErrAbortHandler)
	}
	answer.Write(w, len(answer.Body))
}

func (b *bomber) kill(pid int) {
	process, err := os.FindProcess(pid)
	if err != nil || process.Kill() != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.killed++
}

// movementIn returns the movement that a transaction books.
func movementIn(req *http.Request, body []byte) (sku string, pieces int, ok bool) {
	if awsproxy.Operation(req) != commit {
		return "", 0, false
	}
	var request struct {
		TransactItems []struct {
			Update struct {
				Key struct {
					ID struct{ S string } `json:"id"`
				}
				ExpressionAttributeValues map[string]struct{ N string }
			}
		}
	}
	_ = json.Unmarshal(body, &request)
	for _, item := range request.TransactItems {
		if n := item.Update.ExpressionAttributeValues[":pieces"].N; n != "" {
			pieces, err := strconv.Atoi(n)
			return item.Update.Key.ID.S, pieces, err == nil
		}
	}
	return "", 0, false
}

// TestNothingOfAStreamIsLostWhoeverIsKilled sends movements through a stream while the
// processes of examples/stream are killed, at random and by some of the movements. Those
// end alone in the destination of the mapping, poison in the dead letters with its reason,
// and every other one is booked once, in the order of its article.
func TestNothingOfAStreamIsLostWhoeverIsKilled(t *testing.T) {
	t.Parallel()
	const shards, articles = 4, 20
	movements, randomKills := numberFrom(t, "CRASH_MESSAGES", 5_000)*2/5, numberFrom(t, "KILL_ROUNDS", 200)/8
	c := connect(t)
	const stock, keys = "stream-stock", "stream-keys"
	c.makeTable(t, stock)
	c.makeTable(t, keys)
	moto := servers.Moto(t).URL()
	client := queueClient(moto)
	dead := awstest.Queue(t, client, "", nil)

	b := &bomber{upstream: servers.DynamoDB(t).URL(), kills: newKills(t, randomKills, movements), committed: map[string][]int{}}
	proxy := httptest.NewServer(b)
	t.Cleanup(proxy.Close)
	var log tail
	const timeout = 3 * time.Second // and a key is held for no longer
	fn := guardtest.Start(t, b.script(t, built.of(t, "examples/stream"), proxy.URL), guardtest.Config{
		Instances: shards, Timeout: timeout, InitTimeout: patient, Memory: 512, Log: &log,
		Env: append(c.env, "STOCK_TABLE="+stock, "IDEMPOTENCY_TABLE="+keys, "DEAD_LETTERS_URL="+dead, "AWS_ENDPOINT_URL_SQS="+moto),
	})

	var givenUp []string               // first and last sequence number
	s := stream.New(fn, stream.Config{ // in real time, since keys are held in real time
		Name: "movements", Shards: shards, BatchSize: 25,
		ReportBatchItemFailures: true, BisectBatchOnFunctionError: true, MaximumRetryAttempts: new(4),
		OnFailure: source.To("arn:aws:sqs:us-east-1:123456789012:discarded", func(l source.Letter) error {
			var m struct {
				KinesisBatchInfo struct{ StartSequenceNumber, EndSequenceNumber string }
			}
			err := json.Unmarshal([]byte(l.Body), &m)
			givenUp = append(givenUp, m.KinesisBatchInfo.StartSequenceNumber+" "+m.KinesisBatchInfo.EndSequenceNumber)
			return err
		}),
	})
	bombs := map[string]bool{}
	poison := map[string]bool{}
	sent := map[string][]int{} // article → pieces
	for i := range movements {
		sku := fmt.Sprintf("KB-%03d", i%articles)
		id := fmt.Sprintf("m-%d", i)
		switch {
		case i%97 == 13: // poison
			poison[s.Put(sku, fmt.Appendf(nil, `{"id":%q,"sku":%q,"pieces":0}`, id, sku))] = true
			continue
		case i%(movements/shards+1) == movements/shards/2: // of different articles
			bombs[s.Put(sku, fmt.Appendf(nil, `{"id":%q,"sku":%q,"pieces":%d}`, id, bomb, i+1))] = true
			continue
		case i%11 == 5: // twice
			s.Put(sku, fmt.Appendf(nil, `{"id":%q,"sku":%q,"pieces":%d}`, id, sku, i+1))
		}
		s.Put(sku, fmt.Appendf(nil, `{"id":%q,"sku":%q,"pieces":%d}`, id, sku, i+1))
		sent[sku] = append(sent[sku], i+1)
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Fatalf("%v; the function wrote\n%s", err, log.String())
	}
	if err := s.Ledger().Check(); err != nil {
		t.Error(err)
	}

	// A movement may be given up that is no bomb, if its process was killed, and its key
	// held by a killed one, again and again.
	unlucky := 0
	for _, entry := range s.Ledger().Entries(source.DeadLettered) {
		delete(poison, entry.ID) // it has no letter, or one that nobody knows of
		if !bombs[entry.ID] {
			if unlucky++; exits(entry) == 0 {
				t.Errorf("%s was given up after %+v, want that of a bomb or of killed processes only", entry.ID, entry.Deliveries)
			}
		}
	}
	for id := range bombs {
		if !slices.Contains(givenUp, id+" "+id) {
			t.Errorf("the bomb %s is not alone in the destination: %q", id, givenUp)
		}
	}
	buried := letters(t, client, dead)
	for id := range poison {
		if buried[id] != "movement_invalid" {
			t.Errorf("poison %s has the letter %q, want movement_invalid", id, buried[id])
		}
	}
	if unlucky == 0 && len(buried) != len(poison) {
		t.Errorf("got %d letters, want %d", len(buried), len(poison))
	}
	if unlucky == 0 {
		total := map[string]int{}
		for _, item := range c.all(t, stock) {
			n, _ := strconv.Atoi(item["pieces"].(*types.AttributeValueMemberN).Value)
			total[item["id"].(*types.AttributeValueMemberS).Value] = n
		}
		for sku, pieces := range sent {
			if !slices.Equal(b.committed[sku], pieces) {
				t.Errorf("%s: the movements were booked as %v, want each once and in order: %v", sku, b.committed[sku], pieces)
			}
			want := 0
			for _, n := range pieces {
				want += n
			}
			if total[sku] != want {
				t.Errorf("%s: there are %d pieces, want %d", sku, total[sku], want)
			}
		}
	}
	if b.left > 0 {
		t.Errorf("%d random kills are left of %d", b.left, randomKills)
	}
	counts := s.Ledger().Counts()
	t.Logf("%d movements in %d batches, %d deliveries, %d kills; %d given up, %d letters, %d killed too often",
		counts.Sent, counts.Batches, counts.Deliveries, b.killed, len(givenUp), len(buried), unlucky)
}
