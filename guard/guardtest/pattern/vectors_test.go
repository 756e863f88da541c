package pattern_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lambdarmor/lambdarmor/guard/guardtest/pattern"
)

type vector struct {
	name    string
	pattern string
	event   string
	want    bool
}

func hold(t *testing.T, vectors []vector) {
	t.Helper()
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			p, err := pattern.Parse(v.pattern)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Match([]byte(v.event))
			if err != nil {
				t.Fatal(err)
			}
			if got != v.want {
				t.Errorf("got %t, want %t: %s on %s", got, v.want, v.pattern, v.event)
			}
		})
	}
}

// of is one leaf condition and one value, both of the field detail.x.
func of(name, condition, value string, want bool) vector {
	return vector{
		name:    name,
		pattern: `{"detail":{"x":[` + condition + `]}}`,
		event:   `{"source":"test","detail":{"x":` + value + `}}`,
		want:    want,
	}
}

const ec2 = `{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718",
	"detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","account":"111122223333",
	"time":"2017-10-02T16:24:49Z","region":"us-west-1",
	"resources":["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"],
	"detail":{"instance-id":"i-1234567890abcdef0","state":"running","c-count":5,"d-count":3,"x-limit":301.8,
	"source-ip":"10.0.0.33"}}`

const scaling = `{"detail-type":"EC2 Instance Launch Successful","source":"aws.autoscaling","resources":[],
	"detail":{"eventVersion":"","responseElements":null}}`

// The examples of the EventBridge user guide: eb-event-patterns, eb-create-pattern,
// eb-create-pattern-operators and the pages on arrays and null values.
func TestTheUserGuidesExamples(t *testing.T) {
	hold(t, []vector{
		{"fields at several depths", `{"source":["aws.ec2"],"detail-type":["EC2 Instance State-change Notification"],"detail":{"state":["running"]}}`, ec2, true},
		{"another state", `{"source":["aws.ec2"],"detail":{"state":["terminated"]}}`, ec2, false},
		{"one of two values", `{"source":["aws.ec2","aws.fargate"]}`, ec2, true},
		{"a field that the event lacks", `{"source":["aws.ec2"],"detail":{"missing":["x"]}}`, ec2, false},
		{"null", `{"source":["aws.autoscaling"],"detail":{"responseElements":[null]}}`, scaling, true},
		{"an empty string", `{"detail":{"eventVersion":[""]}}`, scaling, true},
		{"null is no empty string", `{"detail":{"responseElements":[""]}}`, scaling, false},
		{"an empty string is not null", `{"detail":{"eventVersion":[null]}}`, scaling, false},
		{
			"numbers at two depths", `{"source":["aws.macie"],"detail":{"risk-score":[80],"trigger":{"risk":[8]}}}`,
			`{"source":"aws.macie","detail":{"tags":["Custom_Alert","Insider"],"risk-score":80,"trigger":{"risk":8}}}`, true,
		},
		{
			"an array that has one of the values", `{"resources":["arn:a","arn:b","arn:c"]}`, `{"resources":["arn:z","arn:b"]}`, true,
		},
		{"prefix", `{"time":[{"prefix":"2017-10-02"}]}`, ec2, true},
		{"prefix, ignoring case", `{"detail":{"service":[{"prefix":{"equals-ignore-case":"EventB"}}]}}`, `{"detail":{"service":"EvEnTbRiDgE"}}`, true},
		{"suffix", `{"FileName":[{"suffix":".png"}]}`, `{"FileName":"a.png"}`, true},
		{"suffix, ignoring case", `{"detail":{"FileName":[{"suffix":{"equals-ignore-case":".png"}}]}}`, `{"detail":{"FileName":"a.PNG"}}`, true},
		{"anything but a string", `{"detail":{"state":[{"anything-but":"initializing"}]}}`, ec2, true},
		{"anything but a number", `{"detail":{"x-limit":[{"anything-but":123}]}}`, ec2, true},
		{"anything but strings", `{"detail":{"state":[{"anything-but":["stopped","overloaded"]}]}}`, ec2, true},
		{"anything but numbers", `{"detail":{"x-limit":[{"anything-but":[100,200,300]}]}}`, ec2, true},
		{"anything but, ignoring case", `{"detail":{"state":[{"anything-but":{"equals-ignore-case":"RUNNING"}}]}}`, ec2, false},
		{"anything but a list, ignoring case", `{"detail":{"state":[{"anything-but":{"equals-ignore-case":["stopped","Running"]}}]}}`, ec2, false},
		{"anything but a prefix", `{"detail":{"state":[{"anything-but":{"prefix":"init"}}]}}`, ec2, true},
		{"anything but prefixes", `{"detail":{"state":[{"anything-but":{"prefix":["init","run"]}}]}}`, ec2, false},
		{"anything but a suffix", `{"detail":{"FileName":[{"anything-but":{"suffix":".txt"}}]}}`, `{"detail":{"FileName":"a.txt"}}`, false},
		{"anything but suffixes", `{"detail":{"FileName":[{"anything-but":{"suffix":[".txt",".rtf"]}}]}}`, `{"detail":{"FileName":"a.md"}}`, true},
		{"anything but a wildcard", `{"detail":{"FilePath":[{"anything-but":{"wildcard":"*/lib/*"}}]}}`, `{"detail":{"FilePath":"/usr/lib/a"}}`, false},
		{"anything but wildcards", `{"detail":{"FilePath":[{"anything-but":{"wildcard":["*/lib/*","*/bin/*"]}}]}}`, `{"detail":{"FilePath":"/usr/share/a"}}`, true},
		{
			"numeric", `{"detail":{"c-count":[{"numeric":[">",0,"<=",5]}],"d-count":[{"numeric":["<",10]}],"x-limit":[{"numeric":["=",3.018e2]}]}}`,
			ec2, true,
		},
		{"an address block", `{"detail":{"source-ip":[{"cidr":"10.0.0.0/24"}]}}`, ec2, true},
		{"an address outside", `{"detail":{"source-ip":[{"cidr":"10.0.1.0/24"}]}}`, ec2, false},
		{"exists", `{"detail":{"state":[{"exists":true}]}}`, ec2, true},
		{"exists, and does not", `{"detail":{"state":[{"exists":true}]}}`, `{"detail":{"c-count":{"c1":100}}}`, false},
		{"must not exist", `{"detail":{"c-count":[{"exists":false}]}}`, `{"detail":{"state":["initializing","running"]}}`, true},
		{"an object is no leaf", `{"detail":{"c-count":[{"exists":false}]}}`, `{"detail":{"c-count":{"c1":100}}}`, true},
		{"equals, ignoring case", `{"detail-type":[{"equals-ignore-case":"ec2 instance state-change notification"}]}`, ec2, true},
		{"a wildcard at the end", `{"EventBusArn":[{"wildcard":"arn:aws:events:us-east-1:*:event-bus/*"}]}`, `{"EventBusArn":"arn:aws:events:us-east-1:123456789012:event-bus/mine"}`, true},
		{
			"several at once", `{"time":[{"prefix":"2017-10-02"}],"detail":{"state":[{"anything-but":"initializing"}],
			"c-count":[{"numeric":[">",0,"<=",5]}],"d-count":[{"numeric":["<",10]}],"x-limit":[{"anything-but":[100,200,300]}]}}`, ec2, true,
		},
		{
			"or", `{"detail":{"$or":[{"c-count":[{"numeric":[">",5]}]},{"d-count":[{"numeric":["<",10]}]},{"x-limit":[{"numeric":["=",3.018e2]}]}]}}`,
			`{"detail":{"c-count":0,"d-count":12,"x-limit":301.8}}`, true,
		},
		{
			"or with none", `{"detail":{"$or":[{"c-count":[{"numeric":[">",5]}]},{"d-count":[{"numeric":["<",10]}]}]}}`,
			`{"detail":{"c-count":0,"d-count":12}}`, false,
		},
	})
}

