package metrics

import (
	"log/slog"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A document has at most so many metrics, and so many values of each.
const (
	mostMetrics = 100
	mostValues  = 100
)

// A document is at most 256 kB, as CloudWatch Logs counts them, with 26 bytes more
// than the text. The specification says 1 MB, but its older editions and many
// clients 256 kB, and another document costs next to nothing. What it is made of
// adds up to less:
//
//	namespace, ids, punctuation      3 kB
//	30 dimensions, all escaped      90 kB
//	metadata                        32 kB
//	metrics and their values       120 kB
const (
	metadataShare = 32 << 10
	metricsShare  = 120 << 10
)

// document holds what one document will have.
type document struct {
	at         int64       // milliseconds of Unix time
	dimensions []Dimension // besides those of the EMF
	metrics    []metric
	size       int // of the metrics, at most
}

type metric struct {
	name       string
	unit       Unit
	resolution int
	value      float64
	more       []float64 // values after the first
}

// isFor reports whether a measurement belongs into the document.
func (d *document) isFor(m *Measurement, at int64) bool {
	if d.at != at || len(d.dimensions) != len(m.Dimensions) {
		return false
	}
	for _, own := range m.Dimensions { // no name is there twice
		if !slices.Contains(d.dimensions, own) {
			return false
		}
	}
	return true
}

// take adds a measurement. It returns false if the document has no room for it.
func (d *document) take(m *Measurement) bool {
	unit, resolution := m.Unit, m.Resolution
	if unit == "" {
		unit = None
	}
	if resolution == 0 {
		resolution = 60
	}
	const value = len("-2.3485425827738332e-108,")
	i := slices.IndexFunc(d.metrics, func(known metric) bool { return known.name == m.Name })
	if i < 0 {
		const braces = len(`{"Name":"","Unit":"Kilobytes/Second","StorageResolution":1},"":[],`)
		size := 4*len(m.Name) + braces + value // the name twice, each character escaped
		if len(d.metrics) == mostMetrics || d.size+size > metricsShare {
			return false
		}
		d.size += size
		d.metrics = append(d.metrics, metric{name: m.Name, unit: unit, resolution: resolution, value: m.Value})
		return true
	}
	known := &d.metrics[i]
	if known.unit != unit || known.resolution != resolution || 1+len(known.more) == mostValues || d.size+value > metricsShare {
		return false
	}
	d.size += value
	known.more = append(known.more, m.Value)
	return true
}

// appendDocument appends a document as JSON. The members of its root are the
// targets of the metadata: no name is there twice.
func (e *EMF) appendDocument(b []byte, d *document, from *documents) []byte {
	dimensions := e.merged(d.dimensions)
	b = append(b, `{"_aws":{"Timestamp":`...)
	b = strconv.AppendInt(b, d.at, 10)
	b = append(b, `,"CloudWatchMetrics":[{"Namespace":`...)
	b = appendQuoted(b, e.namespace)
	b = append(b, `,"Dimensions":[[`...)
	for i, dim := range dimensions {
		b = appendComma(b, i)
		b = appendQuoted(b, dim.Name)
	}
	b = append(b, `]],"Metrics":[`...)
	for i, m := range d.metrics {
		b = appendComma(b, i)
		b = append(b, `{"Name":`...)
		b = appendQuoted(b, m.name)
		if m.unit != None {
			b = append(append(append(b, `,"Unit":"`...), m.unit...), '"')
		}
		if m.resolution == 1 {
			b = append(b, `,"StorageResolution":1`...)
		}
		b = append(b, '}')
	}
	b = append(b, `]}]}`...)
	for _, dim := range dimensions {
		b = appendText(b, dim.Name, dim.Value)
	}
	for _, m := range d.metrics {
		b = append(appendQuoted(append(b, ','), m.name), ':')
		b = appendValues(b, m)
	}
	taken := func(name string) bool {
		return hasDimension(dimensions, name) || slices.ContainsFunc(d.metrics, func(m metric) bool { return m.name == name })
	}
	for _, p := range from.metadata {
		if !taken(p.name) {
			b = append(append(b, ','), p.member...)
		}
	}
	if e.level != "" {
		at := time.Now().UTC().Format("2006-01-02T15:04:05.000Z") // of the line
		for _, p := range [...]Dimension{{"timestamp", at}, {"level", e.level}} {
			if !taken(p.Name) {
				b = appendText(b, p.Name, p.Value)
			}
		}
	}
	if from.inv != nil {
		var room [6]slog.Attr
		for _, id := range from.inv.AppendIdentity(room[:0]) {
			if !taken(id.Key) {
				b = appendText(b, id.Key, id.Value.String())
			}
		}
	}
	return append(b, '}')
}

// merged returns the dimensions of the EMF and of a measurement, which replace
// those of the same name.
func (e *EMF) merged(own []Dimension) []Dimension {
	if len(own) == 0 {
		return e.dimensions
	}
	all := make([]Dimension, 0, len(e.dimensions)+len(own))
	for _, d := range e.dimensions {
		if !hasDimension(own, d.Name) {
			all = append(all, d)
		}
	}
	return append(all, own...)
}

func appendComma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

func appendText(b []byte, name, text string) []byte {
	return appendQuoted(append(appendQuoted(append(b, ','), name), ':'), text)
}

// appendQuoted appends a text as a JSON string. Invalid UTF-8 is replaced.
func appendQuoted(b []byte, text string) []byte {
	b, _ = jsontext.AppendQuote(b, text)
	return b
}

func appendValues(b []byte, m metric) []byte {
	if len(m.more) == 0 {
		return appendNumber(b, m.value)
	}
	b = appendNumber(append(b, '['), m.value)
	for _, v := range m.more {
		b = appendNumber(append(b, ','), v)
	}
	return append(b, ']')
}

// appendNumber appends a number as encoding/json does: with an exponent only if it
// is very small or large. Most are whole.
func appendNumber(b []byte, v float64) []byte {
	size := math.Abs(v)
	if size < 1<<53 && v == math.Trunc(v) {
		return strconv.AppendInt(b, int64(v), 10)
	}
	format := byte('f')
	if size < 1e-6 || size >= 1e21 {
		format = 'e'
	}
	return strconv.AppendFloat(b, v, format, -1, 64)
}
