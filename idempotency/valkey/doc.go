// Package valkey keeps idempotency records in Valkey, or in Redis from version 7
// on: on one server, behind Sentinel or in a cluster.
//
//	client, err := valkeygo.NewClient(valkeygo.ClientOption{
//		InitAddress:      []string{os.Getenv("VALKEY_ADDRESS")},
//		TLSConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
//		ConnWriteTimeout: time.Second,
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	store := valkey.New(client)
//	once := idempotency.Once(store, idempotency.Header("Idempotency-Key"))
//
// Make the client once, outside of the handler. Its ConnWriteTimeout is how long a
// silent server is waited for. The default is 10 seconds.
//
// # How it works
//
// A record is a hash under one key, the [Prefix] and the record's key. Each step is
// one script on that key and one round trip: a first call takes two, a replay one.
// A server that does not know a script yet takes one more. A step whose connection
// breaks is sent up to three times within a fraction of a second. Owner and epoch
// make sure that it happens once.
//
// A counter of package guard/quota is a string of digits under a key of its own, see
// [Store.Take]. What is lost in a failover counts again: more requests may then pass
// than the limit.
//
// # Clocks
//
// The server's clock alone judges leases and expiries. A process sends how long its
// lease lasts, and the server adds that to its own time. So processes whose clocks
// are minutes apart do not take over each other's leases. A Retry-After is computed
// from the holder's clock, and is off by as much as the clocks are. If the server's
// clock jumps, for example after a failover, leases and expiries jump with it.
//
// # What is not promised
//
// The promises of package idempotency hold if the server keeps what it has
// acknowledged. Valkey does not promise that:
//
//   - Replication is asynchronous. A failover may lose claims and completions, also
//     in a cluster and behind Sentinel, and the key then runs again. The attempt
//     that lost its claim gets an error if it completes afterwards, but its effect
//     is there.
//   - After a restart the server has what it saved: nothing without persistence, all
//     but the last second with appendfsync everysec, everything with always.
//   - A full server evicts records unless maxmemory-policy is noeviction. Set it: a
//     full server then refuses claims, which is safe.
//   - FLUSHALL, DEL and the like remove records. A key without a record is new.
//
// If a second run costs money, use a store that acknowledges what is durable, such
// as DynamoDB, or make the receiver of the effect idempotent.
//
// A result may have up to 512 MB. It is neither compressed nor encrypted. The server
// does nothing else while it copies one, so store large results elsewhere.
package valkey
