package lane_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"poaid/app/lane"
)

var limits = lane.New(10_000, 1_000, 4_000, 400, 1_000, 100)

func field(b []byte, num protowire.Number, data []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), data)
}

func anyOf(url string, value []byte) []byte { return field(field(nil, 1, []byte(url)), 2, value) }

// encode makes a transaction of so many bytes out of messages.
func encode(gas uint64, size int, msgs ...[]byte) []byte {
	var body []byte
	for _, m := range msgs {
		body = field(body, 1, m)
	}
	fee := protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), gas)
	raw := field(field(nil, 1, body), 2, field(nil, 2, fee))
	if pad := size - len(raw) - 3; pad > 0 {
		raw = field(raw, 3, make([]byte, pad))
	}
	return raw
}

func move(gas uint64, size int) []byte { return encode(gas, size, anyOf(moveURL, nil)) }

func other(gas uint64, size int) []byte {
	return encode(gas, size, anyOf("/cosmos.bank.v1beta1.MsgSend", nil))
}

const moveURL = "/poai.disputes.v1.MsgMove"

func TestRead(t *testing.T) {
	exec := func(inner ...[]byte) []byte {
		value := field(nil, 1, []byte("grantee"))
		for _, m := range inner {
			value = field(value, 2, m)
		}
		return anyOf("/cosmos.authz.v1beta1.MsgExec", value)
	}
	a, bank := anyOf(moveURL, []byte("x")), anyOf("/cosmos.bank.v1beta1.MsgSend", nil)
	for name, c := range map[string]struct {
		raw  []byte
		gas  uint64
		move bool
	}{
		"move":                {encode(7, 0, a), 7, true},
		"two":                 {encode(7, 0, a, a), 7, true},
		"granted":             {encode(7, 0, exec(a, a)), 7, true},
		"granted twice":       {encode(7, 0, exec(exec(a))), 7, true},
		"granted too often":   {encode(7, 0, exec(exec(exec(a)))), 7, false},
		"granted and another": {encode(7, 0, exec(a, bank)), 7, false},
		"granted nothing":     {encode(7, 0, exec()), 7, false},
		"and another":         {encode(7, 0, a, bank), 7, false},
		"another":             {encode(9, 0, bank), 9, false},
		"large":               {encode(7, 1_001, a), 7, false},
		"no messages":         {encode(7, 0), 7, false},
		"empty":               {nil, 0, false},
		"garbage":             {[]byte{0xff, 0xff}, 0, false},
		"params":              {encode(7, 0, anyOf("/poai.disputes.v1.MsgUpdateParams", nil)), 7, false},
	} {
		tx := limits.Read(c.raw)
		require.Equal(t, lane.Tx{Bytes: uint64(len(c.raw)), Gas: c.gas, Move: c.move}, tx, name)
	}
}

// TestFloodLeavesRoom: however many ordinary transactions wait in front, moves get into the block.
func TestFloodLeavesRoom(t *testing.T) {
	var txs [][]byte
	for range 50 {
		txs = append(txs, other(10, 300))
	}
	for range 4 {
		txs = append(txs, move(60, 900))
	}
	got := limits.Select(txs)
	require.NoError(t, limits.Check(got))
	moves := 0
	for _, raw := range got {
		if limits.Read(raw).Move {
			moves++
		}
	}
	require.Equal(t, 4, moves)
	require.Len(t, got, 20+4)
	require.Error(t, limits.Check(txs[:21]), "ordinary transactions in the lane")
	require.False(t, limits.Full(txs[:50]))
	require.False(t, limits.Full(txs[50:53]))
	require.True(t, limits.Full(txs[50:54]), "a fifth might not have found room")
}

func TestGasIsLimitedToo(t *testing.T) {
	require.Error(t, limits.Check([][]byte{other(601, 100)}))
	full := [][]byte{other(600, 100), move(100, 100), move(100, 100), move(100, 100), move(100, 100)}
	require.NoError(t, limits.Check(full))
	require.Error(t, limits.Check(append(full, move(1, 100))))
	require.NoError(t, limits.Check(slices.Repeat([][]byte{move(100, 100)}, 10)), "moves may use all of a block")
	require.Error(t, limits.Check([][]byte{other(1<<63, 100), other(1<<63, 100)}), "the sum overflows")
	require.False(t, limits.Full([][]byte{move(100, 100), move(100, 100), move(100, 100)}))
	require.True(t, limits.Full([][]byte{move(100, 100), move(100, 100), move(100, 100), move(1, 100)}))
	require.False(t, limits.Read(move(101, 100)).Move, "too much gas for a move")
	// What can never fit does not hold up the others.
	got := limits.Select([][]byte{other(601, 100), other(1, 100)})
	require.Len(t, got, 1)
	require.Equal(t, uint64(1), limits.Read(got[0]).Gas)
}

// TestWhatIsSelectedIsAccepted: an honest proposer's block passes, keeps the order, and no move is left out that would fit.
func TestWhatIsSelectedIsAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var txs [][]byte
		for range rapid.IntRange(0, 60).Draw(t, "n") {
			gas, size := rapid.Uint64Range(0, 110).Draw(t, "gas"), rapid.IntRange(80, 1_100).Draw(t, "size")
			if rapid.Bool().Draw(t, "move") {
				txs = append(txs, move(gas, size))
			} else {
				txs = append(txs, other(gas, size))
			}
		}
		got := limits.Select(txs)
		require.NoError(t, limits.Check(got))
		next := 0
		for _, raw := range txs {
			if next < len(got) && string(got[next]) == string(raw) {
				next++
				continue
			}
			if limits.Read(raw).Move {
				require.Error(t, limits.Check(append(append([][]byte{}, got...), raw)))
			}
		}
		require.Equal(t, len(got), next)
	})
}

func FuzzRead(f *testing.F) {
	f.Add(move(5, 200))
	f.Add(other(5, 200))
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, raw []byte) {
		tx := limits.Read(raw)
		require.Equal(t, uint64(len(raw)), tx.Bytes)
	})
}
