package sprinter_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/daemon/sprinter"
	"poaid/sprint"
)

func record(tb testing.TB, window uint64, leaves int, fill byte) sprinter.Record {
	tb.Helper()
	r := sprinter.Record{Window: window, Model: "sprint-3", Period: 8, Count: uint64(leaves), Close: 77, Values: bytes.Repeat([]byte{fill}, leaves*sprint.ValueSize)}
	values := make([][]byte, leaves)
	for i := range values {
		values[i] = r.Values[:sprint.ValueSize]
	}
	tree, err := sprint.NewTree(values)
	require.NoError(tb, err)
	r.Root = tree.Root()
	return r
}

func TestBook(t *testing.T) {
	dir := t.TempDir()
	b, err := sprinter.OpenBook(dir, "chain", "a")
	require.NoError(t, err)
	_, err = b.Get(3)
	require.ErrorIs(t, err, sprinter.ErrNoRecord)
	r := record(t, 3, 5, '\n')
	require.NoError(t, b.Put(r))
	require.NoError(t, b.Put(r))
	require.NoError(t, b.Put(record(t, 1<<60, 1, 2)))
	got, err := b.Get(3)
	require.NoError(t, err)
	require.Equal(t, r, got)
	require.ErrorIs(t, b.Put(record(t, 3, 5, 9)), sprinter.ErrRecord)
	require.ErrorIs(t, b.Put(record(t, 3, 4, '\n')), sprinter.ErrRecord)
	short := r
	short.Values = short.Values[1:]
	require.ErrorIs(t, b.Put(short), sprinter.ErrRecord)
	windows, err := b.Windows()
	require.NoError(t, err)
	require.Equal(t, []uint64{3, 1 << 60}, windows)

	other, err := sprinter.OpenBook(dir, "chain", "b")
	require.NoError(t, err)
	_, err = other.Get(3)
	require.ErrorIs(t, err, sprinter.ErrNoRecord)

	require.NoError(t, b.Delete(3))
	require.NoError(t, b.Delete(3))
	_, err = b.Get(3)
	require.ErrorIs(t, err, sprinter.ErrNoRecord)
}

func TestBookNoticesDamage(t *testing.T) {
	dir := t.TempDir()
	b, err := sprinter.OpenBook(dir, "chain", "a")
	require.NoError(t, err)
	require.NoError(t, b.Put(record(t, 3, 5, 7)))
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	whole, err := os.ReadFile(files[0])
	require.NoError(t, err)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-3] ^= 1
	for name, bz := range map[string][]byte{
		"cut": whole[:len(whole)-1], "longer": append(bytes.Clone(whole), 0), "empty": {}, "no line": []byte("{}"), "no json": []byte("x\n"),
		"flipped": flipped, "another window": bytes.Replace(whole, []byte(`"window":3`), []byte(`"window":4`), 1),
	} {
		require.NoError(t, os.WriteFile(files[0], bz, 0o600))
		_, err = b.Get(3)
		require.ErrorIs(t, err, sprinter.ErrRecord, name)
	}
}