// What EventBridge's TestEventPattern answered to LocalStack's tests, which are recorded in
// github.com/localstack/localstack, tests/aws/services/events.
func TestWhatEventBridgeAnswered(t *testing.T) {
	hold(t, []vector{
		{"null in an empty array", `{"resources":[null]}`, `{"resources":[]}`, false},
		{"exists in an empty array", `{"resources":[{"exists":true}]}`, `{"resources":[]}`, false},
		{"exists in one object of an array", `{"detail":{"automations":{"id":[{"exists":true}]}}}`, `{"detail":{"automations":[{"id":"1"},{},{"id":"2"}]}}`, true},
		{"exists of an object", `{"dynamodb":{"presentKey":[{"exists":true}]}}`, `{"dynamodb":{"presentKey":{"S":"test123"}}}`, false},
		{"exists of the leaf", `{"dynamodb":{"presentKey":{"S":[{"exists":true}]}}}`, `{"dynamodb":{"presentKey":{"S":"test123"}}}`, true},
		{"must not exist at a depth", `{"detail":{"a":{"b":{"c":[{"exists":false}]}}}}`, `{"detail":{"a":{"b":{"c":"there"}}}}`, false},
		{"must not exist below a leaf", `{"detail":{"a":{"b":{"c":[{"exists":false}]}}}}`, `{"detail":{"a":{"b":"leaf"}}}`, true},
		{"names are case sensitive", `{"MY_KEY":["my-value"]}`, `{"my_key":"my-value"}`, false},
		{"a string of JSON is a string", `{"detail":{"my-key":["my-value"]}}`, `{"detail":"{\"my-key\":\"my-value\"}"}`, false},
		{"the string null", `{"detail":{"x":[null]}}`, `{"detail":{"x":"null"}}`, false},
		{"numbers are compared as numbers", `{"number":[300]}`, `{"number":300.0}`, true},
		{"an integer bound and a fraction", `{"number":[{"numeric":[">",100]}]}`, `{"number":101.0}`, true},
		{"numeric and null", `{"number":[{"numeric":[">",100]}]}`, `{"number":null}`, false},
		{"numeric and a string", `{"number":[{"numeric":[">",100]}]}`, `{"number":"300"}`, false},
		{"a dot in the event", `{"detail":{"state":{"status":["running"]}}}`, `{"detail":{"state.status":"running"}}`, true},
		{"a dot in the event, and more", `{"detail":{"state":{"status":["running"]}}}`, `{"detail":{"state.status":{"status":"running"}}}`, false},
		{"a dot in the pattern", `{"detail":{"state.status":["running"]}}`, `{"detail":{"state":{"status":"running"}}}`, true},
		{"a dot in the pattern, and more", `{"detail":{"state.status":{"status":["running"]}}}`, `{"detail":{"state":{"status":"running"}}}`, false},
		{"several operators for a field", `{"my_key":[{"exists":true},{"prefix":"other"},{"suffix":"other"}]}`, `{"my_key":"my-value"}`, true},
		{"an escaped asterisk", `{"x":[{"wildcard":"a\\*b"}]}`, `{"x":"a*b"}`, true},
		{"an escaped asterisk and other text", `{"x":[{"wildcard":"a\\*b"}]}`, `{"x":"axb"}`, false},
		{"an escaped backslash", `{"x":[{"wildcard":"a\\\\b*"}]}`, `{"x":"a\\b!"}`, true},
		of("a boolean", `false`, `false`, true),
		of("the other boolean", `false`, `true`, false),
		of("an emoji and a trailing blank", `"A CamelCase string 🚀 "`, `"A CamelCase string 🚀 "`, true),
		of("an empty prefix", `{"prefix":""}`, `"pending"`, true),
		of("an empty suffix", `{"suffix":""}`, `"pending"`, true),
		of("an empty string, ignoring case", `{"equals-ignore-case":""}`, `""`, true),
		of("an empty string, ignoring case, and a text", `{"equals-ignore-case":""}`, `"a"`, false),
		of("an empty wildcard", `{"wildcard":""}`, `"a"`, false),
		of("a suffix of another case", `{"suffix":".PNG"}`, `"image.png"`, false),
		of("a suffix, ignoring case", `{"suffix":{"equals-ignore-case":".png"}}`, `"image.jpg"`, false),
		of("anything but a string, and null", `{"anything-but":"initializing"}`, `null`, true),
		of("anything but strings, and null", `{"anything-but":["stopped","running"]}`, `null`, true),
		of("anything but zero", `{"anything-but":0}`, `789`, true),
		of("anything but a prefix, and null", `{"anything-but":{"prefix":"init"}}`, `null`, true),
		of("anything but a prefix, and a number", `{"anything-but":{"prefix":"init"}}`, `12`, true),
		of("anything but prefixes, and a number", `{"anything-but":{"prefix":["init","test"]}}`, `12`, true),
		of("anything but a suffix, and null", `{"anything-but":{"suffix":".txt"}}`, `null`, true),
		of("anything but a text, ignoring case, and null", `{"anything-but":{"equals-ignore-case":"a"}}`, `null`, true),
		of("anything but an empty wildcard", `{"anything-but":{"wildcard":""}}`, `"dir/file"`, true),
		of("anything but a wildcard, and a number", `{"anything-but":{"wildcard":"*/dir/*"}}`, `123`, true),
		of("anything but a wildcard, and null", `{"anything-but":{"wildcard":"*/dir/*"}}`, `null`, true),
		of("anything but a wildcard that is elsewhere", `{"anything-but":{"wildcard":"*/dir/*"}}`, `"dir/init/file"`, true),
		of("anything but a wildcard inside", `{"anything-but":{"wildcard":"*/init/*"}}`, `"dir/init/file"`, false),
		of("a wildcard over directories", `{"wildcard":"/Users/*/doc.txt"}`, `"/Users/u/dir/dir/doc.txt"`, true),
		of("a wildcard, and another file", `{"wildcard":"/Users/*/doc.txt"}`, `"/Users/u/dir/otherdoc.txt"`, false),
		of("a repeating text", `{"wildcard":"/Users/*/dir/dir/doc.txt"}`, `"/Users/u/dir/dir/dir/dir/doc.txt"`, true),
		of("a repeating text that is interrupted", `{"wildcard":"/Users/*/dir/dir/doc.txt"}`, `"/Users/u/dir/dir/dir/otherdir/doc.txt"`, false),
		of("the last address of a block", `{"cidr":"10.0.0.0/24"}`, `"10.0.0.255"`, true),
		of("no address", `{"cidr":"10.0.0.0/24"}`, `"10.0.0.256"`, false),
		of("a number for an address", `{"cidr":"10.0.0.0/24"}`, `123`, false),
		of("IPv6", `{"cidr":"2001:db8:1234:1a00::/64"}`, `"2001:0db8:1234:1a00:0000:0000:0000:0000"`, true),
		of("IPv6 outside", `{"cidr":"2001:db8:1234:1a00::/64"}`, `"2001:0db8:123f:1a01:0000:0000:0000:0000"`, false),
		of("not one text, or absent", `{"anything-but":["roses"]},{"exists":false}`, `"ABCD"`, true),
		{"not one text, or absent with its parent", `{"n":{"homemade":{"S":[{"anything-but":["roses"]},{"exists":false}]}}}`, `{"n":{"other":{"N":"789"}}}`, true},
		of("a range, or not one text", `{"numeric":[">",100]},{"anything-but":"101"}`, `"42"`, true),
		of("neither", `{"numeric":[">",100]},{"anything-but":"101"}`, `"101"`, false),
	})
	for _, operator := range []string{
		`"a"`, `["a","b"]`, `{"prefix":"a"}`, `{"prefix":["a"]}`, `{"suffix":"a"}`, `{"suffix":["a"]}`, `{"wildcard":"a"}`,
		`{"wildcard":["a"]}`, `{"equals-ignore-case":"a"}`, `{"equals-ignore-case":["a"]}`,
	} {
		hold(t, []vector{{"anything but " + operator + " of a field that is missing", `{"detail":{"x":[{"anything-but":` + operator + `}]}}`, `{"detail":{}}`, false}})
	}
}

