package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// settings are what the environment of the function says.
type settings struct {
	bucket string
	owner  string // account of the bucket; empty for any
	prefix string // of keys

	age    time.Duration // of an object's oldest record; 0 for an object per batch of Lambda
	object int           // bytes of an object before compression
	memory int           // bytes of compressed objects that wait
	hold   time.Duration // that an invocation keeps the environment for an upload, at most
}

const (
	defaultAge    = time.Minute
	defaultObject = 4 << 20
	defaultMemory = 8 << 20
)

func readSettings() (settings, error) {
	s := settings{
		bucket: os.Getenv("LOGSHIPPER_BUCKET"),
		owner:  os.Getenv("LOGSHIPPER_BUCKET_OWNER"),
		prefix: os.Getenv("LOGSHIPPER_PREFIX"),
		age:    defaultAge, object: defaultObject, memory: defaultMemory,
	}
	if s.bucket == "" {
		return s, errors.New("LOGSHIPPER_BUCKET is not set")
	}
	if len(s.prefix) > 512 || strings.HasPrefix(s.prefix, "/") || s.prefix != "" && !strings.HasSuffix(s.prefix, "/") {
		return s, fmt.Errorf("LOGSHIPPER_PREFIX is %q, want at most 512 bytes that end, and do not begin, with a slash", s.prefix)
	}
	if err := readDuration(&s.age, os.Getenv("LOGSHIPPER_AGE"), 15*time.Minute); err != nil {
		return s, fmt.Errorf("LOGSHIPPER_AGE is %w", err)
	}
	if err := readDuration(&s.hold, os.Getenv("LOGSHIPPER_HOLD"), 10*time.Second); err != nil {
		return s, fmt.Errorf("LOGSHIPPER_HOLD is %w", err)
	}
	if err := readBytes(&s.object, os.Getenv("LOGSHIPPER_OBJECT_BYTES"), 64<<10, 64<<20); err != nil {
		return s, fmt.Errorf("LOGSHIPPER_OBJECT_BYTES is %w", err)
	}
	if err := readBytes(&s.memory, os.Getenv("LOGSHIPPER_MEMORY_BYTES"), 128<<10, 1<<30); err != nil {
		return s, fmt.Errorf("LOGSHIPPER_MEMORY_BYTES is %w", err)
	}
	if s.memory < 2*s.object { // one is on its way, the next one waits
		return s, fmt.Errorf("LOGSHIPPER_MEMORY_BYTES is %d, want at least twice LOGSHIPPER_OBJECT_BYTES, which is %d", s.memory, s.object)
	}
	return s, nil
}

// readDuration sets d to the duration in text. An empty text changes nothing.
func readDuration(d *time.Duration, text string, most time.Duration) error {
	if text == "" {
		return nil
	}
	value, err := time.ParseDuration(text)
	if err != nil || value < 0 || value > most {
		return fmt.Errorf("%q, want a duration from 0s to %v", text, most)
	}
	*d = value
	return nil
}

// readBytes sets n to the number in text. An empty text changes nothing.
func readBytes(n *int, text string, least, most int) error {
	if text == "" {
		return nil
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < least || value > most {
		return fmt.Errorf("%q, want a number from %d to %d", text, least, most)
	}
	*n = value
	return nil
}
