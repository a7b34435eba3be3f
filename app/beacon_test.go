package app_test

import (
	"bytes"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"poaid/internal/vrfkey"
	"poaid/testutil"
	beacontypes "poaid/x/beacon/types"
	"poaid/x/beacon/vrf"
)

// accepted asks the application whether it would vote for a block of these entries.
func accepted(t *testing.T, c *testutil.Chain, entries ...[]byte) bool {
	t.Helper()
	req := c.Request()
	res, err := c.App.ProcessProposal(&abci.RequestProcessProposal{
		Txs: entries, Hash: req.Hash, Height: req.Height, Time: req.Time, ProposerAddress: req.ProposerAddress,
	})
	require.NoError(t, err)
	return res.IsAccepted()
}

// TestProposalsCarryOneProof: bad, missing, misplaced and duplicate proofs lose the block.
func TestProposalsCarryOneProof(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{})
	from, to := c.Accounts[1], c.Accounts[2]
	send := c.Tx(from, banktypes.NewMsgSend(from.Addr, to.Addr, testutil.Coins(5)))
	last := c.Request().Txs[0]
	c.Block(send)
	send = c.Tx(from, banktypes.NewMsgSend(from.Addr, to.Addr, testutil.Coins(5)))
	entries := c.Request().Txs
	require.Len(t, entries, 1)
	proof := entries[0]
	require.True(t, beacontypes.IsProof(proof))
	flipped := bytes.Clone(proof)
	flipped[len(flipped)-40] ^= 1
	for name, tc := range map[string]struct {
		entries [][]byte
		ok      bool
	}{
		"proof":          {[][]byte{proof}, true},
		"and a send":     {[][]byte{proof, send}, true},
		"nothing":        {nil, false},
		"only a send":    {[][]byte{send}, false},
		"behind":         {[][]byte{send, proof}, false},
		"twice":          {[][]byte{proof, proof}, false},
		"twice, behind":  {[][]byte{proof, send, proof}, false},
		"flipped":        {[][]byte{flipped, send}, false},
		"short":          {[][]byte{proof[:len(proof)-1]}, false},
		"long":           {[][]byte{append(bytes.Clone(proof), 0)}, false},
		"of last height": {[][]byte{last}, false},
		"version 2":      {[][]byte{append([]byte("\x00poai/vrf\x02"), proof[10:]...)}, false},
	} {
		require.Equal(t, tc.ok, accepted(t, c, tc.entries...), name)
	}
}

// TestPreparedProposalIsAccepted: a proposer's own block, with transactions, passes, and the proof is within what CometBFT allows.
func TestPreparedProposalIsAccepted(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{})
	from, to := c.Accounts[1], c.Accounts[2]
	send := c.Tx(from, banktypes.NewMsgSend(from.Addr, to.Addr, testutil.Coins(5)))
	req := c.Request()
	for max, want := range map[int64]int{1 << 20: 2, int64(beacontypes.ProofTxSize + len(send) - 1): 1} {
		res, err := c.App.PrepareProposal(&abci.RequestPrepareProposal{
			MaxTxBytes: max, Txs: [][]byte{send}, Height: req.Height, Time: req.Time, ProposerAddress: req.ProposerAddress,
		})
		require.NoError(t, err)
		require.Len(t, res.Txs, want)
		require.True(t, accepted(t, c, res.Txs...))
	}
}