const cloudwatch = `{"source":["aws.cloudwatch"],"$or":[{"metricName":["CPUUtilization","ReadLatency"]},
	{"metricType":["MetricType"],"namespace":["AWS/EC2","AWS/ES"],"$or":[{"metricId":[1234]},{"spaceId":[1000]}]},{"scope":["Service"]}]}`

const songs = `{"Year":1966,"Genres":[{"Pop":true},{"Classical":false}],"Songs":[
	{"Name":"Paperback Writer","Writers":[{"First":"John","Last":"Lennon"},{"First":"Paul","Last":"McCartney"}]},
	{"Name":"Paint It Black","Writers":[{"First":"Mick","Last":"Jagger"},{"First":"Keith","Last":"Richards"}]}]}`

const employees = `{"employees":[[{"firstName":"John","lastName":"Doe","ids":[1234,1000,9999]},{"firstName":"Anna","lastName":"Smith"}],
	[{"firstName":"Peter","lastName":"Jones","ids":[]}]]}`

const image = `{"Image":{"Width":800,"Height":600,"Title":"View from 15th Floor",
	"Thumbnail":{"Url":"http://www.example.com/image/481989943","Height":125,"Width":100},"Animated":false,"IDs":[116,943,234,38793]}}`

// Outcomes that github.com/aws/event-ruler documents, or asserts in ACMachineTest, RulerTest and
// JsonRuleCompilerTest.
func TestEventRulersOutcomes(t *testing.T) {
	hold(t, []vector{
		{"or: the first", cloudwatch, `{"source":"aws.cloudwatch","metricName":"ReadLatency"}`, true},
		{"or: nested", cloudwatch, `{"source":"aws.cloudwatch","metricType":"MetricType","namespace":"AWS/ES","spaceId":1000}`, true},
		{"or: nested, less one field", cloudwatch, `{"source":"aws.cloudwatch","metricType":"MetricType","namespace":"AWS/ES"}`, false},
		{"or: the last", cloudwatch, `{"source":"aws.cloudwatch","scope":"Service"}`, true},
		{"or: without what stands beside it", cloudwatch, `{"source":"aws.ec2","scope":"Service"}`, false},
		{
			"or twice", `{"$or":[{"m":["a"]},{"n":["b"]}],"detail":{"$or":[{"s":["c"]},{"t":["d"]}]}}`, `{"n":"b","detail":{"s":"c"}}`, true,
		},
		{
			"or twice, one of them", `{"$or":[{"m":["a"]},{"n":["b"]}],"detail":{"$or":[{"s":["c"]},{"t":["d"]}]}}`, `{"n":"b","detail":{"s":"d"}}`, false,
		},
		{
			"the same path in two alternatives", `{"source":["aws.sns"],"detail":{"$or":[{"eventSource":["s3"],"f1":["v1"]},{"f2":["v2"],"eventSource":["sns"]}]}}`,
			`{"source":"aws.sns","detail":{"eventSource":"sns","f2":"v2"}}`, true,
		},
		{"an array of objects", `{"employees":{"firstName":["Anna"]}}`, employees, true},
		{"an array in an object of an array", `{"employees":{"firstName":["John"],"ids":[1000]}}`, employees, true},
		{"two objects make no match", `{"employees":{"firstName":["Anna"],"lastName":["Jones"]}}`, employees, false},
		{"ids of another object", `{"employees":{"firstName":["Anna"],"ids":[1000]}}`, employees, false},
		{"the object has no ids", `{"employees":{"firstName":["Anna"],"ids":[{"exists":false}]}}`, employees, true},
		{"another object has ids", `{"employees":{"firstName":["Anna"],"ids":[{"exists":true}]}}`, employees, false},
		{"an object is no value", `{"employees":["b"]}`, employees, false},
		{"songs: one writer", `{"Year":[1966],"Songs":{"Name":["Paperback Writer"],"Writers":{"First":["Paul"],"Last":["McCartney"]}}}`, songs, true},
		{"songs: independent arrays", `{"Genres":{"Pop":[true]},"Songs":{"Name":["Paint It Black"]}}`, songs, true},
		{"songs: writer of another song", `{"Songs":{"Name":["Paperback Writer"],"Writers":{"First":["Mick"]}}}`, songs, false},
		{"songs: two writers", `{"Songs":{"Writers":{"First":["Mick"],"Last":["McCartney"]}}}`, songs, false},
		{
			"metrics of two objects", `{"metrics":{"metricName":["CPUUtilization"],"namespace":["AWS/ES"]}}`,
			`{"metrics":[{"metricName":"CPUUtilization","namespace":"AWS/EC2"},{"metricName":"RequestCount","namespace":"AWS/ES"}]}`, false,
		},
		{
			"leaves and objects in one array", `{"lines":{"points":[287.48116291799363],"points":{"pp":["index0"]}}}`,
			`{"lines":[{"intensities":[[0.5]],"points":[[[{"pp":"index0"},483.3474497412421,287.48116291799363],[{"pp":"index1"},489.9999497412421]]]}]}`, true,
		},
		{
			"a leaf and an object of other arrays", `{"lines":{"points":[489.9999497412421],"points":{"pp":["index0"]}}}`,
			`{"lines":[{"points":[[[{"pp":"index0"},483.3474497412421],[{"pp":"index1"},489.9999497412421]]]}]}`, false,
		},
		{
			"must not exist in the object that the others chose",
			`{"tasks":{"state":["ACTIVE"],"provider":{"id":["X"]},"resources":{"interface":[{"exists":false}]}}}`,
			`{"tasks":[{"state":"ACTIVE","provider":{"id":"X"},"resources":[{"a":1}]},{"state":"OTHER","provider":{"id":"Y"},"resources":[{"interface":"i"}]}]}`, true,
		},
		{
			"and exists there",
			`{"tasks":{"state":["ACTIVE"],"provider":{"id":["X"]},"resources":{"interface":[{"exists":false}]}}}`,
			`{"tasks":[{"state":"ACTIVE","provider":{"id":"X"},"resources":[{"interface":"i"}]}]}`, false,
		},
		{"a path, and one that goes on", `{"a":["x"],"a":{"b":["y"]}}`, `{"a":[{"b":"y"},"x"]}`, true},
		{"an account number", `{"account":[123456789012]}`, `{"account":123456789012}`, true},
		{"numbers at two depths", `{"Image":{"Width":[800],"Thumbnail":{"Height":[125,300]}}}`, image, true},
		{"many", `{"Image":{"Width":[{"numeric":["<",1000]}],"Height":[{"numeric":["<=",600]}],"Title":[{"anything-but":"View from 15th Flood"}],
			"Thumbnail":{"Url":[{"prefix":"http"}],"Height":[{"numeric":[">",124,"<",126]}],"Width":[{"numeric":[">=",99.999,"<=",100]}]},"Animated":[false]}}`, image, true},
		{"an open bound", `{"Image":{"Width":[{"numeric":["<",800]}]}}`, image, false},
		{"an open upper bound", `{"Image":{"Thumbnail":{"Height":[{"numeric":[">",124,"<",125]}]}}}`, image, false},
		{"a lower bound with decimals", `{"Image":{"Thumbnail":{"Width":[{"numeric":[">=",100.00001,"<=",1001]}]}}}`, image, false},
		{"any element of an array", `{"Image":{"IDs":[{"numeric":[">",1000]}]}}`, image, true},
		of("the first address of an odd block", `{"cidr":"220.160.153.171/31"}`, `"220.160.153.170"`, true),
		of("below it", `{"cidr":"220.160.153.171/31"}`, `"220.160.153.169"`, false),
		of("above it", `{"cidr":"220.160.153.171/31"}`, `"220.160.153.172"`, false),
		of("a block given by its last address", `{"cidr":"220.160.154.255/24"}`, `"220.160.154.0"`, true),
		of("a large negative number", `{"numeric":["<",-499999999999.5]}`, `-5E11`, true),
		of("a small number", `{"numeric":[">",0.000001]}`, `0.000002`, true),
		of("the smallest", `{"numeric":["=",1E-320]}`, `1e-320`, true),
	})
}

