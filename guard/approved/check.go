package approved

import (
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
)

var errNoBuildInfo = reason.New("approved: this binary does not know its modules: it was not built by the go command in module mode")

// Check compares this binary with a list. It returns nil if they agree, an [*Error]
// with all differences if not, and another error if the list is malformed or the
// binary has no build information.
func Check(list string) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errNoBuildInfo
	}
	return Compare(list, info)
}

// Must panics with the error of [Check], if there is one. Call it first in main.
func Must(list string) {
	if err := Check(list); err != nil {
		panic(err)
	}
}

// Report logs the error of [Check], if there is one, and the program goes on: for
// the time until the first list is right. Each difference is one element of the attribute
// "differences". It panics if log is nil.
func Report(list string, log *slog.Logger) {
	if log == nil {
		panic("approved: Report without a logger")
	}
	switch err := Check(list).(type) {
	case nil:
	case *Error:
		texts := make([]string, len(err.Differences))
		for i, d := range err.Differences {
			texts[i] = d.String()
		}
		log.Error("this binary is not what was approved", "differences", texts)
	default:
		log.Error("this binary was not compared with what was approved", "error", err.Error())
	}
}

// Error says how a binary differs from a list.
type Error struct {
	Differences []Difference // at least one, in the order of the list: main, go, build, modules
}

// Error has a line for each difference.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString("approved: this binary is not what was approved:")
	for _, d := range e.Differences {
		text.WriteString("\n\t" + d.String())
	}
	return text.String()
}

// A Difference is one point in which a binary differs from a list.
//
// Its Kind is one of
//
//	new       a module that is not listed
//	gone      a module that is listed and not linked
//	changed   a module in another version, or with another sum
//	replaced  a module that is replaced, or by something else, or no longer
//	no sum    a module whose sum the binary does not carry, as if it was vendored
//	main      another main package
//	go        another version of Go
//	build     another build setting
//	modified  the source had uncommitted changes
type Difference struct {
	Kind     string
	Name     string // the module's path, or the name of the setting
	Approved string // version and sum, or the value; empty if nothing is listed
	Found    string // the same of the binary; empty if there is none
}

// String returns the difference as a line.
func (d Difference) String() string {
	text := d.Kind
	if d.Name != d.Kind {
		text += " " + d.Name
	}
	return text + ": approved " + orNone(d.Approved) + ", found " + orNone(d.Found)
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}
