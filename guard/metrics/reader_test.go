package metrics_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// The example of the specification, and what breaks a sentence of it.
func TestTheReaderFollowsTheSpecification(t *testing.T) {
	const example = `{"_aws":{"Timestamp":1574109732004,"CloudWatchMetrics":[{"Namespace":"lambda-function-metrics","Dimensions":[["functionVersion"]],` +
		`"Metrics":[{"Name":"time","Unit":"Milliseconds","StorageResolution":60}]}]},"functionVersion":"$LATEST","time":100,` +
		`"requestId":"989ffbf8-9ace-4817-a57c-e4dd734019ee"}`
	hundred := strings.Repeat("1,", 100)
	for _, c := range []struct {
		name     string
		old, new string
		valid    bool
		schema   bool // the schema refuses it, too
	}{
		{name: "the example", valid: true},
		{name: "an array of values", old: `"time":100`, new: `"time":[` + hundred[:199] + `]`, valid: true},
		{name: "101 values", old: `"time":100`, new: `"time":[` + hundred + `1]`},
		{name: "no target", old: `"time":100`, new: `"Time":100`},
		{name: "a text as a metric", old: `"time":100`, new: `"time":"100"`},
		{name: "no text as a dimension", old: `"$LATEST"`, new: `1`},
		{name: "no dimension", old: `"functionVersion":"$LATEST",`},
		{name: "a member twice", old: `"requestId":`, new: `"time":`},
		{name: "data after it", old: `19ee"}`, new: `19ee"} {}`},
		{name: "another member of a metric", old: `"StorageResolution"`, new: `"Resolution"`},
		{name: "101 metrics", old: `{"Name":"time"`, new: strings.Repeat(`{"Name":"time"},`, 100) + `{"Name":"time"`},
		{name: "31 dimensions", old: `["functionVersion"]`, new: `["functionVersion"` + strings.Repeat(`,"functionVersion"`, 30) + `]`, schema: true},
		{name: "no timestamp", old: `"Timestamp":1574109732004,`, schema: true},
		{name: "a text as a timestamp", old: `1574109732004`, new: `"now"`, schema: true},
		{name: "no namespace", old: `"Namespace":"lambda-function-metrics",`, schema: true},
		{name: "a unit", old: `"Milliseconds"`, new: `"Hours"`, schema: true},
		{name: "no metadata", old: `"_aws"`, new: `"aws"`, schema: true},
	} {
		line := example
		if c.old != "" {
			line = strings.Replace(example, c.old, c.new, 1)
			if line == example {
				t.Fatalf("%s: nothing is replaced", c.name)
			}
		}
		_, err := readDocument([]byte(line))
		var value any
		refused := json.Unmarshal([]byte(line), &value)
		if refused == nil {
			refused = schema().Validate(value)
		}
		if c.name == "a unit" {
			err = refused // only the schema knows the units
		}
		if c.valid != (err == nil) || c.valid && refused != nil || c.schema && refused == nil {
			t.Errorf("%s: got %v and by the schema %s", c.name, err, firstLine(fmt.Sprint(refused)))
		}
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
