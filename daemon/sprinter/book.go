package sprinter

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"poaid/commit"
	"poaid/sprint"
)

var (
	// ErrNoRecord is returned when a window has no record.
	ErrNoRecord = errors.New("no record of the window")
	// ErrRecord is returned when a window has another record, or a file is not what was written.
	ErrRecord = errors.New("bad record of the window")
)

// Record is what was computed in one window. Records never change.
type Record struct {
	Window uint64      `json:"window"`
	Model  string      `json:"model"`
	Period uint64      `json:"period"`
	Count  uint64      `json:"count"`
	Root   commit.Hash `json:"root"`
	Close  int64       `json:"close"` // last height at which the commit counts
	// Values of leaves 0 to Count−1, one after the other.
	Values []byte `json:"-"`
}

// tree builds the tree of a record's values.
func (r Record) tree() (*sprint.Tree, error) {
	return sprint.NewTree(slices.Collect(slices.Chunk(r.Values, sprint.ValueSize)))
}

// Book keeps the records of one participant on one chain, a file each. Two processes must not share one; the journal's lock sees to that.
type Book struct {
	dir string
}

// OpenBook opens or makes the folder of a participant's records under dir.
func OpenBook(dir, chainID, participant string) (*Book, error) {
	id := sha256.Sum256([]byte(chainID + "/" + participant))
	b := &Book{filepath.Join(dir, hex.EncodeToString(id[:8]))}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return nil, fmt.Errorf("sprints: %w", err)
	}
	return b, nil
}

func (b *Book) path(window uint64) string {
	return filepath.Join(b.dir, fmt.Sprintf("%020d.sprint", window))
}

// Put writes a record and syncs it to disk; a crash leaves all of it or nothing. Writing it again does nothing; another one is ErrRecord.
func (b *Book) Put(r Record) error {
	if uint64(len(r.Values)) != r.Count*sprint.ValueSize {
		return fmt.Errorf("%w %d: %d bytes for %d leaves", ErrRecord, r.Window, len(r.Values), r.Count)
	}
	was, err := b.head(r.Window)
	switch {
	case err == nil && was.Root == r.Root && was.Count == r.Count:
		return nil
	case err == nil:
		return fmt.Errorf("%w %d: it has root %s, now %s", ErrRecord, r.Window, was.Root, r.Root)
	case !errors.Is(err, ErrNoRecord):
		return err
	}
	head, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("sprints: %w", err)
	}
	path := b.path(r.Window)
	if err := write(path+".tmp", append(head, '\n'), r.Values); err != nil {
		return fmt.Errorf("sprints: %w", err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return fmt.Errorf("sprints: %w", err)
	}
	return syncDir(b.dir)
}

func write(path string, parts ...[]byte) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, p := range parts {
		if _, err := f.Write(p); err != nil {
			return err
		}
	}
	return f.Sync()
}

// syncDir makes a rename last.
func syncDir(dir string) (err error) {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sprints: %w", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sprints: %w", err)
	}
	return nil
}

// Get reads a record, ErrNoRecord if there is none. The values are checked against the root.
func (b *Book) Get(window uint64) (Record, error) {
	r, err := b.head(window)
	if err != nil {
		return r, err
	}
	t, err := r.tree()
	if err != nil {
		return r, err
	}
	if t.Root() != r.Root {
		return r, fmt.Errorf("%w %d: values have root %s, want %s", ErrRecord, window, t.Root(), r.Root)
	}
	return r, nil
}

// head reads a record without checking its values.
func (b *Book) head(window uint64) (Record, error) {
	var r Record
	bz, err := os.ReadFile(b.path(window))
	if errors.Is(err, os.ErrNotExist) {
		return r, fmt.Errorf("%w %d", ErrNoRecord, window)
	}
	if err != nil {
		return r, fmt.Errorf("sprints: %w", err)
	}
	head, values, ok := bytes.Cut(bz, []byte{'\n'})
	if !ok {
		return r, fmt.Errorf("%w %d: no first line", ErrRecord, window)
	}
	if err := json.Unmarshal(head, &r); err != nil {
		return r, fmt.Errorf("%w %d: %w", ErrRecord, window, err)
	}
	if r.Window != window || r.Count == 0 || r.Count > 1<<40 || uint64(len(values)) != r.Count*sprint.ValueSize {
		return r, fmt.Errorf("%w %d: window %d, %d leaves, %d bytes", ErrRecord, window, r.Window, r.Count, len(values))
	}
	r.Values = values
	return r, nil
}

// Windows lists the windows that have a record, oldest first.
func (b *Book) Windows() ([]uint64, error) {
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		return nil, fmt.Errorf("sprints: %w", err)
	}
	var out []uint64
	for _, e := range entries {
		if n, ok := strings.CutSuffix(e.Name(), ".sprint"); ok {
			if w, err := strconv.ParseUint(n, 10, 64); err == nil {
				out = append(out, w)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// Delete drops a record.
func (b *Book) Delete(window uint64) error {
	if err := os.Remove(b.path(window)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("sprints: %w", err)
	}
	return nil
}
