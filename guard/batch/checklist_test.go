package batch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lambdarmor/lambdarmor/guard"
	"github.com/lambdarmor/lambdarmor/guard/batch"
	"github.com/lambdarmor/lambdarmor/guard/guardtest/sample"
	"github.com/lambdarmor/lambdarmor/guard/logging"
)

// The batch tests that Powertools for AWS Lambda publishes. Python: all of
// tests/functional/batch at the commits 016d228 and 440eafe, which has those of
// Kafka, and what the three tests of pull request 8272 show, as their names are not
// at hand. TypeScript: all of packages/batch/tests at the commit 1e5fe1b. A test
// that they run with several settings is one row.
//
// https://github.com/aws-powertools/powertools-lambda-python
// https://github.com/aws-powertools/powertools-lambda-typescript
const (
	python     = "Python"
	typescript = "TypeScript"

	pythonTests     = 57
	typescriptTests = 61
)

// Why there is no counterpart, or another outcome.
const (
	stops      = "a stream stops at its first failure by default, as Lambda delivers all behind it again; ContinueAfterFailure lists each"
	allFailed  = "by default an answer lists them all, and comes to the same; FailWhenAllFail makes it an error"
	groups     = "a failure stops its own group, as order is promised within a group alone"
	empty      = "an event without records has none that failed"
	notJSON    = "an object of Python and a function are no JSON; the other inputs are refused alike"
	noClasses  = "there are no classes to extend, and no synchronous twin: a layer of Chain wraps the function, and Concurrency sets how many run"
	noStore    = "a handler keeps nothing between invocations and nothing beside them, so there is no store to isolate"
	typed      = "the compiler refuses it, or the constructor panics"
	noDocument = "a change of DynamoDB has typed attributes and no document, so the function reads them itself; and a stream stops at its first failure by default"
	logs       = "guard.Log decides where records of the log go; a record that failed has one line with its id and its code, and never its body"
)

// published is a test of theirs.
type published struct {
	library string
	file    string
	test    string
	shows   string
	theirs  string   // their outcome, in the words of run.want; "error" is any error
	runs    []run    // with our handlers
	ours    []string // tests of this package that show the same
	reason  string   // for another outcome, or for none
}

// run is a batch and its outcome.
type run struct {
	source  string   // of eventSources
	records []string // "success" or "fail", or "group=success"; or documents
	event   string   // in place of records
	decodes bool     // the function takes a document
	fifo    bool
	opts    []batch.Option
	want    string // what is listed, in order, the first record being 1; "none"; "error" and the code
}

var continues = []batch.Option{batch.ContinueAfterFailure()}

