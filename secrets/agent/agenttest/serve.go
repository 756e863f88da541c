package agenttest

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// guarded makes the checks of the extension and the Secrets Manager Agent.
func (a *Agent) guarded(answer func(url.Values) Answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		token := r.Header.Get("X-Aws-Parameters-Secrets-Token")
		query, err := url.ParseQuery(r.URL.RawQuery)
		switch {
		case r.Header.Get("X-Forwarded-For") != "":
			reply(w, Answer{http.StatusBadRequest, "Forwarded"})
		case subtle.ConstantTimeCompare([]byte(token), []byte(a.token)) == 0:
			reply(w, Answer{http.StatusForbidden, "Bad Token"})
		case r.Method != http.MethodGet:
			reply(w, Answer{http.StatusMethodNotAllowed, "Not allowed"})
		case a.notReady != 0:
			a.notReady = max(a.notReady-1, -1)
			reply(w, Answer{http.StatusBadRequest, "not ready to serve traffic, please wait"})
		case err != nil:
			reply(w, Answer{http.StatusBadRequest, "malformed query"})
		default:
			reply(w, answer(query))
		}
	})
}

// begin counts a request for a name and returns the answer it fails with. The lock
// is held, as it is in what follows.
func (a *Agent) begin(name string) (Answer, bool) {
	a.asked[name]++
	f := a.failures[name]
	return f, f != Answer{}
}

// refuseUnknown refuses parameters of a query that an agent does not know.
func refuseUnknown(query url.Values, known ...string) (Answer, bool) {
	for name, values := range query {
		if !slices.Contains(known, name) || len(values) != 1 {
			return Answer{http.StatusBadRequest, "unknown parameter: " + name}, true
		}
	}
	return Answer{}, false
}

func (a *Agent) getSecret(query url.Values) Answer {
	if refused, yes := refuseUnknown(query, "secretId", "versionId", "versionStage", "refreshNow"); yes {
		return refused
	}
	name := query.Get("secretId")
	if f, fails := a.begin(name); fails {
		return f
	}
	s := a.secrets[name]
	if s == nil {
		return Refused("ResourceNotFoundException")
	}
	stage := query.Get("versionStage")
	if stage == "" {
		stage = current
	}
	n := s.labels[stage]
	if id := query.Get("versionId"); id != "" {
		n = 0
		for i := range s.values {
			if secretVersion(i+1) == id {
				n = i + 1
			}
		}
	}
	if n == 0 {
		return Refused("ResourceNotFoundException")
	}
	var labels []string
	for label, version := range s.labels {
		if version == n {
			labels = append(labels, label)
		}
	}
	return ok(map[string]any{
		"ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:" + name + "-AbCdEf", "Name": name,
		"CreatedDate": "2026-01-02T03:04:05.678Z", "VersionId": secretVersion(n), "VersionStages": labels,
		"SecretString": s.values[n-1], "SecretBinary": nil, "ResultMetadata": map[string]any{},
	})
}

func (a *Agent) getParameter(query url.Values) Answer {
	if refused, yes := refuseUnknown(query, "name", "version", "label", "withDecryption"); yes {
		return refused
	}
	name := query.Get("name")
	if f, fails := a.begin(name); fails {
		return f
	}
	p := a.parameters[name]
	if p == nil {
		return Refused("ParameterNotFound")
	}
	n := len(p.values)
	if version := query.Get("version"); version != "" {
		n, _ = strconv.Atoi(version)
	}
	if label := query.Get("label"); label != "" {
		n = p.labels[label]
	}
	if n < 1 || n > len(p.values) {
		return Refused("ParameterVersionNotFound")
	}
	value := p.values[n-1]
	if query.Get("withDecryption") != "true" {
		value = "AQICAHh-encrypted"
	}
	return ok(map[string]any{
		"Parameter": map[string]any{
			"ARN": "arn:aws:ssm:us-east-1:123456789012:parameter" + name, "DataType": "text", "Name": name,
			"LastModifiedDate": "2026-01-02T03:04:05.678Z", "Selector": nil, "SourceResult": nil,
			"Type": "SecureString", "Value": value, "Version": n,
		},
		"ResultMetadata": map[string]any{},
	})
}

func (a *Agent) getConfiguration(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := r.PathValue("application") + "/" + r.PathValue("environment") + "/" + r.PathValue("profile")
	f, fails := a.begin(name)
	c := a.configs[name]
	switch {
	case fails:
		reply(w, f)
	case c == nil:
		reply(w, Answer{http.StatusNotFound, encode(map[string]string{"Message": "not deployed", "ResourceType": "Deployment"})})
	default:
		w.Header().Set("Configuration-Version", strconv.Itoa(len(c.values)))
		reply(w, pickFlags(c.values[len(c.values)-1], r.URL.Query()["flag"]))
	}
}

// pickFlags returns the whole configuration if no flag is named, one flag by
// itself, and several as an object.
func pickFlags(content string, names []string) Answer {
	if len(names) == 0 {
		return Answer{http.StatusOK, content}
	}
	all, picked := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(content), &all); err != nil {
		return Answer{http.StatusBadRequest, encode(map[string]string{"Message": "not a configuration of flags"})}
	}
	for _, name := range names {
		flag, found := all[name]
		if !found {
			return Answer{http.StatusNotFound, encode(map[string]string{"Message": "no such flag"})}
		}
		picked[name] = flag
	}
	if len(names) == 1 {
		return ok(picked[names[0]])
	}
	return ok(picked)
}

func reply(w http.ResponseWriter, f Answer) {
	w.WriteHeader(f.Status)
	fmt.Fprint(w, f.Body)
}

func ok(v any) Answer { return Answer{http.StatusOK, encode(v)} }

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("agenttest: " + err.Error()) // maps of texts and numbers
	}
	return string(text)
}
