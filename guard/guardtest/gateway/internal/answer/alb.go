package answer

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
)

// MaxALB is a load balancer's limit on the body of a request and on the JSON of an
// answer.
const MaxALB = 1 << 20

// ParseALB reads an answer to a load balancer, with lists of values when multi is
// true. What may be left out may not be null.
//
// See https://github.com/aws/aws-lambda-dotnet/issues/507,
// https://github.com/aws-powertools/powertools-lambda-python/issues/4671 and
// https://github.com/awsdocs/elb-application-load-balancers-user-guide/issues/33
func ParseALB(payload []byte, multi bool) (answer Response, err error) {
	if len(payload) > MaxALB {
		return answer, fmt.Errorf("gateway: the function's response is over %d bytes", MaxALB)
	}
	members := Members(payload)
	if members["statusCode"] == nil {
		return answer, errors.New("gateway: the function's response is not an object with a statusCode")
	}
	var (
		status      float64
		description string
		body        string
		isBase64    bool
	)
	for name, into := range map[string]any{
		"statusCode": &status, "statusDescription": &description, "body": &body, "isBase64Encoded": &isBase64,
	} {
		if err := albMember(members, name, into); err != nil {
			return answer, err
		}
	}
	if status != math.Trunc(status) || status < 200 || status > 599 {
		return answer, fmt.Errorf("gateway: statusCode of the function's response is %v", status)
	}
	header, err := albHeader(members, multi)
	if err != nil {
		return answer, err
	}
	return newResponse(int(status), header, body, isBase64)
}

func albMember(members map[string]json.RawMessage, name string, into any) error {
	raw, ok := members[name]
	if ok && (string(raw) == "null" || json.Unmarshal(raw, into) != nil) {
		return fmt.Errorf("gateway: %s of the function's response is out of form", name)
	}
	return nil
}

// albHeader reads the headers of the form that the target group sends. Spellings of
// one name are values of one header.
//
// See https://github.com/jeremydaly/lambda-api/issues/117, and for headers of the
// other form https://github.com/aws-powertools/powertools-lambda-python/issues/1450
func albHeader(members map[string]json.RawMessage, multi bool) (http.Header, error) {
	lists, single := map[string][]*string{}, map[string]*string{}
	name, other, into := "headers", "multiValueHeaders", any(&single)
	if multi {
		name, other, into = other, name, &lists
	}
	if members[name] == nil && members[other] != nil {
		return nil, fmt.Errorf("gateway: the function's response has %s, where the target group takes %s", other, name)
	}
	if err := albMember(members, name, into); err != nil {
		return nil, err
	}
	for name, value := range single {
		lists[name] = []*string{value}
	}
	header := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		for _, value := range lists[name] {
			if value == nil {
				return nil, fmt.Errorf("gateway: header %q of the function's response is null", name)
			}
			header.Add(name, *value)
		}
	}
	return header, nil
}