// The runs, by what they show.
var (
	queueDone  = []run{{source: "SQS", records: []string{"success", "success"}, want: "none"}}
	queueSome  = []run{{source: "SQS", records: []string{"fail", "success", "fail"}, want: "1 3"}}
	queueMixed = []run{{source: "SQS", records: []string{"success", "fail", "success", "fail"}, want: "2 4"}}
	queueList  = []run{{source: "SQS", records: []string{"fail", "fail"}, want: "1 2"}}
	queueError = []run{{source: "SQS", records: []string{"fail", "fail"}, opts: []batch.Option{batch.FailWhenAllFail()}, want: "error batch_failed"}}
	queueAll   = slices.Concat(queueError, queueList)

	fifoDone     = []run{{source: "SQS", fifo: true, records: []string{"success", "success"}, want: "none"}}
	fifoOneGroup = []run{{source: "SQS", fifo: true, records: []string{"success", "fail", "success"}, want: "2 3"}}
	fifoGroups   = []run{{source: "SQS", fifo: true, records: []string{"1=success", "1=success", "2=fail", "2=success", "3=fail"}, want: "3 4 5"}}
	fifoFirst    = []run{{source: "SQS", fifo: true, records: []string{"1=fail", "1=success", "2=fail", "2=success", "3=success"}, want: "1 2 3 4"}}
	fifoFour     = []run{{source: "SQS", fifo: true, records: []string{"1=success", "2=fail", "3=success", "4=success"}, want: "2"}}

	kinesisDone = []run{{source: "Kinesis", records: []string{"1=success", "1=success"}, want: "none"}}
	kinesisSome = []run{
		{source: "Kinesis", records: []string{"1=fail", "2=success", "3=fail"}, opts: continues, want: "1 3"},
		{source: "Kinesis", records: []string{"1=fail", "2=success", "3=fail"}, want: "1"},
		{source: "Kinesis", records: []string{"1=fail", "1=success", "1=fail"}, opts: continues, want: "1 2 3"}, // of one key
	}
	kinesisAll = []run{
		{source: "Kinesis", records: []string{"1=fail", "2=fail", "3=fail"}, opts: []batch.Option{batch.FailWhenAllFail()}, want: "error batch_failed"},
		{source: "Kinesis", records: []string{"1=fail", "2=fail", "3=fail"}, want: "1"},
	}

	changesDone = []run{{source: "DynamoDB", records: []string{"1=success", "1=success"}, want: "none"}}
	changesSome = []run{
		{source: "DynamoDB", records: []string{"1=fail", "2=success", "3=fail"}, opts: continues, want: "1 3"},
		{source: "DynamoDB", records: []string{"1=fail", "2=success", "3=fail"}, want: "1"},
		{source: "DynamoDB", records: []string{"1=fail", "1=success", "1=fail"}, opts: continues, want: "1 2 3"}, // of one item
	}
	changesAll = []run{
		{source: "DynamoDB", records: []string{"1=fail", "2=fail", "3=fail"}, opts: []batch.Option{batch.FailWhenAllFail()}, want: "error batch_failed"},
		{source: "DynamoDB", records: []string{"1=fail", "2=fail", "3=fail"}, want: "1"},
	}
	changesSecond = []run{{source: "DynamoDB", records: []string{"1=success", "2=fail", "3=success"}, want: "2"}}

	kafkaDone   = []run{{source: "Kafka", records: []string{"mytopic-0=success", "mytopic-0=success"}, want: "none"}}
	kafkaSecond = []run{{source: "Kafka", records: []string{"mytopic-0=success", "mytopic-0=fail"}, want: "mytopic-0:1"}}
	kafkaTwo    = []run{
		{source: "Kafka", records: []string{"mytopic-0=success", "mytopic-0=fail", "mytopic-0=fail"}, opts: continues, want: "mytopic-0:1 mytopic-0:2"},
		{source: "Kafka", records: []string{"mytopic-0=success", "mytopic-0=fail", "mytopic-0=fail"}, want: "mytopic-0:1 mytopic-0:2"},
	}
	kafkaTopics = []run{{source: "Kafka", records: []string{"topic1-0=success", "topic1-0=fail", "topic2-1=success", "topic2-1=fail"}, want: "topic1-0:1 topic2-1:1"}}
	kafkaList   = []run{
		{source: "Kafka", records: []string{"mytopic-0=fail", "mytopic-0=fail"}, opts: continues, want: "mytopic-0:0 mytopic-0:1"},
		{source: "Kafka", records: []string{"mytopic-0=fail", "mytopic-0=fail"}, want: "mytopic-0:0 mytopic-0:1"},
	}
	kafkaAll = []run{
		{source: "Kafka", records: []string{"mytopic-0=fail", "mytopic-0=fail"}, opts: []batch.Option{batch.FailWhenAllFail()}, want: "error batch_failed"},
		{source: "Kafka", records: []string{"mytopic-0=fail", "mytopic-0=fail"}, want: "mytopic-0:0 mytopic-0:1"},
	}
	kafkaDocument = []run{{source: "Kafka", decodes: true, records: []string{`{"item":{"type":"success"}}`}, want: "none"}}
	kafkaEmpty    = []run{{source: "Kafka", event: `{"eventSource":"aws:kafka","records":{}}`, want: "none"}}
	kafkaNoList   = []run{{source: "Kafka", event: `{"eventSource":"aws:kafka"}`, want: "error invalid_batch"}}

	noEvent = []run{
		{source: "SQS", event: `123456789`, want: "error wrong_type"},
		{source: "SQS", event: `[]`, want: "error wrong_type"},
		{source: "SQS", event: `false`, want: "error wrong_type"},
	}
	noList = []run{
		{source: "SQS", event: `{}`, want: "error invalid_batch"},
		{source: "SQS", event: `{"Records":null}`, want: "error invalid_batch"},
		{source: "SQS", event: `{"Records":"not a list"}`, want: "error wrong_type"},
	}

	documentDone         = []run{{source: "SQS", decodes: true, records: []string{`{"item":{"type":"success"}}`, `{"item":{"type":"success"}}`}, want: "none"}}
	documentSome         = []run{{source: "SQS", decodes: true, records: []string{`{"item":{"type":"fail"}}`, `{"item":{"type":"success"}}`, `{"item":{"type":"fail"}}`}, want: "1 3"}}
	documentWrong        = []run{{source: "SQS", decodes: true, records: []string{`{"item":{"type":"success"}}`, `{"poison":"pill"}`, `{"item":{"type":"success"}}`}, want: "2"}}
	documentRefused      = []run{{source: "SQS", decodes: true, records: []string{`{"Invalid":"invalid"}`}, want: "1"}}
	kinesisDocumentDone  = []run{{source: "Kinesis", decodes: true, records: []string{`{"item":{"type":"success"}}`, `{"item":{"type":"success"}}`}, want: "none"}}
	kinesisDocumentWrong = []run{{source: "Kinesis", decodes: true, records: []string{`{"item":{"type":"success"}}`, `{"poison":"pill"}`, `{"item":{"type":"success"}}`}, want: "2"}}
	kinesisDocumentSome  = []run{
		{source: "Kinesis", decodes: true, records: []string{`{"item":{"type":"fail"}}`, `{"item":{"type":"success"}}`, `{"item":{"type":"fail"}}`}, opts: continues, want: "1 3"},
		{source: "Kinesis", decodes: true, records: []string{`{"item":{"type":"fail"}}`, `{"item":{"type":"success"}}`, `{"item":{"type":"fail"}}`}, want: "1"},
	}
)

