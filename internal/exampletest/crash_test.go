package exampletest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/lambdarmor/lambdarmor/guard/guardtest"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/queue/sqspoll"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/awstest"
)

// reaper stands between the processes of a function and the tables. It kills one of
// them, a random one, after or before a random request, and makes some requests
// slow.
type reaper struct {
	upstream string
	pids     string // a folder with a file of each process

	mu sync.Mutex
	kills
	killed    int
	committed []string // the ids of orders, in the order of their commits
}

func newReaper(t *testing.T, upstream string, n, messages int) *reaper {
	t.Helper()
	return &reaper{upstream: upstream, pids: t.TempDir(), kills: newKills(t, n, messages)}
}

// kills are spread at random over requests.
type kills struct {
	random *rand.Rand
	left   int // to come
	until  int // requests before the next one
	every  int // requests from one kill to the next, on average; twice as many at most
}

// newKills spreads n kills over so many messages. A message that is handled makes two
// requests or more, so that there is one for the last kill even if each comes as late as
// it can and a fifth of the messages is not handled.
func newKills(t *testing.T, n, messages int) kills {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	k := kills{random: rand.New(rand.NewPCG(seed, 1)), left: n, every: max(1, messages*4/5/max(1, n))}
	k.until = k.random.IntN(2 * k.every)
	return k
}

// strike reports whether a process is to be killed at a request, and whether before it is
// carried out.
func (k *kills) strike() (now, before bool) {
	if k.until--; k.left == 0 || k.until >= 0 {
		return false, false
	}
	k.left--
	k.until = k.random.IntN(2 * k.every)
	return true, k.random.IntN(2) == 0
}

// script is a function that tells its process before it becomes the binary.
func (r *reaper) script(t *testing.T, binary string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\n: >'%s'/$$\nexec '%s'\n", r.pids, binary), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// kill ends a random process that lives.
func (r *reaper) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	files, _ := os.ReadDir(r.pids)
	for _, i := range r.random.Perm(len(files)) {
		pid, _ := strconv.Atoi(files[i].Name())
		process, err := os.FindProcess(pid)
		_ = os.Remove(filepath.Join(r.pids, files[i].Name()))
		if err == nil && process.Kill() == nil {
			r.killed++
			return
		}
	}
	r.left, r.until = r.left+1, 0 // nobody lives: at the next request
}

func (r *reaper) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	isCommit := awsproxy.Operation(req) == commit
	if isCommit && bytes.Contains(body, []byte(`"slow-`)) {
		select {
		case <-time.After(time.Second): // the fault itself
		case <-req.Context().Done():
		}
	}
	r.mu.Lock()
	strike, before := r.strike()
	r.mu.Unlock()
	if strike && before {
		r.kill()
	}
	answer, err := awsproxy.Forward(r.upstream, req, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if isCommit && answer.Status == http.StatusOK {
		r.mu.Lock()
		r.committed = append(r.committed, orderIn(body))
		r.mu.Unlock()
	}
	if strike && !before {
		r.kill()
	}
	answer.Write(w, len(answer.Body))
}

// orderIn returns the id of the order in a transaction.
func orderIn(body []byte) string {
	var request struct {
		TransactItems []struct {
			Put struct {
				Item struct {
					ID       struct{ S string } `json:"id"`
					Quantity struct{ N string } `json:"quantity"`
				}
			}
		}
	}
	_ = json.Unmarshal(body, &request)
	for _, item := range request.TransactItems {
		if item.Put.Item.Quantity.N != "" {
			return item.Put.Item.ID.S
		}
	}
	return ""
}

// sentOrder is a message of the crash test.
type sentOrder struct {
	order string // its id; "" if it has none
	fate  string // "booked", or the code of its dead letter
	body  string
	group string
}

// crashOrders are messages of orders, slow ones, poison and duplicates.
func crashOrders(n, groups int, name string) []sentOrder {
	all := make([]sentOrder, n)
	for i := range all {
		o := sentOrder{order: fmt.Sprintf("%s-%05d", name, i), fate: "booked"}
		sku := "KB-101"
		switch i % 100 {
		case 7:
			o.order = "slow-" + o.order
		case 13, 14:
			sku, o.fate = "XX-000", "unknown_sku"
		case 21:
			o.order, o.fate, o.body = "", "malformed_json", "no order at all"
		case 33, 34, 35, 36, 37, 38, 39, 40, 41, 42: // another message of an order before
			o = all[i-10]
			o.group = ""
		}
		if groups > 0 {
			o.group = fmt.Sprint(name, "-g", i%groups)
			if i%100 >= 33 && i%100 <= 42 {
				o.group = all[i-10].group
			}
		}
		if o.body == "" {
			o.body = fmt.Sprintf(`{"id":%q,"customer":"c-42","sku":%q,"quantity":1}`, o.order, sku)
		}
		all[i] = o
	}
	return all
}

