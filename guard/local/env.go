package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// localRun is the name by which tools recognise a run outside AWS.
const localRun = "AWS_SAM_LOCAL=true"

var passed = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
	"HOME", "TMPDIR",
}

// passedOn are the variables of this command's environment that the function gets.
// AWS_REGION is the function's region.
func passedOn(environ []string) []string {
	env := []string{localRun}
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if slices.Contains(passed, name) || strings.HasPrefix(name, "AWS_ENDPOINT_URL") {
			env = append(env, variable)
		}
	}
	return env
}

// queueEnv are the variables for an SQS client of the function. SQS in memory takes any
// credentials, but an SDK needs some: without any on this machine it gets these. An
// endpoint that is set for SQS stays.
func queueEnv(endpoint string) []string {
	env := []string{"AWS_ENDPOINT_URL_SQS=" + endpoint}
	home, err := os.UserHomeDir()
	if err == nil {
		_, err = os.Stat(filepath.Join(home, ".aws"))
	}
	if err != nil && os.Getenv("AWS_PROFILE") == "" {
		env = append(env, "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local")
	}
	return env
}

// readEnvFile reads lines of NAME=value. Everything after the first = is the
// value, quotes included. An empty path is no file.
func readEnvFile(path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("-env: %w", err)
	}
	var env []string
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if trimmed := strings.TrimSpace(line); trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" || strings.ContainsAny(name, " \t") || strings.Contains(line, "\x00") {
			return nil, fmt.Errorf("-env: %s:%d: not NAME=value", path, number)
		}
		env = append(env, name+"="+value)
	}
	return env, nil
}