var publishedTests = []published{
	{
		library: python, file: "test_utilities_batch.py", test: "test_batch_processor_middleware_success_only",
		shows: "two messages, both done", theirs: "none", runs: queueDone,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_batch_processor_middleware_with_failure",
		shows: "the failed ones of three messages are listed", theirs: "1 3", runs: queueSome,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_batch_processor_context_success_only",
		shows: "two messages, both done", theirs: "none", runs: queueDone,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_batch_processor_context_with_failure",
		shows: "the failed ones of three messages are listed", theirs: "1 3", runs: queueSome,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_batch_processor_kinesis_context_success_only",
		shows: "two records of Kinesis, both done", theirs: "none", runs: kinesisDone,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_batch_processor_kinesis_context_with_failure",
		shows: "the failed ones of three records are listed", theirs: "1 3", runs: kinesisSome, reason: stops,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_batch_processor_kinesis_middleware_with_failure",
		shows: "the failed ones of three records are listed", theirs: "1 3", runs: kinesisSome, reason: stops,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_batch_processor_dynamodb_context_success_only",
		shows: "two changes, both done", theirs: "none", runs: changesDone,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_batch_processor_dynamodb_context_with_failure",
		shows: "the failed ones of three changes are listed", theirs: "1 3", runs: changesSome, reason: stops,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_batch_processor_dynamodb_middleware_with_failure",
		shows: "the failed ones of three changes are listed", theirs: "1 3", runs: changesSome, reason: stops,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_batch_processor_error_when_entire_batch_fails",
		shows: "all failed is an error, in the first and in the next invocation", theirs: "error", runs: queueAll, ours: []string{"TestAHandlerKeepsNothingBetweenEvents"}, reason: allFailed,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_batch_processor_not_raise_when_entire_batch_fails_sync",
		shows: "all failed is a list on demand", theirs: "1 2", runs: queueList,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_batch_processor_not_raise_when_entire_batch_fails_async",
		shows: "all failed is a list on demand, with several at a time", theirs: "1 2", runs: queueList,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_sqs_fifo_batch_processor_middleware_success_only",
		shows: "two messages of a FIFO queue, both done", theirs: "none", runs: fifoDone,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_sqs_fifo_batch_processor_middleware_with_failure",
		shows: "what follows a failure does not run, and is listed", theirs: "2 3", runs: fifoOneGroup,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_sqs_fifo_batch_processor_middleware_with_skip_group_on_error",
		shows: "the rest of a group is listed, and other groups run", theirs: "3 4 5", runs: fifoGroups,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_sqs_fifo_batch_processor_middleware_with_skip_group_on_error_first_message_fail",
		shows: "the same with a failure at the start", theirs: "1 2 3 4", runs: fifoFirst,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_async_batch_processor_middleware_success_only",
		shows: "two messages at a time, both done", theirs: "none", runs: queueDone,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_async_batch_processor_middleware_with_failure",
		shows: "the failed ones of three messages at a time are listed", theirs: "1 3", runs: queueSome,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_async_batch_processor_context_success_only",
		shows: "two messages at a time, both done", theirs: "none", runs: queueDone,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_async_batch_processor_context_with_failure",
		shows: "the failed ones of three messages at a time are listed", theirs: "1 3", runs: queueSome,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_process_partial_response",
		shows: "two messages, both done", theirs: "none", runs: queueDone,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_process_partial_response_invalid_input",
		shows: "a number, a list, a boolean, an object and a function are no event", theirs: "error", runs: noEvent, ours: []string{"TestBadInput"}, reason: notJSON,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_async_process_partial_response",
		shows: "two messages at a time, both done", theirs: "none", runs: queueDone,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_async_process_partial_response_invalid_input",
		shows: "the same with several at a time", theirs: "error", runs: noEvent, ours: []string{"TestBadInput"}, reason: notJSON,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_process_partial_response_raises_unexpected_batch_type",
		shows: "no list of records is an error", theirs: "error", runs: noList, ours: []string{"TestBadInput"},
	},
	{
		library: python, file: "test_utilities_batch.py", test: "test_async_process_partial_response_raises_unexpected_batch_type",
		shows: "the same with several at a time", theirs: "error", runs: noList, ours: []string{"TestBadInput"},
	},
	{
		library: python, file: "test_utilities_batch.py", test: "of pull request 8272: a failure is logged with its trace by a logger that was passed",
		shows: "a failure is logged with its trace by a logger that was passed", ours: []string{"TestARecordHasItsOwnContext", "TestNoBodyIsLogged", "TestWhatFollowsAFailureIsNotLoggedAsOne"}, reason: logs,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "of pull request 8272: nothing is logged without a logger",
		shows: "nothing is logged without a logger", ours: []string{"TestARecordHasItsOwnContext", "TestNoBodyIsLogged", "TestWhatFollowsAFailureIsNotLoggedAsOne"}, reason: logs,
	},
	{
		library: python, file: "test_utilities_batch.py", test: "of pull request 8272: what follows a failure in a FIFO queue is not logged as a failure",
		shows: "what follows a failure in a FIFO queue is not logged as a failure", ours: []string{"TestARecordHasItsOwnContext", "TestNoBodyIsLogged", "TestWhatFollowsAFailureIsNotLoggedAsOne"}, reason: logs,
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_kafka_batch_processor_success_only",
		shows: "two records of Kafka, both done", theirs: "none", runs: kafkaDone,
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_kafka_batch_processor_failure_only",
		shows: "all failed is an error", theirs: "error", runs: kafkaAll, reason: allFailed,
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_kafka_batch_processor_partial_failure",
		shows: "a failed record is named by its partition and its offset", theirs: "mytopic-0:1", runs: kafkaSecond, ours: []string{"TestSamplesOfEverySource"},
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_kafka_batch_processor_multiple_failures",
		shows: "two failed records of a partition are both listed", theirs: "mytopic-0:1 mytopic-0:2", runs: kafkaTwo,
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_kafka_batch_processor_multi_topic_partition",
		shows: "a failure in each of two partitions", theirs: "topic1-0:1 topic2-1:1", runs: kafkaTopics, ours: []string{"TestAPartitionOfKafkaStopsAlone"},
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_kafka_batch_processor_with_json_body",
		shows: "a value that is JSON", theirs: "none", runs: kafkaDocument,
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_kafka_batch_processor_disable_raise_on_entire_batch_failure",
		shows: "all failed is a list on demand", theirs: "mytopic-0:0 mytopic-0:1", runs: kafkaList,
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_kafka_batch_processor_invalid_event_structure",
		shows: "no partitions are an error", theirs: "error", runs: kafkaEmpty, ours: []string{"TestBadInput"}, reason: empty,
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_kafka_batch_processor_missing_records_key",
		shows: "no member for the records is an error", theirs: "error", runs: kafkaNoList, ours: []string{"TestBadInput"},
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_async_kafka_batch_processor_success_only",
		shows: "two records at a time, both done", theirs: "none", runs: kafkaDone,
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_async_kafka_batch_processor_partial_failure",
		shows: "the failed one of two records at a time", theirs: "mytopic-0:1", runs: kafkaSecond,
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_async_kafka_batch_processor_failure_only",
		shows: "all failed is an error, with several at a time", theirs: "error", runs: kafkaAll, reason: allFailed,
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_kafka_batch_processor_context_manager",
		shows: "the failed one of two records", theirs: "mytopic-0:1", runs: kafkaSecond,
	},
	{
		library: python, file: "test_utilities_batch_kafka.py", test: "test_kafka_record_properties_accessible",
		shows: "the function sees topic, partition, offset and time", ours: []string{"TestARecordOfKafkaIsAsItCame"},
	},
	{
		library: python, file: "test_utilities_batch_pydantic.py", test: "test_batch_processor_context_model",
		shows: "two bodies that fit the model", theirs: "none", runs: documentDone,
	},
	{
		library: python, file: "test_utilities_batch_pydantic.py", test: "test_batch_processor_context_model_with_failure",
		shows: "a function that fails with a model", theirs: "1 3", runs: documentSome,
	},
	{
		library: python, file: "test_utilities_batch_pydantic.py", test: "test_batch_processor_dynamodb_context_model",
		shows: "two changes that fit the model", theirs: "none", runs: changesDone, reason: noDocument,
	},
	{
		library: python, file: "test_utilities_batch_pydantic.py", test: "test_batch_processor_dynamodb_context_model_with_failure",
		shows: "a function that fails with a model", theirs: "1 3", runs: changesSome, reason: noDocument,
	},
	{
		library: python, file: "test_utilities_batch_pydantic.py", test: "test_batch_processor_kinesis_context_parser_model",
		shows: "two records of Kinesis that fit the model", theirs: "none", runs: kinesisDocumentDone,
	},
	{
		library: python, file: "test_utilities_batch_pydantic.py", test: "test_batch_processor_kinesis_context_parser_model_with_failure",
		shows: "a function that fails with a model", theirs: "1 3", runs: kinesisDocumentSome, reason: stops,
	},
	{
		library: python, file: "test_utilities_batch_pydantic.py", test: "test_sqs_fifo_batch_processor_middleware_with_skip_group_on_error_and_model",
		shows: "groups with a model", theirs: "3 4 5", runs: fifoGroups,
	},
	{
		library: python, file: "test_utilities_batch_pydantic.py", test: "test_batch_processor_model_with_partial_validation_error",
		shows: "a body that does not fit fails alone", theirs: "2", runs: documentWrong, ours: []string{"TestADocumentThatIsNoJSONFailsAlone"},
	},
	{
		library: python, file: "test_utilities_batch_pydantic.py", test: "test_batch_processor_dynamodb_context_model_with_partial_validation_error",
		shows: "a change that does not fit fails alone", theirs: "2", runs: changesSecond, reason: noDocument,
	},
	{
		library: python, file: "test_utilities_batch_pydantic.py", test: "test_batch_processor_kinesis_context_parser_model_with_partial_validation_error",
		shows: "data that does not fit fails alone", theirs: "2", runs: kinesisDocumentWrong, ours: []string{"TestADocumentThatIsNoJSONFailsAlone"},
	},
	{
		library: python, file: "test_utilities_batch_pydantic.py", test: "test_async_batch_processor_model_with_partial_validation_error",
		shows: "the same with several at a time", theirs: "2", runs: documentWrong,
	},
	{
		library: python, file: "test_utilities_batch_pydantic.py", test: "test_async_batch_processor_dynamodb_context_model_with_partial_validation_error",
		shows: "the same with several at a time", theirs: "2", runs: changesSecond, reason: noDocument,
	},
	{
		library: python, file: "test_utilities_batch_pydantic.py", test: "test_async_batch_processor_kinesis_context_parser_model_with_partial_validation_error",
		shows: "the same with several at a time", theirs: "2", runs: kinesisDocumentWrong,
	},
	{
		library: typescript, file: "BasePartialProcessor.test.ts", test: "creates a custom batch partial processor",
		shows: "a class of one's own", ours: []string{"TestLayersOfARecord"}, reason: noClasses,
	},
	{
		library: typescript, file: "BasePartialProcessor.test.ts", test: "processes a batch of records",
		shows: "a method of one's own handles each record", theirs: "none", runs: queueDone, ours: []string{"TestLayersOfARecord"}, reason: noClasses,
	},
	{
		library: typescript, file: "BatchProcessor.test.ts", test: "SQS Records: completes processing with no failures",
		shows: "all done, one after the other and in parallel", theirs: "none", runs: queueDone,
	},
	{
		library: typescript, file: "BatchProcessor.test.ts", test: "SQS Records: completes processing with with some failures",
		shows: "the failed ones of three are listed", theirs: "1 3", runs: queueSome,
	},
	{
		library: typescript, file: "BatchProcessor.test.ts", test: "SQS Records: completes processing with all failures",
		shows: "all failed is an error", theirs: "error", runs: queueAll, reason: allFailed,
	},
	{
		library: typescript, file: "BatchProcessor.test.ts", test: "Kinesis Records: completes processing with no failures",
		shows: "all done, one after the other and in parallel", theirs: "none", runs: kinesisDone,
	},
	{
		library: typescript, file: "BatchProcessor.test.ts", test: "Kinesis Records: completes processing with some failures",
		shows: "the failed ones of three are listed", theirs: "1 3", runs: kinesisSome, reason: stops,
	},
	{
		library: typescript, file: "BatchProcessor.test.ts", test: "Kinesis Records: completes processing with all failures",
		shows: "all failed is an error", theirs: "error", runs: kinesisAll, reason: allFailed,
	},
	{
		library: typescript, file: "BatchProcessor.test.ts", test: "DynamoDB Records: completes processing with no failures",
		shows: "all done, one after the other and in parallel", theirs: "none", runs: changesDone,
	},
	{
		library: typescript, file: "BatchProcessor.test.ts", test: "DynamoDB Records: completes processing with some failures",
		shows: "the failed ones of three are listed", theirs: "1 3", runs: changesSome, reason: stops,
	},
	{
		library: typescript, file: "BatchProcessor.test.ts", test: "DynamoDB Records: completes processing with all failures",
		shows: "all failed is an error", theirs: "error", runs: changesAll, reason: allFailed,
	},
	{
		library: typescript, file: "BatchProcessor.test.ts", test: "passes the context to the record handler",
		shows: "the function has the context", theirs: "none", runs: queueDone, ours: []string{"TestARecordHasItsOwnContext"},
	},
	{
		library: typescript, file: "BatchProcessor.test.ts", test: "throws an error when passing an invalid context object",
		shows: "an object that is no context fails each record", reason: typed,
	},
	{
		library: typescript, file: "BatchProcessor.test.ts", test: "throws an error when the sync process method is called",
		shows: "a method that the class does not have", reason: noClasses,
	},
	{
		library: typescript, file: "SqsFifoPartialProcessor.test.ts", test: "completes processing with no failures",
		shows: "two messages of a FIFO queue, both done", theirs: "none", runs: fifoDone,
	},
	{
		library: typescript, file: "SqsFifoPartialProcessor.test.ts", test: "completes processing with some failures",
		shows: "what follows a failure does not run, and is listed", theirs: "2 3", runs: fifoOneGroup,
	},
	{
		library: typescript, file: "SqsFifoPartialProcessor.test.ts", test: "continues processing and moves to the next group when `skipGroupOnError` is true",
		shows: "the rest of a group is listed, and other groups run", theirs: "1 2 3 4", runs: fifoFirst,
	},
	{
		library: typescript, file: "SqsFifoPartialProcessor.test.ts", test: "short circuits on the first failure when `skipGroupOnError` is false",
		shows: "a failure stops the groups behind it as well", theirs: "2 3 4", runs: fifoFour, ours: []string{"TestGroupsRunSideBySideAndInOrder"}, reason: groups,
	},
	{
		library: typescript, file: "SqsFifoPartialProcessor.test.ts", test: "outside the loop: continues processing and moves to the next group when `skipGroupOnError` is true",
		shows: "a group that failed runs in the next event", ours: []string{"TestAHandlerKeepsNothingBetweenEvents"},
	},
	{
		library: typescript, file: "concurrency/BatchProcessingStore.test.ts", test: "returns empty defaults when not initialized",
		shows: "a store without an invocation is empty", reason: noStore,
	},
	{
		library: typescript, file: "concurrency/BatchProcessingStore.test.ts", test: "isolates records per invocation",
		shows: "invocations side by side do not see each other's", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "concurrency/BatchProcessingStore.test.ts", test: "isolates failure messages per invocation",
		shows: "invocations side by side do not see each other's", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "concurrency/BatchProcessingStore.test.ts", test: "isolates errors per invocation",
		shows: "invocations side by side do not see each other's", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "concurrency/BatchProcessingStore.test.ts", test: "throws error when getRecords is called with AWS_LAMBDA_MAX_CONCURRENCY set but InvokeStore is not available",
		shows: "a store that needs another package", reason: noStore,
	},
	{
		library: typescript, file: "concurrency/BatchProcessingStore.test.ts", test: "throws error when setRecords is called with AWS_LAMBDA_MAX_CONCURRENCY set but InvokeStore is not available",
		shows: "a store that needs another package", reason: noStore,
	},
	{
		library: typescript, file: "concurrency/BatchProcessor.test.ts", test: "processes correct records per invocation",
		shows: "invocations side by side do not see each other's", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "concurrency/BatchProcessor.test.ts", test: "calls correct handler per invocation",
		shows: "invocations side by side do not see each other's", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "concurrency/BatchProcessor.test.ts", test: "tracks failures independently per invocation",
		shows: "invocations side by side do not see each other's", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "concurrency/BatchProcessor.test.ts", test: "isolates use of prepare method across invocations",
		shows: "invocations side by side do not see each other's", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "concurrency/SqsFifoPartialProcessor.test.ts", test: "processes correct records per invocation",
		shows: "invocations side by side do not see each other's groups", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "concurrency/SqsFifoPartialProcessor.test.ts", test: "calls correct handler per invocation",
		shows: "invocations side by side do not see each other's groups", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "concurrency/SqsFifoPartialProcessor.test.ts", test: "tracks failures and short-circuits independently per invocation",
		shows: "invocations side by side do not see each other's groups", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "concurrency/SqsFifoPartialProcessor.test.ts", test: "skips failed group but processes other groups independently",
		shows: "invocations side by side do not see each other's groups", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "concurrency/SqsFifoProcessorStore.test.ts", test: "throws error when AWS_LAMBDA_MAX_CONCURRENCY is set but InvokeStore is not available",
		shows: "a store that needs another package", reason: noStore,
	},
	{
		library: typescript, file: "concurrency/SqsFifoProcessorStore.test.ts", test: "throws error when getting current group id with InvokeStore unavailable",
		shows: "a store that needs another package", reason: noStore,
	},
	{
		library: typescript, file: "concurrency/SqsFifoProcessorStore.test.ts", test: "throws error when setting current group id with InvokeStore unavailable",
		shows: "a store that needs another package", reason: noStore,
	},
	{
		library: typescript, file: "concurrency/SqsFifoProcessorStore.test.ts", test: "throws error when clearing failed group ids with InvokeStore unavailable",
		shows: "a store that needs another package", reason: noStore,
	},
	{
		library: typescript, file: "concurrency/SqsFifoProcessorStore.test.ts", test: "lazily initializes failedGroupIds independently",
		shows: "invocations side by side do not see each other's groups", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "concurrency/SqsFifoProcessorStore.test.ts", test: "isolates currentGroupId per invocation",
		shows: "invocations side by side do not see each other's groups", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "concurrency/SqsFifoProcessorStore.test.ts", test: "clears failedGroupIds independently per invocation",
		shows: "invocations side by side do not see each other's groups", ours: []string{"TestInvocationsSideBySideShareNothing", "TestManyInvocationsAtOnce"}, reason: noStore,
	},
	{
		library: typescript, file: "parsing.test.ts", test: "uses a custom logger when provided",
		shows: "a schema of another library fails all, and is logged", ours: []string{"TestWrongArrangementsAreRefused"}, reason: typed,
	},
	{
		library: typescript, file: "parsing.test.ts", test: "completes processing with failures if the schema is not passed for the parsing",
		shows: "no schema fails all", ours: []string{"TestWrongArrangementsAreRefused"}, reason: typed,
	},
	{
		library: typescript, file: "parsing.test.ts", test: "does not log debug logs if the lambda log level is set to higher than INFO",
		shows: "a level that hides why a document was refused", ours: []string{"TestNoBodyIsLogged"}, reason: logs,
	},
	{
		library: typescript, file: "parsing.test.ts", test: "reports the parsing error if the record does not conform to the schema",
		shows: "the reason names the place and no value", theirs: "1", runs: documentRefused, ours: []string{"TestTheDocumentOfARecordIsDecodedStrictly"},
	},
	{
		library: typescript, file: "parsing.test.ts", test: "processes SQS records with a schema",
		shows: "full, inner, and inner with a transformer", theirs: "none", runs: documentDone,
	},
	{
		library: typescript, file: "parsing.test.ts", test: "processes Kinesis records with a schema",
		shows: "full, inner, and inner with a transformer", theirs: "none", runs: kinesisDocumentDone,
	},
	{
		library: typescript, file: "parsing.test.ts", test: "processes DynamoDB records with a schema",
		shows: "full, inner, and inner with a transformer", theirs: "none", runs: changesDone, reason: noDocument,
	},
	{
		library: typescript, file: "processPartialResponse.test.ts", test: "Process partial response function call with asynchronous handler",
		shows: "two messages, both done", theirs: "none", runs: queueDone,
	},
	{
		library: typescript, file: "processPartialResponse.test.ts", test: "Process partial response function call with context provided",
		shows: "the function has the context", theirs: "none", runs: queueDone, ours: []string{"TestARecordHasItsOwnContext"},
	},
	{
		library: typescript, file: "processPartialResponse.test.ts", test: "Process partial response function call with asynchronous handler for full batch failure",
		shows: "all failed is an error", theirs: "error", runs: queueAll, reason: allFailed,
	},
	{
		library: typescript, file: "processPartialResponse.test.ts", test: "Process partial response function call with asynchronous handler for full batch failure when `throwOnFullBatchFailure` is `true`",
		shows: "all failed is an error on demand", theirs: "error", runs: queueError,
	},
	{
		library: typescript, file: "processPartialResponse.test.ts", test: "Process partial response function call with asynchronous handler for full batch failure when `throwOnFullBatchFailure` is `false`",
		shows: "all failed is a list on demand", theirs: "1 2", runs: queueList,
	},
	{
		library: typescript, file: "processPartialResponse.test.ts", test: "Process partial response through handler with SQS event",
		shows: "all done", theirs: "none", runs: queueDone, ours: []string{"TestSamplesOfEverySource"},
	},
	{
		library: typescript, file: "processPartialResponse.test.ts", test: "Process partial response through handler with Kinesis event",
		shows: "all done", theirs: "none", runs: kinesisDone, ours: []string{"TestSamplesOfEverySource"},
	},
	{
		library: typescript, file: "processPartialResponse.test.ts", test: "Process partial response through handler with DynamoDB event",
		shows: "all done", theirs: "none", runs: changesDone, ours: []string{"TestSamplesOfEverySource"},
	},
	{
		library: typescript, file: "processPartialResponse.test.ts", test: "Process partial response through handler for SQS records with incorrect event type",
		shows: "no list of records is an error", theirs: "error", runs: noList, ours: []string{"TestBadInput"},
	},
	{
		library: typescript, file: "processPartialResponse.test.ts", test: "Process partial response through handler with context provided",
		shows: "the function has the context", theirs: "none", runs: queueDone, ours: []string{"TestARecordHasItsOwnContext"},
	},
	{
		library: typescript, file: "processPartialResponse.test.ts", test: "Process partial response through handler for full batch failure",
		shows: "all failed is an error", theirs: "error", runs: queueAll, reason: allFailed,
	},
	{
		library: typescript, file: "processPartialResponse.test.ts", test: "Process partial response through handler for full batch failure when `throwOnFullBatchFailure` is `true`",
		shows: "all failed is an error on demand", theirs: "error", runs: queueError,
	},
	{
		library: typescript, file: "processPartialResponse.test.ts", test: "Process partial response through handler for full batch failure when `throwOnFullBatchFailure` is `false`",
		shows: "all failed is a list on demand", theirs: "1 2", runs: queueList,
	},
	{
		library: typescript, file: "../e2e/sqsStandard.test.ts", test: "processes mixed success and failure messages correctly",
		shows: "two of four messages of a real queue are listed", theirs: "2 4", runs: queueMixed,
	},
}

