package agenttest

import (
	"encoding/json"
	"net/http"
	"strconv"
)

type configuration struct {
	content string
	version int
}

// SetConfiguration deploys a configuration, named "application/environment/profile".
// Flags are asked for one by one where it is a JSON object of them.
func (a *Agent) SetConfiguration(name, content string) (version string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.configs[name]
	if c == nil {
		c = &configuration{}
		a.configs[name] = c
	}
	c.content = content
	c.version++
	return strconv.Itoa(c.version)
}

func (a *Agent) getConfiguration(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := r.PathValue("application") + "/" + r.PathValue("environment") + "/" + r.PathValue("profile")
	f, failing := a.failing(name)
	c := a.configs[name]
	switch {
	case failing:
		reply(w, f)
	case c == nil:
		reply(w, Answer{http.StatusNotFound, encode(map[string]string{"Message": "not deployed", "ResourceType": "Deployment"})})
	default:
		w.Header().Set("Configuration-Version", strconv.Itoa(c.version))
		reply(w, c.flags(r.URL.Query()["flag"]))
	}
}

// flags is the whole configuration where none is named, one flag by itself, and
// several as an object.
func (c *configuration) flags(names []string) Answer {
	if len(names) == 0 {
		return Answer{http.StatusOK, c.content}
	}
	all, picked := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(c.content), &all); err != nil {
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
