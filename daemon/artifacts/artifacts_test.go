package artifacts

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/model"
)

func openStore(t *testing.T) (*Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(t.Context(), dir, 1<<20)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, dir
}

func randomBytes(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	_, err := rand.Read(b)
	require.NoError(t, err)
	return b
}

func TestPutGet(t *testing.T) {
	s, dir := openStore(t)
	for _, n := range []int{0, 1, 1000, 1 << 20} {
		data := randomBytes(t, n)
		cid, size, err := s.Put(t.Context(), bytes.NewReader(data))
		require.NoError(t, err)
		require.Equal(t, model.CIDOf(data), cid)
		require.EqualValues(t, n, size)

		got, err := s.GetBytes(t.Context(), cid, 1<<20)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))

		again, err := s.PutBytes(t.Context(), data)
		require.NoError(t, err)
		require.Equal(t, cid, again)
	}
	left, err := os.ReadDir(filepath.Join(dir, "spool"))
	require.NoError(t, err)
	require.Empty(t, left, "spool files must be removed")
}

func TestPutRefusesTooLarge(t *testing.T) {
	s, dir := openStore(t)
	_, _, err := s.Put(t.Context(), bytes.NewReader(make([]byte, 1<<20+1)))
	require.ErrorIs(t, err, ErrTooLarge)
	left, err := os.ReadDir(filepath.Join(dir, "spool"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestPutAsRefusesOtherContent(t *testing.T) {
	s, _ := openStore(t)
	want := model.CIDOf([]byte("right"))
	_, err := s.PutAs(t.Context(), want, strings.NewReader("wrong"), 100)
	require.ErrorIs(t, err, ErrCorrupt)
	has, err := s.Has(t.Context(), want)
	require.NoError(t, err)
	require.False(t, has)
}

func TestGetUnknown(t *testing.T) {
	s, _ := openStore(t)
	_, _, err := s.Get(t.Context(), model.CIDOf([]byte("never put")))
	require.ErrorIs(t, err, ErrNotFound)
	_, _, err = s.Get(t.Context(), "../../etc/passwd")
	require.ErrorIs(t, err, model.ErrCID)
}

// damage overwrites the stored file.
func damage(t *testing.T, dir, cid string) {
	t.Helper()
	k, err := key(cid)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.FromSlash(k)), []byte("bad"), 0o600))
}

func TestReadDetectsDamage(t *testing.T) {
	s, dir := openStore(t)
	cid, err := s.PutBytes(t.Context(), []byte("abc"))
	require.NoError(t, err)
	damage(t, dir, cid)
	_, err = s.GetBytes(t.Context(), cid, 100)
	require.ErrorIs(t, err, ErrCorrupt)
}

func do(t *testing.T, h http.Handler, method, path string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, body)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestServer(t *testing.T) {
	s, _ := openStore(t)
	data := randomBytes(t, 5000)
	cid, err := s.PutBytes(t.Context(), data)
	require.NoError(t, err)
	srv := NewServer(s, ServerOptions{Token: "secret", MaxPutBytes: 6000})
	fresh := []byte("fresh")
	freshPath := "/artifacts/" + model.CIDOf(fresh)

	w := do(t, srv, "GET", "/artifacts/"+cid, nil)
	require.Equal(t, 200, w.Code)
	require.Equal(t, data, w.Body.Bytes())
	w = do(t, srv, "HEAD", "/artifacts/"+cid, nil)
	require.Equal(t, 200, w.Code)
	require.Equal(t, "5000", w.Header().Get("Content-Length"))
	require.Empty(t, w.Body.Bytes())
	w = do(t, srv, "GET", "/artifacts/"+cid, nil, "Range", "bytes=1000-1999")
	require.Equal(t, 206, w.Code)
	require.Equal(t, data[1000:2000], w.Body.Bytes())
	w = do(t, srv, "GET", "/artifacts/"+cid, nil, "If-None-Match", `"`+cid+`"`)
	require.Equal(t, 304, w.Code)

	for _, c := range []struct {
		name, method, path, body, token string
		want                            int
	}{
		{"unknown", "GET", freshPath, "", "", 404},
		{"not a cid", "GET", "/artifacts/x", "", "", 400},
		{"other path", "GET", "/", "", "", 404},
		{"delete", "DELETE", "/artifacts/" + cid, "", "", 405},
		{"put without token", "PUT", freshPath, "fresh", "", 403},
		{"put with wrong token", "PUT", freshPath, "fresh", "Bearer secre", 403},
		{"put of other content", "PUT", freshPath, "stale", "Bearer secret", 400},
		{"put too large", "PUT", freshPath, strings.Repeat("x", 6001), "Bearer secret", 413},
		{"put", "PUT", freshPath, "fresh", "Bearer secret", 201},
		{"get what was put", "GET", freshPath, "", "", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := do(t, srv, c.method, c.path, strings.NewReader(c.body), "Authorization", c.token)
			require.Equal(t, c.want, w.Code, w.Body.String())
		})
	}
	require.Equal(t, 403, do(t, NewServer(s, ServerOptions{}), "PUT", freshPath, strings.NewReader("fresh"), "Authorization", "Bearer ").Code,
		"without a configured token nobody may put")
	require.Equal(t, 413, do(t, NewServer(s, ServerOptions{MaxServeBytes: 4999}), "GET", "/artifacts/"+cid, nil).Code)
}

