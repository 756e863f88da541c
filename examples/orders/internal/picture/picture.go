// Package picture draws what was recorded of requests: the spans of each trace, and
// the log record and the metrics document that have the same ids.
package picture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambdarmor/lambdarmor/guard/otel/oteltest"
	"go.opentelemetry.io/otel/trace"
)

// An Exchange is a request with its answer, and all that was recorded of it.
type Exchange struct {
	Request  string // "POST /orders"
	Note     string // what is special about it
	Status   int
	Spans    []oteltest.Span // of its trace
	Record   Lines           // what is shown of its log record
	Document Lines           // what is shown of its metrics document
}

// Lines are members of a JSON text, each "name": value.
type Lines []Line

// A Line is one member: the name, and the value as JSON.
type Line struct{ Name, Value string }

// Where things stand, in pixels.
const (
	width    = 1000
	margin   = 28
	chart    = 430 // where the bars begin
	chartEnd = 890
	rowStep  = 44
	lineStep = 20
	gap      = 20 // between two panels of JSON

	smallSize = 11.5 // of fixed-width text
	advance   = 0.602 * smallSize
)

// style has the colours of GitHub's light and dark themes. A picture in a README
// has no other place for them.
const style = `
text { font-family: -apple-system, BlinkMacSystemFont, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; font-size: 14px; fill: #1f2328; }
.m { font-family: ui-monospace, SFMono-Regular, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: 11.5px; white-space: pre; }
.h { font-size: 17px; font-weight: 600; }
.b { font-weight: 600; }
.q { fill: #59636e; }
.c { font-size: 12px; font-weight: 600; fill: #59636e; }
.page { fill: #ffffff; stroke: #d1d9e0; }
.card { fill: #f6f8fa; stroke: #d1d9e0; }
.grid { stroke: #d1d9e0; stroke-width: 1; }
.tree { stroke: #b7c0ca; stroke-width: 1.2; fill: none; }
.server { fill: #0969da; } .internal { fill: #8250df; } .client { fill: #bc4c00; }
.pill { fill: #dafbe1; } .pilltext { fill: #116329; font-weight: 600; font-size: 12.5px; }
.again { fill: #fff1e5; } .againtext { fill: #953800; font-weight: 600; font-size: 12.5px; }
.t { fill: #ddf4ff; stroke: #54aeff; } .tt { fill: #0550ae; font-weight: 600; }
.s { fill: #fbefff; stroke: #c297ff; } .st { fill: #6639ba; font-weight: 600; }
.r { fill: #fff8c5; stroke: #d4a72c; } .rt { fill: #7d4e00; font-weight: 600; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.q, .c { fill: #9198a1; }
.page { fill: #0d1117; stroke: #3d444d; }
.card { fill: #151b23; stroke: #3d444d; }
.grid { stroke: #2f353d; }
.tree { stroke: #4a525c; }
.server { fill: #4493f8; } .internal { fill: #ab7df8; } .client { fill: #f0883e; }
.pill { fill: #12361f; } .pilltext { fill: #56d364; }
.again { fill: #3d2211; } .againtext { fill: #ffa657; }
.t { fill: #0c2d6b; stroke: #1f6feb; } .tt { fill: #a5d6ff; }
.s { fill: #3c1e70; stroke: #8957e5; } .st { fill: #e2c5ff; }
.r { fill: #3b2300; stroke: #9e6a03; } .rt { fill: #f2cc60; }
}
`

// Draw returns the picture as SVG.
func Draw(title, description string, exchanges []Exchange) []byte {
	d := &drawing{y: margin}
	d.y += 14
	d.text(margin, "h", title)
	d.legend()
	for _, e := range exchanges {
		d.exchange(e)
	}
	d.y += margin
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title description">`+"\n",
		width, d.y, width, d.y)
	fmt.Fprintf(&out, "<title id=\"title\">%s</title>\n<desc id=\"description\">%s</desc>\n<style>%s</style>\n", escape(title), escape(description), style)
	fmt.Fprintf(&out, `<rect class="page" x="0.5" y="0.5" width="%d" height="%d" rx="8"/>`+"\n", width-1, d.y-1)
	out.WriteString(d.svg.String())
	out.WriteString("</svg>\n")
	return []byte(out.String())
}

// drawing is the picture so far. y is where it goes on.
type drawing struct {
	svg strings.Builder
	y   int
	ids map[string]string // the class of each id of the exchange that is drawn
}

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.svg, format+"\n", args...) }

