// Package pythonjson writes JSON as json.dumps of Python does with
// sort_keys=True and everything else as it is by default, byte for byte: what
// hashes are made of that a Python program has to find again.
//
//	tree, err := strictjson.Tree([]byte(`{"b": 1e16, "a": "Zoë"}`))
//	...
//	text, err := pythonjson.Append(nil, tree) // {"a": "Zo\u00eb", "b": 1e+16}
//
// https://docs.python.org/3/library/json.html#json.dumps
package pythonjson
