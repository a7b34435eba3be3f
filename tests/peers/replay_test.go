package peers_test

import (
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/commit"
	"poaid/testutil"
	taskstypes "poaid/x/tasks/types"
)

// TestReplayedTransactionIsRefused sends the same bytes twice in a block and again in the next: they move coins once.
func TestReplayedTransactionIsRefused(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{})
	from, to := c.Accounts[0], c.Accounts[1]
	before := c.App.Bank.GetBalance(c.Ctx(), to.Addr, params.Denom)
	tx := c.Tx(from, banktypes.NewMsgSend(from.Addr, to.Addr, testutil.Poai(7)))
	res := c.Block(tx, tx).TxResults
	require.Zero(t, res[0].Code, res[0].Log)
	require.Equal(t, sdkerrors.ErrWrongSequence.ABCICode(), res[1].Code, res[1].Log)
	require.Equal(t, sdkerrors.ErrWrongSequence.ABCICode(), c.Block(tx).TxResults[0].Code)
	after := c.App.Bank.GetBalance(c.Ctx(), to.Addr, params.Denom)
	require.Equal(t, testutil.Poai(7)[0].String(), after.Sub(before).String())
}

// TestTransactionOfAnotherChainIsRefused sends what was signed for another chain.
func TestTransactionOfAnotherChainIsRefused(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{})
	from, to := c.Accounts[0], c.Accounts[1]
	before := c.App.Bank.GetBalance(c.Ctx(), to.Addr, params.Denom)
	tx := c.TxWith(from, testutil.TxOptions{WrongChainID: "poai-test-2"}, banktypes.NewMsgSend(from.Addr, to.Addr, testutil.Poai(7)))
	require.Equal(t, sdkerrors.ErrUnauthorized.ABCICode(), c.Block(tx).TxResults[0].Code)
	require.Equal(t, before, c.App.Bank.GetBalance(c.Ctx(), to.Addr, params.Denom))
}

// TestReplayedGrantedMessageIsRefused wraps a worker's seal for a hot key, replays the transaction, wraps it again, and wraps it twice in
// one: the task is sealed once.
func TestReplayedGrantedMessageIsRefused(t *testing.T) {
	c, crew := network(t, 3, calm.apply)
	id := submit(t, c, 1, 1)[0]
	w := member(t, crew, crew.WorkUntil(id, taskstypes.STATE_ASSIGNED, 10).Worker)
	hot := c.Accounts[0]
	grant, err := authz.NewMsgGrant(w.Addr, hot.Addr, authz.NewGenericAuthorization(sdk.MsgTypeURL(&taskstypes.MsgSealResults{})), nil)
	require.NoError(t, err)
	c.Deliver(w.Account, grant)
	due, err := crew.Due(w)
	require.NoError(t, err)
	again := &taskstypes.MsgSealResults{Worker: w.String(), Items: []taskstypes.ResultSeal{{TaskId: id, Seal: other}}}
	exec := authz.NewMsgExec(hot.Addr, []sdk.Msg{due[0], again})
	tx := c.Tx(hot, &exec)
	res := c.Block(tx, tx).TxResults
	require.Equal(t, []bool{true, false}, wrapped(t, res[0].Data), "the second seal of one transaction")
	require.Equal(t, sdkerrors.ErrWrongSequence.ABCICode(), res[1].Code)
	require.Equal(t, sdkerrors.ErrWrongSequence.ABCICode(), c.Block(tx).TxResults[0].Code)
	once := authz.NewMsgExec(hot.Addr, []sdk.Msg{due[0]})
	require.Equal(t, []bool{false}, wrapped(t, c.Deliver(hot, &once).Data), "the same seal wrapped anew")
	require.Equal(t, due[0].(*taskstypes.MsgSealResults).Items[0].Seal, status(t, c, id).Seal)
}

// wrapped says which items of the seals inside a MsgExec were accepted.
func wrapped(t *testing.T, data []byte) (accepted []bool) {
	t.Helper()
	var msgs sdk.TxMsgData
	require.NoError(t, msgs.Unmarshal(data))
	var exec authz.MsgExecResponse
	require.NoError(t, exec.Unmarshal(msgs.MsgResponses[0].Value))
	for _, bz := range exec.Results {
		var got taskstypes.MsgSealResultsResponse
		require.NoError(t, got.Unmarshal(bz))
		for _, x := range got.Results {
			accepted = append(accepted, x.Accepted)
		}
	}
	return accepted
}

// TestSealOpensOneTaskOnOneChainForItsAuthor seals tasks of the same input with seals that were made for another task, another chain and
// another worker: none of them opens with the right result, only the author's own does.
func TestSealOpensOneTaskOnOneChainForItsAuthor(t *testing.T) {
	for name, seal := range map[string]func(c *testutil.Chain, w string, ids []uint64, root commit.Hash, salt [32]byte) commit.Hash{
		"its own": func(c *testutil.Chain, w string, ids []uint64, root commit.Hash, salt [32]byte) commit.Hash {
			return commit.Seal(c.ChainID, ids[0], w, root, salt)
		},
		"another task's": func(c *testutil.Chain, w string, ids []uint64, root commit.Hash, salt [32]byte) commit.Hash {
			return commit.Seal(c.ChainID, ids[1], w, root, salt)
		},
		"another chain's": func(_ *testutil.Chain, w string, ids []uint64, root commit.Hash, salt [32]byte) commit.Hash {
			return commit.Seal("poai-test-2", ids[0], w, root, salt)
		},
		"another worker's": func(c *testutil.Chain, _ string, ids []uint64, root commit.Hash, salt [32]byte) commit.Hash {
			return commit.Seal(c.ChainID, ids[0], c.Accounts[0].String(), root, salt)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, crew := network(t, 3, calm.apply)
			// Two tasks with the same input have the same result.
			ids := append(submit(t, c, 1, 1), submit(t, c, 1, 1)...)
			w := member(t, crew, crew.WorkUntil(ids[0], taskstypes.STATE_ASSIGNED, 10).Worker)
			result, err := testutil.RunEcho([]taskstypes.NamedTensor{testutil.EchoInput(1)}, 1, false)
			require.NoError(t, err)
			salt := [32]byte{1, 2, 3}
			s := seal(c, w.String(), ids, result.Root, salt)
			got := items(t, c.Try(w.Account, &taskstypes.MsgSealResults{Worker: w.String(), Items: []taskstypes.ResultSeal{{TaskId: ids[0], Seal: s[:]}}}))
			require.True(t, got[0].Accepted, got[0].Error)
			w.Behaviour = testutil.Idle
			crew.WorkUntil(ids[0], taskstypes.STATE_REVEALING, 60)
			res := c.Try(w.Account, &taskstypes.MsgRevealResults{Worker: w.String(), Items: []taskstypes.ResultReveal{{
				TaskId: ids[0], StateRoot: result.StateRoot[:], Outputs: result.Outputs, Salt: salt[:],
			}}})
			if name == "its own" {
				require.True(t, items(t, res)[0].Accepted, items(t, res)[0].Error)
				return
			}
			refused(t, res, taskstypes.ErrSeal.Error())
		})
	}
}