func (d *drawing) text(x float64, class, text string) {
	d.add(`<text x="%.1f" y="%d" class="%s">%s</text>`, x, d.y, class, escape(text))
}

// mono writes text of a fixed width, which is the same in every font, and returns
// where it ends. An id of the exchange is marked.
func (d *drawing) mono(x float64, class, text string) (end float64) {
	if text == "" {
		return x
	}
	w := advance * float64(len([]rune(text)))
	if id := d.ids[strings.Trim(text, `"`)]; id != "" {
		x += 3
		d.add(`<rect class="%s" x="%.1f" y="%d" width="%.1f" height="17" rx="4"/>`, id, x-3, d.y-12, w+6)
		class = id + "t"
		defer func() { end += 3 }()
	}
	d.add(`<text x="%.1f" y="%d" class="m %s" textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`, x, d.y, class, w, escape(text))
	return x + w
}

// right writes text of a fixed width at the right margin.
func (d *drawing) right(text string) {
	d.mono(width-margin-advance*float64(len(text)), "q", text)
}

// legend shows what is marked in the same way everywhere.
func (d *drawing) legend() {
	x := float64(width - margin)
	for _, mark := range []struct{ class, text string }{{"r", "request id"}, {"s", "span id"}, {"t", "trace id"}} {
		w := advance*float64(len(mark.text)) + 14
		x -= w
		d.add(`<rect class="%s" x="%.1f" y="%d" width="%.1f" height="20" rx="4"/>`, mark.class, x, d.y-15, w)
		d.add(`<text x="%.1f" y="%d" class="m %st" textLength="%.1f" lengthAdjust="spacingAndGlyphs">%s</text>`, x+7, d.y-1, mark.class, w-14, mark.text)
		x -= 8
	}
}

func (d *drawing) exchange(e Exchange) {
	rows := tree(e.Spans)
	if len(rows) == 0 {
		return
	}
	first := rows[0].span
	request, _ := first.Attributes["faas.invocation_id"].(string)
	d.ids = map[string]string{first.TraceID: "t", first.SpanID: "s", request: "r"}

	d.y += 22
	d.add(`<line class="grid" x1="%d" x2="%d" y1="%d" y2="%d"/>`, margin, width-margin, d.y, d.y)
	d.y += 32
	d.head(e)
	d.y += 26
	x := d.mono(margin, "q", "trace ")
	x = d.mono(x, "", first.TraceID)
	x = d.mono(x+16, "q", "request ")
	d.mono(x, "", request)

	d.waterfall(rows)
	d.panels(e)
}

// head is the request and what became of it.
func (d *drawing) head(e Exchange) {
	x := float64(margin)
	d.text(x, "h", e.Request)
	x += 9.6*float64(len(e.Request)) + 8
	pill, label := "pill", fmt.Sprint(e.Status)
	w := 8.2*float64(len(label)) + 16
	d.add(`<rect class="%s" x="%.1f" y="%d" width="%.1f" height="22" rx="11"/>`, pill, x, d.y-16, w)
	d.add(`<text x="%.1f" y="%d" class="%stext" text-anchor="middle">%s</text>`, x+w/2, d.y-1, pill, label)
	x += w + 8
	if slices.ContainsFunc(e.Spans, func(s oteltest.Span) bool { return s.Attributes[replay] == true }) {
		d.add(`<rect class="again" x="%.1f" y="%d" width="78" height="22" rx="11"/>`, x, d.y-16)
		d.add(`<text x="%.1f" y="%d" class="againtext" text-anchor="middle">replayed</text>`, x+39, d.y-1)
		x += 86
	}
	d.text(x+4, "q", e.Note)
}

// row is a span of a tree.
type row struct {
	span  oteltest.Span
	depth int
	// parent is the row of its parent, -1 for the first.
	parent int
}

// tree returns the spans in the order of a walk: each before its children, and
// those in the order of their starts.
func tree(spans []oteltest.Span) (rows []row) {
	children := map[string][]oteltest.Span{}
	known := map[string]bool{}
	for _, s := range spans {
		known[s.SpanID] = true
	}
	for _, s := range spans {
		parent := s.ParentID
		if !known[parent] {
			parent = "" // it belongs to someone else, such as Lambda's own segment
		}
		children[parent] = append(children[parent], s)
	}
	var walk func(parent string, depth, at int)
	walk = func(parent string, depth, at int) {
		found := children[parent]
		slices.SortStableFunc(found, func(a, b oteltest.Span) int { return a.Start.Compare(b.Start) })
		for _, s := range found {
			rows = append(rows, row{span: s, depth: depth, parent: at})
			walk(s.SpanID, depth+1, len(rows)-1)
		}
	}
	walk("", 0, -1)
	return rows
}

