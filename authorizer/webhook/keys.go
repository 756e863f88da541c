package webhook

import "context"

// Keys gives the signing keys that are accepted at this moment, as the sender's
// console shows them, in any order: more than one while they change. An error
// is passed on, so that the sender tries again later when its kind is
// Unavailable.
type Keys func(ctx context.Context) ([]string, error)
