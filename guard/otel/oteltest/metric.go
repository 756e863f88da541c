package oteltest

import (
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	otlp "go.opentelemetry.io/proto/otlp/metrics/v1"
)

// A Metric is one data point of a metric that a collector has received.
type Metric struct {
	Name string
	Unit string
	Kind string // "sum", "gauge", "histogram", "exponential histogram" or "summary"
	// Delta is whether the point has only what was measured since the one before,
	// and not since the program began.
	Delta      bool
	Value      float64 // of a sum or gauge; the sum of the values of another kind
	Count      uint64  // of values, 0 for a sum or gauge
	Attributes map[string]any

	Resource map[string]any // of the program that sent the metric
	Scope    string         // the name of the meter
	Version  string         // of the meter
}

func (c *Collector) takeMetrics(body []byte, enc encoding) error {
	var req collector.ExportMetricsServiceRequest
	if err := decode(body, enc, &req); err != nil {
		return err
	}
	var points []Metric
	for _, rm := range req.GetResourceMetrics() {
		resource := attributes(rm.GetResource().GetAttributes())
		for _, sm := range rm.GetScopeMetrics() {
			for _, m := range sm.GetMetrics() {
				for _, p := range pointsOf(m) {
					p.Name, p.Unit, p.Resource = m.GetName(), m.GetUnit(), resource
					p.Scope, p.Version = sm.GetScope().GetName(), sm.GetScope().GetVersion()
					points = append(points, p)
				}
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.metrics = append(c.metrics, points...)
	return nil
}

func pointsOf(m *otlp.Metric) (points []Metric) {
	delta := func(t otlp.AggregationTemporality) bool {
		return t == otlp.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
	}
	switch d := m.GetData().(type) {
	case *otlp.Metric_Sum:
		for _, p := range d.Sum.GetDataPoints() {
			points = append(points, Metric{
				Kind: "sum", Delta: delta(d.Sum.GetAggregationTemporality()), Value: number(p), Attributes: attributes(p.GetAttributes()),
			})
		}
	case *otlp.Metric_Gauge:
		for _, p := range d.Gauge.GetDataPoints() {
			points = append(points, Metric{Kind: "gauge", Value: number(p), Attributes: attributes(p.GetAttributes())})
		}
	case *otlp.Metric_Histogram:
		for _, p := range d.Histogram.GetDataPoints() {
			points = append(points, Metric{
				Kind: "histogram", Delta: delta(d.Histogram.GetAggregationTemporality()),
				Value: p.GetSum(), Count: p.GetCount(), Attributes: attributes(p.GetAttributes()),
			})
		}
	case *otlp.Metric_ExponentialHistogram:
		for _, p := range d.ExponentialHistogram.GetDataPoints() {
			points = append(points, Metric{
				Kind: "exponential histogram", Delta: delta(d.ExponentialHistogram.GetAggregationTemporality()),
				Value: p.GetSum(), Count: p.GetCount(), Attributes: attributes(p.GetAttributes()),
			})
		}
	case *otlp.Metric_Summary:
		for _, p := range d.Summary.GetDataPoints() {
			points = append(points, Metric{
				Kind: "summary", Value: p.GetSum(), Count: p.GetCount(), Attributes: attributes(p.GetAttributes()),
			})
		}
	}
	return points
}

func number(p *otlp.NumberDataPoint) float64 {
	if i, ok := p.GetValue().(*otlp.NumberDataPoint_AsInt); ok {
		return float64(i.AsInt)
	}
	return p.GetAsDouble()
}
