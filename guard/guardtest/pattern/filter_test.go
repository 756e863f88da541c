package pattern_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
)

func sqsRecord(body string) string {
	return `{"messageId":"059f36b4","receiptHandle":"AQEB","body":` + strconv.Quote(body) + `,"attributes":{"ApproximateReceiveCount":"1"},
	"messageAttributes":{"kind":{"stringValue":"order","dataType":"String"}},"eventSource":"aws:sqs","awsRegion":"us-east-2"}`
}

func b64(data string) string { return base64.StdEncoding.EncodeToString([]byte(data)) }

func kinesisRecord(data string) string {
	return `{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"1","sequenceNumber":"49590338","data":"` + b64(data) + `"},
	"eventSource":"aws:kinesis","eventName":"aws:kinesis:record"}`
}

func kafkaRecord(key, value string) string {
	return `{"topic":"mytopic","partition":0,"offset":15,"timestamp":1545084650987,"key":"` + b64(key) + `","value":"` + b64(value) + `","headers":[]}`
}

const table = `{"eventID":"1","eventName":"INSERT","dynamodb":{"Keys":{"CustomerName":{"S":"AnyCompany Industries"},"Number":{"N":"4567"}},
	"NewImage":{"AccountManager":{"S":"Pat Candella"},"Organizations":{"L":[{"S":"Sales"},{"S":"Support"}]}},
	"OldImage":{"AccountManager":{"S":"Terry Whitlock"}},"SequenceNumber":"111","SizeBytes":26}}`

