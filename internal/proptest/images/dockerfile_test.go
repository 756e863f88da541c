package images_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

const examples = "../../../examples/"

// dockerfile is a Dockerfile as BuildKit reads it.
type dockerfile struct {
	text   []byte
	stages []instructions.Stage
	args   variables // of before the first stage
}

func dockerfileOf(t *testing.T, example string) *dockerfile {
	t.Helper()
	text, err := os.ReadFile(examples + example + "/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	d, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func parse(text []byte) (*dockerfile, error) {
	tree, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	d := &dockerfile{text: text}
	var args []instructions.ArgCommand
	if d.stages, args, err = instructions.Parse(tree.AST, nil); err != nil {
		return nil, err
	}
	for _, line := range args {
		for _, arg := range line.Args {
			if arg.Value != nil {
				d.args = append(d.args, arg.Key+"="+*arg.Value)
			}
		}
	}
	return d, nil
}

// variables are lines NAME=value, of which the last one of a name counts.
type variables []string

func (v variables) value(name string) (string, bool) {
	return shell.EnvsFromSlice(v).Get(name)
}

func (v variables) expand(word string) (string, error) {
	expanded, err := shell.NewLex('\\').ProcessWordWithMatches(word, shell.EnvsFromSlice(v))
	if err == nil && len(expanded.Unmatched) > 0 {
		err = fmt.Errorf("%s: unknown variables %v", word, expanded.Unmatched)
	}
	return expanded.Result, err
}
