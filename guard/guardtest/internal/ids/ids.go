// Package ids makes random identifiers in the forms of AWS.
package ids

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// UUID returns a random UUID of version 4.
func UUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// TraceRoot returns the root of a new X-Ray trace, "Root=1-…".
func TraceRoot() string {
	return fmt.Sprintf("Root=1-%08x-%s", time.Now().Unix(), Hex(12))
}

// Hex returns random bytes in hexadecimal.
func Hex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
