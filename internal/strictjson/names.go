package strictjson

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// manyNames is the number of members from which on a text's names are compared
// here. The decoder keeps each name of an object that is open in a map, and
// allocates 14 MiB for a text of 1 MiB. Of fewer names it is the faster one.
const manyNames = 10_000

// unique finds a name that an object has twice, in a text of many names, and
// returns the options to decode such a text with: the decoder then need not
// look for them again. Of a text of few names, and of one that is not JSON, it
// says nothing: the decoder does.
func unique(data []byte) (json.Options, error) {
	if bytes.Count(data, []byte{':'}) < manyNames {
		return nil, nil
	}
	n := names{data: data, seed: maphash.MakeSeed(), dec: jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true))}
	if err := n.value(); err != nil {
		return nil, err
	}
	return jsontext.AllowDuplicateNames(true), nil
}

// names are those of the objects that are open.
type names struct {
	data []byte
	dec  *jsontext.Decoder
	seed maphash.Seed
	open []name // the innermost object's last
	room []byte // for a name without its escapes
}

type name struct {
	hash       uint64
	start, end int32 // where it stands, with its quotes
}

// value reads a text until it ends or is found not to be JSON. The error is that
// of a name that is there twice.
func (n *names) value() error {
	var objects []int // where the names of each open object begin
	for {
		if kind, length := n.dec.StackIndex(n.dec.StackDepth()); kind == jsontext.KindBeginObject && length%2 == 0 && n.dec.PeekKind() == jsontext.KindString {
			quoted, err := n.dec.ReadValue()
			if err != nil {
				return nil
			}
			end := n.dec.InputOffset()
			n.open = append(n.open, name{maphash.Bytes(n.seed, n.plain(quoted)), int32(end) - int32(len(quoted)), int32(end)})
			continue
		}
		token, err := n.dec.ReadToken()
		if err != nil {
			return nil
		}
		switch token.Kind() {
		case jsontext.KindBeginObject:
			objects = append(objects, len(n.open))
		case jsontext.KindEndObject:
			last := len(objects) - 1
			if err := n.twice(n.open[objects[last]:]); err != nil {
				return err
			}
			n.open, objects = n.open[:objects[last]], objects[:last]
		}
		if n.dec.StackDepth() == 0 {
			return nil
		}
	}
}

// twice returns the error of the first name that an object has again.
func (n *names) twice(all []name) error {
	slices.SortFunc(all, func(a, b name) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.start, b.start))
	})
	var again *name
	for i := range all[:max(len(all)-1, 0)] {
		a, b := &all[i], &all[i+1]
		if a.hash == b.hash && (again == nil || b.start < again.start) && n.same(*a, *b) {
			again = b
		}
	}
	if again == nil {
		return nil
	}
	return &Error{
		Code: DuplicateName, Offset: int64(again.start), Reason: duplicateReason,
		Pointer: ShortPointer(string(n.dec.StackPointer().AppendToken(string(n.plain(n.data[again.start:again.end]))))),
	}
}

func (n *names) same(a, b name) bool {
	return string(n.plain(n.data[a.start:a.end])) == string(n.plain(n.data[b.start:b.end]))
}

// plain returns the name that stands in quotes.
func (n *names) plain(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	n.room, _ = jsontext.AppendUnquote(n.room[:0], quoted)
	return n.room
}
