// Package quota limits how many requests pass in a window of time: per principal,
// per route, per source address, over all processes of a function.
//
//	store := dynamo.New(dynamodb.NewFromConfig(cfg), os.Getenv("IDEMPOTENCY_TABLE"))
//	httpapi.Start(routes, log,
//		authorizer.Require(check),
//		quota.Limit(store, quota.FailClosed,
//			quota.Allow("user", 100, time.Minute, quota.Principal()),
//			quota.Allow("day", 10_000, 24*time.Hour, quota.Principal()),
//		),
//		idempotency.Once(store, idempotency.Header("Idempotency-Key")),
//	)
//
// The store is one of package idempotency: a MemoryStore, a table of DynamoDB, or a
// Valkey server. A counter is one small item, under a hash of function, tenant,
// policy, window and keys. For DynamoDB it needs the permission
// dynamodb:UpdateItem, and the table's TTL removes it.
//
// # Answers
//
// A request above the quota is a 429 with Retry-After. Every response has the
// headers of the IETF draft, also that of a request that passes:
//
//	RateLimit-Policy: "user";q=100;w=60, "day";q=10000;w=86400
//	RateLimit: "user";r=41;t=12, "day";r=9311;t=40212
//
// q is the limit and w the window in seconds. r is what is left, as far as this
// process knows, and t the seconds until the window ends. Other processes may have
// used part of r. RateLimit leaves out a policy that this process knows nothing of, as
// while the store does not answer. Add both names to CORSConfig.Expose if pages read them.
//
// The form is that of revisions 10 and 11 of the draft (September 2025, May 2026).
// They differ in what t means, which is the same for windows that do not move.
// Revisions up to 6 had other headers.
//
// https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
//
// # Shares
//
// A process does not ask the store for each request. It takes a share of the window's
// quota with one conditional write and counts in memory until the share is used. The
// first share is one request. Each further one is half of what the process has taken
// in the window so far, plus one, and at most a tenth of the limit. 1000 requests of
// one principal at 1000 a minute cost 20 writes in one process, and 900 over ten
// processes cost 100. Once the quota is used up, each process learns it by one write
// that fails, and then refuses without asking.
//
// What is promised:
//
//   - In one window no more requests pass than the limit, over all processes. Lost
//     answers, repeated writes and ended processes do not change that. FailOpen does,
//     while the store is down, and so does a store that forgets what it has
//     acknowledged, as a Valkey server may when it fails over.
//   - A share that a process holds and does not use is lost until the window ends.
//     That happens if the process is frozen or ended, if the answer of the store is
//     lost, if the share is part of a snapshot that is restored, or if more than 4096 keys are in use. Requests are then refused although
//     fewer than the limit have passed. A process holds at most half of what it has
//     used. So two thirds of a limit pass before a request is refused, however they
//     spread over processes, if no answer was lost. A limit below 20 is counted one
//     by one.
//   - A request that one policy refuses uses up nothing of the others. A process that
//     does not know the refusal yet may have taken a share of the policies before it in
//     the list, which stays with the process. So list first the policy that a caller
//     uses up first, and a caller's own quota before one that callers share.
//   - At the end of a window the next one begins with the whole quota. A caller can
//     use the quotas of two windows in quick succession. Add a policy with a shorter
//     window if that is too much at once.
//
// # Clocks
//
// Windows follow the clock of each process, also after a freeze. A process whose
// clock is ahead enters the next window earlier, and no window has more than its
// limit for that. Processes whose clocks are in different windows draw from
// different quotas, so a clock that is far off gets a quota of its own. Stores keep a
// counter for five minutes after its window, for clocks that are behind.
//
// # If the store does not answer
//
// [FailClosed] or [FailOpen] is named in each [Limit]. A write may take two seconds.
// Set a shorter timeout on the client. After a failure the key is not asked for again
// for a tenth of a second, and after more in a row for up to two seconds.
//
// # Replays
//
// Limit belongs outside idempotency.Once, so that a replay counts. A replay costs an
// invocation and a request to the store, and a caller could repeat one key forever.
//
// # Usage plans
//
// A REST API has quotas of its own, usage plans, which an authorizer selects with
// Grant.UsageKey. API Gateway applies them as best it can and not as hard limits.
// docs/quotas.md has the template and compares the two.
package quota
