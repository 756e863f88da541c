/*
 * The idempotency protocol for one key. What is modelled, what is proved and
 * how a counter-example is read: doc.go.
 *
 * Variants, as in spin -DREFUSE -a protocol.pml:
 *   (none)        the effect is outside the store; after an expired lease it runs again (Rerun)
 *   REFUSE        the same, but after an expired lease nobody runs (Refuse)
 *   RECONCILE     the same, but who takes a key over asks before it runs (Reconcile)
 *   STAGED        the effect commits in one transaction with the completion (dynamo.Stage); one
 *                 that is refused or not answered is withdrawn
 *   DENIED        with STAGED: who is told that nothing was committed is told the truth
 *   HEARD         no claim goes unanswered
 *   GIVES_UP      one whose claim goes unanswered may release it, and end
 *   UNRECORDED    a caller is told of success although the store did not answer the completion
 *                 (what the package does outside of transactions, while its lease lasts)
 *   MANY          with UNRECORDED: several callers may be, each of its own run
 *   PATIENT       for liveness: the last client starts another attempt until one succeeds
 * Mutants: COMPLETE_IF and RELEASE_IF name another condition than FENCED, LOSER_SUCCEEDS
 * leaves out ErrLost and NO_EXPIRY the lease; ONLY_LOOKS reads the record in place of withdrawing
 * a commit; FORGETFUL removes a record whatever its epoch, and KEEPS_OWNER leaves it its owner;
 * TIMEOUT_FREES releases a run that does not know what it did; LATE_SUCCEEDS goes on telling of a
 * success when the lease is over. LEASE_UNCHECKED drops one assertion, to show what a mutant
 * breaks besides.
 */
#ifndef ATTEMPTS
#define ATTEMPTS 3
#endif
#ifdef PATIENT
#define LAST     (ATTEMPTS + 6)       /* more retries than the patient client ever needs; asserted */
#define TROUBLE  (me <= ATTEMPTS)     /* its retries neither crash nor fail nor lose an answer */
#define IN_TURN  true
#define BEGUN    skip
#else
#define LAST     ATTEMPTS
#define TROUBLE  true
#define IN_TURN  (begun >= me - 1)
#define BEGUN    begun = (begun < me -> me : begun)
#endif

/* Conditions of a write by owner o in epoch e. */
#define ANYTHING    true
#define IN_PROGRESS (key.status == INPROGRESS)
#define SAME_EPOCH  (IN_PROGRESS && key.epoch == e)
#define SAME_OWNER  (IN_PROGRESS && key.owner == o)
#define FENCED      (IN_PROGRESS && key.owner == o && (key.epoch == e || e == ASKED))
#define CARELESS    (IN_PROGRESS && (key.owner == o && key.epoch == e || e == ASKED))
#define ASKED       0    /* the epoch of an unanswered claim, which here the store chooses */
#ifndef COMPLETE_IF
#define COMPLETE_IF FENCED
#endif
#ifndef RELEASE_IF
#define RELEASE_IF  FENCED
#endif
#ifdef REFUSE
#define CLAIMABLE   (key.status == ABSENT)
#else
#define CLAIMABLE   (key.status == ABSENT || IN_PROGRESS && key.expired)
#endif

mtype = { ABSENT, INPROGRESS, COMPLETED };   /* status of the record */
mtype = { OURS, HELD, DONE, LOST };          /* answers of the store */

typedef Record { mtype status = ABSENT; byte owner, epoch, result; bool expired }
typedef Wire   { bool claims, completes, releases }

Record key;              /* the store: one record */
Wire wire[LAST + 1];     /* the network: each attempt's unanswered writes that are under way */
byte begun;              /* attempts are numbered in the order of their first write */
byte fence[LAST + 1];    /* the epoch that those writes carry */
mtype answer;            /* of the write being made; set, read and cleared in one atomic step */

/* What the properties are about; the protocol reads none of it. */
byte leased;             /* the attempt whose lease is running */
#if defined(REFUSE) || defined(RECONCILE)
#define RUNS
byte unsettled;          /* runs that began and did not fail cleanly: their effect may exist */
#endif
#ifdef STAGED
byte committed;          /* staged effects that took place */
#endif
#ifdef DENIED
bool denied[LAST + 1];   /* attempts that told their caller that nothing was committed, or that they have lost */
#endif
#ifdef UNRECORDED
bool overdue[LAST + 1];  /* attempts whose lease has ended, as their own clock says */
bool replaced[LAST + 1]; /* attempts from which another has taken the key */
#endif
byte recorded;           /* the first result that was recorded; attempt n's is n */
byte successes;          /* attempts that told their caller of a success of their own */

inline check() {         /* after each write: a completed key is never overwritten nor deleted */
  assert(recorded == 0 || key.status == COMPLETED && key.result == recorded)
}

