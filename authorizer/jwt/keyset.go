package jwt

import "github.com/lambdarmor/lambdarmor/internal/reason"

// A keySet is the keys of one issuer. It is not written to once it is made.
type keySet struct {
	keys  []*key
	byID  map[string][]*key // kid → keys
	anyID []*key            // that a token may name as it likes
}

// maxKeys is how many entries a set may have, also such that are of no use.
const maxKeys = 64

func newKeySet(keys []*key) *keySet {
	s := &keySet{keys: keys, byID: make(map[string][]*key, len(keys))}
	for _, k := range keys {
		s.byID[k.id] = append(s.byID[k.id], k)
		if k.anyID {
			s.anyID = append(s.anyID, k)
		}
	}
	return s
}

// errNoKey is what pick says when a newer set may have the key.
var errNoKey = reason.New("no key of the set has the token's kid")

// pick gives the one key that the header can mean: of those with its kid, or of
// all when it has none, exactly one must be for its algorithm. Which of several
// is meant is not found out by trying.
func (s *keySet) pick(h *header) (*key, error) {
	candidates := s.keys
	if h.kid != "" {
		candidates = s.byID[h.kid]
	}
	if len(candidates) == 0 {
		candidates = s.anyID
	}
	var found *key
	for _, k := range candidates {
		if !k.fits(h.alg) {
			continue
		}
		if found != nil {
			return nil, refuse(codeUnknownKey, "More than one key could have signed the token.")
		}
		found = k
	}
	switch {
	case found != nil:
		return found, nil
	case h.kid != "" && len(candidates) > 0:
		return nil, refuse(codeAlgorithm, "The token's algorithm is not that of its key.")
	default:
		return nil, errNoKey
	}
}

// has reports whether k itself is in the set.
func (s *keySet) has(k *key) bool {
	for _, other := range s.byID[k.id] {
		if other == k {
			return true
		}
	}
	return false
}
