package exampletest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// point is where the process is killed: at a request of an operation, or, where
// that is "", after the client has its answer.
type point struct {
	name      string
	operation string
	strike    func(k *killer, w http.ResponseWriter, r *http.Request, body []byte)
	answered  bool // the client may have its answer already
}

// points are all around the commit. What is sent late goes to late.
func points(late chan<- func() error) []point {
	abort := func() { panic(http.ErrAbortHandler) }
	return []point{
		{name: "before the claim", operation: "PutItem", strike: func(k *killer, _ http.ResponseWriter, _ *http.Request, _ []byte) {
			k.kill()
			abort()
		}},
		{name: "after the claim", operation: "PutItem", strike: func(k *killer, _ http.ResponseWriter, r *http.Request, body []byte) {
			_, _ = k.forward(r, body)
			k.kill()
			abort()
		}},
		{name: "before the commit", operation: commit, strike: func(k *killer, _ http.ResponseWriter, _ *http.Request, _ []byte) {
			k.kill()
			abort()
		}},
		{name: "before the commit arrives", operation: commit, strike: func(k *killer, _ http.ResponseWriter, r *http.Request, body []byte) {
			k.kill()
			_, _ = k.forward(r, body)
			abort()
		}},
		{name: "before the commit arrives, after another's", operation: commit, strike: func(k *killer, _ http.ResponseWriter, r *http.Request, body []byte) {
			k.kill()
			r = r.Clone(r.Context())
			late <- func() error {
				answer, err := k.forward(r, body)
				if err == nil && (answer.Status != http.StatusBadRequest || !strings.Contains(string(answer.Body), "ConditionalCheckFailed")) {
					err = fmt.Errorf("a commit that arrives late: %d %s", answer.Status, answer.Body)
				}
				return err
			}
			abort()
		}},
		{name: "before the commit is answered", operation: commit, strike: func(k *killer, _ http.ResponseWriter, r *http.Request, body []byte) {
			_, _ = k.forward(r, body)
			k.kill()
			abort()
		}},
		{name: "in the answer to the commit", operation: commit, strike: func(k *killer, w http.ResponseWriter, r *http.Request, body []byte) {
			if answer, err := k.forward(r, body); err == nil {
				answer.Write(w, len(answer.Body)/2)
			}
			k.kill()
			abort()
		}},
		{name: "after the commit is answered", operation: commit, answered: true, strike: func(k *killer, w http.ResponseWriter, r *http.Request, body []byte) {
			if answer, err := k.forward(r, body); err == nil {
				answer.Write(w, len(answer.Body))
			}
			k.kill()
		}},
		{name: "after the client is answered", answered: true},
	}
}

const commit = "TransactWriteItems"

// TestKilledAroundTheCommit kills the process of examples/orders at each point
// around the commit, in as many rounds as KILL_ROUNDS says, and sends each order
// again until it is answered. For each key there is one order, and it is the one
// that every answer tells of.
func TestKilledAroundTheCommit(t *testing.T) {
	t.Parallel()
	rounds := 200
	if text := os.Getenv("KILL_ROUNDS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil || rounds < 1 {
			t.Fatalf("KILL_ROUNDS is %q", text)
		}
	}
	c := connect(t)
	c.makeTable(t, "killed-orders")
	c.makeTable(t, "killed-keys")
	env := append(c.env, "ORDERS_TABLE=killed-orders", "IDEMPOTENCY_TABLE=killed-keys")
	binary := built.of(t, "examples/orders")
	upstream := servers.DynamoDB(t).URL()

	late := make(chan func() error, rounds)
	all := points(late)
	told := make([]string, rounds) // the order that the killed attempt told of, or ""
	next := make(chan int, rounds)
	for i := range rounds {
		next <- i
	}
	close(next)
	var killers sync.WaitGroup
	for range 2 {
		// Not longer: a lease lasts as long, and what is killed has to be waited for.
		k := newKiller(t, binary, upstream, env, 4*time.Second)
		killers.Go(func() {
			for i := range next {
				told[i] = k.round(t, i, all[i%len(all)])
			}
		})
	}
	killers.Wait()

	survivor := newKiller(t, binary, upstream, env, 25*time.Second)
	ids := make([]string, rounds)
	for i := range rounds {
		got := eventually(t, func() answer { return survivor.place(t, i) }, func(a answer) bool { return a.status != http.StatusConflict })
		ids[i] = orderOf(t, got)
		if told[i] != "" && told[i] != ids[i] {
			t.Errorf("killed %s: reported %s, then of %s", all[i%len(all)].name, told[i], ids[i])
		}
	}
	close(late)
	for arrive := range late {
		if err := arrive(); err != nil {
			t.Error(err)
		}
	}
	replays, found := 0, ordersByCustomer(t, c.db, "killed-orders")
	for i := range rounds {
		got := survivor.place(t, i)
		if got.header.Get("Idempotent-Replayed") == "true" {
			replays++
		}
		if id, placed := orderOf(t, got), found[customer(i)]; id != ids[i] || len(placed) != 1 || placed[0] != id {
			t.Errorf("killed %s: reported %s and %s, placed %v", all[i%len(all)].name, ids[i], id, placed)
		}
	}
	if replays != rounds || len(found) != rounds {
		t.Errorf("%d replays, orders of %d customers, want %d of each", replays, len(found), rounds)
	}
	t.Logf("%d rounds, one order each", rounds)
}

// round kills one attempt, and returns the order that it told of all the same. A
// process that died in the round before may be given the first request.
func (k *killer) round(t *testing.T, i int, p point) string {
	t.Helper()
	k.next(p)
	got := eventually(t, func() answer { return k.place(t, i) }, func(a answer) bool {
		return k.struck() || p.operation == "" && a.status == http.StatusCreated
	})
	if p.operation == "" {
		k.kill()
	}
	if err := k.failed(); err != nil {
		t.Errorf("round %d, %s: %v", i, p.name, err)
	}
	if got.status == http.StatusCreated && p.answered {
		return orderOf(t, got)
	}
	if got.status < 500 {
		t.Errorf("round %d, killed %s, and answered: %d %s", i, p.name, got.status, got.body)
	}
	return ""
}

func customer(i int) string { return fmt.Sprintf("c-%d", i) }

func (k *killer) place(t *testing.T, i int) answer {
	t.Helper()
	return post(t, k.function+"/orders", fmt.Sprint("kill-", i), strings.Replace(order, "c-42", customer(i), 1))
}

func orderOf(t *testing.T, a answer) string {
	t.Helper()
	var receipt struct{ ID string }
	if err := json.Unmarshal([]byte(a.body), &receipt); err != nil || a.status != http.StatusCreated || receipt.ID == "" {
		t.Errorf("%d %s: %v", a.status, a.body, err)
	}
	return receipt.ID
}

// ordersByCustomer returns the ids of all orders.
func ordersByCustomer(t *testing.T, client *dynamodb.Client, table string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			text, _ := item["order"].(*types.AttributeValueMemberS)
			var o struct{ ID, Customer string }
			if text == nil || json.Unmarshal([]byte(text.Value), &o) != nil {
				t.Fatalf("no order: %v", item)
			}
			found[o.Customer] = append(found[o.Customer], o.ID)
		}
	}
	return found
}
