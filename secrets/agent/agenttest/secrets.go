package agenttest

import (
	"fmt"
	"net/url"
)

// The staging labels that Secrets Manager itself moves.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

type secret struct {
	values map[string][]byte // by version id
	binary map[string]bool
	stages map[string]string // label → version id
}

// SetSecret gives a secret a new version with this text, and its id. The version
// becomes AWSCURRENT, the one before AWSPREVIOUS, as in a rotation.
func (a *Agent) SetSecret(name, text string) (version string) {
	return a.addVersion(name, []byte(text), false)
}

// SetSecretBinary is SetSecret for a binary secret.
func (a *Agent) SetSecretBinary(name string, data []byte) (version string) {
	return a.addVersion(name, data, true)
}

func (a *Agent) addVersion(name string, data []byte, binary bool) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.secrets[name]
	if s == nil {
		s = &secret{values: map[string][]byte{}, binary: map[string]bool{}, stages: map[string]string{}}
		a.secrets[name] = s
	}
	version := fmt.Sprintf("00000000-0000-4000-8000-%012d", len(s.values)+1)
	s.values[version], s.binary[version] = append([]byte{}, data...), binary
	if before := s.stages[current]; before != "" {
		s.stages[previous] = before
	}
	s.stages[current] = version
	return version
}

func (a *Agent) getSecret(query url.Values) Answer {
	if refused, fine := only(query, "secretId", "versionId", "versionStage", "refreshNow"); !fine {
		return refused
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	name := query.Get("secretId")
	if f, failing := a.failing(name); failing {
		return f
	}
	s := a.secrets[name]
	if s == nil {
		return Refused("ResourceNotFoundException")
	}
	version, stage := query.Get("versionId"), query.Get("versionStage")
	if version == "" {
		if stage == "" {
			stage = current
		}
		version = s.stages[stage]
	}
	value, found := s.values[version]
	if !found {
		return Refused("ResourceNotFoundException")
	}
	var labels []string
	for label, id := range s.stages {
		if id == version {
			labels = append(labels, label)
		}
	}
	response := map[string]any{
		"ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:" + name + "-AbCdEf", "Name": name,
		"CreatedDate": "2026-01-02T03:04:05.678Z", "VersionId": version, "VersionStages": labels,
		"SecretString": nil, "SecretBinary": nil, "ResultMetadata": map[string]any{},
	}
	if s.binary[version] {
		response["SecretBinary"] = value
	} else {
		response["SecretString"] = string(value)
	}
	return ok(response)
}
