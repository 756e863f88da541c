// Package valkey keeps idempotency records in Valkey, or in Redis from version
// 7 on, on one server, behind Sentinel or in a cluster.
//
//	func main() {
//		client, err := valkeygo.NewClient(valkeygo.ClientOption{
//			InitAddress:      []string{os.Getenv("VALKEY_ADDRESS")},
//			TLSConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
//			ConnWriteTimeout: time.Second,
//		})
//		if err != nil {
//			log.Fatal(err)
//		}
//		store := valkey.New(client)
//		guard.Start(httpapi.Func(placeOrder),
//			httpapi.Problems(),
//			guard.Recover(),
//			idempotency.Once(store, idempotency.Header("Idempotency-Key")),
//		)
//	}
//
// Make the client once, outside of the handler. Its ConnWriteTimeout is how
// long a server that is silent is waited for, 10 seconds if it is not set.
//
// # How it works
//
// A record is a hash under one key, the [Prefix] and the record's. Each step is
// one script on that key, and one round trip: a first call takes two, a replay
// one. A server that does not know a script yet is sent its text, which takes
// one more.
//
// Owner and epoch are the fence, as everywhere. A step whose answer is lost
// with its connection is sent again, three times in all within a fraction of a
// second; it meets its own owner and epoch, and has been taken once.
//
// # Clocks
//
// Leases and expiries are judged by the server's clock alone. A process sends
// how long its lease lasts from now, by its own clock, and the server adds that
// to its time; so processes whose clocks are minutes apart do not take each
// other's leases. The Lease and Expires that a held record tells are those that
// its holder has written, by the holder's clock: a Retry-After that is made of
// them is as wrong as the clocks are apart. The server removes a record when it
// expires. Where the server's own clock jumps, after a failover to another
// machine for example, leases and expiries jump with it.
//
// # What is promised, and what is not
//
// All that package idempotency promises holds as long as the server keeps what
// it has acknowledged, and this is what Valkey does not promise by itself:
//
//   - Replication is asynchronous. A primary that fails may take with it claims
//     and completions that it has answered, and the replica that takes its place
//     lets the same key run again. This may happen at each failover, also in a
//     cluster and behind Sentinel. The attempt that has lost its claim is told so
//     if it completes afterwards, but its effect is there.
//   - A server that restarts has what it has saved: nothing without persistence,
//     up to the last second with appendfsync everysec, all with always.
//   - A server that is full evicts records, unless its maxmemory-policy is
//     noeviction. Set it: a full server then refuses claims, which is safe.
//   - FLUSHALL, DEL and the like are obeyed. A key whose record is gone is new.
//
// Where a second run costs money, take a store that acknowledges what is
// durable, like DynamoDB, or make the receiver of the effect idempotent.
//
// A result may have up to 512 MB, and is neither compressed nor encrypted. The
// server does nothing else while it copies one: results of many megabytes
// belong elsewhere.
package valkey
