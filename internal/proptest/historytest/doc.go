// Package historytest tests that stores of package idempotency keep their promises
// when several processes use them at once and the network fails. Only tests import
// it.
//
//	func TestHistories(t *testing.T) {
//		sys := historytest.System{ServerClock: true}
//		for _, skew := range []time.Duration{0, 10 * time.Minute, -10 * time.Minute} {
//			network := newNetwork(t)
//			store := mine.New(network, clockAheadBy(skew))
//			sys.Processes = append(sys.Processes, historytest.Process{Store: store, Network: network, Skew: skew})
//		}
//		historytest.Check(t, sys)
//	}
//
// # Histories
//
// In a history every process makes several attempts at few keys and interleaves
// their steps, so that attempts fall behind and come back late. They claim,
// complete and release as package idempotency does, and release a claim that was
// not answered. Now and then they break its rules: they repeat a step, or take it
// in the wrong order, with another's epoch or without a claim. Some crash: they
// take no more steps.
//
// The network loses the answers to some steps, once or at each retry of the store.
// It holds other steps until their process has stopped waiting, and delivers them
// when another attempt may have the key.
//
// Requests, answers and times are checked with porcupine. There must be an order of
// the steps, each at one moment between its call and its return. A store that
// follows the comments of [idempotency.Store] must return the same answers in that
// order. If there is none, [Check] fails and shows the history.
//
// # Answers that are lost
//
// A try whose answer was lost is a step of its own, with an unknown answer; a store
// that tries again has taken two. A step that is held counts from its arrival. A
// step that fails in another way, for example by a timeout, may be taken at any
// time until the end of the history. At the very end that has no effect on other
// steps.
//
// # Time
//
// Leases and expiries use real clocks. By every clock, most have ended before the
// claim or last longer than the test. Some end within milliseconds, between the
// steps of others.
//
// It is not known exactly when a store has read its clock, only a span: from the
// call to the return of the step. The end of a lease that the server counts from
// its own time has a span too. It is as long as the step was on its way, plus the
// rounding of the store. If the two spans overlap, the lease may be over or not,
// and the model allows both. So a slow machine never refutes a store. A store is
// refuted if it takes over a lease with an hour left, or does not take over one
// that ended a minute ago.
//
// Where each process judges leases by its own clock, the span is that clock's.
// Such a store lets a process that is ten minutes ahead take over a lease that has
// not ended for the others. That is allowed, and the model expects it.
//
// # Seeds
//
// The actions of attempts, clocks and networks are drawn from a seed; the machine
// decides how their steps interleave. Seeds are the same in each run, and a failure
// names its seed. LAMBDARMOR_SEED is the first seed, LAMBDARMOR_HISTORIES the
// number of histories:
//
//	LAMBDARMOR_SEED=1000 LAMBDARMOR_HISTORIES=500 go test -race -run Histories ./idempotency/...
//
// The page that shows a failed history is kept in the folder for temporary
// files, or with -artifacts among the artifacts of the test.
package historytest
