package wire

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Failures returns the ids that a partial answer reports as failed. An error means that
// the whole batch counts as failed.
//
// Success of the whole batch: an empty or null answer, and an empty or null list.
// Failure of the whole batch: an answer that is not JSON, and an identifier that is
// empty, null, under another name, or of no message of the batch. An answer that is
// JSON but no object is not on the page; it counts as failed.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#sqs-batchfailurereporting-conditions
func Failures(answer []byte, idOf func(identifier json.RawMessage) string, inBatch func(id string) bool) (map[string]bool, error) {
	if len(bytes.TrimSpace(answer)) == 0 {
		return nil, nil
	}
	// Names are compared exactly, so not by decoding into a struct.
	var members map[string]json.RawMessage
	if err := json.Unmarshal(answer, &members); err != nil {
		return nil, errNotJSON
	}
	list, there := members["batchItemFailures"]
	if !there {
		return nil, nil
	}
	var items []map[string]json.RawMessage
	if err := json.Unmarshal(list, &items); err != nil {
		return nil, errNoList
	}
	failed := map[string]bool{}
	for _, item := range items {
		identifier, there := item["itemIdentifier"]
		id := idOf(identifier)
		switch {
		case !there:
			return nil, errNoIdentifier
		case id == "":
			return nil, errEmptyIdentifier
		case !inBatch(id):
			return nil, errUnknownIdentifier
		}
		failed[id] = true
	}
	return failed, nil
}

// TextID is the id that an identifier is, or "" if it is no text.
func TextID(identifier json.RawMessage) (id string) {
	_ = json.Unmarshal(identifier, &id)
	return id
}

// Why a partial answer fails the whole batch.
var (
	errNotJSON           = errors.New("the answer is not a JSON object")
	errNoList            = errors.New("batchItemFailures is not a list of objects")
	errNoIdentifier      = errors.New("a batch item failure has no itemIdentifier")
	errEmptyIdentifier   = errors.New("an itemIdentifier is empty or of another form")
	errUnknownIdentifier = errors.New("an itemIdentifier is of no message of the batch")
)
