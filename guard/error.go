package guard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// Error is an error that knows its three audiences. The caller may read Code,
// Detail, Violations and RetryAfter; the platform goes by Kind; the operator
// finds Err in the log as [Log] describes it, and nobody else does.
//
// It is found through any wrapping: a handler may return
// fmt.Errorf("reserve stock: %w", e) and the caller still gets e's answer.
type Error struct {
	// Kind decides status, level and whether a retry can help.
	Kind Kind
	// Code is stable and for programs: "unknown_sku". Empty means Kind's name.
	Code string
	// Detail is a sentence for the caller. Empty means that Kind's title says
	// it all. It must hold nothing that the caller may not see.
	Detail string
	// Violations are the places of the input that are wrong.
	Violations []Violation
	// RetryAfter is how long to wait before another try; 0 says nothing.
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
	// Detail says what the rule is, and never what stood in its place.
	Detail string
}

// Errorf makes an [Error] whose detail is formatted as by [fmt.Errorf]. The
// caller reads the detail, so an error among args is not printed into it: it
// becomes the cause, Err, and leaves its own public detail in the text, which
// for a foreign error is nothing. An error that detail has no verb for is a
// cause alone. Several errors are joined to one cause.
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

// shownDetail is an error for the verbs that want one.
type shownDetail string

func (d shownDetail) Error() string { return string(d) }

func publicDetail(err error) shownDetail {
	if e := find(err); e != nil {
		return shownDetail(e.Detail)
	}
	return ""
}

// find gives the outermost Error in err's chain, nil when there is none. A nil
// *Error that became an error by accident is none.
func find(err error) *Error {
	var e *Error
	errors.As(err, &e)
	return e
}

// Public gives the error that a caller may read: the [Error] in err's chain,
// or one of [KindOf](err) that says nothing more. It never returns nil, and
// the code of what it returns is never empty.
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

// Error is for the operator: it has the cause in it.
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

// Unwrap gives the cause.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// refuse makes an Error of what the strict decoder or its limits refused.
func refuse(err error) error {
	var bad *strictjson.Error
	if !errors.As(err, &bad) {
		return err
	}
	return &Error{
		Kind:       Invalid,
		Code:       string(bad.Code),
		Detail:     strings.ToUpper(bad.Reason[:1]) + bad.Reason[1:] + ".",
		Violations: []Violation{{Pointer: bad.Pointer, Detail: bad.Reason}},
	}
}
