package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/idempotency"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
)

// chaos does to each request what the dice say. Commits and releases can arrive
// once more, late and with a token that the server does not know.
type chaos struct {
	*proxy
	mu   sync.Mutex
	dice *rand.Rand
	late []func()
}

func (c *chaos) roll(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dice.IntN(n)
}

func (c *chaos) again(r *http.Request, body []byte) {
	r = r.Clone(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late = append(c.late, func() { _, _ = c.Forward(r, body) })
}

// arrive lets one that is late arrive.
func (c *chaos) arrive() bool {
	c.mu.Lock()
	if len(c.late) == 0 {
		c.mu.Unlock()
		return false
	}
	i := c.dice.IntN(len(c.late))
	late := c.late[i]
	c.late = append(c.late[:i], c.late[i+1:]...)
	c.mu.Unlock()
	late()
	return true
}

func (c *chaos) mishap(operation string) mishap {
	return func(p *proxy, w http.ResponseWriter, r *http.Request, body []byte) {
		switch c.roll(10) {
		case 0:
			lose(p, w, r, body)
		case 1:
			drop(p, w, r, body)
		case 2:
			throttleAll(p, w, r, body)
		case 3:
			if operation == "PutItem" { // a claim that comes late is the exception that the package names
				failInternal(p, w, r, body)
				return
			}
			if operation == "TransactWriteItems" {
				body = renewed(body)
			}
			c.again(r, body)
			drop(p, w, r, body)
		case 4:
			if operation == "TransactWriteItems" {
				anew(p, w, r, body)
				return
			}
			p.Pass(w, r, body)
		default:
			p.Pass(w, r, body)
		}
	}
}

// Whatever becomes of requests and leases: of each key one set of writes is
// there, every success tells of it, and what is said not to be there is not.
func TestStagedWritesAreThereOnceWhateverHappens(t *testing.T) {
	const keys, attempts = 40, 4
	s := openShop(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c := &chaos{proxy: s.proxy, dice: rand.New(rand.NewPCG(seed, 0))}
	for _, operation := range []string{"PutItem", "TransactWriteItems", "DeleteItem"} {
		for range keys * attempts * 8 {
			s.next(operation, c.mishap(operation))
		}
	}
	var mu sync.Mutex
	told := map[string]map[string]bool{} // key → the orders that were told of
	var denied []string                  // orders that are said not to be there
	try := func(store *dynamo.Store, key, order string) error {
		op := idempotency.NewOperation("chaos", store, idempotency.Lease(time.Minute))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		ran := false
		got, err := idempotency.Do(ctx, op, key, nil, func(ctx context.Context) (string, error) {
			ran = true
			count := s.count()
			count.Update.Key = id(key)
			add := s.add(order)
			if c.roll(2) == 0 { // it can be written again, and nothing but the fence stops it
				add.Put.ConditionExpression = nil
				add.Put.ReturnValuesOnConditionCheckFailure = ""
			}
			return order, dynamo.Stage(ctx, add, count)
		})
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			if told[key] == nil {
				told[key] = map[string]bool{}
			}
			told[key][got] = true
		case ran && (errors.Is(err, idempotency.ErrNotCommitted) || errors.Is(err, idempotency.ErrLost)):
			denied = append(denied, order)
		}
		return err
	}
	name := func(k int) string { return fmt.Sprint("key ", k) }
	together(keys, func(k int) {
		var all sync.WaitGroup
		for a := range attempts {
			store := dynamo.New(connect(s.URL, hasty), s.table)
			if c.roll(2) == 0 { // believes that every lease is over
				store.SetClock(func() time.Time { return time.Now().Add(time.Hour) })
			}
			all.Go(func() { _ = try(store, name(k), fmt.Sprintf("order %d.%d", k, a)) })
		}
		all.Wait()
		c.arrive()
	})
	s.Forgive()
	for k := range keys {
		c.arrive()
		store := dynamo.New(s.direct, s.table)
		store.SetClock(func() time.Time { return time.Now().Add(2 * time.Hour) })
		if err := try(store, name(k), fmt.Sprintf("order %d.last", k)); err != nil {
			t.Errorf("the last attempt at key %d: %v", k, err)
		}
	}
	for c.arrive() {
	}

	out, err := s.direct.Scan(t.Context(), &dynamodb.ScanInput{TableName: &s.orders, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	there, counted := map[string]bool{}, map[string]string{}
	for _, item := range out.Items {
		name, _ := attribute(item, "id")
		if n, ok := item["orders"].(*types.AttributeValueMemberN); ok {
			counted[name] = n.Value
		} else {
			there[name] = true
		}
	}
	for k := range keys {
		orders := told[name(k)]
		for order := range orders {
			if len(orders) != 1 || !there[order] || counted[name(k)] != "1" {
				t.Errorf("%s: reported %v, there is %s: %v, counted %s", name(k), orders, order, there[order], counted[name(k)])
			}
		}
	}
	for _, order := range denied {
		if there[order] {
			t.Errorf("%s is there, and was said not to be", order)
		}
	}
	if len(there) != keys {
		t.Errorf("%d orders of %d keys", len(there), keys)
	}
	t.Logf("%d denials", len(denied))
}
