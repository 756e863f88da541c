package strictjson

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Visit has w read the one value in data, strictly but for opts. A text that is
// not JSON is an [*Error]; an error of w's own is wrapped.
func Visit(data []byte, w json.UnmarshalerFrom, opts ...json.Options) error {
	err := json.Unmarshal(data, w, opts...)
	if syntactic := (*jsontext.SyntacticError)(nil); errors.As(err, &syntactic) {
		return explainSyntax(data, syntactic)
	}
	return err
}