// The examples and the tables of formats of Lambda's pages on filtering, what LocalStack's
// tests have recorded of mappings, and what follows from them.
func TestFilters(t *testing.T) {
	for _, c := range []struct {
		name     string
		source   pattern.Source
		patterns []string
		record   string
		want     bool
	}{
		{"SQS: no filters", pattern.SQS, nil, sqsRecord("any"), true},
		{"SQS: the guide's example", pattern.SQS, []string{`{"body":{"RequestCode":["BBBB"]}}`}, sqsRecord(`{"RecordNumber":1234,"RequestCode":"BBBB"}`), true},
		{"SQS: the guide's example, another code", pattern.SQS, []string{`{"body":{"RequestCode":["BBBB"]}}`}, sqsRecord(`{"RecordNumber":1234,"RequestCode":"AAAA"}`), false},
		{"SQS: plain, pattern plain", pattern.SQS, []string{`{"body":["hello"]}`}, sqsRecord("hello"), true},
		{"SQS: plain, pattern plain and other", pattern.SQS, []string{`{"body":[{"anything-but":"hello"}]}`}, sqsRecord("hello"), false},
		{"SQS: plain, no pattern for body", pattern.SQS, []string{`{"messageAttributes":{"kind":{"stringValue":["order"]}}}`}, sqsRecord("hello"), true},
		{"SQS: plain, no pattern for body, no match", pattern.SQS, []string{`{"messageAttributes":{"kind":{"stringValue":["bill"]}}}`}, sqsRecord("hello"), false},
		{"SQS: plain, pattern JSON", pattern.SQS, []string{`{"body":{"a":[{"exists":false}]}}`}, sqsRecord("hello"), false},
		{"SQS: JSON, pattern plain", pattern.SQS, []string{`{"body":[{"exists":false}]}`}, sqsRecord(`{"a":1}`), false},
		{"SQS: JSON, no pattern for body", pattern.SQS, []string{`{"awsRegion":["us-east-2"]}`}, sqsRecord(`{"a":1}`), true},
		{"SQS: JSON, pattern JSON", pattern.SQS, []string{`{"body":{"a":[1]}}`}, sqsRecord(`{"a":1}`), true},
		{"SQS: a JSON array", pattern.SQS, []string{`{"body":{"a":[1]}}`}, sqsRecord(`[{"a":2},{"a":1}]`), true},
		{"SQS: JSON that is decoded", pattern.SQS, []string{`{"body":{"a":[1]}}`}, `{"body":{"a":1}}`, true},
		{"SQS: a number is a plain text", pattern.SQS, []string{`{"body":["42"]}`}, sqsRecord(`42`), true},
		{"SQS: the second filter", pattern.SQS, []string{`{"body":["hello"]}`, `{"body":{"a":[1]}}`}, sqsRecord(`{"a":1}`), true},
		{"SQS: one alternative fits the format", pattern.SQS, []string{`{"$or":[{"body":["hello"]},{"body":{"a":[1]}}]}`}, sqsRecord(`hello`), true},
		{"SQS: one alternative fits the other format", pattern.SQS, []string{`{"$or":[{"body":["hello"]},{"body":{"a":[1]}}]}`}, sqsRecord(`{"a":1}`), true},

		{"Kinesis: both kinds of properties", pattern.Kinesis, []string{`{"partitionKey":["1"],"data":{"Location":["Los Angeles"]}}`}, kinesisRecord(`{"Location":"Los Angeles"}`), true},
		{"Kinesis: a range", pattern.Kinesis, []string{`{"data":{"Temperature":[{"numeric":[">",50,"<=",60]}]}}`}, kinesisRecord(`{"Temperature":50}`), false},
		{"Kinesis: the record's own field", pattern.Kinesis, []string{`{"eventSource":["aws:kinesis"]}`}, kinesisRecord(`{}`), true},
		{"Kinesis: not JSON, pattern JSON", pattern.Kinesis, []string{`{"data":{"a":[{"exists":false}]}}`}, kinesisRecord(`hello`), false},
		{"Kinesis: not UTF-8, pattern JSON", pattern.Kinesis, []string{`{"data":{"a":[{"exists":false}]}}`}, kinesisRecord("\xff\xfe"), false},
		{"Kinesis: not JSON, no pattern for data", pattern.Kinesis, []string{`{"partitionKey":["1"]}`}, kinesisRecord(`hello`), true},
		{"Kinesis: not JSON, no pattern for data, no match", pattern.Kinesis, []string{`{"partitionKey":["2"]}`}, kinesisRecord(`hello`), false},
		{"Kinesis: JSON, no pattern for data", pattern.Kinesis, []string{`{"partitionKey":["1"]}`}, kinesisRecord(`{"a":1}`), true},

		{"DynamoDB: a key", pattern.DynamoDB, []string{`{"dynamodb":{"Keys":{"CustomerName":{"S":["AnyCompany Industries"]}}}}`}, table, true},
		{"DynamoDB: an attribute", pattern.DynamoDB, []string{`{"dynamodb":{"NewImage":{"AccountManager":{"S":["Pat Candella","Shirley Rodriguez"]}}}}`}, table, true},
		{
			"DynamoDB: and, as the guide writes it", pattern.DynamoDB,
			[]string{`{"dynamodb":{"NewImage":{"AccountManager":{"S":["Pat Candella"]}}},"dynamodb":{"OldImage":{"AccountManager":{"S":["Terry Whitlock"]}}}}`},
			table, true,
		},
		{"DynamoDB: numbers are strings", pattern.DynamoDB, []string{`{"dynamodb":{"Keys":{"Number":{"N":[{"numeric":[">",1]}]}}}}`}, table, false},
		{"DynamoDB: exists of an object", pattern.DynamoDB, []string{`{"dynamodb":{"NewImage":{"Organizations":[{"exists":true}]}}}`}, table, false},
		{"DynamoDB: exists of a leaf", pattern.DynamoDB, []string{`{"dynamodb":{"NewImage":{"Organizations":{"L":{"S":[{"exists":true}]}}}}}`}, table, true},
		{"DynamoDB: the kind of change", pattern.DynamoDB, []string{`{"eventName":["MODIFY","REMOVE"]}`}, table, false},

		{"DynamoDB: recorded, an insert", pattern.DynamoDB, []string{`{"eventName":["INSERT"]}`}, table, true},
		{"DynamoDB: recorded, one of two changes", pattern.DynamoDB, []string{`{"eventName":["INSERT","MODIFY"]}`}, table, true},
		{"DynamoDB: recorded, an attribute without its type", pattern.DynamoDB, []string{`{"dynamodb":{"NewImage":{"AccountManager":["Pat Candella"]}}}`}, table, false},
		{"DynamoDB: recorded, an attribute that is no leaf", pattern.DynamoDB, []string{`{"dynamodb":{"NewImage":{"AccountManager":[{"exists":false}]}}}`}, table, true},
		{"DynamoDB: recorded, a number or not one text", pattern.DynamoDB, []string{`{"dynamodb":{"Keys":{"Number":{"N":[{"numeric":[">",100]},{"anything-but":"101"}]}}}}`}, table, true},
		{"DynamoDB: recorded, a number that is one", pattern.DynamoDB, []string{`{"dynamodb":{"SizeBytes":[{"numeric":[">",0]}]}}`}, table, true},
		{"SQS: recorded, and", pattern.SQS, []string{`{"body":{"a":["other","x"],"b":["y"]}}`}, sqsRecord(`{"a":"x","b":"y"}`), true},
		{"SQS: recorded, one of two", pattern.SQS, []string{`{"body":{"a":["other","x"],"b":["y"]}}`}, sqsRecord(`{"a":"other-","b":"y"}`), false},
		{"SQS: recorded, a range", pattern.SQS, []string{`{"body":{"n":[{"numeric":[">=",100,"<",200]}]}}`}, sqsRecord(`{"n":100}`), true},
		{"SQS: recorded, out of a range", pattern.SQS, []string{`{"body":{"n":[{"numeric":[">=",100,"<",200]}]}}`}, sqsRecord(`{"n":200}`), false},
		{"SQS: recorded, plain and pattern JSON", pattern.SQS, []string{`{"body":{"a":["x"]}}`}, sqsRecord(`plain-string`), false},

		{"Kafka: a prefix", pattern.Kafka, []string{`{"value":{"device_ID":[{"prefix":"AB"}]}}`}, kafkaRecord("k", `{"device_ID":"AB1234","session":{"duration":162}}`), true},
		{"Kafka: another prefix", pattern.Kafka, []string{`{"value":{"device_ID":[{"prefix":"AC"}]}}`}, kafkaRecord("k", `{"device_ID":"AB1234"}`), false},
		{"Kafka: plain, pattern plain", pattern.Kafka, []string{`{"value":[{"anything-but":["error"]}]}`}, kafkaRecord("k", "error"), false},
		{"Kafka: plain, pattern plain and match", pattern.Kafka, []string{`{"value":[{"anything-but":["error"]}]}`}, kafkaRecord("k", "fine"), true},
		{"Kafka: plain, pattern JSON", pattern.Kafka, []string{`{"value":{"a":[1]}}`}, kafkaRecord("k", "hello"), true},
		{"Kafka: plain, pattern JSON, and metadata", pattern.Kafka, []string{`{"topic":["other"],"value":{"a":[1]}}`}, kafkaRecord("k", "hello"), false},
		{"Kafka: JSON, pattern plain", pattern.Kafka, []string{`{"value":["hello"]}`}, kafkaRecord("k", `{"a":1}`), true},
		{"Kafka: plain, no pattern for value", pattern.Kafka, []string{`{"topic":["mytopic"]}`}, kafkaRecord("k", "hello"), true},
		{"Kafka: not UTF-8, pattern plain", pattern.Kafka, []string{`{"value":["hello"]}`}, kafkaRecord("k", "\xff\xfe"), true},
		{"Kafka: not UTF-8, pattern JSON", pattern.Kafka, []string{`{"topic":["mytopic"],"value":{"a":[1]}}`}, kafkaRecord("k", "\xff\xfe"), true},
		{"Kafka: the key", pattern.Kafka, []string{`{"key":["k"],"value":{"a":[1]}}`}, kafkaRecord("k", `{"a":1}`), true},
		{"Kafka: another key", pattern.Kafka, []string{`{"key":["l"],"value":{"a":[1]}}`}, kafkaRecord("k", `{"a":1}`), false},
		{"Kafka: no value", pattern.Kafka, []string{`{"value":[null]}`}, `{"topic":"t","value":null}`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			criteria := struct{ Filters []map[string]string }{}
			for _, p := range c.patterns {
				criteria.Filters = append(criteria.Filters, map[string]string{"Pattern": p})
			}
			document, err := json.Marshal(criteria)
			if err != nil {
				t.Fatal(err)
			}
			f, err := pattern.ParseFilterCriteria(c.source, document)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Match([]byte(c.record))
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("got %t, want %t: %s on %s", got, c.want, c.patterns, c.record)
			}
		})
	}
}

