package types_test

import (
	"bytes"
	"testing"

	"github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/stretchr/testify/require"

	"poaid/x/beacon/types"
	"poaid/x/beacon/vrf"
)

func TestSplitProof(t *testing.T) {
	proof := bytes.Repeat([]byte{7}, vrf.ProofSize)
	entry := types.EncodeProof(proof)
	require.Len(t, entry, types.ProofTxSize)
	a, b := []byte("a"), []byte("b")
	other := bytes.Clone(entry)
	other[9] = 2 // version
	require.True(t, types.IsProof(other))
	for name, c := range map[string]struct {
		entries, txs [][]byte
		proof        []byte
		bad          bool
	}{
		"nothing":       {nil, nil, nil, false},
		"transactions":  {[][]byte{a, b}, [][]byte{a, b}, nil, false},
		"proof":         {[][]byte{entry}, [][]byte{}, proof, false},
		"both":          {[][]byte{entry, a, b}, [][]byte{a, b}, proof, false},
		"twice":         {[][]byte{entry, entry, a}, [][]byte{entry, a}, nil, true},
		"behind":        {[][]byte{a, entry}, [][]byte{a, entry}, nil, true},
		"short":         {[][]byte{entry[:len(entry)-1], a}, [][]byte{a}, nil, true},
		"long":          {[][]byte{append(bytes.Clone(entry), 0), a}, [][]byte{a}, nil, true},
		"version":       {[][]byte{other, a}, [][]byte{a}, nil, true},
		"empty entries": {[][]byte{{}, {}}, [][]byte{{}, {}}, nil, false},
	} {
		got, txs, err := types.SplitProof(c.entries)
		require.Equal(t, c.proof, got, name)
		require.Equal(t, c.txs, txs, name)
		if c.bad {
			require.ErrorIs(t, err, types.ErrInvalidProof, name)
		} else {
			require.NoError(t, err, name)
		}
	}
}

// TestInputsAreDistinct: no chain's, height's or operator's input is another's, and neither kind is the other.
func TestInputsAreDistinct(t *testing.T) {
	zero, one := make([]byte, 32), bytes.Repeat([]byte{1}, 32)
	seen := map[string]bool{}
	for _, in := range [][]byte{
		types.ProofInput("a", zero, 1), types.ProofInput("a", zero, 2), types.ProofInput("a", one, 1), types.ProofInput("ab", zero, 1),
		types.ProofInput("", zero, 1), types.PossessionInput(nil), types.PossessionInput(zero), types.PossessionInput(one),
	} {
		require.False(t, seen[string(in)])
		seen[string(in)] = true
	}
}

// FuzzSplitProof: whatever bytes come, what is taken for a proof can be no transaction.
func FuzzSplitProof(f *testing.F) {
	f.Add(types.EncodeProof(make([]byte, vrf.ProofSize)), []byte("x"))
	f.Add([]byte("\x00poai/vrf"), []byte{})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		proof, txs, err := types.SplitProof([][]byte{a, b})
		if proof != nil {
			require.NoError(t, err)
			require.Equal(t, a, types.EncodeProof(proof))
			require.Len(t, txs, 1)
		}
		if types.IsProof(a) {
			require.Error(t, (&tx.TxRaw{}).Unmarshal(a), "protobuf knows no field number 0")
		}
	})
}