// TestProofIsNoTransaction: it cannot enter a mempool, costs nothing, moves no transaction from its place, and clients that look at blocks
// do not stumble over it.
func TestProofIsNoTransaction(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{Shadows: testutil.AllShadows()})
	proof := c.Request().Txs[0]
	_, err := c.App.TxConfig.TxDecoder()(proof)
	require.Error(t, err)
	res, err := c.App.CheckTx(&abci.RequestCheckTx{Tx: proof, Type: abci.CheckTxType_New})
	require.NoError(t, err)
	require.NotZero(t, res.Code)

	shown, err := c.App.ClientTxConfig().TxDecoder()(proof)
	require.NoError(t, err)
	require.Empty(t, shown.GetMsgs())
	asAny, ok := shown.(interface{ GetProtoTx() *tx.Tx })
	require.True(t, ok)
	require.Contains(t, asAny.GetProtoTx().Body.Memo, "randomness")
	from, to := c.Accounts[1], c.Accounts[2]
	send := c.Tx(from, banktypes.NewMsgSend(from.Addr, to.Addr, testutil.Coins(5)))
	decoded, err := c.App.ClientTxConfig().TxDecoder()(send)
	require.NoError(t, err)
	require.Len(t, decoded.GetMsgs(), 1)
	require.Len(t, c.Block(send).TxResults, 1) // Block checks the proof's own result

	task := c.Accounts[3]
	c.RegisterEcho(c.Accounts[1])
	submitted := c.Deliver(task, testutil.SubmitEcho(task, 1))
	id := uint64(c.Height())<<24 | 0<<8
	_, err = c.App.Tasks.Tasks.Get(c.Ctx(), id)
	require.NoError(t, err, "the first transaction has index 0: %v", submitted)
}

// TestRandomnessIsProven on every copy of the chain, and the last commit's where a block was decided without a valid proof.
func TestRandomnessIsProven(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{Shadows: testutil.AllShadows()})
	for range 5 {
		c.Block()
		r, err := c.App.Beacon.At(c.Ctx(), c.Height())
		require.NoError(t, err)
		require.True(t, r.Proven)
	}
	req := c.Request()
	req.Txs = [][]byte{beacontypes.EncodeProof(make([]byte, vrf.ProofSize))}
	res, err := c.App.FinalizeBlock(req)
	require.NoError(t, err)
	require.Len(t, res.TxResults, 1)
	_, err = c.App.Commit()
	require.NoError(t, err)
	r, err := c.App.Beacon.At(c.Ctx(), c.Height())
	require.NoError(t, err)
	require.False(t, r.Proven)
}

// withoutKeys is a chain whose genesis has no VRF keys.
func withoutKeys(g *testutil.Genesis) {
	var b beacontypes.GenesisState
	g.Get(beacontypes.ModuleName, &b)
	b.Keys = nil
	g.Set(beacontypes.ModuleName, &b)
}

// TestKeyRegisteredByTransaction: a chain that started without keys goes over to proofs when the validator's key acts. A proposer whose
// node lacks the key then loses its block.
func TestKeyRegisteredByTransaction(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{Genesis: withoutKeys, Shadows: testutil.AllShadows()})
	require.Empty(t, c.Request().Txs)
	require.True(t, accepted(t, c))
	validator, operator := c.Accounts[0], sdk.ValAddress(c.Accounts[0].Addr)
	key := vrfkey.Register(testutil.ValidatorVRFKey(), operator)
	c.Deliver(validator, &beacontypes.MsgRegisterKey{Operator: operator.String(), PubKey: key.PubKey, Proof: key.Proof})
	from := c.Height() + beacontypes.MinActivationBlocks
	for c.Height() < from-1 {
		require.Empty(t, c.Request().Txs)
		c.Block()
	}
	require.Len(t, c.Request().Txs, 1)
	require.False(t, accepted(t, c))
	c.Block()
	r, err := c.App.Beacon.At(c.Ctx(), c.Height())
	require.NoError(t, err)
	require.True(t, r.Proven)

	other, err := vrf.NewSecretKey(make([]byte, vrf.SeedSize))
	require.NoError(t, err)
	key = vrfkey.Register(other, operator) // not in the node's file
	c.Deliver(validator, &beacontypes.MsgRegisterKey{Operator: operator.String(), PubKey: key.PubKey, Proof: key.Proof})
	c.Blocks(beacontypes.MinActivationBlocks - 1)
	require.Empty(t, c.Request().Txs)
	require.False(t, accepted(t, c))
}
