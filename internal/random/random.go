// Package random draws numbers that copies of one process do not share.
//
// The functions of math/rand/v2 draw from a state in the memory of the process. After a
// restore from a snapshot of SnapStart all copies draw the same numbers: their retries
// come together, and they sample the same invocations. crypto/rand asks the kernel for
// each number, also in FIPS mode, and the kernel's state is renewed by the restore. From
// Linux 6.11 on a part of it is in the process (getrandom of the vDSO), and renewed with it.
//
// https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html
package random

import (
	cryptorand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// Float64 returns a number from 0 up to, but not, 1.
func Float64() float64 { return rand.New(kernel{}).Float64() }

// N returns a time from 0 up to, but not, d. It panics if d is not positive.
func N(d time.Duration) time.Duration { return time.Duration(rand.New(kernel{}).Int64N(int64(d))) }

// kernel is a source without a state.
type kernel struct{}

func (kernel) Uint64() uint64 {
	var b [8]byte
	_, _ = cryptorand.Read(b[:]) // never fails
	return binary.NativeEndian.Uint64(b[:])
}
