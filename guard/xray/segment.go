package xray

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"unicode"

	sdk "github.com/aws/aws-xray-sdk-go/xray"
)

// Limits of what is recorded. A segment document is at most 64 kB. Names have 1 to 200
// characters of a few kinds, and annotations at most 1 000.
// See https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
const (
	longestName    = 200
	longestText    = 1000
	longestPayload = 4 << 10 // escaped as JSON it may be six times as long
)

// begin begins a subsegment of the current one. It returns nil where nothing is
// recorded: outside Trace, unsampled, or after the invocation. The SDK would log
// or panic outside, and afterwards send the whole invocation again.
func begin(ctx context.Context, name string) (context.Context, *sdk.Segment) {
	parent := current(ctx)
	if parent == nil || !parent.ParentSegment.Sampled {
		return ctx, nil
	}
	lock := lockOf(parent)
	lock.Lock()
	defer lock.Unlock()
	if !inProgress(parent) {
		return ctx, nil
	}
	ctx, seg := sdk.BeginSubsegment(ctx, nameOf(name))
	seg.Lock()
	defer seg.Unlock()
	seg.ParentID = parent.ID // the SDK leaves that of Lambda's segment there
	return ctx, seg
}

// current returns the segment or subsegment of ctx, nil outside Trace and where the
// SDK is disabled.
func current(ctx context.Context) *sdk.Segment {
	seg := sdk.GetSegment(ctx)
	if sdk.SdkDisabled() || seg == nil || seg.ParentSegment == nil { // begun while it was disabled
		return nil
	}
	return seg
}

// lockOf returns the lock for what begins and ends in an invocation. The SDK sends
// nothing of the handler if a subsegment begins in one that has just been closed.
func lockOf(seg *sdk.Segment) sync.Locker {
	if e, ok := seg.ParentSegment.GetConfiguration().Emitter.(*emitter); ok {
		return &e.tree
	}
	return new(sync.Mutex) // the program has begun a segment with the SDK
}

func inProgress(seg *sdk.Segment) bool {
	seg.RLock()
	defer seg.RUnlock()
	return seg.InProgress
}

// end marks a subsegment by a status or an error, and closes it.
func end(seg *sdk.Segment, status int, err error) {
	if err != nil {
		_ = seg.AddError(err) // which also sets Fault
	}
	seg.Lock()
	seg.Error = status/100 == 4
	seg.Throttle = status == 429
	seg.Fault = status >= 500 || status < 400 && err != nil // also of an answer that could not be read
	seg.Unlock()
	lock := lockOf(seg)
	lock.Lock()
	defer lock.Unlock()
	seg.Close(nil)
}

// annotate adds an annotation unless it is empty.
func annotate(seg *sdk.Segment, key string, value any) {
	if text, ok := value.(string); ok {
		if text == "" {
			return
		}
		value = shortened(text, longestText)
	}
	_ = seg.AddAnnotation(key, value) // fails for other types only
}

// nameOf returns a name with the characters that X-Ray allows, "_" for none.
func nameOf(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune(` _.:/%&#=+\-@`, r) {
			return r
		}
		return '_'
	}, name)
	return cmp.Or(shortened(name, longestName), "_")
}

// shortened cuts a text to n bytes, between characters.
func shortened(text string, n int) string {
	return strings.ToValidUTF8(text[:min(n, len(text))], "")
}