// What follows from the rules and no source shows by an example.
func TestOtherValues(t *testing.T) {
	hold(t, []vector{
		of("one of two kinds", `"a",1`, `1`, true),
		of("a string is no number", `1`, `"1"`, false),
		of("a number is no string", `"1"`, `1`, false),
		of("an exponent", `300`, `3.0e2`, true),
		of("minus zero", `0`, `-0.0`, true),
		of("a number that no float64 holds, by its text", `123456789012345678901`, `123456789012345678901`, true),
		of("its neighbour", `123456789012345678901`, `123456789012345678902`, false),
		of("a number too large", `{"numeric":[">",1]}`, `1e999`, false),
		of("a number too large is not another", `{"anything-but":5}`, `1e999`, true),
		of("numeric equals", `{"numeric":["=",100]}`, `1e2`, true),
		of("numeric at least", `{"numeric":[">=",100]}`, `100`, true),
		of("numeric at most", `{"numeric":["<=",100]}`, `100.5`, false),
		of("anything but a number, and its string", `{"anything-but":123}`, `"123"`, true),
		of("anything but a string, and its number", `{"anything-but":"123"}`, `123`, true),
		of("anything but, in an array that has another", `{"anything-but":"a"}`, `["a","b"]`, true),
		of("anything but, in an array of it alone", `{"anything-but":"a"}`, `["a","a"]`, false),
		of("anything but, in an empty array", `{"anything-but":"a"}`, `[]`, false),
		of("must not exist, and the array is empty", `{"exists":false}`, `[]`, true),
		of("exists, and it is null", `{"exists":true}`, `null`, true),
		of("case folding of several bytes", `{"equals-ignore-case":"ÄRGER"}`, `"ärger"`, true),
		of("a prefix whose case has another length", `{"prefix":{"equals-ignore-case":"k"}}`, "\"\u212Alvin\"", true),
		of("a suffix whose case has another length", `{"suffix":{"equals-ignore-case":"k"}}`, "\"el\u212A\"", true),
		of("a prefix longer than the text", `{"prefix":{"equals-ignore-case":"abc"}}`, `"ab"`, false),
		of("a wildcard alone", `{"wildcard":"*"}`, `""`, true),
		of("a wildcard that would overlap", `{"wildcard":"ab*ba"}`, `"aba"`, false),
		of("a wildcard in the middle", `{"wildcard":"a*b*c"}`, `"a-c-b-c"`, true),
		of("a wildcard without its middle", `{"wildcard":"a*b*c"}`, `"a-c"`, false),
		of("an IPv6 address and an IPv4 block", `{"cidr":"10.0.0.0/8"}`, `"::ffff:10.0.0.1"`, false),
		of("an address with a zone", `{"cidr":"fe80::/10"}`, `"fe80::1%eth0"`, false),
	})
}

