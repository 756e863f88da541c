package guard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Error is an error with separate parts for the caller, the platform and the
// operator. The caller reads Code, Detail, Violations and RetryAfter. The platform
// uses Kind. Only the operator reads Err, in the log, as [Log] describes it.
//
// It is found through any wrapping: a handler may return
// fmt.Errorf("reserve stock: %w", e), and the caller still gets the answer of e.
type Error struct {
	// Kind decides the status, the level, and whether a retry can help.
	Kind Kind
	// Code is stable and for programs: "unknown_sku". Empty means Kind's name.
	Code string
	// Detail is a sentence for the caller, who reads all of it. Empty means
	// Kind's title.
	Detail string
	// Violations are the places of the input that are wrong.
	Violations []Violation
	// RetryAfter is how long to wait before another try; 0 means unknown.
	RetryAfter time.Duration
	// Err is the cause, for the operator.
	Err error
}

// Violation is one place of the input that breaks a rule.
type Violation struct {
	// Pointer is the place, a JSON pointer (RFC 6901); "" is the whole input.
	Pointer string
	// Keyword is the rule, in the words of the schema: "maximum".
	Keyword string
	// Detail describes the rule. It must not contain the value that breaks it.
	Detail string
}

// Errorf returns an [Error] whose detail is formatted as by [fmt.Errorf]. An error
// among args is logged as the cause. The caller sees its Detail if it is an Error,
// otherwise nothing of it. An error without a verb in detail is a cause alone.
// Several errors are joined to one cause.
func Errorf(kind Kind, code, detail string, args ...any) *Error {
	shown := slices.Clone(args)
	var causes []error
	for i, arg := range args {
		if err, ok := arg.(error); ok {
			causes = append(causes, err)
			shown[i] = publicDetail(err)
		}
	}
	e := &Error{Kind: kind, Code: code, Detail: detail}
	if len(causes) == 1 {
		e.Err = causes[0]
	} else {
		e.Err = errors.Join(causes...)
	}
	if len(shown) > 0 {
		e.Detail, _, _ = strings.Cut(fmt.Errorf(detail, shown...).Error(), "%!(EXTRA ") // what has no verb
	}
	e.Detail = strings.TrimRight(e.Detail, " :")
	return e
}

// shownDetail is a public detail as an error, for verbs that take one.
type shownDetail string

func (d shownDetail) Error() string { return string(d) }

func publicDetail(err error) shownDetail {
	if e := find(err); e != nil {
		return shownDetail(e.Detail)
	}
	return ""
}

// find returns the outermost Error in err's chain, nil if there is none. It ignores
// a typed-nil *Error.
func find(err error) *Error {
	e, _ := errors.AsType[*Error](err)
	return e
}

// Public returns the public part of err: the [Error] in its chain, or an Error that
// has only the kind [KindOf](err). It never returns nil, and the code of the Error
// is never empty.
func Public(err error) *Error {
	e := find(err)
	if e == nil {
		e = &Error{Kind: KindOf(err), Err: err}
	}
	if e.Code == "" {
		named := *e
		named.Code = e.Kind.String()
		e = &named
	}
	return e
}

// Error returns a text for the operator, with the cause in it.
func (e *Error) Error() string {
	if e == nil {
		return "guard: a nil *Error returned as an error"
	}
	var b strings.Builder
	if e.Code != "" {
		b.WriteString(e.Code)
	} else {
		b.WriteString(e.Kind.String())
	}
	if e.Detail != "" {
		b.WriteString(": ")
		b.WriteString(e.Detail)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// refuse returns an error of the strict decoder or its limits as an Error.
func refuse(err error) error {
	bad, ok := errors.AsType[*strictjson.Error](err)
	if !ok {
		return err
	}
	return &Error{
		Kind:       Invalid,
		Code:       string(bad.Code),
		Detail:     strings.ToUpper(bad.Reason[:1]) + bad.Reason[1:] + ".",
		Violations: []Violation{{Pointer: bad.Pointer, Detail: bad.Reason}},
	}
}