func TestServerBoundsConcurrency(t *testing.T) {
	s, _ := openStore(t)
	srv := NewServer(s, ServerOptions{MaxConcurrent: 1, Token: "t"})
	pr, pw := io.Pipe()
	done := make(chan int)
	go func() {
		r := httptest.NewRequest("PUT", "/artifacts/"+model.CIDOf([]byte("slow")), pr)
		r.Header.Set("Authorization", "Bearer t")
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		done <- w.Code
	}()
	_, err := pw.Write([]byte("sl")) // returns once the handler reads
	require.NoError(t, err)
	w := do(t, srv, "GET", "/artifacts/"+model.CIDOf([]byte("slow")), nil)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	_, err = pw.Write([]byte("ow"))
	require.NoError(t, err)
	require.NoError(t, pw.Close())
	require.Equal(t, http.StatusCreated, <-done)
}

func list(urls ...string) Peers {
	return func(context.Context) ([]string, error) { return urls, nil }
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestFetchFromWhoeverHasIt(t *testing.T) {
	theirs, _ := openStore(t)
	ours, _ := openStore(t)
	data := randomBytes(t, 3000)
	cid, err := theirs.PutBytes(t.Context(), data)
	require.NoError(t, err)

	empty, _ := openStore(t)
	liar := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("not what you asked for")) })
	mover := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
	})
	peers := list("", "http://127.0.0.1:1", "ftp://x", "http://user:pw@x", serve(t, liar), serve(t, mover),
		serve(t, NewServer(empty, ServerOptions{})), serve(t, NewServer(theirs, ServerOptions{})))
	var tried atomic.Int32
	f := NewFetcher(ours, peers, FetchOptions{Observe: func(string, int64, error) { tried.Add(1) }})
	got, err := f.GetBytes(t.Context(), cid, 3000)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
	require.EqualValues(t, 7, tried.Load())

	// Who lied is asked last from now on.
	order := f.order([]string{"http://127.0.0.1:1", "http://new"})
	require.Equal(t, []string{"http://new", "http://127.0.0.1:1"}, order)
}

func TestFetchLimits(t *testing.T) {
	theirs, _ := openStore(t)
	data := randomBytes(t, 3000)
	cid, err := theirs.PutBytes(t.Context(), data)
	require.NoError(t, err)
	url := serve(t, NewServer(theirs, ServerOptions{}))
	quick := FetchOptions{Rounds: 1}

	ours, _ := openStore(t)
	err = NewFetcher(ours, list(url), quick).Ensure(t.Context(), cid, 2999)
	require.ErrorIs(t, err, ErrTooLarge)
	err = NewFetcher(theirs, nil, quick).Ensure(t.Context(), cid, 2999)
	require.ErrorIs(t, err, ErrTooLarge, "the limit holds for what is here already, too")

	// A stream without length is cut off at the limit.
	endless := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})
	err = NewFetcher(ours, list(serve(t, endless)), quick).Ensure(t.Context(), cid, 1<<18)
	require.ErrorIs(t, err, ErrTooLarge)

	err = NewFetcher(ours, nil, quick).Ensure(t.Context(), cid, 3000)
	require.ErrorIs(t, err, ErrNotFound)
	err = NewFetcher(ours, list(url), FetchOptions{Rounds: 1, PublicOnly: true}).Ensure(t.Context(), cid, 3000)
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorContains(t, err, "only public peers")
	err = NewFetcher(ours, list("http://169.254.169.254"), quick).Ensure(t.Context(), cid, 3000)
	require.ErrorContains(t, err, "refused")
}

func TestFetchGivesUpOnSilence(t *testing.T) {
	silent := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("a"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	ours, _ := openStore(t)
	f := NewFetcher(ours, list(serve(t, silent)), FetchOptions{Rounds: 1, Timeout: 50 * time.Millisecond})
	start := time.Now()
	require.ErrorIs(t, f.Ensure(t.Context(), model.CIDOf([]byte("x")), 1<<20), ErrNotFound)
	require.Less(t, time.Since(start), 5*time.Second)
}

func TestFetchIsSharedAndRetried(t *testing.T) {
	theirs, _ := openStore(t)
	data := randomBytes(t, 1000)
	cid, err := theirs.PutBytes(t.Context(), data)
	require.NoError(t, err)
	var asked atomic.Int32
	good := NewServer(theirs, ServerOptions{})
	flaky := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			http.Error(w, "not yet", http.StatusBadGateway)
			return
		}
		time.Sleep(20 * time.Millisecond)
		good.ServeHTTP(w, r)
	})
	ours, _ := openStore(t)
	f := NewFetcher(ours, list(serve(t, flaky)), FetchOptions{Backoff: time.Millisecond})
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = f.Ensure(t.Context(), cid, 1000) })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	require.EqualValues(t, 2, asked.Load())
}

func TestFetchRepairsDamage(t *testing.T) {
	theirs, _ := openStore(t)
	ours, dir := openStore(t)
	cid, err := theirs.PutBytes(t.Context(), []byte("abc"))
	require.NoError(t, err)
	_, err = ours.PutBytes(t.Context(), []byte("abc"))
	require.NoError(t, err)
	damage(t, dir, cid)
	got, err := NewFetcher(ours, list(serve(t, NewServer(theirs, ServerOptions{}))), FetchOptions{}).GetBytes(t.Context(), cid, 10)
	require.NoError(t, err)
	require.Equal(t, "abc", string(got))
}
