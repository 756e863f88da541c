package quota_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/lambdarmor/lambdarmor/guard/quota"
	"github.com/lambdarmor/lambdarmor/idempotency/dynamo"
	"github.com/lambdarmor/lambdarmor/idempotency/valkey"
	"github.com/lambdarmor/lambdarmor/internal/awsproxy"
	"github.com/lambdarmor/lambdarmor/internal/valkeyproxy"
)

// What a Counter promises, of every store.
func TestAStoreIsACounter(t *testing.T) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			open := s.make(t)
			store := open(time.Now)
			soon := time.Now().Add(time.Hour)
			mustTake := func(t *testing.T, key string, want, limit, took, used int64) {
				t.Helper()
				gotTook, gotUsed, err := store.Take(t.Context(), key, want, limit, soon)
				if err != nil || gotTook != took || gotUsed != used {
					t.Fatalf("%d of %d: got %d, used %d, %v, want %d, used %d", want, limit, gotTook, gotUsed, err, took, used)
				}
			}
			t.Run("takes what is wanted, then what is left, then nothing", func(t *testing.T) {
				key := rand.Text()
				mustTake(t, key, 4, 10, 4, 4)
				mustTake(t, key, 4, 10, 4, 8)
				mustTake(t, key, 4, 10, 2, 10)
				mustTake(t, key, 4, 10, 0, 10)
				mustTake(t, key, 1, 10, 0, 10)
				mustTake(t, rand.Text(), 1, 10, 1, 1)
			})
			t.Run("more than there is", func(t *testing.T) {
				key := rand.Text()
				mustTake(t, key, 100, 10, 10, 10)
				mustTake(t, key, 1, 10, 0, 10)
			})
			t.Run("a limit that has changed", func(t *testing.T) {
				key := rand.Text()
				mustTake(t, key, 8, 10, 8, 8)
				mustTake(t, key, 1, 5, 0, 5)
				mustTake(t, key, 4, 10, 2, 10)
			})
			t.Run("the largest limit", func(t *testing.T) {
				const most = 999_999_999_999_999
				key := rand.Text()
				mustTake(t, key, most/10, most, most/10, most/10)
				mustTake(t, key, most, most, most-most/10, most)
			})
			t.Run("a cancelled context", func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if took, _, err := store.Take(ctx, rand.Text(), 1, 10, soon); err == nil || took != 0 {
					t.Errorf("got %d, %v, want an error", took, err)
				}
			})
			t.Run("64 at once", func(t *testing.T) {
				const limit = 1000
				var taken atomic.Int64
				key, processes := rand.Text(), [4]quota.Counter{}
				for i := range processes {
					processes[i] = open(time.Now)
				}
				race(64, func(i int) {
					for want := int64(1 + i%7); ; {
						took, used, err := processes[i%4].Take(t.Context(), key, want, limit, soon)
						if err != nil || took < 0 || took > want || used > limit {
							t.Errorf("got %d of %d, used %d, %v", took, want, used, err)
							return
						}
						if total := taken.Add(took); total > limit {
							t.Errorf("%d are taken of %d", total, limit)
							return
						}
						if took == 0 {
							return
						}
					}
				})
				if got := taken.Load(); got != limit {
					t.Errorf("%d were taken in all, want %d", got, limit)
				}
			})
		})
	}
}

// race calls fn from n goroutines at once and waits for them.
func race(n int, fn func(i int)) {
	var ready, finished sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		finished.Go(func() {
			ready.Done()
			<-start
			fn(i)
		})
	}
	ready.Wait()
	close(start)
	finished.Wait()
}

func TestTheItemOfAQuota(t *testing.T) {
	url := servers.DynamoDB(t).URL()
	client, name := dynamoClient(url), table(t, url, "")
	expires := time.Unix(2_000_000_000, 1) // which rounds up
	store := dynamo.New(client, name)
	for range 2 {
		if _, _, err := store.Take(t.Context(), "k", 3, 10, expires); err != nil {
			t.Fatal(err)
		}
	}
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &name})
	if err != nil || len(out.Items) != 1 {
		t.Fatalf("got %d items, %v, want one", len(out.Items), err)
	}
	item := out.Items[0]
	id, _ := item["id"].(*types.AttributeValueMemberS)
	used, _ := item["used"].(*types.AttributeValueMemberN)
	ttl, _ := item["expiration"].(*types.AttributeValueMemberN)
	if len(item) != 3 || id == nil || used == nil || ttl == nil || id.Value != "k" || used.Value != "6" || ttl.Value != "2000000001" {
		t.Errorf("got %v", item)
	}
}

