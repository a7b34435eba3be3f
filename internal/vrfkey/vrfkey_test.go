package vrfkey_test

import (
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/internal/vrfkey"
	"poaid/x/beacon/types"
)

func TestKeysOfARotation(t *testing.T) {
	path := vrfkey.Path(t.TempDir())
	_, err := vrfkey.Load(path)
	require.ErrorIs(t, err, fs.ErrNotExist)
	first, err := vrfkey.LoadOrCreate(path)
	require.NoError(t, err)
	old, ok := first.Latest()
	require.True(t, ok)
	again, err := vrfkey.LoadOrCreate(path)
	require.NoError(t, err)
	require.Equal(t, first, again, "an existing file is kept")

	both, err := vrfkey.Add(path)
	require.NoError(t, err)
	latest, ok := both.Latest()
	require.True(t, ok)
	require.NotEqual(t, old.Public(), latest.Public())
	_, ok = both.Find(old.Public())
	require.True(t, ok, "the old key acts until the new one does")
	_, ok = both.Find([]byte("x"))
	require.False(t, ok)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())

	key := vrfkey.Register(latest, []byte("operator"))
	require.NoError(t, types.CheckPossession([]byte("operator"), key.PubKey, key.Proof))
	require.ErrorIs(t, types.CheckPossession([]byte("another"), key.PubKey, key.Proof), types.ErrInvalidKey)
}

func TestLoadRefuses(t *testing.T) {
	path := vrfkey.Path(t.TempDir())
	_, err := vrfkey.AddSeed(path, make([]byte, 31))
	require.ErrorContains(t, err, "seed")
	_, err = vrfkey.AddSeed(path, make([]byte, 32))
	require.NoError(t, err)
	for text, want := range map[string]string{
		"{":           "unexpected end",
		`{"keys":[]}`: "keys: 0",
		`{"keys":[{"pub_key":"","seed":"AA=="}]}`:                                             "keys[0]: seed",
		`{"keys":[{"pub_key":"AA==","seed":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]}`: "keys[0]: pub_key",
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := vrfkey.Load(path)
		require.ErrorContains(t, err, want)
		_, err = vrfkey.LoadOrCreate(path)
		require.Error(t, err, "a broken file is never replaced")
	}
}
