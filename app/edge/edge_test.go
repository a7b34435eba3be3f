package edge

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

var ok = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })

func get(h http.Handler, remote string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.RemoteAddr = remote
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestCORS(t *testing.T) {
	for _, tc := range []struct {
		name    string
		origins []string
		origin  string
		want    string
	}{
		{"allowed by name", []string{"https://a.example"}, "https://a.example", "https://a.example"},
		{"not allowed", []string{"https://a.example"}, "https://b.example", ""},
		{"all allowed", []string{"*"}, "https://b.example", "https://b.example"},
		{"none allowed", nil, "https://b.example", ""},
		{"not from a page", []string{"*"}, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := get(CORS(tc.origins)(ok), "1.2.3.4:5", "Origin", tc.origin)
			require.Equal(t, tc.want, w.Header().Get("Access-Control-Allow-Origin"))
			require.Empty(t, w.Header().Get("Access-Control-Allow-Credentials"))
		})
	}
}

func TestCORSPreflightIsAnsweredHere(t *testing.T) {
	r := httptest.NewRequest(http.MethodOptions, "/", http.NoBody)
	r.Header.Set("Origin", "https://a.example")
	w := httptest.NewRecorder()
	CORS([]string{"*"})(ok).ServeHTTP(w, r)
	require.Equal(t, http.StatusNoContent, w.Code)
}

func TestRateLimitIsPerAddress(t *testing.T) {
	h := RateLimit(0.001, 2, false)(ok)
	require.Equal(t, http.StatusOK, get(h, "1.1.1.1:1").Code)
	require.Equal(t, http.StatusOK, get(h, "1.1.1.1:2").Code)
	w := get(h, "1.1.1.1:3")
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.Contains(t, w.Body.String(), "rate-limit")
	require.Equal(t, http.StatusOK, get(h, "2.2.2.2:1").Code)
}

func TestRateLimitBehindAProxy(t *testing.T) {
	trusting := RateLimit(0.001, 1, true)(ok)
	require.Equal(t, http.StatusOK, get(trusting, "9.9.9.9:1", "X-Forwarded-For", "6.6.6.6, 1.1.1.1").Code)
	require.Equal(t, http.StatusOK, get(trusting, "9.9.9.9:1", "X-Forwarded-For", "6.6.6.6, 2.2.2.2").Code)
	require.Equal(t, http.StatusTooManyRequests, get(trusting, "9.9.9.9:1", "X-Forwarded-For", "7.7.7.7, 1.1.1.1").Code,
		"what the client itself put into the header must not count")
	direct := RateLimit(0.001, 1, false)(ok)
	require.Equal(t, http.StatusOK, get(direct, "9.9.9.9:1", "X-Forwarded-For", "1.1.1.1").Code)
	require.Equal(t, http.StatusTooManyRequests, get(direct, "9.9.9.9:1", "X-Forwarded-For", "2.2.2.2").Code)
}

func TestNoRateLimit(t *testing.T) {
	h := RateLimit(0, 1, false)(ok)
	for range 100 {
		require.Equal(t, http.StatusOK, get(h, "1.1.1.1:1").Code)
	}
}

func TestMemoryOfTheRateLimitIsBounded(t *testing.T) {
	l := newLimiter(0.001, 1)
	for i := range 2 * maxClients {
		require.True(t, l.allow(fmt.Sprint(i)))
		require.LessOrEqual(t, len(l.clients), maxClients)
		require.Equal(t, len(l.clients), l.latest.Len())
	}
	require.False(t, l.allow(fmt.Sprint(maxClients)), "of the remembered clients the one silent for longest")
	require.True(t, l.allow("new"))
	require.False(t, l.allow(fmt.Sprint(maxClients)), "it was heard of since, so another one was forgotten")
	require.True(t, l.allow(fmt.Sprint(maxClients+1)), "this one")
}