func TestRefusedPatterns(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + `["x"]` + strings.Repeat(`}`, n) }
	eleven := func(i int) string {
		var list []string
		for j := range 11 {
			list = append(list, fmt.Sprintf(`{"f%d":[%d]}`, i, j))
		}
		return `{"$or":[` + strings.Join(list, ",") + `]}`
	}
	leaf := func(condition string) string { return `{"a":{"b":["x",` + condition + `]}}` }
	for _, c := range []struct{ name, pattern, want string }{
		{"no JSON", `this is no JSON`, "not JSON at byte"},
		{"single quotes", `{'bad': 'quotation'}`, "not JSON at byte"},
		{"no closing bracket", `{"a":["x"]`, "not JSON at byte"},
		{"nothing", ``, "not JSON at byte"},
		{"two values", `{"a":["x"]} {}`, "text after the value"},
		{"a list", `["a"]`, "a pattern is an object, not an array"},
		{"a string", `"a"`, "a pattern is an object, not a string"},
		{"too long", `{"a":["` + strings.Repeat("é", 4090) + `"]}`, "4100 characters are over the limit of 4096"},
		{"an empty pattern", `{}`, "the pattern: an empty object is not allowed"},
		{"an empty object", `{"a":{"b":{}}}`, "a.b: an empty object is not allowed"},
		{"an empty array", `{"a":{"b":[]}}`, "a.b: an empty array is not allowed"},
		{"a leaf that is no array", `{"a":{"b":42}}`, "a.b: must be an array or an object, not a number"},
		{"a string leaf", `{"a":"x"}`, "a: must be an array or an object, not a string"},
		{"an array in an array", leaf(`["y"]`), "a.b[1]: must be a value or an operator, not an array"},
		{"an unknown operator", leaf(`{"contains":"y"}`), "a.b[1].contains: there is no such operator"},
		{"an operator of another case", leaf(`{"EXISTS":true}`), "a.b[1].EXISTS: there is no such operator"},
		{"an operator that is not published", leaf(`{"exactly":"y"}`), "a.b[1].exactly: there is no such operator"},
		{"two operators", leaf(`{"prefix":"y","suffix":"z"}`), "a.b[1]: an operator is an object with one member, not 2"},
		{"no operator", leaf(`{}`), "a.b[1]: an operator is an object with one member, not 0"},
		{"a path twice", `{"a":{"b":["x"],"b":["y"]}}`, "a.b: is there twice"},
		{"a path twice with a dot", `{"a":{"b":["x"]},"a.b":["y"]}`, "a.b: is there twice"},
		{"a path outside and inside of or", `{"a":["x"],"$or":[{"a":["y"]},{"c":["z"]}]}`, "$or[0].a: is there twice"},
		{"or of one", `{"$or":[{"a":["x"]}]}`, "$or: must be an array of at least two patterns"},
		{"or of none", `{"a":{"$or":[]}}`, "a.$or: must be an array of at least two patterns"},
		{"or of an object", `{"a":{"$or":{"b":["x"]}}}`, "a.$or: must be an array of at least two patterns"},
		{"or with a list", `{"a":{"$or":[{"b":["x"]},[{"c":["y"]}]]}}`, "a.$or[1]: must be a pattern, not an array"},
		{"or with an empty pattern", `{"$or":[{"b":["x"]},{}]}`, "$or[1]: an empty object is not allowed"},
		{"or with an operator for a name", `{"$or":[{"numeric":[1]},{"b":["x"]}]}`, "$or[0].numeric: this name is an operator"},
		{"or of operators", `{"$or":[{"b":["x"]},{"c":{"prefix":["x"]}}]}`, "$or[1].c.prefix: this name is an operator"},
		{
			"too many combinations", `{"a":` + eleven(1) + `,"b":` + eleven(2) + `,"c":` + eleven(3) + `}`,
			"c.$or: makes over 1000 combinations",
		},
		{"exists of a string", leaf(`{"exists":"true"}`), "a.b[1].exists: must be true or false, not a string"},
		{"prefix of a number", leaf(`{"prefix":3}`), "a.b[1].prefix: must be a string, not a number"},
		{"prefix of a list", leaf(`{"prefix":["y"]}`), "a.b[1].prefix: must be a string, not an array"},
		{"suffix of another operator", leaf(`{"suffix":{"wildcard":"*"}}`), "a.b[1].suffix: must be a string, or an object with equals-ignore-case alone"},
		{"prefix of two operators", leaf(`{"prefix":{"equals-ignore-case":"y","x":"z"}}`), "a.b[1].prefix: must be a string, or an object"},
		{"prefix of a list, ignoring case", leaf(`{"prefix":{"equals-ignore-case":["y"]}}`), "a.b[1].prefix.equals-ignore-case: must be a string, not an array"},
		{"equals-ignore-case of a list", leaf(`{"equals-ignore-case":["y"]}`), "a.b[1].equals-ignore-case: must be a string, not an array"},
		{"equals-ignore-case of an operator", leaf(`{"equals-ignore-case":{"prefix":"y"}}`), "a.b[1].equals-ignore-case: must be a string, not an object"},
		{"wildcard of a number", leaf(`{"wildcard":5}`), "a.b[1].wildcard: must be a string, not a number"},
		{"wildcard of a list", leaf(`{"wildcard":["*"]}`), "a.b[1].wildcard: must be a string, not an array"},
		{"two asterisks", leaf(`{"wildcard":"y**z"}`), "a.b[1].wildcard: two * stand side by side"},
		{"a backslash before a letter", leaf(`{"wildcard":"y\\z"}`), `a.b[1].wildcard: a backslash may stand before * and \ only`},
		{"a backslash at the end", leaf(`{"wildcard":"y\\"}`), "a.b[1].wildcard: a backslash"},
		{"cidr of a list", leaf(`{"cidr":["10.0.0.0/8"]}`), "a.b[1].cidr: must be a string, not an array"},
		{"cidr without a mask", leaf(`{"cidr":"10.0.0.0"}`), "a.b[1].cidr: must be an address block"},
		{"cidr of no address", leaf(`{"cidr":"xx.11.xx/8"}`), "a.b[1].cidr: must be an address block"},
		{"cidr of no mask", leaf(`{"cidr":"10.0.0.0/64filter"}`), "a.b[1].cidr: must be an address block"},
		{"cidr of a long mask", leaf(`{"cidr":"10.0.0.0/33"}`), "a.b[1].cidr: must be an address block"},
		{"cidr of one address", leaf(`{"cidr":"10.0.0.1/32"}`), "a.b[1].cidr: is a block of one address"},
		{"cidr of one IPv6 address", leaf(`{"cidr":"2001:db8::1/128"}`), "a.b[1].cidr: is a block of one address"},
		{"numeric of a number", leaf(`{"numeric":10}`), "a.b[1].numeric: must be an array, not a number"},
		{"numeric of nothing", leaf(`{"numeric":[]}`), "a.b[1].numeric: must be an operator and a number"},
		{"numeric of an operator", leaf(`{"numeric":["<"]}`), "a.b[1].numeric: must be an operator and a number"},
		{"numeric with half a range", leaf(`{"numeric":[">",0,"<"]}`), "a.b[1].numeric: must be an operator and a number"},
		{"numeric with more", leaf(`{"numeric":[">",1,"<",30,false]}`), "a.b[1].numeric: must be an operator and a number"},
		{"numeric with an unknown operator", leaf(`{"numeric":["==",1]}`), "a.b[1].numeric: an operator is one of"},
		{"numeric with a number first", leaf(`{"numeric":[1,"<"]}`), "a.b[1].numeric: an operator is one of"},
		{"numeric of a string", leaf(`{"numeric":["=","-4e-6"]}`), `a.b[1].numeric: "=" must be followed by a number`},
		{"numeric of a boolean", leaf(`{"numeric":["<",true]}`), `a.b[1].numeric: "<" must be followed by a number`},
		{"a number too large", leaf(`{"numeric":[">=",2.0e422]}`), `a.b[1].numeric: ">=" must be followed by a number that a float64 holds`},
		{"a number too small", leaf(`{"numeric":["=",1E-325]}`), `a.b[1].numeric: "=" must be followed by a number that a float64 holds`},
		{"a range of the same direction", leaf(`{"numeric":[">",0,">",1]}`), "a.b[1].numeric: a range is > or >=, then < or <="},
		{"a range upside down", leaf(`{"numeric":["<",10,">",0]}`), "a.b[1].numeric: a range is > or >=, then < or <="},
		{"a range of equals", leaf(`{"numeric":["=",1,"<",3]}`), "a.b[1].numeric: a range is > or >=, then < or <="},
		{"an empty range", leaf(`{"numeric":[">",1,"<",1]}`), "a.b[1].numeric: the lower bound must be less than the upper"},
		{"a reversed range", leaf(`{"numeric":[">",30,"<",1]}`), "a.b[1].numeric: the lower bound must be less than the upper"},
		{"anything but null", leaf(`{"anything-but":null}`), "a.b[1].anything-but: must be a string or a number, not null"},
		{"anything but a boolean", leaf(`{"anything-but":true}`), "a.b[1].anything-but: must be a string or a number, not a boolean"},
		{"anything but nothing", leaf(`{"anything-but":[]}`), "a.b[1].anything-but: an empty array is not allowed"},
		{"anything but strings and numbers", leaf(`{"anything-but":["y",111,"z"]}`), "a.b[1].anything-but[1]: must be a string as the first one"},
		{"anything but strings and null", leaf(`{"anything-but":["y",null]}`), "a.b[1].anything-but[1]: must be a string or a number, not null"},
		{"anything but a number too large", leaf(`{"anything-but":1e999}`), "a.b[1].anything-but: must be a number that a float64 holds"},
		{"anything but an unknown operator", leaf(`{"anything-but":{"numeric":["=",3]}}`), "a.b[1].anything-but: an operator here is one of"},
		{"anything but two operators", leaf(`{"anything-but":{"prefix":"y","suffix":"z"}}`), "a.b[1].anything-but: an operator here is one of"},
		{"anything but an empty prefix", leaf(`{"anything-but":{"prefix":""}}`), "a.b[1].anything-but.prefix: must not be empty"},
		{"anything but an empty suffix in a list", leaf(`{"anything-but":{"suffix":["y",""]}}`), "a.b[1].anything-but.suffix[1]: must not be empty"},
		{"anything but a prefix of a number", leaf(`{"anything-but":{"prefix":27}}`), "a.b[1].anything-but.prefix: must be a string, not a number"},
		{"anything but a suffix of null in a list", leaf(`{"anything-but":{"suffix":[null,"y"]}}`), "a.b[1].anything-but.suffix[0]: must be a string, not null"},
		{"anything but a prefix, ignoring case", leaf(`{"anything-but":{"prefix":{"equals-ignore-case":"y"}}}`), "a.b[1].anything-but.prefix: must be a string, not an object"},
		{"anything but numbers, ignoring case", leaf(`{"anything-but":{"equals-ignore-case":[1,2]}}`), "a.b[1].anything-but.equals-ignore-case[0]: must be a string, not a number"},
		{"anything but two asterisks", leaf(`{"anything-but":{"wildcard":["*","y**z"]}}`), "a.b[1].anything-but.wildcard[1]: two * stand side by side"},
		{"anything but no prefixes", leaf(`{"anything-but":{"prefix":[]}}`), "a.b[1].anything-but.prefix: an empty array is not allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := pattern.Parse(c.pattern)
			if err == nil || !strings.HasPrefix(err.Error(), "pattern: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want pattern: …%s", err, c.want)
			}
		})
	}
	if _, err := pattern.Parse(deep(600)); err != nil {
		t.Errorf("600 levels: %v", err)
	}
}