/* Store.Claim: one conditional write that returns the holder on failure. */
inline claim(o) {
  if
  :: CLAIMABLE ->
#ifndef LEASE_UNCHECKED
     assert(leased == 0 || leased == o);     /* nobody loses a claim whose lease is running */
#endif
#ifdef RECONCILE
     assert(IN_PROGRESS || unsettled == 0);   /* who does not ask has nothing to ask about */
#endif
#ifdef UNRECORDED
     replaced[key.owner] = (key.owner != o);  /* of nobody where there was none */
#endif
     key.epoch = (key.status == ABSENT -> 1 : key.epoch + 1);
     key.status = INPROGRESS; key.owner = o; key.expired = false;
     leased = o; answer = OURS
  :: else ->
     if
     :: key.status == COMPLETED -> answer = DONE
     :: IN_PROGRESS && key.owner == o -> answer = OURS     /* an earlier try had arrived */
     :: else -> answer = HELD
     fi
  fi;
  check()
}

/* Store.Complete, or TransactWriteItems with what was staged. */
inline complete(o, e) {
  if
  :: COMPLETE_IF ->
     key.status = COMPLETED; key.result = o; leased = 0;
     key.epoch = 0; key.expired = false;      /* they no longer matter */
     recorded = (recorded == 0 -> o : recorded);
#ifdef STAGED
     committed++; assert(committed == 1);
#endif
#ifdef DENIED
     assert(!denied[o]);                      /* what they were told stays true */
#endif
     answer = OURS
  :: else ->
     if
     :: key.status == COMPLETED && key.owner == o -> answer = OURS   /* as above */
     :: else -> answer = LOST
     fi
  fi;
  check()
}

/* Store.Release: a conditional delete. What an attempt before has done is unknown, and stays so:
 * a later epoch leaves the record, abandoned and nobody's. Whoever lost its claim has nothing more
 * to do. */
inline release(o, e) {
  if
  :: RELEASE_IF ->
     leased = (leased == o -> 0 : leased);
#ifndef FORGETFUL
     if
     :: IN_PROGRESS && key.epoch > 1 ->
        key.expired = true;
#ifndef KEEPS_OWNER
        key.owner = 0
#endif
     :: else ->
#endif
        key.status = ABSENT; key.owner = 0; key.epoch = 0; key.result = 0; key.expired = false
#ifndef FORGETFUL
     fi
#endif
  :: else
  fi;
  check()
}

/* The same, of which the answer counts: after it a commit that is under way finds another owner
 * or none. ErrNotCommitted. */
inline withdraw(o, e) {
#ifdef ONLY_LOOKS
  if
  :: key.status == COMPLETED && key.owner == o -> answer = DONE
  :: else -> answer = OURS
  fi
#else
  release(o, e);
  if
  :: key.status == COMPLETED && key.owner == o -> answer = DONE     /* the commit had arrived */
  :: key.status == ABSENT || IN_PROGRESS && (key.owner == 0 || key.owner == o) -> answer = OURS
  :: else -> answer = LOST
  fi
#endif
}

#define SAY(text) printf(text, me)
#define CRASH     TROUBLE -> SAY("attempt %d: crashes\n"); goto over

/* A write is sent and not answered: it arrives later, or never. At each step an
 * attempt meets this once. */
#define UNANSWERED(write) TROUBLE && !unheard -> unheard = true; wire[me].write = true
#define ANSWER(a)         answer == a -> answer = 0
#ifdef DENIED
#define DENY              denied[me] = true
#else
#define DENY              skip
#endif
#define NEXT(label)       unheard = false; goto label

