package agenttest

import (
	"net/url"
	"strconv"
)

type parameter struct {
	values []string          // of version 1 and on
	labels map[string]string // label → version
}

// SetParameter gives a parameter, a SecureString, a new version with this value.
func (a *Agent) SetParameter(name, value string) (version string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.parameters[name]
	if p == nil {
		p = &parameter{labels: map[string]string{}}
		a.parameters[name] = p
	}
	p.values = append(p.values, value)
	return strconv.Itoa(len(p.values))
}

// LabelParameter moves a label to a version of a parameter that is there.
func (a *Agent) LabelParameter(name, label, version string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.parameters[name].labels[label] = version
}

func (a *Agent) getParameter(query url.Values) Answer {
	if refused, fine := only(query, "name", "version", "label", "withDecryption"); !fine {
		return refused
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	name := query.Get("name")
	if f, failing := a.failing(name); failing {
		return f
	}
	p := a.parameters[name]
	if p == nil {
		return Refused("ParameterNotFound")
	}
	version := strconv.Itoa(len(p.values))
	if v := query.Get("version"); v != "" {
		version = v
	}
	if label := query.Get("label"); label != "" {
		version = p.labels[label]
	}
	number, err := strconv.Atoi(version)
	if err != nil || number < 1 || number > len(p.values) {
		return Refused("ParameterVersionNotFound")
	}
	value := p.values[number-1]
	if query.Get("withDecryption") != "true" {
		value = "AQICAHh-encrypted"
	}
	return ok(map[string]any{
		"Parameter": map[string]any{
			"ARN": "arn:aws:ssm:us-east-1:123456789012:parameter" + name, "DataType": "text", "Name": name,
			"LastModifiedDate": "2026-01-02T03:04:05.678Z", "Selector": nil, "SourceResult": nil,
			"Type": "SecureString", "Value": value, "Version": number,
		},
		"ResultMetadata": map[string]any{},
	})
}
