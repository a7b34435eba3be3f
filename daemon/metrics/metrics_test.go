package metrics_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/daemon/agent"
	"poaid/daemon/chain"
	"poaid/daemon/journal"
	"poaid/daemon/metrics"
)

func TestHealth(t *testing.T) {
	m := metrics.New(func() int64 { return 0 }, func() (int, int) { return 0, 0 })
	now := time.Now()
	for _, c := range []struct {
		name   string
		health agent.Health
		want   int
	}{
		{"well", agent.Health{Height: 3, LastBlock: now}, 200},
		{"no answer", agent.Health{LastBlock: now, Error: "no answer"}, 503},
		{"no block", agent.Health{LastBlock: now.Add(-2 * time.Minute)}, 503},
		{"conflict", agent.Health{LastBlock: now, Conflicts: 1}, 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			m.Handler(func() agent.Health { return c.health }, time.Minute).ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
			require.Equal(t, c.want, w.Code)
			var body struct {
				Status string
				Height int64
			}
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
			require.Equal(t, c.want == 200, body.Status == "ok")
			require.Equal(t, c.health.Height, body.Height)
		})
	}
}

func TestMetricsAreServed(t *testing.T) {
	m := metrics.New(func() int64 { return 5 }, func() (int, int) { return 6, 7 })
	m.Height(9)
	m.Executed(journal.Worker, "digits", 0.1, nil)
	m.Executed(journal.Worker, "digits", 0.1, errors.New("failed"))
	m.Item(chain.Outcome{ID: chain.ID{Kind: chain.KindSealResult}, Status: chain.Accepted})
	m.Served("GET", 206, 100)
	m.Served("BREW", 418, 0)
	w := httptest.NewRecorder()
	m.Handler(nil, 0).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		"poaid_daemon_height 9",
		"poaid_daemon_model_cache_bytes 5",
		"poaid_daemon_items_waiting 6",
		"poaid_daemon_items_in_flight 7",
		`poaid_daemon_executions_total{model="digits",outcome="ok",role="result"} 1`,
		`poaid_daemon_executions_total{model="digits",outcome="error",role="result"} 1`,
		`poaid_daemon_execution_seconds_count{model="digits",role="result"} 1`,
		`poaid_daemon_items_total{kind="seal_result",status="accepted"} 1`,
		`poaid_daemon_artifact_requests_total{method="GET",status="2xx"} 1`,
		`poaid_daemon_artifact_requests_total{method="other",status="4xx"} 1`,
	} {
		require.Contains(t, w.Body.String(), line+"\n")
	}
}
