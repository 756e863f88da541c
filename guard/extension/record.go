package extension

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"
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
	// "platform.report" and so on for a record of Lambda's own. It is "" for what is no
	// record with a time, a type and a content.
	Type string
	// Raw is the content of the record as it was sent. It is a JSON object or string.
	// Without a Type it is all that was sent, which if it is no JSON is in a JSON string:
	// Lambda sends a line of JSON above 256 kB in pieces.
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

// readBatch reads what Lambda sends, all of it: it would send a batch that is refused
// again, and all later records would wait behind it. A line of the function is embedded
// if it looks like JSON, and one of more than 256 kB is embedded in pieces that are none.
// AWS's documents do not say so; extensions in production have met it.
func readBatch(body []byte) (batch []Record) {
	dec := json.NewDecoder(bytes.NewReader(body))
	read := int64(0)
	// from returns what was sent from where the last element ended.
	from := func(end int64) string { return strings.Trim(string(body[read:end]), ", \t\r\n") }
	if open, _ := dec.Token(); open == json.Delim('[') {
		for read = dec.InputOffset(); dec.More(); read = dec.InputOffset() {
			// Names that are there twice are no error: what the function has logged is not
			// the strict decoder's.
			var sent struct {
				Time, Type string
				Record     json.RawMessage
			}
			err := dec.Decode(&sent)
			if _, another := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !another {
				break
			}
			if err != nil || sent.Type == "" || sent.Record == nil {
				batch = append(batch, Record{Raw: json.RawMessage(from(dec.InputOffset()))})
				continue
			}
			at, _ := time.Parse(time.RFC3339, sent.Time)
			batch = append(batch, Record{Time: at, Type: sent.Type, Raw: sent.Record})
		}
		if end, _ := dec.Token(); end == json.Delim(']') {
			read = dec.InputOffset()
		}
	}
	if rest := from(int64(len(body))); rest != "" {
		raw, _ := json.Marshal(rest) // has no error for a string
		batch = append(batch, Record{Raw: raw})
	}
	return batch
}
