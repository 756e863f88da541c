package extension

import (
	"context"
	"fmt"
	"net/http"

	"github.com/lambdarmor/lambdarmor/guard"
)

// InitError reports that the extension could not be initialised. Call it between
// [Register] and the first step of [Extension.Events], and end the program: Lambda
// takes no further calls, and starts the environment anew.
//
// Lambda gets the type Extension.<code of the [guard.Error] in cause>, and the text
// that [guard.Describe] makes of cause, which has nothing of a caller in it.
func (x *Extension) InitError(ctx context.Context, cause error) error {
	return x.report(ctx, "init", cause)
}

// ExitError is [Extension.InitError] for an error after the init.
func (x *Extension) ExitError(ctx context.Context, cause error) error {
	return x.report(ctx, "exit", cause)
}

func (x *Extension) report(ctx context.Context, phase string, cause error) error {
	errorType := "Extension." + codeOf(cause)
	header := x.identity()
	header.Set(errorHeader, errorType)
	_, _, err := x.call(ctx, http.MethodPost, base+"/"+phase+"/error", header, map[string]any{
		"errorMessage": guard.Describe(cause),
		"errorType":    errorType,
		"stackTrace":   []string{},
	})
	if err != nil {
		return fmt.Errorf("%w: %w", guard.Reason("extension: report an error"), err)
	}
	return nil
}

// codeOf returns the code of cause. A typed nil in it panics when it is asked.
func codeOf(cause error) (code string) {
	defer func() {
		if recover() != nil {
			code = guard.Internal.String()
		}
	}()
	return guard.Public(cause).Code
}
