package app_test

import (
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"poaid/app"
	"poaid/testutil"
	taskstypes "poaid/x/tasks/types"
)

func sends(c *testutil.Chain, n int) []sdk.Msg {
	msgs := make([]sdk.Msg, n)
	for i := range msgs {
		msgs[i] = banktypes.NewMsgSend(c.Accounts[1].Addr, c.Accounts[2].Addr, testutil.Coins(1))
	}
	return msgs
}

func exec(a *testutil.Account, msgs ...sdk.Msg) sdk.Msg {
	m := authz.NewMsgExec(a.Addr, msgs)
	return &m
}

func submit(a *testutil.Account, inputBytes int) sdk.Msg {
	return &taskstypes.MsgSubmitTask{
		Submitter: a.String(), Model: "m", Steps: 1, Allocation: taskstypes.ALLOCATION_DRAW, MaxFee: testutil.Coins(1)[0],
		Inputs: []taskstypes.NamedTensor{{Name: "x", Data: make([]byte, inputBytes)}},
	}
}

func TestLimitsOfATransaction(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{})
	from := c.Accounts[1]
	limits := app.DefaultTxLimits()
	for _, tc := range []struct {
		name string
		msgs []sdk.Msg
		err  string
		code uint32
	}{
		{"as many messages as allowed", sends(c, limits.Messages), "", 0},
		{"one message too many", sends(c, limits.Messages+1), "messages: more than 64", sdkerrors.ErrInvalidRequest.ABCICode()},
		{
			"too many behind MsgExec",
			[]sdk.Msg{exec(from, sends(c, limits.Messages)...)},
			"messages: more than 64", sdkerrors.ErrInvalidRequest.ABCICode(),
		},
		{
			"nested too deep",
			[]sdk.Msg{exec(from, exec(from, exec(from, sends(c, 1)...)))},
			"nested more than 2 deep", sdkerrors.ErrInvalidRequest.ABCICode(),
		},
		{"inline input too large", []sdk.Msg{submit(from, limits.InlineBytes)}, "inputs: ", sdkerrors.ErrTxTooLarge.ABCICode()},
		{
			"inline input too large behind MsgExec",
			[]sdk.Msg{exec(from, submit(from, limits.InlineBytes))},
			"larger ones go by CID", sdkerrors.ErrTxTooLarge.ABCICode(),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bz := c.TxWith(from, testutil.TxOptions{Gas: 20_000_000}, tc.msgs...)
			res := c.Block(bz).TxResults[0]
			require.Equal(t, tc.code, res.Code, res.Log)
			require.Contains(t, res.Log, tc.err)
		})
	}
}

func TestTransactionTooLarge(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{})
	from := c.Accounts[1]
	msgs := make([]sdk.Msg, 5)
	for i := range msgs {
		msgs[i] = submit(from, 250<<10)
	}
	res := c.Block(c.Tx(from, msgs...)).TxResults[0]
	require.Equal(t, sdkerrors.ErrTxTooLarge.ABCICode(), res.Code)
	require.Contains(t, res.Log, "at most 1048576")
	require.Zero(t, res.GasUsed, "an oversized transaction is refused before anything is charged")
}

func TestMinGasPrice(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{NoCheckTx: true})
	from := c.Accounts[1]
	msg := banktypes.NewMsgSend(from.Addr, c.Accounts[2].Addr, testutil.Coins(1))
	for _, tc := range []struct {
		name string
		fee  sdk.Coins
		code uint32
	}{
		{"at the price", testutil.Coins(250), 0},
		{"below it", testutil.Coins(249), sdkerrors.ErrInsufficientFee.ABCICode()},
		{"none", sdk.Coins{}, sdkerrors.ErrInsufficientFee.ABCICode()},
		{"another denomination", sdk.NewCoins(sdk.NewInt64Coin("gold", 1_000_000)), sdkerrors.ErrInsufficientFee.ABCICode()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bz := c.TxWith(from, testutil.TxOptions{Gas: 100_000, Fee: tc.fee}, msg)
			res, err := c.App.CheckTx(&abci.RequestCheckTx{Tx: bz, Type: abci.CheckTxType_New})
			require.NoError(t, err)
			require.Equal(t, tc.code, res.Code, res.Log)
			from.Sequence--
			c.Block() // drops what the mempool's state remembers
		})
	}
}

func TestReplayOnAnotherChainIsRefused(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{})
	from := c.Accounts[1]
	msg := banktypes.NewMsgSend(from.Addr, c.Accounts[2].Addr, testutil.Coins(1))
	res := c.Block(c.TxWith(from, testutil.TxOptions{WrongChainID: "poai-1"}, msg)).TxResults[0]
	require.Equal(t, sdkerrors.ErrUnauthorized.ABCICode(), res.Code, res.Log)
}
