// Package edge guards the HTTP API: which pages may read it, and how often a client may ask.
package edge

import (
	"container/list"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"golang.org/x/time/rate"
)

// maxClients bounds the memory of RateLimit; the longest silent client is forgotten first.
const maxClients = 10_000

// CORS answers browsers on behalf of the given origins; "*" stands for every page. Credentials are never allowed.
func CORS(origins []string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			origin := r.Header.Get("Origin")
			if origin != "" && (slices.Contains(origins, "*") || slices.Contains(origins, origin)) {
				h := w.Header()
				h.Set("Access-Control-Allow-Origin", origin)
				h.Add("Vary", "Origin")
				h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
				h.Set("Access-Control-Allow-Headers", "Content-Type, X-Cosmos-Block-Height, X-Grpc-Web, X-User-Agent")
				h.Set("Access-Control-Expose-Headers", "X-Cosmos-Block-Height, Grpc-Status, Grpc-Message")
				if r.Method == http.MethodOptions {
					h.Set("Access-Control-Max-Age", "600")
					w.WriteHeader(http.StatusNoContent)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// RateLimit lets every client address make perSecond requests a second and burst at once, and answers 429 beyond. perSecond 0
// means no limit. With trustForwarded the address is the last one of X-Forwarded-For: the one that the proxy next to us saw.
func RateLimit(perSecond float64, burst int, trustForwarded bool) func(http.Handler) http.Handler {
	if perSecond == 0 {
		return func(next http.Handler) http.Handler { return next }
	}
	l := newLimiter(perSecond, burst)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !l.allow(clientAddress(r, trustForwarded)) {
				w.Header().Set("Retry-After", "1")
				http.Error(w, `{"code":8,"message":"too many requests from this address; see poai-api.rate-limit in app.toml"}`, http.StatusTooManyRequests)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func clientAddress(r *http.Request, trustForwarded bool) string {
	if list := r.Header.Get("X-Forwarded-For"); trustForwarded && list != "" {
		return strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

type client struct {
	addr   string
	bucket *rate.Limiter
}

// limiter holds a bucket for each of the latest clients.
type limiter struct {
	perSecond rate.Limit
	burst     int

	mu      sync.Mutex
	clients map[string]*list.Element
	latest  *list.List // of *client; the one silent for longest is at the back
}

func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{perSecond: rate.Limit(perSecond), burst: burst, clients: make(map[string]*list.Element), latest: list.New()}
}

func (l *limiter) allow(addr string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.clients[addr]
	if ok {
		l.latest.MoveToFront(e)
	} else {
		if l.latest.Len() >= maxClients {
			last := l.latest.Remove(l.latest.Back())
			delete(l.clients, last.(*client).addr)
		}
		e = l.latest.PushFront(&client{addr: addr, bucket: rate.NewLimiter(l.perSecond, l.burst)})
		l.clients[addr] = e
	}
	return e.Value.(*client).bucket.Allow()
}
