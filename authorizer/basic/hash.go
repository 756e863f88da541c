package basic

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// A hash is a parsed hash of a password.
type hash struct {
	cost    string // the same for hashes that take the same time
	matches func(password string) bool
}

func parseHash(text string) (hash, error) {
	switch {
	case strings.HasPrefix(text, "$argon2id$"):
		return parseArgon2id(text)
	case strings.HasPrefix(text, "$2a$"), strings.HasPrefix(text, "$2b$"), strings.HasPrefix(text, "$2y$"):
		return parseBcrypt(text)
	default:
		return hash{}, reason.New("the hash must be argon2id or bcrypt")
	}
}

// Bounds on the cost of a hash.
const (
	minMemory, maxMemory = 7 << 10, 64 << 10 // KiB
	maxPasses            = 10
	maxLanes             = 8
	minCost, maxCost     = 10, 14 // of bcrypt
)

// parseArgon2id reads a hash of RFC 9106 in the PHC format.
//
// https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
func parseArgon2id(text string) (hash, error) {
	parts := strings.Split(text, "$") // "", argon2id, v, parameters, salt, sum
	if len(parts) != 6 || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return hash{}, reason.New("the argon2id hash is malformed")
	}
	var memory, passes, lanes uint32
	_, _ = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes)
	if parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", memory, passes, lanes) {
		return hash{}, reason.New("the argon2id hash must have parameters like m=19456,t=2,p=1")
	}
	if memory < minMemory || memory > maxMemory || passes < 1 || passes > maxPasses || lanes < 1 || lanes > maxLanes {
		return hash{}, fmt.Errorf("the argon2id hash has %s; m must be %d to %d, t 1 to %d and p 1 to %d",
			parts[3], minMemory, maxMemory, maxPasses, maxLanes)
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	sum, err2 := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(salt) > 64 || len(sum) < 16 || len(sum) > 64 {
		return hash{}, reason.New("the argon2id hash must have a salt of 8 to 64 bytes and a sum of 16 to 64, in base64")
	}
	return hash{cost: "argon2id " + parts[3], matches: func(password string) bool {
		got := argon2.IDKey([]byte(password), salt, passes, memory, uint8(lanes), uint32(len(sum)))
		return subtle.ConstantTimeCompare(got, sum) == 1
	}}, nil
}

// maxBcrypt is how many bytes of a password bcrypt uses. It would ignore the rest,
// so that two passwords would be equal.
const maxBcrypt = 72

func parseBcrypt(text string) (hash, error) {
	cost, err := bcrypt.Cost([]byte(text))
	if err != nil || len(text) != 60 {
		return hash{}, reason.New("the bcrypt hash is malformed")
	}
	if cost < minCost || cost > maxCost {
		return hash{}, fmt.Errorf("the bcrypt hash has cost %d, which must be %d to %d", cost, minCost, maxCost)
	}
	return hash{cost: fmt.Sprintf("bcrypt %d", cost), matches: func(password string) bool {
		used := min(len(password), maxBcrypt)
		err := bcrypt.CompareHashAndPassword([]byte(text), []byte(password[:used])) // takes its time in any case
		return err == nil && used == len(password)
	}}, nil
}
