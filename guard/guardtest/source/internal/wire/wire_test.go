package wire_test

import (
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/source/internal/wire"
)

func TestMarshalLeavesCharactersOfHTML(t *testing.T) {
	if got := string(wire.Marshal(map[string]string{"a": "<&>"})); got != `{"a":"<&>"}` {
		t.Errorf("got %s", got)
	}
	defer func() {
		if v := recover(); v == nil {
			t.Error("Marshal of what JSON cannot hold does not panic")
		}
	}()
	wire.Marshal(make(chan int))
}

func TestWhichMessagesAnAnswerNames(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		failed int
		bad    bool
	}{
		"spaces":                     {answer: " \n"},
		"another case of the list":   {answer: `{"BatchItemFailures":[{"itemIdentifier":"a"}]}`},
		"an item twice":              {answer: `{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"a"}]}`, failed: 1},
		"two":                        {answer: `{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"}]}`, failed: 2},
		"another case of the id":     {answer: `{"batchItemFailures":[{"itemIdentifier":"A"}]}`, bad: true},
		"of another batch":           {answer: `{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}`, bad: true},
		"text behind":                {answer: `{"batchItemFailures":[]} x`, bad: true},
		"a list":                     {answer: `[]`, bad: true},
		"a number as the identifier": {answer: `{"batchItemFailures":[{"itemIdentifier":1}]}`, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			failed, err := wire.Failures([]byte(c.answer), wire.TextID, func(id string) bool { return id == "a" || id == "b" })
			if len(failed) != c.failed || (err != nil) != c.bad {
				t.Errorf("got %v, %v, want %d failed, and an error: %t", failed, err, c.failed, c.bad)
			}
		})
	}
}
