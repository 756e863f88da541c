// Package pythonjson writes JSON byte for byte as Python's json.dumps with
// sort_keys=True does, for hashes that a Python program computes as well.
//
//	tree, err := strictjson.Tree([]byte(`{"b": 1e16, "a": "Zoë"}`))
//	...
//	text, err := pythonjson.Append(nil, tree) // {"a": "Zo\u00eb", "b": 1e+16}
//
// https://docs.python.org/3/library/json.html#json.dumps
package pythonjson
