// Package historytest holds stores of package idempotency to what they promise
// when several processes use them at once and the network between fails. Only
// tests import it.
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
// In a history every process makes several attempts at few keys, a step of one
// and then of another, so that attempts fall behind and come back late. They
// claim, complete and release as package idempotency does, and give up a claim of
// which they heard nothing. Now and then they do as it does not: again, in the
// wrong order, with an epoch that is not theirs, or without a claim. Some crash,
// which is to take no more steps.
//
// The network loses the answers to some steps, once or each time that the store
// tries again. Others it keeps until their process has given up, and lets them
// arrive when the key may long be another's.
//
// What was asked and told, and when, is checked with porcupine: there has to be
// an order of the steps, each taken at one moment between its call and its
// return, in which a store that does as the comments of [idempotency.Store] say
// gives the same answers. If not, [Check] fails and shows the history.
//
// # Answers that are lost
//
// A try that the server has taken and whose answer was lost is a step of its
// own, with an unknown answer; a store that tries again has taken two. A step
// that is kept lies where it arrived. One that fails in no way that was asked
// for, by a timeout for example, may be taken at any time until the end of the
// history. Taken at the very end, where nobody looks, is as good as never.
//
// # Time
//
// Leases and expiries are those of real clocks. Most are over when they are
// claimed or last for longer than the test, as seen by any clock; some end
// within milliseconds, while others look.
//
// When a store has read its clock is not known. All that is known are spans: for
// what the clock showed, the time from the call to the return of the step; for
// the end of a lease that the server counts from its own time, as long again as
// the step was on its way, plus what the store rounds. Where the two spans
// overlap, the lease may be over or not, and the model goes both ways. It never
// refutes a store for the time that a busy machine takes, and does refute one
// that takes an hour's lease over, or does not take over what ended a minute
// ago.
//
// Where each process judges leases by its own clock, the span is that clock's.
// Such a store lets a process that is ten minutes ahead take over a lease that
// goes on for the others. That is as promised, and the model expects it.
//
// # Seeds
//
// What attempts, clocks and networks do is drawn from a seed; how their steps
// interleave is up to the machine. Seeds are the same in each run, and named
// when a history fails. LAMBDARMOR_SEED is the first seed, LAMBDARMOR_HISTORIES
// how many there are:
//
//	LAMBDARMOR_SEED=1000 LAMBDARMOR_HISTORIES=500 go test -race -run Histories ./idempotency/...
//
// The page that shows a failed history is kept in the folder for temporary
// files, or with -artifacts among the artifacts of the test.
package historytest