// Each published test has our outcome beside it, or a test of ours, or a reason.
func TestPublishedTestsOfPowertools(t *testing.T) {
	ours := testsOfThisPackage(t)
	seen, count := map[string]bool{}, map[string]int{}
	for _, p := range publishedTests {
		key := p.library + "/" + p.file + "/" + p.test
		if seen[key] {
			t.Errorf("got %s twice", key)
		}
		seen[key] = true
		count[p.library]++
		t.Run(key, func(t *testing.T) {
			if len(p.runs) == 0 && len(p.ours) == 0 && p.reason == "" {
				t.Error("got neither a run nor a test nor a reason")
			}
			if p.shows == "" || (p.theirs == "") != (len(p.runs) == 0) {
				t.Error("got no outcome of theirs beside ours, or ours beside theirs")
			}
			for _, name := range p.ours {
				if !ours[name] {
					t.Errorf("got no test %s in this package", name)
				}
			}
			for _, r := range p.runs {
				for _, n := range []int{1, 8} {
					if got := r.outcome(t, n); got != r.want {
						t.Errorf("%d at a time: got %s, want %s", n, got, r.want)
					}
				}
				same := r.want == p.theirs || p.theirs == "error" && strings.HasPrefix(r.want, "error ")
				if !same && p.reason == "" {
					t.Errorf("got the outcome %s, theirs is %s, and there is no reason", r.want, p.theirs)
				}
			}
		})
	}
	if count[python] != pythonTests || count[typescript] != typescriptTests {
		t.Errorf("got %v tests, want %d and %d", count, pythonTests, typescriptTests)
	}
}

