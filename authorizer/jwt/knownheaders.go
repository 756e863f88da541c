package jwt

import (
	"bytes"
	"sync/atomic"
)

// knownHeaders are the last different headers that were accepted, on tokens
// whose signatures held. An issuer has few of them: one for each of its keys.
type knownHeaders struct {
	last [4]atomic.Pointer[knownHeader]
	next atomic.Uint32 // to be replaced
}

type knownHeader struct {
	encoded string
	header  *header
}

// find gives the header that is encoded so, or nil.
func (k *knownHeaders) find(encoded string) *header {
	for i := range k.last {
		if known := k.last[i].Load(); known != nil && known.encoded == encoded {
			return known.header
		}
	}
	return nil
}

// keep makes t's header a known one.
func (k *knownHeaders) keep(t *token) {
	for i := range k.last {
		if known := k.last[i].Load(); known != nil && known.header == t.header {
			return
		}
	}
	encoded, _, _ := bytes.Cut(t.signed, []byte("."))
	slot := k.next.Add(1) % uint32(len(k.last))
	k.last[slot].Store(&knownHeader{encoded: string(encoded), header: t.header})
}
