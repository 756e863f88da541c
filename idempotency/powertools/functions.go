package powertools

import (
	"github.com/lambdarmor/lambdarmor/internal/packedtext"
	"github.com/lambdarmor/lambdarmor/internal/strictjson"
)

// powertoolsFunctions are what Powertools adds to JMESPath. An error tells what
// is wrong with the text.
//
// https://docs.powertools.aws.dev/lambda/python/latest/utilities/jmespath_functions/
var powertoolsFunctions = map[string]func(string) (any, error){
	"powertools_json":        func(text string) (any, error) { return strictjson.Tree([]byte(text)) },
	"powertools_base64":      func(text string) (any, error) { return packedtext.Base64(text) },
	"powertools_base64_gzip": func(text string) (any, error) { return packedtext.Gzip(text) },
}
