package main

import (
	"strings"
	"testing"
	"time"
)

func TestAWrongSettingIsNamed(t *testing.T) {
	for _, tt := range []struct {
		name, variable, value, want string
	}{
		{"no bucket", "LOGSHIPPER_BUCKET", "", "LOGSHIPPER_BUCKET is not set"},
		{"a prefix without a slash", "LOGSHIPPER_PREFIX", "records", "LOGSHIPPER_PREFIX is"},
		{"a prefix that begins with one", "LOGSHIPPER_PREFIX", "/records/", "LOGSHIPPER_PREFIX is"},
		{"a prefix that leaves no place for a key", "LOGSHIPPER_PREFIX", strings.Repeat("a", 512) + "/", "LOGSHIPPER_PREFIX is"},
		{"an age without a unit", "LOGSHIPPER_AGE", "60", "LOGSHIPPER_AGE is"},
		{"an age below zero", "LOGSHIPPER_AGE", "-1s", "LOGSHIPPER_AGE is"},
		{"an age beyond an invocation", "LOGSHIPPER_AGE", "16m", "LOGSHIPPER_AGE is"},
		{"a hold that is long", "LOGSHIPPER_HOLD", "11s", "LOGSHIPPER_HOLD is"},
		{"objects that are small", "LOGSHIPPER_OBJECT_BYTES", "1000", "LOGSHIPPER_OBJECT_BYTES is"},
		{"memory in words", "LOGSHIPPER_MEMORY_BYTES", "16MB", "LOGSHIPPER_MEMORY_BYTES is"},
		{"memory for one object", "LOGSHIPPER_MEMORY_BYTES", "8388607", "at least twice LOGSHIPPER_OBJECT_BYTES"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("LOGSHIPPER_BUCKET", "b")
			t.Setenv(tt.variable, tt.value)
			if _, err := readSettings(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestSettingsHaveDefaults(t *testing.T) {
	t.Setenv("LOGSHIPPER_BUCKET", "b")
	got, err := readSettings()
	want := settings{bucket: "b", age: time.Minute, object: 4 << 20, memory: 8 << 20}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
