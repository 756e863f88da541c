package extension

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/lambdarmor/lambdarmor/guard"
)

// Record is one record of the Telemetry API.
//
// Anything in the environment can write function and extension records, so their
// content is not to be trusted.
type Record struct {
	// Time is when Lambda made the record, after what it is about; zero if the record
	// has no time that can be read.
	Time time.Time
	// Type is "function" or "extension" for a line of a log, and "platform.start",
	// "platform.report" and so on for a record of Lambda's own.
	Type string
	// Raw is the record as it was sent. It is a JSON object or string.
	Raw json.RawMessage
}

// Text returns the text of a line: without quotes if it was sent as a string, and as
// JSON if the function logs JSON.
func (r Record) Text() string {
	var text string
	if json.Unmarshal(r.Raw, &text) == nil {
		return text
	}
	return string(r.Raw)
}

const errNoBatch = guard.Reason("extension: the telemetry is no array of records")

// readBatch reads what Lambda sends. Function records are lines that the function
// wrote, which Lambda embeds if they look like JSON. So the strict decoder is not for
// them: one odd line would hold back all others.
func readBatch(body []byte) ([]Record, error) {
	var sent []struct {
		Time, Type string
		Record     json.RawMessage
	}
	if err := json.Unmarshal(body, &sent); err != nil || sent == nil {
		return nil, errNoBatch
	}
	batch := make([]Record, len(sent))
	for i, r := range sent {
		if r.Type == "" || r.Record == nil {
			return nil, guard.Reason(fmt.Sprintf("extension: record %d of the telemetry has no type or no record", i))
		}
		at, _ := time.Parse(time.RFC3339, r.Time)
		batch[i] = Record{Time: at, Type: r.Type, Raw: r.Record}
	}
	return batch, nil
}