// queueClient is a client in the region of the functions.
func queueClient(url string) *sqs.Client {
	cfg := awstest.Config(url)
	cfg.Region = "us-east-1"
	return sqs.NewFromConfig(cfg)
}

// letters reads a queue of dead letters to its end: record id → code.
func letters(t *testing.T, client *sqs.Client, url string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for {
		messages := awstest.Receive(t, client, url)
		if len(messages) == 0 {
			return found
		}
		for _, m := range messages {
			id, code := m.MessageAttributes["lambdarmor.id"].StringValue, m.MessageAttributes["lambdarmor.code"].StringValue
			if id == nil || code == nil || m.MessageAttributes["lambdarmor.requestId"].StringValue == nil {
				t.Fatalf("a dead letter without its reason: %v", m.MessageAttributes)
			}
			found[*id] = *code
		}
	}
}

// numberFrom reads a size of a test from the environment.
func numberFrom(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q", name, text)
	}
	return n
}

// TestNothingIsLostWhoeverIsKilled sends orders through a queue while the processes
// of examples/queue are killed at random. Each message ends as done or as a dead
// letter with its reason, each order is booked once or is a dead letter, and the
// messages of a FIFO group stay in order.
//
// SECURITY: Nothing is lost.
func TestNothingIsLostWhoeverIsKilled(t *testing.T) {
	t.Parallel()
	messages, kills := numberFrom(t, "CRASH_MESSAGES", 5_000), numberFrom(t, "KILL_ROUNDS", 200)
	for _, tc := range []struct {
		name            string
		messages, kills int
		groups          int // 0 is a standard queue
		pond            func(*testing.T, *guardtest.Function, []sentOrder) pond
	}{
		{name: "standard", messages: messages * 4 / 5, kills: kills * 4 / 5, pond: inMemory},
		{name: "fifo", messages: messages / 5, kills: kills / 5, groups: 100, pond: inMemory},
		// Not of a FIFO queue: moto hands out a message of a group while an earlier one is
		// in flight.
		{name: "sqs", messages: messages / 20, kills: kills / 20, pond: inSQS},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			crash(t, tc.name, crashOrders(tc.messages, tc.groups, tc.name), tc.kills, tc.pond)
		})
	}
}

// pond is a queue with all messages in it.
type pond struct {
	ids    []string // of the messages
	ledger source.Ledger
	drain  func() error
}

const (
	crashTimeout    = 5 * time.Second
	crashVisibility = crashTimeout + 2*time.Second // more than a key is held
)

var crashMapping = queue.Mapping{BatchSize: 10, MaximumConcurrency: 4, ReportBatchItemFailures: true}

func suffixOf(orders []sentOrder) string {
	if orders[0].group != "" {
		return ".fifo"
	}
	return ""
}

func inMemory(t *testing.T, fn *guardtest.Function, orders []sentOrder) pond {
	givenUp := queue.New(nil, queue.Config{Name: "given-up" + suffixOf(orders)})
	q := queue.New(fn, queue.Config{
		Name: "orders" + suffixOf(orders), VisibilityTimeout: crashVisibility,
		Redrive: queue.Redrive{To: givenUp, MaxReceives: 5}, Mapping: crashMapping,
	})
	p := pond{ledger: q.Ledger(), drain: func() error { return q.Drain(t.Context()) }}
	for i, o := range orders {
		id, err := q.Send(queue.Message{Body: o.body, Group: o.group, Deduplication: dedup(o.group, i)})
		if err != nil {
			t.Fatal(err)
		}
		p.ids = append(p.ids, id)
	}
	return p
}

// inSQS is a queue of a real SQS API. It has no redrive policy: the function gives
// up what was received too often.
func inSQS(t *testing.T, fn *guardtest.Function, orders []sentOrder) pond {
	client := queueClient(servers.Moto(t).URL())
	url := awstest.Queue(t, client, "", map[string]string{"VisibilityTimeout": fmt.Sprint(int(crashVisibility.Seconds()))})
	poller, err := sqspoll.New(t.Context(), client, url, fn, crashMapping)
	if err != nil {
		t.Fatal(err)
	}
	p := pond{ledger: poller.Ledger(), drain: func() error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ran := make(chan error, 1)
		go func() { ran <- poller.Run(ctx) }()
		err := poller.Ledger().Wait(ctx, func(c source.Counts) bool { return c.Done == len(orders) && c.Waiting == 0 })
		cancel()
		return errors.Join(err, <-ran)
	}}
	for _, o := range orders {
		in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &o.body}
		out, err := client.SendMessage(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		p.ids = append(p.ids, *out.MessageId)
	}
	return p
}

