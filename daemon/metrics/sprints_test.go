package metrics

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/daemon/agent"
)

func TestSprints(t *testing.T) {
	m := New(func() int64 { return 0 }, func() (int, int) { return 0, 0 })
	s := m.Sprints()
	s.Computed(100, 2, 4)
	s.Computed(50, 0.5, 4)
	s.Window("committed")
	s.Window("skipped")
	s.Window("committed")
	s.Opened()
	w := httptest.NewRecorder()
	m.Handler(func() agent.Health { return agent.Health{} }, time.Minute).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		"poaid_sprints_leaves_total 150", "poaid_sprints_seconds_total 2.5", "poaid_sprints_leaves_per_second 100",
		`poaid_sprints_windows_total{outcome="committed"} 2`, `poaid_sprints_windows_total{outcome="skipped"} 1`, "poaid_sprints_audits_total 1",
	} {
		require.Contains(t, w.Body.String(), line+"\n")
	}
}
