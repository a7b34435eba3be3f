package artifacts

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/commit"
)

var errWrong = errors.New("wrong states")

// TestStates passes states on by their root: the one peer that has them is found behind others that lie or have nothing.
func TestStates(t *testing.T) {
	data, root := randomBytes(t, 5000), commit.Hash{7}
	check := func(got []byte) error {
		if !bytes.Equal(got, data) {
			return errWrong
		}
		return nil
	}
	serve := func(content []byte) string {
		s, _ := openStore(t)
		if content != nil {
			require.NoError(t, s.PutState(t.Context(), root, content))
		}
		srv := httptest.NewServer(NewServer(s, ServerOptions{}))
		t.Cleanup(srv.Close)
		return srv.URL
	}
	lie := bytes.Clone(data)
	lie[9] ^= 1
	mine, _ := openStore(t)
	peers := []string{serve(nil), serve(lie), serve(data[1:]), serve(append(bytes.Clone(data), 1)), serve(data)}
	f := NewFetcher(mine, Static(peers), FetchOptions{Rounds: 1, Backoff: time.Millisecond})
	got, err := f.GetState(t.Context(), root, int64(len(data)), check)
	require.NoError(t, err)
	require.Equal(t, data, got)
	alone := NewFetcher(mine, nil, FetchOptions{Rounds: 1, Backoff: time.Millisecond})
	got, err = alone.GetState(t.Context(), root, int64(len(data)), check)
	require.NoError(t, err, "kept")
	require.Equal(t, data, got)
	_, err = alone.GetState(t.Context(), commit.Hash{8}, 1, check)
	require.ErrorIs(t, err, ErrNotFound)

	// What is damaged here is fetched again.
	require.NoError(t, mine.PutState(t.Context(), root, lie))
	_, err = alone.GetState(t.Context(), root, int64(len(data)), check)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = f.GetState(t.Context(), root, int64(len(data)), check)
	require.NoError(t, err)

	for path, want := range map[string]int{
		"/states/zz": http.StatusBadRequest, "/states/" + hex.EncodeToString(root[:]): http.StatusOK,
		"/states/" + hex.EncodeToString(make([]byte, 32)): http.StatusNotFound,
	} {
		res, err := http.Get(peers[4] + path) //nolint:noctx // a test
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, res.StatusCode, path)
	}
}

// TestStatesAreBounded drops the oldest.
func TestStatesAreBounded(t *testing.T) {
	s, _ := openStore(t)
	for i := range byte(5) {
		require.NoError(t, s.PutState(t.Context(), commit.Hash{i}, []byte{i}))
		time.Sleep(2 * time.Millisecond) // times of files tell them apart
	}
	require.NoError(t, s.dropStates(t.Context(), 2))
	for i := range byte(5) {
		_, err := s.openState(t.Context(), commit.Hash{i})
		if i < 3 {
			require.ErrorIs(t, err, ErrNotFound)
		} else {
			require.NoError(t, err)
		}
	}
}
