package artifacts

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"gocloud.dev/blob"

	"poaid/model"
)

// Limits of the server where its options leave them open.
const (
	defaultConcurrent = 64
	// minRate is how slowly, in bytes a second, a peer may read or write before it is cut off.
	minRate = 64 << 10
	// graceTime is granted on top.
	graceTime = 30 * time.Second
)

// ServerOptions configure a Server.
type ServerOptions struct {
	// MaxConcurrent bounds requests served at a time; more are told to come back (503). 0: 64.
	MaxConcurrent int
	// MaxServeBytes bounds what is served; larger artifacts are refused (413). 0: no limit beyond the store's.
	MaxServeBytes int64
	// MaxPutBytes bounds an upload. 0: the store's limit.
	MaxPutBytes int64
	// Token allows PUT /artifacts/{cid} to whoever sends it as "Authorization: Bearer …". Empty: no uploads at all.
	Token string
	// Observe, if set, is told of every finished request.
	Observe func(method string, status int, bytes int64)
}

// Server serves a store: GET and HEAD /artifacts/{cid} and /states/{root} with ranges, PUT of artifacts with a token.
type Server struct {
	store *Store
	opt   ServerOptions
	slots chan struct{}
	mux   *http.ServeMux
}

// NewServer returns a server over store.
func NewServer(store *Store, opt ServerOptions) *Server {
	if opt.MaxConcurrent <= 0 {
		opt.MaxConcurrent = defaultConcurrent
	}
	if opt.MaxPutBytes <= 0 || opt.MaxPutBytes > store.maxBytes {
		opt.MaxPutBytes = store.maxBytes
	}
	s := &Server{store: store, opt: opt, slots: make(chan struct{}, opt.MaxConcurrent), mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /artifacts/{cid}", s.get) // HEAD too
	s.mux.HandleFunc("PUT /artifacts/{cid}", s.put)
	s.mux.HandleFunc("GET /states/{root}", s.getState)
	return s
}

// HTTPServer wraps a handler with the timeouts that a public listener needs.
func HTTPServer(addr string, h http.Handler) *http.Server {
	return &http.Server{Addr: addr, Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	cw := &countingWriter{ResponseWriter: w, status: http.StatusOK}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		s.mux.ServeHTTP(cw, r)
	default:
		cw.Header().Set("Retry-After", "1")
		http.Error(cw, "too many requests at a time", http.StatusServiceUnavailable)
	}
	if s.opt.Observe != nil {
		s.opt.Observe(r.Method, cw.status, cw.n)
	}
}

func (s *Server) get(w http.ResponseWriter, r *http.Request) {
	cid := r.PathValue("cid")
	if _, err := model.ParseCID(cid); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f, err := s.store.open(r.Context(), cid)
	if errors.Is(err, ErrNotFound) {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	if err != nil {
		http.Error(w, "artifact store failed", http.StatusInternalServerError)
		return
	}
	defer f.Close()
	w.Header().Set("ETag", `"`+cid+`"`)
	s.serve(w, r, f)
}

// serve sends what was opened. It never changes: it is named by what is in it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, f *blob.Reader) {
	if s.opt.MaxServeBytes > 0 && f.Size() > s.opt.MaxServeBytes {
		http.Error(w, "artifact exceeds what this server serves", http.StatusRequestEntityTooLarge)
		return
	}
	// A deadline by size rather than a constant: slow readers are cut off, large artifacts are not.
	deadline := time.Now().Add(graceTime + time.Duration(f.Size()/minRate)*time.Second)
	if err := http.NewResponseController(w).SetWriteDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
		http.Error(w, "deadline", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, f)
}

func (s *Server) put(w http.ResponseWriter, r *http.Request) {
	if !s.authorised(r) {
		http.Error(w, "uploads need a token", http.StatusForbidden)
		return
	}
	if r.ContentLength > s.opt.MaxPutBytes {
		http.Error(w, "artifact exceeds the limit", http.StatusRequestEntityTooLarge)
		return
	}
	deadline := time.Now().Add(graceTime + time.Duration(max(r.ContentLength, 0)/minRate)*time.Second)
	if err := http.NewResponseController(w).SetReadDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
		http.Error(w, "deadline", http.StatusInternalServerError)
		return
	}
	_, err := s.store.PutAs(r.Context(), r.PathValue("cid"), r.Body, s.opt.MaxPutBytes)
	switch {
	case err == nil:
		w.WriteHeader(http.StatusCreated)
	case errors.Is(err, ErrTooLarge):
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
	case errors.Is(err, ErrCorrupt), errors.Is(err, model.ErrCID):
		http.Error(w, err.Error(), http.StatusBadRequest)
	default:
		http.Error(w, "artifact store failed", http.StatusInternalServerError)
	}
}

// authorised compares hashes, so that neither content nor length of the token leaks through timing.
func (s *Server) authorised(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if s.opt.Token == "" || !ok {
		return false
	}
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(s.opt.Token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// countingWriter remembers status and size for Observe.
type countingWriter struct {
	http.ResponseWriter
	status int
	n      int64
}

func (w *countingWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.n += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
