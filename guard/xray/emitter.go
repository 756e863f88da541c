package xray

import (
	"errors"
	"sync"

	"github.com/aws/aws-xray-sdk-go/strategy/exception"
	sdk "github.com/aws/aws-xray-sdk-go/xray"
	"github.com/aws/smithy-go"
)

// emitter sends the subsegments of one invocation through the SDK's emitter, the
// handler's complete only once. The SDK waits for subsegments inside that are
// still open, and without this would send all again for one that is begun late.
type emitter struct {
	sdk.Emitter
	tree    sync.Mutex   // see lockOf
	handler *sdk.Segment // its lock guards sent
	sent    bool
}

// emitThrough makes what is inside Lambda's segment use an emitter and exceptions
// of this invocation. The emitter in it is that of the SDK's configuration.
func emitThrough(lambdas *sdk.Segment, texts bool) *emitter {
	c := lambdas.GetConfiguration()
	e := &emitter{Emitter: c.Emitter}
	c.Emitter = e
	c.ExceptionFormattingStrategy = exceptions{&exception.DefaultFormattingStrategy{FrameCount: longestStack}, texts}
	return e
}

// Emit is called with the lock of seg.
func (e *emitter) Emit(seg *sdk.Segment) {
	if seg == e.handler {
		if e.sent {
			return
		}
		e.sent = true
	}
	e.Emitter.Emit(seg)
}

// settle sends the closed subsegment of the handler as one in progress if it waits
// for one inside, of a goroutine that the handler has left behind. Lambda may
// freeze the process now, and that one may never be closed.
func (e *emitter) settle() {
	h := e.handler
	h.Lock()
	defer h.Unlock()
	if e.sent || sdk.SdkDisabled() {
		return
	}
	e.Emitter.Emit(&sdk.Segment{
		ParentSegment: h.ParentSegment, ParentID: h.ParentID, TraceID: h.TraceID, Type: "subsegment",
		ID: h.ID, Name: h.Name, StartTime: h.StartTime, InProgress: true,
		Fault: h.Fault, Error: h.Error, Throttle: h.Throttle, Cause: h.Cause,
		Annotations: h.Annotations, Metadata: h.Metadata,
	})
}

// exceptions records the types of errors and the stacks of panics, also of what the
// handler does with the SDK itself, and no texts unless they are asked for.
type exceptions struct {
	*exception.DefaultFormattingStrategy
	texts bool
}

const longestStack = 32 // frames, the SDK's default

func (x exceptions) ExceptionFromError(err error) exception.Exception {
	e := x.DefaultFormattingStrategy.ExceptionFromError(err)
	e.Message = shortened(e.Message, longestText)
	if !x.texts {
		e.Message = ""
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		e.Type = nameOf(api.ErrorCode())
	}
	// The SDK's own, where the error has none, is that of this line, and twenty of
	// them do not fit into a packet.
	e.Stack = e.Stack[:min(longestStack, len(e.Stack))]
	if _, ok := errors.AsType[interface {
		error
		exception.StackTracer
	}](err); !ok {
		e.Stack = nil
	}
	return e
}
