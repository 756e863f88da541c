// Package model checks the protocol of package idempotency with the model checker
// Spin, in a test. It has no code to import.
//
// # The protocol
//
// A store keeps one record per key: absent, INPROGRESS with owner, epoch and lease,
// or COMPLETED with a result. An attempt is one invocation. It draws an owner token
// and then
//
//   - claims, in one conditional write: an absent record, or one whose lease has
//     ended, becomes its own in the next epoch. Otherwise the answer is the holder.
//     Its own token means that an earlier try had arrived, a result is replayed, and
//     any other holder is waited for or reported as a conflict;
//   - runs the handler;
//   - completes if it is still the owner in its epoch. Otherwise it has lost, and
//     reports no success. A record that its own token has completed is its success.
//     Staged writes commit in the same transaction. A commit that is refused or not
//     answered is withdrawn by a release, whose answer says whether the commit had
//     arrived; a later one finds another owner or none;
//   - releases instead, on the same condition, if the handler failed. A first attempt
//     leaves no record. A later one leaves an abandoned record without an owner,
//     since the outcome of an earlier attempt is unknown;
//   - does neither if it does not know what it did;
//   - releases a claim that was not answered, and ends.
//
// # What is modelled
//
// Three attempts at one key. Each may crash at every step. Each write may stay
// unanswered once: it then arrives at any later moment or never, also after its
// attempt has ended, while the attempt tries again or crashes. The lease ends at any
// moment. A write to the store is one atomic step, as it is in DynamoDB and in a
// script of Valkey; nothing else is. The labels in protocol.pml are the steps of
// package idempotency.
//
// # What is left out
//
//   - Time, and with it how far clocks are apart, and the expiry of records.
//   - Payloads, fingerprints, scopes, limits of results, local replays, and what
//     Reconcile returns. That it is called is modelled.
//   - More than one lost answer per step and attempt, and more than three attempts.
//   - The order of attempts, which are all alike: they are numbered by their first
//     writes. One that crashes before that counts as none.
//   - The two writes of a take-over, which are one here with a weaker condition. That
//     allows everything that the two do. Epochs may start higher in the package; the
//     owner alone is fence enough for that.
//   - Stores that forget or reorder what they have acknowledged.
//
// # What is proved
//
// Of every variant: a completed key is never overwritten or deleted, and each replay
// is its result. At most one attempt reports a success of its own, and that success is
// what is recorded. No claim is taken over while its lease runs. Moreover:
//
//   - STAGED: the effect happens at most once, and exactly once if any attempt
//     reported or replayed a success. If claims are answered (HEARD), an attempt that
//     reports that nothing was committed, or that it has lost, is right for good
//     (DENIED). The one exception is a claim that arrives after its record was
//     withdrawn, followed by its commit. The effect then still happens once, and a
//     retry replays it.
//   - REFUSE: no run begins unless all earlier runs have failed cleanly. An error of
//     the handler counts as clean.
//   - RECONCILE: no attempt runs without asking unless all earlier runs have failed
//     cleanly.
//   - GIVES_UP: all of this holds also if unanswered claims are released.
//   - PATIENT: the key completes if one of two clients keeps trying and its later
//     attempts meet no trouble. This assumes that leases end, and that steps which stay
//     possible are taken.
//
// Without STAGED and REFUSE the handler may run once per epoch; only its result is
// fenced. A success is also reported if the store does not answer the completion while
// the lease lasts (UNRECORDED). After the lease it is not: such an attempt
// (LATE_SUCCEEDS) could report a success after another has taken the key. With Rerun
// two callers may each get a success of their own (MANY). With STAGED an unanswered
// commit is no success, since it may not have happened, and reading the record is not
// enough to find out (ONLY_LOOKS).
//
// The owner token alone is fence enough. The epoch alone is not: a first attempt that
// is withdrawn deletes the record, and its late commit meets another first epoch. A
// take-over must not leave its owner in the record (KEEPS_OWNER). The test lists these
// mutants and others, and spin must refute each.
//
// # Running it
//
// The test needs spin ("make spin", or Debian's package) and a C compiler, and is
// skipped without them.
//
//	go test -count=1 -v ./idempotency/model
//
// It prints the number of states of what holds, and the counter-example of each mutant:
// a column for each attempt, and the assertion that failed. "The lease ends" is in the
// clock's column, "arrives late" in the network's. STAGED is searched with two
// attempts, or with three whose claims are answered. With three and all claims it has
// 35 million states, which take three minutes and several GB, and no error:
//
//	spin -DSTAGED -a protocol.pml
//	cc -O2 -DSAFETY -o pan pan.c && ./pan -m20000
//
// By hand, with every statement of the trail:
//
//	spin -DCOMPLETE_IF=IN_PROGRESS -a protocol.pml
//	cc -DSAFETY -DBFS -o pan pan.c && ./pan
//	spin -DCOMPLETE_IF=IN_PROGRESS -t -p protocol.pml
package model
