package secrets

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

// Env returns a source of environment variables. It is for tests and local runs,
// because everyone who can read the configuration of a function sees its variables.
// A name that is no variable, like payments/api-key, is looked up in capitals and
// underscores, PAYMENTS_API_KEY. An empty variable is not found.
//
// Versions are comparable within this process only. There are no stages.
func Env() Source { return &env{newDigest()} }

type env struct{ digest *digest }

func (e *env) Fetch(_ context.Context, refs []Ref) ([]Value, error) {
	values := make([]Value, len(refs))
	for i := range refs {
		name := refs[i].Name
		text := os.Getenv(name)
		if text == "" {
			name = strings.Map(variableRune, name)
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

func variableRune(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return r
	default:
		return '_'
	}
}

// digest makes versions for a source without versions. It is keyed by the process,
// because versions are logged, and a plain hash would let weak values be guessed.
type digest [sha256.Size]byte

func newDigest() *digest {
	d := new(digest)
	_, _ = rand.Read(d[:]) // never fails
	return d
}

// value returns the answer for ref of a source without versions.
func (d *digest) value(ref *Ref, data []byte) Value {
	mac := hmac.New(sha256.New, d[:])
	mac.Write(data)
	version := hex.EncodeToString(mac.Sum(nil)[:8])
	if ref.Stage != "" || ref.Version != "" && ref.Version != version {
		clear(data)
		return Value{Err: ErrNotFound}
	}
	return Value{Data: data, Version: version}
}