// testsOfThisPackage returns the names of its tests, read from its files.
func testsOfThisPackage(t *testing.T) map[string]bool {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				names[fn.Name.Name] = true
			}
		}
	}
	return names
}

// outcome runs the records, n at a time.
func (r run) outcome(t *testing.T, n int) string {
	t.Helper()
	opts := slices.Concat(r.opts, []batch.Option{batch.Concurrency(n)})
	h := sourceNamed(r.source).handler(func(ctx context.Context) error {
		if info, _ := batch.RecordFrom(ctx); r.fails(info.ID) {
			return guard.Reason("failed to process the record")
		}
		return nil
	}, opts...)
	if r.decodes {
		h = documents(r.source, opts)
	}
	out, err := h.Invoke(t.Context(), []byte(r.payload()))
	var e *guard.Error
	switch {
	case errors.As(err, &e):
		return "error " + e.Code
	case err != nil:
		return err.Error()
	}
	return listed(out)
}

// documents is a handler that decodes what a record carries.
func documents(source string, opts []batch.Option) lambda.Handler {
	type order struct {
		Item struct {
			Type string `json:"type"`
		} `json:"item"`
	}
	book := func(_ context.Context, in order) error {
		if in.Item.Type == "fail" {
			return guard.Reason("failed to process the record")
		}
		return nil
	}
	switch strict := guard.RejectUnknownMembers(); source {
	case "SQS":
		return batch.SQS(batch.JSON[events.SQSMessage](book, strict), opts...)
	case "Kinesis":
		return batch.Kinesis(batch.JSON[events.KinesisEventRecord](book, strict), opts...)
	default:
		return batch.Kafka(batch.JSON[events.KafkaRecord](book, strict), opts...)
	}
}

