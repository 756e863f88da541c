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
	"strconv"
	"strings"
	"syscall"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// longestCause bounds what an error's text takes of the log.
const longestCause = 8 << 10

// A describer says of an error what an operator needs to know, and nothing that
// a caller may have sent: the types in its chain, and the words of those types
// whose words cannot hold it.
type describer struct {
	known  []error // have texts that are constants
	public *Error  // is described elsewhere in the record
	left   int     // how many errors may still be described
}

// causeOf is what a record has of an error beside the kind and the code.
func (l *logLayer) causeOf(err error) string {
	if l.texts {
		return shortened(errorText(err))
	}
	d := describer{known: append(standardErrors(), l.known...), public: find(err), left: mostErrors}
	return shortened(d.chain(err))
}

// mostErrors bounds how many errors of a chain are described.
const mostErrors = 64

// standardErrors are the sentinels that an operator meets.
func standardErrors() []error {
	return []error{
		context.Canceled, context.DeadlineExceeded, os.ErrDeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe,
		fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrClosed, net.ErrClosed, strconv.ErrSyntax, strconv.ErrRange,
	}
}

// chain describes err and what it wraps, outermost first.
func (d *describer) chain(err error) string {
	var parts []string
	for err != nil && d.left > 0 {
		d.left--
		part, inner := d.one(err)
		if len(inner) > 1 {
			if r, ok := inner[0].(Reason); ok { // as in "%w: %w"
				part, inner = string(r), inner[1:]
			}
		}
		if len(inner) > 1 {
			var branches []string
			for _, e := range inner {
				if text := d.chain(e); text != "" {
					branches = append(branches, text)
				}
			}
			inner, part = nil, strings.TrimSpace(part+" ("+strings.Join(branches, "; ")+")")
		}
		if part != "" {
			parts = append(parts, part)
		}
		if err = nil; len(inner) == 1 {
			err = inner[0]
		}
	}
	return strings.Join(parts, ": ")
}

// one describes err alone. A nil pointer that became an error by accident
// panics when it is asked, and has its type only.
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
	part = d.words(err, part, len(inner) > 0)
	return part, inner
}

// words puts what may be said of err after the name of its type, or in its place.
func (d *describer) words(err error, name string, wraps bool) string {
	if d.isKnown(err) {
		return err.Error()
	}
	switch e := err.(type) {
	case *Error:
		switch e {
		case nil:
			return e.Error()
		case d.public:
			return "" // its code has a key of its own
		default:
			return refusalOf(Public(e))
		}
	case *PanicError:
		return e.Error()
	case slog.LogValuer:
		return e.LogValue().Resolve().String()
	case messages.InvokeResponse_Error:
		return joined(name, e.Type)
	case syscall.Errno:
		return e.Error()
	case *net.OpError:
		return joined(name, e.Op, e.Net, timeout(e))
	case *net.DNSError:
		return joined(name, flag(e.IsNotFound, "not-found"), flag(e.IsTemporary, "temporary"), timeout(e))
	case *url.Error:
		return joined(name, e.Op, timeout(e))
	case *fs.PathError:
		return joined(name, e.Op)
	case *os.LinkError:
		return joined(name, e.Op)
	case *os.SyscallError:
		return joined(name, e.Syscall)
	case *strconv.NumError:
		return joined(name, e.Func)
	case *json.SyntaxError:
		return joined(name, "byte", strconv.FormatInt(e.Offset, 10))
	case *json.UnmarshalTypeError:
		return joined(name, "byte", strconv.FormatInt(e.Offset, 10))
	}
	if text, ok := runtimeText(err); ok {
		return text
	}
	if words := serviceWords(err); len(words) > 0 {
		return joined(name, words...)
	}
	if wraps {
		switch name {
		case "*fmt.wrapError", "*fmt.wrapErrors", "*errors.joinError":
			return "" // says nothing
		}
	}
	return joined(name, timeout(err))
}

func (d *describer) isKnown(err error) bool {
	if !reflect.TypeOf(err).Comparable() {
		return false
	}
	for _, known := range d.known {
		if err == known {
			return true
		}
	}
	return false
}

// serviceWords are what the errors of an AWS SDK have methods for: the
// operation, the status, the request that AWS's support asks for, the code.
func serviceWords(err error) (words []string) {
	if e, ok := err.(interface {
		Service() string
		Operation() string
	}); ok {
		words = append(words, e.Service(), e.Operation())
	}
	if e, ok := err.(interface{ HTTPStatusCode() int }); ok {
		words = append(words, "status", strconv.Itoa(e.HTTPStatusCode()))
	}
	if e, ok := err.(interface{ ServiceRequestID() string }); ok && e.ServiceRequestID() != "" {
		words = append(words, "request", e.ServiceRequestID())
	}
	if e, ok := err.(interface{ ErrorCode() string }); ok {
		words = append(words, e.ErrorCode())
	}
	return words
}

func timeout(err error) string {
	e, ok := err.(interface{ Timeout() bool })
	return flag(ok && e.Timeout(), "timeout")
}

func flag(set bool, name string) string {
	if set {
		return name
	}
	return ""
}

// joined puts words after a name: such as are words, and short.
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
	if len(text) > 128 {
		return false
	}
	for _, c := range []byte(text) {
		if !isNameByte(c) && c != '.' && c != ':' && c != '#' && c != '=' && c != '/' && c != '+' {
			return false
		}
	}
	return true
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// errorText is an error's text, also where there is none: a nil pointer that
// became an error by accident panics when it is asked.
func errorText(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("guard: a %T without a text", err)
		}
	}()
	return err.Error()
}

// shortened cuts a text that is too long for a log, at a whole character.
func shortened(text string) string {
	if len(text) <= longestCause {
		return text
	}
	return strings.ToValidUTF8(text[:longestCause], "") + "…"
}