func TestEventsThatAreNone(t *testing.T) {
	p := pattern.MustParse(`{"a":["x"]}`)
	for _, c := range []struct{ name, event, want string }{
		{"empty", ``, "event is not JSON"},
		{"a text", `plain secret string`, "event is not JSON"},
		{"cut off", `{"a":"x"`, "event is not JSON"},
		{"a list", `["secret"]`, "an event is an object, not an array"},
		{"more than one", `{"a":"x"}{}`, "text after the value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			matched, err := p.Match([]byte(c.event))
			if matched || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %t and %v, want an error with %q", matched, err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error quotes the event: %v", err)
			}
		})
	}
}

func TestAny(t *testing.T) {
	a, b := pattern.MustParse(`{"a":["x"]}`), pattern.MustParse(`{"b":["y"]}`)
	for event, want := range map[string]bool{`{"a":"x"}`: true, `{"b":"y"}`: true, `{"a":"y"}`: false} {
		if got, err := pattern.Any(a, b).Match([]byte(event)); got != want || err != nil {
			t.Errorf("%s: got %t and %v, want %t", event, got, err, want)
		}
	}
	if got, err := pattern.Any().Match([]byte(`{}`)); got || err != nil {
		t.Errorf("no patterns: got %t and %v, want false", got, err)
	}
}

func TestMustParsePanics(t *testing.T) {
	defer func() {
		if v := recover(); v == nil || !strings.HasPrefix(fmt.Sprint(v), "pattern: ") {
			t.Errorf("got %v, want a panic with the package's name", v)
		}
	}()
	pattern.MustParse(`{}`)
}

func FuzzMatch(f *testing.F) {
	f.Add(cloudwatch, songs)
	f.Add(`{"a":[{"wildcard":"*\\*"},{"anything-but":{"suffix":["x"]}},{"cidr":"::/0"}]}`, `{"a":[["\\*",1e999,null],{"a":{}}]}`)
	f.Add(`{"employees":{"firstName":["Anna"],"ids":[{"exists":false}]}}`, employees)
	f.Fuzz(func(t *testing.T, text, event string) {
		p, err := pattern.Parse(text)
		if err != nil {
			return
		}
		alone, err := p.Match([]byte(event))
		if err != nil {
			return
		}
		if twice, err := pattern.Any(p, p).Match([]byte(event)); twice != alone || err != nil {
			t.Errorf("got %t and %v of the same pattern twice, want %t", twice, err, alone)
		}
	})
}
