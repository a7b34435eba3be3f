package artifacts

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"gocloud.dev/blob"

	"poaid/commit"
)

// States between the segments of a run are kept by their state root, which is no hash of bytes: only who knows the program can check them.
// Whoever computed a segment keeps the states it ended with; whoever needs them asks peers and checks what it gets.

const (
	statesPrefix = "states/"
	// keptStates is how many of them a store keeps; the oldest go first.
	keptStates = 128
)

func stateKey(root commit.Hash) string { return statesPrefix + hex.EncodeToString(root[:]) }

// PutState keeps states under their root. The caller has checked them. The oldest beyond what a store keeps are dropped.
func (s *Store) PutState(ctx context.Context, root commit.Hash, data []byte) error {
	if int64(len(data)) > s.maxBytes {
		return fmt.Errorf("%w: states of %d bytes, limit %d", ErrTooLarge, len(data), s.maxBytes)
	}
	if err := s.bucket.Upload(ctx, stateKey(root), bytes.NewReader(data), &blob.WriterOptions{ContentType: contentType}); err != nil {
		return fmt.Errorf("store states %s: %w", root, err)
	}
	return s.dropStates(ctx, keptStates)
}

// dropStates drops all but the newest.
func (s *Store) dropStates(ctx context.Context, keep int) error {
	var all []*blob.ListObject
	list := s.bucket.List(&blob.ListOptions{Prefix: statesPrefix})
	for {
		o, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("list states: %w", err)
		}
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *blob.ListObject) int { return a.ModTime.Compare(b.ModTime) })
	for _, o := range all[:max(len(all)-keep, 0)] {
		if err := s.bucket.Delete(ctx, o.Key); err != nil {
			return fmt.Errorf("drop states: %w", err)
		}
	}
	return nil
}

// openState opens kept states; ErrNotFound.
func (s *Store) openState(ctx context.Context, root commit.Hash) (*blob.Reader, error) {
	r, err := s.bucket.NewReader(ctx, stateKey(root), nil)
	if err != nil {
		return nil, notFound(stateKey(root), err)
	}
	return r, nil
}

// getState serves states by root.
func (s *Server) getState(w http.ResponseWriter, r *http.Request) {
	raw, err := hex.DecodeString(r.PathValue("root"))
	if err != nil || len(raw) != commit.Size {
		http.Error(w, "root: want 64 hex digits", http.StatusBadRequest)
		return
	}
	f, err := s.store.openState(r.Context(), commit.Hash(raw))
	if errors.Is(err, ErrNotFound) {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	if err != nil {
		http.Error(w, "artifact store failed", http.StatusInternalServerError)
		return
	}
	defer f.Close()
	s.serve(w, r, f)
}

// GetState gives the states with a root, which have size bytes: from the store, otherwise from peers, which are asked as for artifacts. check
// is asked whether they are the right ones; what peers sent and passes is kept. ErrNotFound where nobody has them.
func (f *Fetcher) GetState(ctx context.Context, root commit.Hash, size int64, check func([]byte) error) ([]byte, error) {
	r, err := f.store.openState(ctx, root)
	if err == nil {
		data, err := readExactly(r, size)
		if err = errors.Join(err, r.Close()); err == nil {
			err = check(data)
		}
		if err == nil {
			return data, nil
		}
		// Damaged here: somebody else may have it.
	} else if !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	last, pause := error(nil), f.opt.Backoff
	for round := range f.opt.Rounds {
		if round > 0 {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(pause):
			}
			pause *= 2
		}
		peers, err := f.peers(ctx)
		if err != nil {
			last = err
			continue
		}
		for _, peer := range f.order(peers) {
			data, err := f.stateFrom(ctx, peer, root, size)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err == nil {
				err = check(data)
			}
			f.remember(peer, err)
			if f.opt.Observe != nil {
				f.opt.Observe(peer, int64(len(data)), err)
			}
			if err == nil {
				return data, f.store.PutState(ctx, root, data)
			}
			last = fmt.Errorf("%s: %w", peer, err)
		}
	}
	return nil, fmt.Errorf("%w: states %s: last answer: %w", ErrNotFound, root, errors.Join(last, ctx.Err()))
}

// PutState keeps states in the fetcher's store.
func (f *Fetcher) PutState(ctx context.Context, root commit.Hash, data []byte) error {
	return f.store.PutState(ctx, root, data)
}

func (f *Fetcher) stateFrom(ctx context.Context, peer string, root commit.Hash, size int64) ([]byte, error) {
	u, err := url.Parse(peer)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("endpoint %.100q: want http(s)://host[:port]", peer)
	}
	attempt, cancel := context.WithTimeout(ctx, f.opt.Timeout+time.Duration(size/minRate)*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(attempt, http.MethodGet, u.JoinPath("states", hex.EncodeToString(root[:])).String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return nil, ErrNotFound
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	body := newStallGuard(resp.Body, f.opt.Timeout, cancel)
	defer body.stop()
	return readExactly(body, size)
}

// readExactly reads size bytes and refuses more or less.
func readExactly(r interface{ Read([]byte) (int, error) }, size int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, size+1))
	if err == nil && int64(len(data)) != size {
		err = fmt.Errorf("%w: %d bytes or more, want %d", ErrCorrupt, len(data), size)
	}
	return data, err
}