func crash(t *testing.T, name string, orders []sentOrder, kills int, fill func(*testing.T, *guardtest.Function, []sentOrder) pond) {
	c := connect(t)
	bookings, keys := "crash-bookings-"+name, "crash-keys-"+name
	c.makeTable(t, bookings)
	c.makeTable(t, keys)
	moto := servers.Moto(t).URL()
	client := queueClient(moto)
	dead := awstest.Queue(t, client, "", nil)
	r := newReaper(t, servers.DynamoDB(t).URL(), kills, len(orders))
	proxy := httptest.NewServer(r)
	t.Cleanup(proxy.Close)

	var log tail
	fn := guardtest.Start(t, r.script(t, built.of(t, "examples/queue")), guardtest.Config{
		Instances: 4, Timeout: crashTimeout, InitTimeout: patient, Memory: 512, Log: &log,
		Env: append(c.env, "BOOKINGS_TABLE="+bookings, "IDEMPOTENCY_TABLE="+keys, "DEAD_LETTERS_URL="+dead,
			"AWS_ENDPOINT_URL_DYNAMODB="+proxy.URL, "AWS_ENDPOINT_URL_SQS="+moto),
	})
	p := fill(t, fn, orders)
	if err := p.drain(); err != nil {
		t.Fatalf("%v; the function wrote\n%s", err, log.String())
	}
	if err := p.ledger.Check(); err != nil {
		t.Error(err)
	}
	if r.killed != kills {
		t.Errorf("got %d kills, want %d", r.killed, kills)
	}
	booked := map[string]int{}
	for _, item := range c.all(t, bookings) {
		booked[item["id"].(*types.AttributeValueMemberS).Value]++
	}
	buried := letters(t, client, dead)
	counts := p.ledger.Counts()
	unlucky := 0
	for i, o := range orders {
		entry, _ := p.ledger.Entry(p.ids[i])
		code := buried[p.ids[i]]
		switch {
		case entry.Outcome == source.DeadLettered, code == "too_many_receives", code == "idempotency_in_progress":
			// Its batch was killed again and again, or it came while a killed attempt held
			// its key. Nobody can say how far it came.
			unlucky++
			if len(entry.Deliveries) < 4 || o.fate != "booked" && exits(entry) == 0 {
				t.Errorf("order %q: got %s for %q after %+v, want that only of what was killed again and again", o.order, entry.Outcome, code, entry.Deliveries)
			}
		case o.fate == "booked" && (code != "" || booked[o.order] != 1):
			t.Errorf("order %s: got %d bookings and the letter %q, want a booking", o.order, booked[o.order], code)
		case o.fate != "booked" && (code != o.fate || o.order != "" && booked[o.order] != 0):
			t.Errorf("order %q: got %d bookings and the letter %q, want the letter %s", o.order, booked[o.order], code, o.fate)
		}
	}
	for order, times := range booked {
		if times != 1 {
			t.Errorf("order %s was booked %d times, want once", order, times)
		}
	}
	checkOrder(t, orders, r.committed)
	t.Logf("%d messages in %d batches, %d deliveries, %d kills; %d bookings, %d letters, %d given up for the kills",
		len(orders), counts.Batches, counts.Deliveries, r.killed, len(booked), len(buried), unlucky)
}

// exits counts the deliveries of a message whose process was killed.
func exits(e source.Entry) (n int) {
	for _, d := range e.Deliveries {
		if d.Failure == guardtest.TypeExit {
			n++
		}
	}
	return n
}

// checkOrder checks that the orders of a group were committed as they were sent.
func checkOrder(t *testing.T, orders []sentOrder, committed []string) {
	t.Helper()
	groups, place := map[string]string{}, map[string]int{}
	for i, o := range orders {
		if _, known := place[o.order]; !known {
			groups[o.order], place[o.order] = o.group, i
		}
	}
	last := map[string]int{}
	for _, id := range committed {
		group := groups[id]
		if group == "" {
			continue
		}
		if place[id] < last[group] {
			t.Errorf("group %s: order %s was committed after a later one", group, id)
		}
		last[group] = place[id]
	}
}

func dedup(group string, i int) string {
	if group == "" {
		return ""
	}
	return fmt.Sprint("d", i)
}

// tail keeps the end of a log that is long.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (l *tail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, b...)
	l.text = l.text[max(0, len(l.text)-1<<14):]
	return len(b), nil
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}
