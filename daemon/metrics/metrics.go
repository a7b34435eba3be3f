// Package metrics counts what a daemon does, for Prometheus, and serves that together with its health.
package metrics

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"poaid/daemon/agent"
	"poaid/daemon/chain"
	"poaid/daemon/journal"
)

// Metrics are the counters of one process. It implements agent.Metrics.
type Metrics struct {
	reg        *prometheus.Registry
	height     prometheus.Gauge
	due        *prometheus.GaugeVec
	executions *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	conflicts  *prometheus.CounterVec
	reconciles *prometheus.CounterVec
	items      *prometheus.CounterVec
	fetches    *prometheus.CounterVec
	fetched    prometheus.Counter
	served     *prometheus.CounterVec
	servedB    prometheus.Counter
	bids       *prometheus.GaugeVec
	jailed     prometheus.Gauge
}

var _ agent.Metrics = (*Metrics)(nil)

// New returns metrics in a registry of their own. cached and busy report memory held by models, and items waiting and in flight.
func New(cached func() int64, busy func() (waiting, inFlight int)) *Metrics {
	const ns = "poaid_daemon"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Name: name, Help: help}, labels)
	}
	m := &Metrics{
		reg:    prometheus.NewRegistry(),
		height: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Name: "height", Help: "Newest height seen."}),
		due: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: ns, Name: "due_items", Help: "Items due by role and by what they need."},
			[]string{"role", "need"}),
		executions: counter("executions_total", "Executions by role, model and outcome.", "role", "model", "outcome"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: ns, Name: "execution_seconds", Help: "Duration of executions.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 10),
		}, []string{"role", "model"}),
		conflicts:  counter("conflicts_total", "Seals found on the chain that are not this machine's.", "role"),
		reconciles: counter("reconciles_total", "Listings of what is due, by outcome.", "outcome"),
		items:      counter("items_total", "Seals, reveals, bids and other messages by kind and by what became of them.", "kind", "status"),
		fetches:    counter("artifact_fetches_total", "Attempts to fetch an artifact from a peer, by outcome.", "outcome"),
		fetched:    prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Name: "artifact_fetched_bytes_total", Help: "Bytes fetched from peers."}),
		served:     counter("artifact_requests_total", "Requests to the artifact server by method and status class.", "method", "status"),
		servedB:    prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Name: "artifact_served_bytes_total", Help: "Bytes served."}),
		bids: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: ns, Name: "bids", Help: "Bids on the chain: promised (the task may have to be run yet) and over (the deposit can be taken back).",
		}, []string{"state"}),
		jailed: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: ns, Name: "jailed_until_height", Help: "Height at which the participant may leave jail; 0: it is in none.",
		}),
	}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: ns, Name: name, Help: help}, f)
	}
	m.reg.MustRegister(m.height, m.due, m.executions, m.seconds, m.conflicts, m.reconciles, m.items, m.fetches, m.fetched, m.served, m.servedB, m.bids, m.jailed,
		gauge("model_cache_bytes", "Memory of loaded models.", func() float64 { return float64(cached()) }),
		gauge("items_waiting", "Items waiting to be sent.", func() float64 { w, _ := busy(); return float64(w) }),
		gauge("items_in_flight", "Items in transactions whose fate is open.", func() float64 { _, f := busy(); return float64(f) }),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func outcome(err error) string {
	if err != nil {
		return "error"
	}
	return "ok"
}

// Height implements agent.Metrics.
func (m *Metrics) Height(h int64) { m.height.Set(float64(h)) }

// Due implements agent.Metrics.
func (m *Metrics) Due(role journal.Role, need agent.Need, n int) {
	m.due.WithLabelValues(string(role), need.String()).Set(float64(n))
}

// Executed implements agent.Metrics.
func (m *Metrics) Executed(role journal.Role, model string, seconds float64, err error) {
	m.executions.WithLabelValues(string(role), model, outcome(err)).Inc()
	if err == nil {
		m.seconds.WithLabelValues(string(role), model).Observe(seconds)
	}
}

// Conflict implements agent.Metrics.
func (m *Metrics) Conflict(role journal.Role) { m.conflicts.WithLabelValues(string(role)).Inc() }

// Reconciled implements agent.Metrics.
func (m *Metrics) Reconciled(err error) { m.reconciles.WithLabelValues(outcome(err)).Inc() }

// Bids implements bidder.Metrics.
func (m *Metrics) Bids(promised, over int) {
	m.bids.WithLabelValues("promised").Set(float64(promised))
	m.bids.WithLabelValues("over").Set(float64(over))
}

// Jailed implements jail.Metrics.
func (m *Metrics) Jailed(until int64) { m.jailed.Set(float64(until)) }

// Item counts what became of a seal, reveal, bid or other message.
func (m *Metrics) Item(o chain.Outcome) {
	m.items.WithLabelValues(o.ID.Kind.String(), string(o.Status)).Inc()
}

// Fetched counts an attempt to fetch an artifact.
func (m *Metrics) Fetched(_ string, n int64, err error) {
	m.fetches.WithLabelValues(outcome(err)).Inc()
	m.fetched.Add(float64(n))
}

// Served counts a request to the artifact server.
func (m *Metrics) Served(method string, status int, n int64) {
	if method != http.MethodGet && method != http.MethodHead && method != http.MethodPut {
		method = "other"
	}
	m.served.WithLabelValues(method, string('0'+rune(status/100))+"xx").Inc()
	m.servedB.Add(float64(n))
}

// Handler serves /metrics and /healthz. The daemon is healthy while its last listing went well and blocks have come within silence.
func (m *Metrics) Handler(health func() agent.Health, silence time.Duration) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		h := health()
		body := struct {
			Status string `json:"status"`
			agent.Health
		}{"ok", h}
		w.Header().Set("Content-Type", "application/json")
		switch {
		case h.Error != "":
			body.Status = "the chain does not answer"
		case time.Since(h.LastBlock) > silence:
			body.Status = "no block for too long"
		case h.Conflicts > 0:
			body.Status = "seals on the chain are not ours"
		}
		if body.Status != "ok" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		if err := json.NewEncoder(w).Encode(body); err != nil {
			return // the client is gone: nothing to tell it
		}
	})
	return mux
}