// fails reports whether a record is one that fails.
func (r run) fails(id string) bool {
	for i := range r.records {
		if _, outcome := r.record(i); r.id(i) == id {
			return outcome == "fail"
		}
	}
	return false
}

// record returns the group and the outcome of a record, or a document.
func (r run) record(i int) (group, outcome string) {
	if r.decodes {
		return fmt.Sprint("group-", i), r.records[i]
	}
	group, outcome, grouped := strings.Cut(r.records[i], "=")
	if !grouped {
		return "", group
	}
	return group, outcome
}

// id is the id of a record: 1 is the first one. Those of Kafka have the offsets of
// their partition, from 0.
func (r run) id(i int) string {
	if r.source != "Kafka" {
		return fmt.Sprint(i + 1)
	}
	partition, offset := r.partition(i), 0
	for j := range i {
		if r.partition(j) == partition {
			offset++
		}
	}
	return fmt.Sprintf("%s:%d", partition, offset)
}

func (r run) partition(i int) string {
	if r.decodes {
		return "mytopic-0"
	}
	group, _ := r.record(i)
	return group
}

// payload is the event.
func (r run) payload() string {
	if r.event != "" {
		return r.event
	}
	e := sample.Of(sourceNamed(r.source).trigger)
	switch r.source {
	case "SQS":
		e = e.Messages(r.records...)
	case "Kinesis":
		e = e.Messages(r.records...)
	case "DynamoDB":
		e = e.Repeat(len(r.records))
	default:
		return r.kafka(e)
	}
	for i := range r.records {
		group, _ := r.record(i)
		at := fmt.Sprintf("/Records/%d/", i)
		switch r.source {
		case "SQS":
			e = e.Set(at+"messageId", r.id(i))
			if r.fifo {
				e = e.Set(at+"eventSourceARN", fifoARN).Set(at+"attributes/MessageGroupId", group)
			}
		case "Kinesis":
			e = e.Set(at+"kinesis/sequenceNumber", r.id(i)).Set(at+"kinesis/partitionKey", group)
		default:
			e = e.Set(at+"dynamodb/SequenceNumber", r.id(i)).Set(at+"dynamodb/Keys/id/S", group)
		}
	}
	return e.String()
}

