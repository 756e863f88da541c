package basic

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lambdarmor/lambdarmor/internal/reason"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// hash tells whether a password is the one that it was made of.
type hash interface {
	is(password string) bool
	// cost is the same for hashes that take the same time.
	cost() string
}

func parseHash(text string) (hash, error) {
	switch {
	case strings.HasPrefix(text, "$argon2id$"):
		return parseArgon2id(text)
	case strings.HasPrefix(text, "$2a$"), strings.HasPrefix(text, "$2b$"), strings.HasPrefix(text, "$2y$"):
		return parseBcrypt(text)
	default:
		return nil, reason.New("the hash is neither argon2id nor bcrypt")
	}
}

// argon2id is a hash of RFC 9106.
type argon2id struct {
	time, memory uint32 // memory in KiB
	threads      uint8
	salt, sum    []byte
}

// Bounds on what a hash may cost.
const (
	minMemory, maxMemory = 7 << 10, 64 << 10 // KiB
	maxTime              = 10
	maxThreads           = 8
)

// parseArgon2id reads the PHC format.
//
// https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
func parseArgon2id(text string) (hash, error) {
	parts := strings.Split(text, "$") // "", argon2id, v, parameters, salt, hash
	if len(parts) != 6 || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return nil, reason.New("the argon2id hash is malformed")
	}
	values := strings.Split(parts[3], ",")
	if len(values) != 3 {
		return nil, reason.New("the argon2id hash is malformed")
	}
	memory, err1 := parameter(values[0], "m=", minMemory, maxMemory)
	time, err2 := parameter(values[1], "t=", 1, maxTime)
	threads, err3 := parameter(values[2], "p=", 1, maxThreads)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	sum, err2 := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(salt) > 64 || len(sum) < 16 || len(sum) > 64 {
		return nil, reason.New("the argon2id hash's salt or sum is malformed, too short or too long")
	}
	return &argon2id{time: time, memory: memory, threads: uint8(threads), salt: salt, sum: sum}, nil
}

func parameter(text, name string, least, most uint32) (uint32, error) {
	digits, ok := strings.CutPrefix(text, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil {
		return 0, reason.New("the argon2id hash is malformed")
	}
	if uint32(n) < least || uint32(n) > most {
		return 0, fmt.Errorf("the argon2id hash has %s%d, which is not between %d and %d", name, n, least, most)
	}
	return uint32(n), nil
}

func (h *argon2id) cost() string { return fmt.Sprint("argon2id ", h.memory, h.time, h.threads) }

func (h *argon2id) is(password string) bool {
	sum := argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.sum)))
	return subtle.ConstantTimeCompare(sum, h.sum) == 1
}

type bcrypted []byte

const (
	minCost, maxCost = 10, 14
	// longestBcrypt is what bcrypt takes of a password, in bytes. What is longer
	// would be cut, so that two passwords are one.
	longestBcrypt = 72
)

func parseBcrypt(text string) (hash, error) {
	cost, err := bcrypt.Cost([]byte(text))
	if err != nil || len(text) != 60 {
		return nil, reason.New("the bcrypt hash is malformed")
	}
	if cost < minCost || cost > maxCost {
		return nil, fmt.Errorf("the bcrypt hash has cost %d, which is not between %d and %d", cost, minCost, maxCost)
	}
	return bcrypted(text), nil
}

func (h bcrypted) cost() string {
	cost, _ := bcrypt.Cost(h) // which has been read before
	return fmt.Sprint("bcrypt ", cost)
}

func (h bcrypted) is(password string) bool {
	whole := min(len(password), longestBcrypt)
	err := bcrypt.CompareHashAndPassword(h, []byte(password[:whole])) // for the time that it takes
	return err == nil && whole == len(password)
}
