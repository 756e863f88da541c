package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// redrive runs dead letters again.
type redrive struct {
	from source
	to   target
	save saver // nil only in a dry run, and for a bucket that keeps what it has
	log  *slog.Logger

	rate   float64       // how many a second, at most
	max    int           // how many, at most; 0 is all
	dryRun bool          // says what would run, and changes nothing
	spare  time.Duration // with less time left, nothing begins

	begun time.Time // when the last one began to run
}

// report is what a run has done.
type report struct {
	Done   int `json:"done"`   // ran, and are removed
	Failed int `json:"failed"` // ran or were read, and have failed again
	Newer  int `json:"newer"`  // came during the run, and wait for the next
}

// mostNewer in a row end a run: new ones may come faster than they are taken.
const mostNewer = 100

// errNotAll says that some dead letters are still there.
const errNotAll = guard.Reason("not all dead letters have succeeded")

// run takes one dead letter after the other, saves it, runs it again, and removes it
// if it has succeeded. When ctx ends, it ends what it has begun, and begins no more.
// All that is not removed is available again.
func (r *redrive) run(ctx context.Context) (rep report, err error) {
	started := time.Now()
	defer func() {
		released, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		err = errors.Join(err, r.from.release(released))
		r.log.InfoContext(ctx, "ended", "done", rep.Done, "failed", rep.Failed, "newer", rep.Newer)
	}()
	shown, inRow := started, 0
	for n := 0; (r.max == 0 || n < r.max) && r.timeLeft(ctx); {
		e, err := r.from.next(context.WithoutCancel(ctx)) // what is taken must be known, to be released
		switch {
		case ctx.Err() != nil:
			return rep, ctx.Err()
		case err != nil:
			return rep, err
		case e == nil:
			return rep, rep.err()
		case e.since.After(started):
			rep.Newer++ // perhaps given up again by this run: it would never end
			if inRow++; inRow == mostNewer {
				return rep, rep.err()
			}
			continue
		}
		n, inRow = n+1, 0
		if err := r.one(ctx, e, &rep); err != nil {
			return rep, err
		}
		if now := time.Now(); now.Sub(shown) >= 5*time.Second {
			shown = now
			r.log.InfoContext(ctx, "progress", "done", rep.Done, "failed", rep.Failed)
		}
		r.wait(ctx)
	}
	if ctx.Err() != nil {
		return rep, ctx.Err()
	}
	return rep, rep.err()
}

func (rep report) err() error {
	if rep.Failed > 0 {
		return errNotAll
	}
	return nil
}

// one runs one dead letter. It is done even when ctx ends, but for a deadline.
func (r *redrive) one(ctx context.Context, e *entry, rep *report) error {
	work := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		work, cancel = context.WithDeadline(work, deadline.Add(-r.spare/2)) // the rest is for the release
		defer cancel()
	}
	log := r.log.With("letter", e.id)
	if r.save != nil && e.saved != nil {
		if err := r.save(work, e.id, e.saved); err != nil {
			return fmt.Errorf("%s is not saved, and not run: %w", e.id, err)
		}
	}
	again, err := e.read(work)
	if err != nil {
		rep.Failed++
		log.WarnContext(ctx, "cannot be run again, and stays", "cause", err.Error())
		return nil
	}
	log = log.With("trigger", again.what, "code", again.code)
	r.begun = time.Now()
	if r.dryRun {
		log.InfoContext(ctx, "would be run again")
		return nil
	}
	err = r.to.run(work, e.version, again)
	if err == nil {
		if err = e.remove(work); err == nil {
			rep.Done++
			log.DebugContext(ctx, "done")
			return nil
		}
		err = fmt.Errorf("it is done, but still there: %w", err)
	}
	rep.Failed++
	log.WarnContext(ctx, "failed, and stays", "cause", err.Error())
	if errors.Is(err, errBroken) {
		return err
	}
	return nil
}

// timeLeft reports whether there is time to begin with one more.
func (r *redrive) timeLeft(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || time.Until(deadline) > r.spare)
}

// wait waits until the next may begin.
func (r *redrive) wait(ctx context.Context) {
	timer := time.NewTimer(time.Until(r.begun.Add(time.Duration(float64(time.Second) / r.rate))))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