func (r run) kafka(e sample.Event) string {
	partitions := map[string][]any{}
	for i := range r.records {
		partition := r.partition(i)
		at := strings.LastIndex(partition, "-")
		partitions[partition] = append(partitions[partition], map[string]any{
			"topic": partition[:at], "partition": json.Number(partition[at+1:]), "offset": len(partitions[partition]), "value": []byte(r.records[i]),
		})
	}
	return e.Set("/records", partitions).String()
}

// What failed in one event is not known in the next.
func TestAHandlerKeepsNothingBetweenEvents(t *testing.T) {
	j := &journal{}
	h := batch.SQS(func(_ context.Context, m events.SQSMessage) error {
		j.add(m.Body)
		return outcome(m.Body)
	})
	for _, step := range []struct {
		event      []byte
		want, then string
	}{
		{event: queueEvent(fifoARN, message{"fail", "1"}, message{"ok", "1"}, message{"first", "2"}), want: "m0 m1", then: "fail first"},
		{event: queueEvent(fifoARN, message{"again", "1"}), want: "none", then: "fail first again"},
		{event: queueEvent(fifoARN, message{"fail", "1"}, message{"ok", "1"}), want: "m0 m1", then: "fail first again fail"},
		{event: queueEvent(fifoARN, message{"fail", "1"}, message{"ok", "1"}), want: "m0 m1", then: "fail first again fail fail"},
	} {
		if got := invoke(t, h, step.event); got != step.want || j.String() != step.then {
			t.Errorf("got the failures %s after %s, want %s after %s", got, j, step.want, step.then)
		}
	}
}

