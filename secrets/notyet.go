package secrets

// ErrNotYet is what a source says before the first invocation when it answers
// only within one, as the extension for parameters and secrets does. It matches
// [ErrUnavailable], and it is no failure of the source: nothing is to be held
// back because of it, and the first fetch of an invocation may ask at once.
var ErrNotYet error = notYet{}

type notYet struct{}

func (notYet) Error() string { return "answers only within an invocation: " + ErrUnavailable.Error() }

func (notYet) Unwrap() error { return ErrUnavailable }