func TestACounterLastsAsLongAsItMust(t *testing.T) {
	client := valkeyClient(t, servers.Valkey(t).Addr())
	for _, apart := range []time.Duration{-10 * time.Minute, 0, 10 * time.Minute} {
		now := func() time.Time { return time.Now().Add(apart) }
		key := rand.Text()
		store := valkey.New(client, valkey.Clock(now))
		if _, _, err := store.Take(t.Context(), key, 1, 10, now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		ms, err := client.Do(t.Context(), client.B().Pttl().Key("idempotency:"+key).Build()).AsInt64()
		if left := time.Duration(ms) * time.Millisecond; err != nil || left < 59*time.Minute || left > time.Hour+time.Second {
			t.Errorf("a process %v ahead: the counter lasts %v, %v, want an hour", apart, left, err)
		}
	}
}

func TestAKeyInForeignHandsIsAnError(t *testing.T) {
	ctx, soon := t.Context(), time.Now().Add(time.Hour)
	t.Run("Valkey", func(t *testing.T) {
		client := valkeyClient(t, servers.Valkey(t).Addr())
		store := valkey.New(client)
		for _, command := range [][]string{{"HSET", "name", "x"}, {"SET", "x"}, {"SET", "1.5"}} {
			key := rand.Text()
			if err := client.Do(ctx, client.B().Arbitrary(command[0]).Keys("idempotency:"+key).Args(command[1:]...).Build()).Error(); err != nil {
				t.Fatal(err)
			}
			if took, _, err := store.Take(ctx, key, 1, 10, soon); err == nil || took != 0 {
				t.Errorf("%q: got %d, %v, want an error", command, took, err)
			}
		}
	})
	t.Run("DynamoDB", func(t *testing.T) {
		url := servers.DynamoDB(t).URL()
		client, name := dynamoClient(url), table(t, url, "")
		if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: map[string]types.AttributeValue{
			"id": &types.AttributeValueMemberS{Value: "k"}, "used": &types.AttributeValueMemberS{Value: "x"},
		}}); err != nil {
			t.Fatal(err)
		}
		// A text is not smaller than a number, so that nothing is left.
		if took, _, err := dynamo.New(client, name).Take(ctx, "k", 1, 10, soon); took != 0 {
			t.Errorf("got %d, %v, want nothing", took, err)
		}
	})
}

// A share whose answer was lost is lost, and never in two hands.
func TestAShareWhoseAnswerWasLost(t *testing.T) {
	ctx, soon := t.Context(), time.Now().Add(time.Hour)
	t.Run("DynamoDB", func(t *testing.T) {
		url := servers.DynamoDB(t).URL()
		p := awsproxy.New(t, url)
		store := dynamo.New(dynamoClient(p.URL), table(t, url, ""))
		p.Next("UpdateItem", func(_ http.ResponseWriter, r *http.Request, body []byte) {
			_, _ = p.Forward(r, body)
			panic(http.ErrAbortHandler)
		})
		if took, used, err := store.Take(ctx, "k", 3, 10, soon); err != nil || took != 3 || used != 6 {
			t.Errorf("got %d, used %d, %v, want 3, used 6", took, used, err)
		}
		if got := p.Taken()["UpdateItem"]; got != 2 {
			t.Errorf("%d requests, want 2", got)
		}
	})
	t.Run("Valkey", func(t *testing.T) {
		addr := servers.Valkey(t).Addr()
		p := valkeyproxy.New(t, addr)
		if _, _, err := valkey.New(valkeyClient(t, addr)).Take(ctx, rand.Text(), 1, 1, soon); err != nil { // so that the server knows the script
			t.Fatal(err)
		}
		store := valkey.New(valkeyClient(t, p.Addr()))
		lost := p.Lose(1)
		if took, used, err := store.Take(ctx, rand.Text(), 3, 10, soon); err != nil || took != 3 || used != 6 {
			t.Errorf("got %d, used %d, %v, want 3, used 6", took, used, err)
		}
		if got := lost(); got != 1 {
			t.Errorf("%d answers were lost, want 1", got)
		}
	})
}

func TestAnAnswerOfDynamoDBWithoutTheCountIsAnError(t *testing.T) {
	store := dynamo.New(silent{}, "t")
	if took, _, err := store.Take(t.Context(), "k", 3, 10, time.Now()); err == nil || took != 0 {
		t.Errorf("got %d, %v, want an error", took, err)
	}
}

// silent answers a write without what it was asked for.
type silent struct{ dynamo.Client }

func (silent) UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return &dynamodb.UpdateItemOutput{}, nil
}