// Two invocations of one handler that are both under way see their own records,
// groups and failures.
func TestInvocationsSideBySideShareNothing(t *testing.T) {
	var both sync.WaitGroup // are in their first record
	both.Add(2)
	h := batch.SQS(func(_ context.Context, m events.SQSMessage) error {
		if m.MessageId == "m0" {
			both.Done()
			both.Wait()
		}
		return outcome(m.Body)
	})
	for _, arn := range []string{queueARN, fifoARN} {
		both = sync.WaitGroup{}
		both.Add(2)
		var answers [2]string
		var wg sync.WaitGroup
		for i, first := range []string{"fail", "ok"} {
			wg.Go(func() {
				out, err := h.Invoke(t.Context(), queueEvent(arn, message{first, "1"}, message{"ok", "1"}, message{"ok", "2"}))
				if err != nil {
					t.Error(err)
				}
				answers[i] = listed(out)
			})
		}
		wg.Wait()
		want := [2]string{"m0", "none"}
		if arn == fifoARN {
			want[0] = "m0 m1"
		}
		if answers != want {
			t.Errorf("%s: got the failures %q, want %q", arn, answers, want)
		}
	}
}

// What did not run behind a failure of its group has no line in the log.
func TestWhatFollowsAFailureIsNotLoggedAsOne(t *testing.T) {
	var log strings.Builder
	h := guard.Wrap(batch.SQS((&journal{}).handle), guard.Default(logging.New(&log)))
	if got := invoke(t, h, queueEvent(fifoARN, message{"ok", "1"}, message{"fail", "1"}, message{"ok", "1"})); got != "m1 m2" {
		t.Errorf("got the failures %s, want m1 m2", got)
	}
	if strings.Count(log.String(), "record failed") != 1 || !strings.Contains(log.String(), `"recordId":"m1"`) || strings.Contains(log.String(), `"recordId":"m2"`) {
		t.Errorf("got %s, want one line of a record, m1", log.String())
	}
}

// The function sees a record of Kafka as the event has it.
func TestARecordOfKafkaIsAsItCame(t *testing.T) {
	e := sample.Of(guard.Kafka).Set("/records", map[string]any{"test-topic-5": []any{sample.Of(guard.Kafka).
		Set("/records/orders-0/0/topic", "test-topic").Set("/records/orders-0/0/partition", 5).Set("/records/orders-0/0/offset", 100).
		Get("/records/orders-0/0")}})
	var got events.KafkaRecord
	h := batch.Kafka(func(_ context.Context, r events.KafkaRecord) error {
		got = r
		return nil
	})
	invoke(t, h, e.Bytes())
	var want events.KafkaEvent
	if err := json.Unmarshal(e.Bytes(), &want); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want.Records["test-topic-5"][0]) || got.Offset != 100 || got.Partition != 5 || got.Timestamp.UnixMilli() != 1584040590390 {
		t.Errorf("got %+v, want %+v", got, want.Records["test-topic-5"][0])
	}
}
