package secrets

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// Env is the source of environment variables: for tests and for a run on this
// machine. Whoever may read a function's configuration reads them. A name is
// that of a variable; one that is none, like payments/api-key, is looked for in
// capitals with underscores, PAYMENTS_API_KEY. A variable that is empty is not
// found.
//
// The version tells two values apart within this process. There are no stages.
func Env() Source { return &env{newDigest()} }

type env struct{ digest *digest }

func (e *env) Fetch(_ context.Context, refs []Ref) ([]Value, error) {
	values := make([]Value, len(refs))
	for i := range refs {
		name := refs[i].Name
		text := os.Getenv(name)
		if text == "" {
			name = strings.Map(variable, name)
			text = os.Getenv(name)
		}
		if text == "" {
			values[i].Err = fmt.Errorf("variable %s: %w", name, ErrNotFound)
			continue
		}
		values[i] = e.digest.value(&refs[i], []byte(text))
	}
	return values, nil
}

// variable is a character as it is common in the name of a variable.
func variable(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return r
	default:
		return '_'
	}
}
