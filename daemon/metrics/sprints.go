package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"poaid/daemon/sprinter"
)

// Sprints are the counters of a sprinter. It implements sprinter.Metrics.
type Sprints struct {
	leaves  prometheus.Counter
	seconds prometheus.Counter
	speed   prometheus.Gauge
	windows *prometheus.CounterVec
	opened  prometheus.Counter
}

var _ sprinter.Metrics = (*Sprints)(nil)

// Sprints adds the counters of a sprinter.
func (m *Metrics) Sprints() *Sprints {
	const ns = "poaid_sprints"
	s := &Sprints{
		leaves:  prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Name: "leaves_total", Help: "Leaves computed."}),
		seconds: prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Name: "seconds_total", Help: "Time spent in windows."}),
		speed:   prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Name: "leaves_per_second", Help: "Speed in the last window, all threads together."}),
		windows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: ns, Name: "windows_total", Help: "Windows by how they ended here: committed, skipped or error.",
		}, []string{"outcome"}),
		opened: prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Name: "audits_total", Help: "Audits whose leaves were opened."}),
	}
	m.reg.MustRegister(s.leaves, s.seconds, s.speed, s.windows, s.opened)
	return s
}

// Computed implements sprinter.Metrics.
func (s *Sprints) Computed(leaves uint64, seconds float64, _ int) {
	s.leaves.Add(float64(leaves))
	s.seconds.Add(seconds)
	if seconds > 0 {
		s.speed.Set(float64(leaves) / seconds)
	}
}

// Window implements sprinter.Metrics.
func (s *Sprints) Window(outcome string) { s.windows.WithLabelValues(outcome).Inc() }

// Opened implements sprinter.Metrics.
func (s *Sprints) Opened() { s.opened.Inc() }
