package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"poaid/daemon/challenger"
)

// Disputes are the counters of a challenger. It implements challenger.Metrics.
type Disputes struct {
	revealed prometheus.Counter
	watched  *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	playing  *prometheus.GaugeVec
	games    *prometheus.CounterVec
	messages *prometheus.CounterVec
	failures prometheus.Counter
	failing  prometheus.Gauge
}

var _ challenger.Metrics = (*Disputes)(nil)

// Disputes adds the counters of a challenger.
func (m *Metrics) Disputes() *Disputes {
	const ns = "poaid_challenger"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Name: name, Help: help}, labels)
	}
	d := &Disputes{
		revealed: prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Name: "results_revealed_total", Help: "Results seen on the chain."}),
		watched:  counter("results_watched_total", "Results computed again, by model and outcome: same, mismatch or error.", "model", "outcome"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: ns, Name: "watch_seconds", Help: "Duration of computing a result again.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 10),
		}, []string{"model"}),
		playing:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: ns, Name: "playing", Help: "Open cases and running games it is in."}, []string{"what"}),
		games:    counter("games_total", "Games that ended, by how: won, lost or moot.", "how"),
		messages: counter("messages_total", "Messages handed to the sender by kind.", "kind"),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Name: "errors_total", Help: "Looks and jobs that failed."}),
		failing:  prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Name: "last_look_failed", Help: "1 when the last look at the chain or job failed; /healthz has the error."}),
	}
	m.reg.MustRegister(d.revealed, d.watched, d.seconds, d.playing, d.games, d.messages, d.failures, d.failing)
	return d
}

// Revealed implements challenger.Metrics.
func (d *Disputes) Revealed(n int) { d.revealed.Add(float64(n)) }

// Watched implements challenger.Metrics.
func (d *Disputes) Watched(model string, seconds float64, mismatch bool, err error) {
	how := "same"
	switch {
	case err != nil:
		how = "error"
	case mismatch:
		how = "mismatch"
	}
	d.watched.WithLabelValues(model, how).Inc()
	if err == nil {
		d.seconds.WithLabelValues(model).Observe(seconds)
	}
}

// Playing implements challenger.Metrics.
func (d *Disputes) Playing(cases, games int) {
	d.playing.WithLabelValues("cases").Set(float64(cases))
	d.playing.WithLabelValues("games").Set(float64(games))
}

// GameOver implements challenger.Metrics.
func (d *Disputes) GameOver(how string) { d.games.WithLabelValues(how).Inc() }

// Acted implements challenger.Metrics.
func (d *Disputes) Acted(kind string) { d.messages.WithLabelValues(kind).Inc() }

// Failed implements challenger.Metrics.
func (d *Disputes) Failed(err error) {
	if err == nil {
		d.failing.Set(0)
		return
	}
	d.failures.Inc()
	d.failing.Set(1)
}