func TestNoFilterLetsEverythingPass(t *testing.T) {
	var none *pattern.Filter
	empty, err := pattern.ParseFilterCriteria(pattern.SQS, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]*pattern.Filter{"nil": none, "empty": empty} {
		if got, err := f.Match([]byte(sqsRecord("x"))); !got || err != nil {
			t.Errorf("%s: got %t and %v, want true", name, got, err)
		}
	}
}

func TestRefusedFilters(t *testing.T) {
	for _, c := range []struct {
		name     string
		source   pattern.Source
		patterns []string
		want     string
	}{
		{"no such source", "MQ", nil, `there is no source "MQ"`},
		{"eleven", pattern.SQS, strings.Split(strings.Repeat(`{"a":["x"]} `, 11), " ")[:11], "11 filters are over Lambda's limit of 10"},
		{"a pattern that is none", pattern.SQS, []string{`{"a":["x"]}`, `{"a":"x"}`}, "filter 1: a: must be an array or an object, not a string"},
		{"a wildcard", pattern.SQS, []string{`{"body":{"a":[{"wildcard":"*"}]}}`}, "filter 0: body.a: event source mappings have no operator wildcard"},
		{"anything but a prefix", pattern.SQS, []string{`{"body":{"a":[{"anything-but":{"prefix":"x"}}]}}`}, "event source mappings have no operator anything-but.prefix"},
		{"a text in Kinesis", pattern.Kinesis, []string{`{"data":["hello"]}`}, "filter 0: data: must be an object, since Kinesis takes JSON there"},
		{"a text in one alternative", pattern.Kinesis, []string{`{"$or":[{"data":["hello"]},{"partitionKey":["1"]}]}`}, "data: must be an object"},
		{"a text in DynamoDB", pattern.DynamoDB, []string{`{"dynamodb":["hello"]}`}, "dynamodb: must be an object, since DynamoDB takes JSON there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := pattern.NewFilter(c.source, c.patterns...)
			if err == nil || !strings.HasPrefix(err.Error(), "pattern: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want pattern: …%s", err, c.want)
			}
		})
	}
	for _, c := range []struct{ name, criteria, want string }{
		{"not JSON", `{"Filters":`, "FilterCriteria is not JSON"},
		{"another form", `{"Filters":{"Pattern":"{}"}}`, "FilterCriteria is not JSON of its form"},
		{"no pattern", `{"Filters":[{"Pattern":"{\"a\":[1]}"},{}]}`, "filter 1: Pattern is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := pattern.ParseFilterCriteria(pattern.SQS, []byte(c.criteria))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestRecordsThatAreNone(t *testing.T) {
	for _, c := range []struct {
		name   string
		source pattern.Source
		record string
		want   string
	}{
		{"not JSON", pattern.SQS, `secret`, "record is not JSON"},
		{"a list", pattern.SQS, `["secret"]`, "a record is an object, not an array"},
		{"no body", pattern.SQS, `{"secret":1}`, "the record has no body"},
		{"a body that is no string", pattern.SQS, `{"body":true}`, "body of the record must be a string, not a boolean"},
		{"no kinesis", pattern.Kinesis, `{"data":"secret"}`, "the record has no object kinesis"},
		{"data that is not base64", pattern.Kinesis, `{"kinesis":{"data":"secret!"}}`, "data of the record: is not base64"},
		{"no dynamodb", pattern.DynamoDB, `{"dynamodb":"secret"}`, "the record has no object dynamodb"},
		{"a value that is a number", pattern.Kafka, `{"value":5}`, "value of the record must be a string, not a number"},
		{"a key that is not base64", pattern.Kafka, `{"value":"","key":"secret!"}`, "key of the record: is not base64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := pattern.MustFilter(c.source, `{"a":["x"]}`).Match([]byte(c.record))
			if got || err == nil || !strings.HasPrefix(err.Error(), "pattern: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %t and %v, want an error with %q", got, err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error quotes the record: %v", err)
			}
		})
	}
}

func TestMustFilterPanics(t *testing.T) {
	defer func() {
		if v := recover(); v == nil || !strings.HasPrefix(fmt.Sprint(v), "pattern: filter 0: ") {
			t.Errorf("got %v, want a panic with the package's name", v)
		}
	}()
	pattern.MustFilter(pattern.SQS, `{}`)
}
