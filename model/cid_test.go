package model

import (
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCIDEqualsReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		sum, err := multihash.Sum(data, multihash.SHA2_256, -1)
		require.NoError(t, err)
		require.Equal(t, cid.NewCidV1(cid.Raw, sum).String(), CIDOf(data))
		require.NoError(t, VerifyCID(CIDOf(data), data))
		require.ErrorIs(t, VerifyCID(CIDOf(data), append(data, 0)), ErrCID)
	})
}

func TestCIDOfNothing(t *testing.T) {
	require.Equal(t, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", CIDOf(nil))
}

func TestParseCIDRefuses(t *testing.T) {
	good := CIDOf(nil)
	for name, c := range map[string]string{
		"empty":       "",
		"version 0":   "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n",
		"upper case":  "BAFKREIHDWDCEFGH4DQKJV67UZCMW7OJEE6XEDZDETOJUZJEVTENXQUVYKU",
		"dag-pb":      "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
		"not base32":  good[:58] + "1",
		"unused bits": good[:58] + "v",
		"long":        good + "a",
	} {
		_, err := ParseCID(c)
		require.ErrorIs(t, err, ErrCID, name)
	}
}
