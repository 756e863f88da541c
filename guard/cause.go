package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/lambdarmor/lambdarmor/internal/outcome"
)

// mostErrors bounds how many errors of a chain are described.
const mostErrors = 64

// describer describes an error for the operator, without anything that a caller may
// have sent.
type describer struct {
	known  []error // have texts that are constants
	public *Error  // is described elsewhere in the record
	left   int     // how many errors may still be described
}

// causeOf returns the description of an error for a record, beside kind and code.
func (l *logLayer) causeOf(err error) string {
	if l.texts {
		return outcome.Shortened(errorText(err))
	}
	d := describer{known: append(standardErrors(), l.known...), public: publicOf(err), left: mostErrors}
	return outcome.Shortened(d.chain(err))
}

// Describe returns what [Log] would show of err as error.cause, with the code of an
// [Error] in it. It is for a program that reports an error itself. It is empty if err
// is nil.
func Describe(err error) string {
	d := describer{known: standardErrors(), left: mostErrors}
	return outcome.Shortened(d.chain(err))
}

// publicOf is find. An error of an attribute was not unwrapped before, and may panic.
func publicOf(err error) (e *Error) {
	defer func() { _ = recover() }()
	return find(err)
}

// standardErrors are the sentinels whose texts are logged.
func standardErrors() []error {
	return []error{
		context.Canceled, context.DeadlineExceeded, os.ErrDeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe,
		fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrClosed, net.ErrClosed, strconv.ErrSyntax, strconv.ErrRange,
	}
}

// chain describes err and what it wraps, outermost first.
func (d *describer) chain(err error) string {
	if err == nil || d.left == 0 {
		return ""
	}
	d.left--
	part, inner := d.one(err)
	if len(inner) > 1 {
		if r, ok := inner[0].(Reason); ok { // as in "%w: %w"
			part, inner = string(r), inner[1:]
		}
	}
	rest := make([]string, len(inner))
	for i, e := range inner {
		rest[i] = d.chain(e)
	}
	rest = slices.DeleteFunc(rest, func(text string) bool { return text == "" })
	all := strings.Join(rest, "; ")
	switch {
	case len(inner) > 1:
		return strings.TrimSpace(part + " (" + all + ")")
	case part == "" || all == "":
		return part + all
	default:
		return part + ": " + all
	}
}

// one describes err alone, and returns what it wraps. A typed-nil pointer panics in
// its methods, so only its type is described.
func (d *describer) one(err error) (part string, inner []error) {
	part = fmt.Sprintf("%T", err)
	defer func() { _ = recover() }()
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if e := e.Unwrap(); e != nil {
			inner = []error{e}
		}
	case interface{ Unwrap() []error }:
		inner = e.Unwrap()
	}
	if text, ok := d.text(err); ok {
		return text, inner
	}
	shown := joined(part, words(err)...)
	switch shown {
	case "*fmt.wrapError", "*fmt.wrapErrors", "*errors.joinError": // say nothing
		if len(inner) > 0 {
			shown = ""
		}
	}
	return shown, inner
}

// text returns a constant text that replaces the type.
func (d *describer) text(err error) (string, bool) {
	if reflect.TypeOf(err).Comparable() && slices.Contains(d.known, err) {
		return err.Error(), true
	}
	switch e := err.(type) {
	case *Error:
		switch e {
		case nil:
			return e.Error(), true
		case d.public: // its code has a key of its own
			return "", true
		default:
			return refusalOf(Public(e)), true
		}
	case *PanicError, syscall.Errno:
		return err.Error(), true
	case slog.LogValuer:
		return e.LogValue().Resolve().String(), true
	default:
		return runtimeText(err)
	}
}

// words returns the operation, status, code and request id of an error that has
// fields or methods for them.
func words(err error) (all []string) {
	switch e := err.(type) {
	case messages.InvokeResponse_Error:
		all = []string{e.Type}
	case *net.OpError:
		all = []string{e.Op, e.Net}
	case *net.DNSError:
		if e.IsNotFound {
			all = []string{"not-found"}
		}
	case *url.Error:
		all = []string{e.Op}
	case *fs.PathError:
		all = []string{e.Op}
	case *os.SyscallError:
		all = []string{e.Syscall}
	case *strconv.NumError:
		all = []string{e.Func}
	case *json.SyntaxError:
		all = []string{"byte", strconv.FormatInt(e.Offset, 10)}
	}
	// The errors of the AWS SDK.
	if e, ok := err.(interface {
		Service() string
		Operation() string
	}); ok {
		all = append(all, e.Service(), e.Operation())
	}
	if e, ok := err.(interface{ HTTPStatusCode() int }); ok {
		all = append(all, "status", strconv.Itoa(e.HTTPStatusCode()))
	}
	if e, ok := err.(interface{ ServiceRequestID() string }); ok && e.ServiceRequestID() != "" {
		all = append(all, "request", e.ServiceRequestID())
	}
	if e, ok := err.(interface{ ErrorCode() string }); ok {
		all = append(all, e.ErrorCode())
	}
	if e, ok := err.(interface{ Timeout() bool }); ok && e.Timeout() {
		all = append(all, "timeout")
	}
	return all
}

// joined puts words after a name. It leaves out texts for which isWord is false.
func joined(name string, words ...string) string {
	for _, w := range words {
		if w != "" && isWord(w) && !strings.HasSuffix(name, w) {
			name += " " + w
		}
	}
	return name
}

// isWord reports whether text can be a code, an operation or an id.
func isWord(text string) bool {
	other := func(r rune) bool { return !isNameRune(r) && !strings.ContainsRune(".:#=/+", r) }
	return len(text) <= 128 && strings.IndexFunc(text, other) < 0
}

func isNameRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_' || r == '-'
}

// errorText returns an error's text. The text of a typed-nil pointer, which panics,
// is its type.
func errorText(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("guard: a %T without a text", err)
		}
	}()
	return err.Error()
}
