package main

import (
	"encoding/json"
	"time"
)

type record = struct {
	Time time.Time
	Type string
	Raw  json.RawMessage
}

func main() {}
