// Package model holds the idempotency protocol as a Promela model, and the test
// that has the model checker spin go through all its states. It has no code to
// import.
//
// # The protocol
//
// A store keeps one record per key: absent, INPROGRESS with owner, epoch and
// lease, or COMPLETED with a result. An attempt (one invocation) draws a new
// owner token and then
//
//   - claims, in one conditional write: an absent record, or one whose lease has
//     expired, becomes its own in the next epoch. Otherwise the answer is the
//     holder: its own token means that an earlier try had arrived, a result is
//     replayed, anyone else is waited for or reported as a conflict;
//   - runs the handler;
//   - completes, if it still is the owner in its epoch. If not it has lost: it
//     reports no success. A record completed by its own token is its success,
//     whose answer got lost. Staged writes commit in the same transaction. If
//     that is refused, or not answered, it is withdrawn: a release, of which the
//     answer tells whether the commit had arrived. What arrives after it finds
//     another owner, or none;
//   - releases instead, on the same condition, if the handler failed. A first
//     attempt leaves no record. A later one leaves an abandoned record that is
//     nobody's, for what an attempt before has done is unknown;
//   - does neither if it does not know what it did;
//   - releases a claim of which it heard no answer, and ends.
//
// # What is modelled
//
// Three attempts at one key. At every step each may crash. At every write each
// may hear no answer, once; the write then arrives at any later moment, even
// after its attempt has ended or others have gone on, or never, while the attempt
// tries again with its token or crashes. The lease ends at any moment, also while
// the handler runs. A client's retry is another attempt.
//
// What an attempt is, is labelled in protocol.pml by the steps of package
// idempotency: claiming, running, completing, releasing. A write to the store is
// one atomic step, as it is in DynamoDB and in a script of Valkey. Nothing else
// that two attempts could see of each other is atomic.
//
// # What is left out
//
//   - Time. Leases end when the checker likes, so no property rests on a clock or
//     on how far clocks are apart.
//   - The expiry of completed records: what is promised ends with the TTL.
//   - Payloads, fingerprints, scopes, the limits of results, local replays, and
//     what Reconcile answers. That it is asked is there.
//   - More than one answer lost per step and attempt, and what more than three
//     attempts could do together.
//   - Attempts are told apart by the order of their first writes, for they are
//     all alike. One that crashes before its first write counts as none.
//   - How an expired claim is taken over: the package is told of it first, and
//     then claims the epoch after the one it saw. Here that is one write with a
//     weaker condition, which allows all that the two do and more. Epochs may start
//     higher there; that the owner alone is fence enough covers any of them.
//   - Stores that forget or reorder what they have acknowledged.
//
// # What is proved
//
// Of every variant: a completed key is never overwritten nor deleted, and each
// replay is its result. At most one attempt reports a success of its own, and what
// it reports is what is recorded. Nobody's claim is taken while its lease runs.
// Moreover:
//
//   - STAGED: the effect takes place at most once, and exactly once if any
//     attempt reported success or replayed. If claims are answered (HEARD), an
//     attempt that reports that nothing was committed, or that it has lost, tells
//     the truth for good (DENIED). That a claim which is answered late brings back
//     a record that was withdrawn, and a commit which is later still then takes
//     place, is the one exception; the checker tells it. Even so it takes place once,
//     and a retry replays it.
//   - REFUSE: no run begins unless all before it have failed cleanly. An error of
//     the handler is taken at its word that nothing took effect.
//   - RECONCILE: no attempt begins as a first one, and so without asking, unless
//     all runs before it have failed cleanly.
//   - GIVES_UP: all of this holds also where claims that were not answered are
//     released.
//   - PATIENT: the key completes if one client keeps trying and its later attempts
//     meet no trouble, whatever another one does (two clients). This needs what
//     time itself gives: that a lease ends, and that steps which stay possible
//     are taken.
//
// Without STAGED and REFUSE the handler may run once per epoch; only its result is
// fenced. And there success is told even if the store does not answer the
// completion, while the attempt's own lease lasts (UNRECORDED). So nobody reports
// a success from whom another has taken the key; who goes on when the lease is
// over does (LATE_SUCCEEDS). With Refuse that keeps all of the above but the record.
// With Rerun it does not: two callers may each be told of a success of their own
// (MANY), and the checker shows how. With STAGED it must not be done, and is not:
// unanswered, a commit may never have taken place. Nor is it enough then to look
// at the record: what was not there yet may arrive (ONLY_LOOKS).
//
// The owner token alone is fence enough. The epoch alone is not: a first attempt
// that is withdrawn deletes the record, the count starts again, and its late commit
// meets another first epoch. A take-over leaves its record, and must not leave
// its owner there (KEEPS_OWNER). The checker finds this too, as it finds what is
// wrong with each of the other mutants that the test lists.
//
// # Running it
//
// It takes spin ("make spin", or Debian's package) and a C compiler; without them
// the test is skipped.
//
//	go test -count=1 -v ./idempotency/model
//
// says the number of states for what holds, and for each mutant the counter-example:
// a column for each attempt, time running downwards, and the assertion that
// failed. "The lease ends" is the clock's column; "arrives late" is the network's.
// STAGED is searched with two attempts, or with three whose claims are answered.
// With three and all claims it has 35 million states, which take three minutes and
// several GB, and no error:
//
//	spin -DSTAGED -a protocol.pml
//	cc -O2 -DSAFETY -o pan pan.c && ./pan -m20000
//
// By hand, with every statement of the trail:
//
//	spin -DCOMPLETE_IF=IN_PROGRESS -a protocol.pml
//	cc -DSAFETY -DBFS -o pan pan.c && ./pan
//	spin -DCOMPLETE_IF=IN_PROGRESS -t -p protocol.pml
//
// A counter-example to the protocol itself would fail the test and be printed the
// same way. It is to be read against the labels: find the first step after which
// the store no longer holds what an attempt believes, and see which condition let
// it go on.
package model