/* One invocation; its number is its owner token and its result. */
proctype attempt(byte me) {
  byte mine;                                 /* the epoch, learnt from the claim */
  bool unheard;                              /* this step's write was sent before, in vain */
claiming:                                    /* Once and Do: store.Claim */
  if
  :: atomic {
       IN_TURN -> BEGUN; SAY("attempt %d: claims\n"); claim(me);
       if
       :: ANSWER(OURS); mine = key.epoch; SAY("attempt %d: is the owner\n"); NEXT(running)
       :: ANSWER(HELD); goto claiming       /* Wait polls; a 409 is one who polls no more */
       :: ANSWER(DONE); assert(key.result == recorded); SAY("attempt %d: replays\n"); goto replayed
       fi
     }
#ifndef HEARD
  :: atomic {
       IN_TURN && UNANSWERED(claims); BEGUN;
       SAY("attempt %d: hears nothing of its claim\n"); goto claiming
     }
#endif
#ifdef GIVES_UP
  :: atomic { unheard -> SAY("attempt %d: gives its claim up\n"); NEXT(releasing) }
#endif
  :: CRASH
  fi;

running:                                     /* the handler is called */
  if
  :: atomic {
       SAY("attempt %d: runs the effect\n");
#ifdef RUNS
       unsettled++;
#endif
#ifdef REFUSE
       assert(unsettled == 1)                /* never a second run beside or after an unknown outcome */
#endif
     }
  :: CRASH
  fi;
  if                                         /* the handler returns */
  :: goto completing
  :: atomic {
       TROUBLE -> SAY("attempt %d: fails, without an effect\n");
#ifdef RUNS
       unsettled--;
#endif
       goto releasing
     }
  :: atomic {
       TROUBLE -> SAY("attempt %d: does not know what it did\n");
#ifdef TIMEOUT_FREES
       goto releasing
#else
       goto over                             /* ErrOutcomeUnknown, a timeout */
#endif
     }
  :: CRASH                                   /* killed, or a panic: nobody knows what took effect */
  fi;

completing:                                  /* store.Complete, the commit of dynamo.Stage */
  if
  :: atomic {
       SAY("attempt %d: completes\n"); complete(me, mine);
       if
       :: ANSWER(OURS); goto succeeded
       :: ANSWER(LOST); SAY("attempt %d: has lost\n");
#ifdef LOSER_SUCCEEDS
          goto succeeded
#else
          DENY; goto over                    /* ErrLost: no success is reported */
#endif
       fi
     }
  :: atomic {
       UNANSWERED(completes); fence[me] = mine;
       SAY("attempt %d: hears nothing of its completion\n"); goto completing
     }
#ifdef STAGED
  :: atomic { SAY("attempt %d: has its commit refused, or gives it up\n"); NEXT(withdrawing) }
#endif
#ifdef UNRECORDED
#ifndef LATE_SUCCEEDS
  :: atomic { unheard && overdue[me] -> SAY("attempt %d: cannot tell whether it has lost\n"); goto over }
#define IN_TIME !overdue[me]
#else
#define IN_TIME true
#endif
  :: atomic {
       unheard && IN_TIME -> SAY("attempt %d: answers without a record\n");
       assert(!replaced[me]); goto succeeded /* who has lost its key reports no success */
     }
#endif
  :: CRASH
  fi;

releasing:                                   /* store.Release; the caller hears of the failure */
  if
  :: atomic { SAY("attempt %d: releases\n"); release(me, mine); goto over }
  :: atomic {
       UNANSWERED(releases); fence[me] = mine;
       SAY("attempt %d: hears nothing of its release\n"); goto releasing
     }
  :: CRASH
  fi;

#ifdef STAGED
withdrawing:                                 /* a commit without an answer of success */
  if
  :: atomic {
       SAY("attempt %d: withdraws\n"); withdraw(me, mine);
       if
       :: ANSWER(OURS); DENY; SAY("attempt %d: tells that nothing was committed\n"); goto over
       :: ANSWER(DONE); goto succeeded
       :: ANSWER(LOST); DENY; SAY("attempt %d: has lost\n"); goto over
       fi
     }
  :: atomic {
       UNANSWERED(releases); fence[me] = mine;
       SAY("attempt %d: hears nothing of its withdrawal\n"); goto withdrawing
     }
  :: CRASH                                   /* or tells that the outcome is unknown */
  fi;
#endif

succeeded:                                   /* the caller gets the result of this very run */
  atomic {
    successes++; SAY("attempt %d: reports success\n");
#ifndef MANY
    assert(successes == 1);
#endif
#ifndef UNRECORDED
    assert(recorded == me);
#endif
#ifdef REFUSE
    assert(recorded == me || recorded == 0);
#endif
replayed:                                    /* the caller has a result */
#ifdef STAGED
    assert(committed == 1);
#endif
    goto end
  }

over:                                        /* the caller has none */
#ifdef PATIENT
  if
  :: atomic {                                /* a new attempt, so a new token */
       me >= ATTEMPTS -> me++; assert(me <= LAST);
       SAY("attempt %d: is a retry\n"); NEXT(claiming)
     }
  :: me < ATTEMPTS
  fi;
#endif
end:
  atomic { mine = 0; unheard = false; me = 0 }   /* so that equal situations are equal states */
}

/* What becomes of the writes of an attempt that it heard no answer to. */
proctype network(byte me) {
end:
  do
  :: atomic {
       wire[me].claims -> wire[me].claims = false;
       SAY("attempt %d: its claim arrives late\n"); claim(me); answer = 0
     }
  :: atomic {
       wire[me].completes -> wire[me].completes = false;
       SAY("attempt %d: its completion arrives late\n"); complete(me, fence[me]); answer = 0; fence[me] = 0
     }
  :: atomic {
       wire[me].releases -> wire[me].releases = false;
       SAY("attempt %d: its release arrives late\n"); release(me, fence[me]); fence[me] = 0
     }
#ifdef PATIENT
  :: wire[me].claims -> wire[me].claims = false          /* it never arrives */
  :: wire[me].completes -> wire[me].completes = false
  :: wire[me].releases -> wire[me].releases = false
#endif
  od
}

/* A lease may end at any moment. Clocks that disagree add nothing: what a
 * claimer's fast clock ends, this ends a moment before that claim. */
proctype clock() {
end:
  do
#ifndef NO_EXPIRY
  :: atomic {
       IN_PROGRESS && !key.expired -> key.expired = true; leased = 0;
#ifdef UNRECORDED
       overdue[key.owner] = true;
#endif
       printf("the lease ends\n")
     }
#endif
  :: false
  od
}

init {
  byte i;
  atomic {
    run clock();
    for (i : 1 .. ATTEMPTS) { run network(i); run attempt(i) }
  }
}

#ifdef PATIENT
ltl completes { <> (key.status == COMPLETED) }
#endif
