package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// settings are those of the function's environment variables, see README.md.
type settings struct {
	config   string        // where config.yaml is
	ttl      time.Duration // of a value
	load     bool          // all that config.yaml lists, before the first invocation
	port     string        // of the simple routes
	awsPort  string        // of the routes of AWS's own extension
	token    string        // that a request must have
	openPort bool          // the simple routes need no token
}

func readSettings() (s settings, err error) {
	s = settings{
		config:  cmp.Or(os.Getenv("CACHE_EXTENSION_CONFIG"), "/var/task/config.yaml"),
		port:    cmp.Or(os.Getenv("CACHE_EXTENSION_PORT"), "4000"),
		awsPort: cmp.Or(os.Getenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"), "2773"),
		token:   os.Getenv("AWS_SESSION_TOKEN"),
	}
	if s.token == "" {
		return s, errors.New("AWS_SESSION_TOKEN is not set, which requests have to send")
	}
	for name, port := range map[string]string{"CACHE_EXTENSION_PORT": s.port, "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": s.awsPort} {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return s, fmt.Errorf("%s is %q, which is no port", name, port)
		}
	}
	text := cmp.Or(os.Getenv("CACHE_EXTENSION_TTL"), "5m")
	if s.ttl, err = time.ParseDuration(text); err != nil || s.ttl <= 0 || s.ttl > 24*time.Hour {
		return s, fmt.Errorf("CACHE_EXTENSION_TTL is %q, which is no duration of up to 24h, like 90s or 5m", text)
	}
	if s.load, err = readBool("CACHE_EXTENSION_INIT_STARTUP", os.Getenv("CACHE_EXTENSION_INIT_STARTUP")); err != nil {
		return s, err
	}
	s.openPort, err = readBool("CACHE_EXTENSION_UNSAFE_NO_TOKEN", os.Getenv("CACHE_EXTENSION_UNSAFE_NO_TOKEN"))
	return s, err
}

func readBool(name, text string) (bool, error) {
	yes, err := strconv.ParseBool(cmp.Or(text, "false"))
	if err != nil {
		return false, fmt.Errorf("%s is %q, which is neither true nor false", name, text)
	}
	return yes, nil
}
