package main

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// An object is records as gzip of NDJSON, under a key that no other object has. The
// key and the bytes never change: however often an object is sent, it is stored once.
type object struct {
	key  string
	body []byte
	holds

	unanswered bool // an attempt to store it had no answer; guarded by buffer.mu
}

// holds counts records: those of an object, and those of which it says that they
// were dropped, here or by Lambda.
type holds struct {
	records, bytes int // bytes before compression
	dropped        dropped
}

// size is about what it takes in memory.
func (o *object) size() int { return len(o.body) + 512 }

type dropped struct{ records, bytes int }

func (d *dropped) add(h holds) {
	d.records += h.records + h.dropped.records
	d.bytes += h.bytes + h.dropped.bytes
}

// millis is a time in UTC as Lambda writes it in its records.
const millis = "2006-01-02T15:04:05.000Z"

// A line is a record as it stands in an object: as Lambda sent it.
type line struct {
	Time   string          `json:"time"`
	Type   string          `json:"type"`
	Record json.RawMessage `json:"record"`
}

// draft is an object in the making.
type draft struct {
	holds
	body    bytes.Buffer
	gzip    *gzip.Writer
	first   time.Time // of its records, by Lambda's clock
	opened  time.Time // by ours
	request string    // the first one that a record of the platform names
}

func (d *draft) write(text []byte) {
	_, _ = d.gzip.Write(text) // into memory
}

// seal returns the object. number is that of the object in this process.
//
// The key begins with what a reader knows, function and hour, and sorts by time. It is
// unique by a text that is drawn here and not when the process starts: the copies of a
// snapshot would share that one.
func (d *draft) seal(prefix, function string, number int, lost dropped, now time.Time) *object {
	if lost.records > 0 {
		// Named, and with members, as Lambda's own platform.logsDropped.
		d.write(fmt.Appendf(nil, `{"time":%q,"type":"logshipper.logsDropped","record":{"reason":"logshipper: too much waits to be stored","droppedRecords":%d,"droppedBytes":%d}}`+"\n",
			now.UTC().Format(millis), lost.records, lost.bytes))
		d.dropped.records += lost.records
		d.dropped.bytes += lost.bytes
	}
	_ = d.gzip.Close()
	at := d.first.UTC()
	key := fmt.Sprintf("%s%s/%s/%s-%06d-%s", prefix, function, at.Format("2006-01-02/15"), at.Format("150405.000Z"), number, rand.Text())
	if d.request != "" {
		key += "-" + d.request
	}
	return &object{key: key + ".ndjson.gz", body: bytes.Clone(d.body.Bytes()), holds: d.holds}
}

// requestOf returns the id of the invocation that a record of the platform is about.
// Other records are the function's: it could write any id.
func requestOf(r record) string {
	if !strings.HasPrefix(r.Type, "platform.") {
		return ""
	}
	var about struct {
		RequestID string `json:"requestId"`
	}
	_ = json.Unmarshal(r.Raw, &about) // a record that has none may be a text
	const plain = "0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	if len(about.RequestID) > 64 || strings.Trim(about.RequestID, plain) != "" {
		return ""
	}
	return about.RequestID
}
