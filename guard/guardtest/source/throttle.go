package source

import "errors"

// ErrThrottled is the error of an invoker that refuses an invocation as Lambda does with
// TooManyRequestsException, status 429: the function was not called, and the source
// calls it again later.
var ErrThrottled = errors.New("source: the function is throttled")
