package agenttest

import (
	"fmt"
	"strconv"
)

// history is a name's values, version 1 first.
type history struct {
	values []string
	labels map[string]int // label → version
}

// addVersion adds a value to a name and returns its version. The lock is held.
func addVersion(all map[string]*history, name, value string) (*history, int) {
	h := all[name]
	if h == nil {
		h = &history{labels: map[string]int{}}
		all[name] = h
	}
	h.values = append(h.values, value)
	return h, len(h.values)
}

// The staging labels that Secrets Manager moves.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

// secretVersion is the id of a secret's version, as AWS writes it.
func secretVersion(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// SetSecret adds a version with this text to a secret, and returns its id. It
// becomes AWSCURRENT, and the one before it AWSPREVIOUS, as in a rotation.
func (a *Agent) SetSecret(name, text string) (version string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	h, n := addVersion(a.secrets, name, text)
	if n > 1 {
		h.labels[previous] = n - 1
	}
	h.labels[current] = n
	return secretVersion(n)
}

// SetParameter adds a version with this value to a parameter, a SecureString, and
// returns its number.
func (a *Agent) SetParameter(name, value string) (version string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, n := addVersion(a.parameters, name, value)
	return strconv.Itoa(n)
}

// LabelParameter moves a label to a version of a parameter. It panics if there is
// no such version.
func (a *Agent) LabelParameter(name, label, version string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	h, n := a.parameters[name], 0
	if h != nil {
		n, _ = strconv.Atoi(version)
	}
	if n < 1 || n > len(h.values) {
		panic(fmt.Sprintf("agenttest: LabelParameter of %q, which has no version %q", name, version))
	}
	h.labels[label] = n
}

// SetConfiguration deploys a configuration named "application/environment/profile"
// and returns its version. If it is a JSON object, its members are feature flags.
func (a *Agent) SetConfiguration(name, content string) (version string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, n := addVersion(a.configs, name, content)
	return strconv.Itoa(n)
}