// waterfall draws a line for each span: on the left what it is, on the right when.
func (d *drawing) waterfall(rows []row) {
	whole := rows[0].span
	total := max(whole.End.Sub(whole.Start), time.Microsecond)
	at := func(t time.Time) float64 {
		part := float64(t.Sub(whole.Start)) / float64(total)
		return chart + min(max(part, 0), 1)*(chartEnd-chart)
	}
	top := d.y + 18
	bottom := top + rowStep*len(rows)
	for _, x := range []int{chart, (chart + chartEnd) / 2, chartEnd} {
		d.add(`<line class="grid" x1="%d" x2="%d" y1="%d" y2="%d"/>`, x, x, top, bottom)
	}
	for i, r := range rows {
		y := top + i*rowStep
		x := float64(margin + 22*r.depth)
		if r.parent >= 0 {
			d.add(`<path class="tree" d="M%.1f %d V%d H%.1f"/>`, x-15, top+r.parent*rowStep+28, y+16, x-4)
		}
		kind := kindOf(r.span.Kind)
		d.y = y + 20
		d.add(`<circle class="%s" cx="%.1f" cy="%d" r="4.5"/>`, kind, x+5, y+15)
		d.text(x+16, "b", r.span.Name)
		d.y = y + 36
		left := d.mono(x+16, "q", kind)
		for _, text := range details(r.span) {
			left = d.mono(left, "q", " · ")
			left = d.mono(left, "", text)
		}
		if i == 0 {
			left = d.mono(left, "q", " · ")
			d.mono(left+3, "", r.span.SpanID)
		}
		from, to := at(r.span.Start), at(r.span.End)
		d.add(`<rect class="%s" x="%.1f" y="%d" width="%.1f" height="14" rx="3"/>`, kind, from, y+9, max(to-from, 3))
		d.y = y + 20
		d.right(duration(r.span.End.Sub(r.span.Start)))
	}
	d.y = bottom
}

// replay is the attribute of a span whose answer was given before.
const replay = "lambdarmor.idempotent_replay"

// details are the attributes that are shown.
func details(s oteltest.Span) (shown []string) {
	keys := []string{"http.response.status_code", "aws.dynamodb.table_names", "error.type"}
	if s.Attributes["error.type"] != nil {
		keys = keys[1:] // the code of the error says more
	}
	for _, key := range keys {
		switch v := s.Attributes[key].(type) {
		case nil:
		case []any:
			for _, name := range v {
				shown = append(shown, fmt.Sprint(name))
			}
		default:
			shown = append(shown, fmt.Sprint(v))
		}
	}
	if s.Attributes[replay] == true {
		shown = append(shown, "replayed")
	}
	return shown
}

func kindOf(k trace.SpanKind) string {
	return cmp.Or(k.String(), "internal")
}

// panels draws the log record and the metrics document side by side.
func (d *drawing) panels(e Exchange) {
	const w = (width - 2*margin - gap) / 2
	top := d.y + 16
	height := 36 + lineStep*(max(len(e.Record), len(e.Document))+2)
	for i, panel := range []struct {
		name  string
		lines Lines
	}{{"log record", e.Record}, {"metrics document", e.Document}} {
		x := float64(margin + i*(w+gap))
		d.add(`<rect class="card" x="%.1f" y="%d" width="%d" height="%d" rx="6"/>`, x, top, w, height)
		d.y = top + 22
		d.text(x+14, "c", panel.name)
		d.y += 22
		d.mono(x+14, "q", "{")
		for n, line := range panel.lines {
			d.y += lineStep
			end := d.mono(x+14+2*advance, "q", `"`+line.Name+`": `)
			end = d.mono(end, "", line.Value)
			if n < len(panel.lines)-1 {
				d.mono(end, "q", ",")
			}
		}
		d.y += lineStep
		d.mono(x+14, "q", "}")
	}
	d.y = top + height
}

func duration(t time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(t.Microseconds())/1000)
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func escape(s string) string { return escaper.Replace(s) }
