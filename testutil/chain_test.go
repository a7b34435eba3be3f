package testutil_test

import (
	"testing"

	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/stretchr/testify/require"

	"poaid/testutil"
)

func TestChainDeliversAndAgreesWithItsShadows(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{Accounts: 20, Shadows: testutil.AllShadows()})
	for range 3 {
		var txs [][]byte
		for i, from := range c.Accounts {
			to := c.Accounts[(i+1)%len(c.Accounts)]
			txs = append(txs, c.Tx(from, banktypes.NewMsgSend(from.Addr, to.Addr, testutil.Coins(7))))
		}
		for i, r := range c.Block(txs...).TxResults {
			require.Zero(t, r.Code, "transaction %d: %s", i, r.Log)
		}
	}
}

func TestSequencesFollowFailedTransactions(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{})
	from, to := c.Accounts[1], c.Accounts[2]
	res := c.Try(from, banktypes.NewMsgSend(from.Addr, to.Addr, testutil.Poai(1_000_000_000)))
	require.NotZero(t, res.Code)
	c.Deliver(from, banktypes.NewMsgSend(from.Addr, to.Addr, testutil.Coins(1)))
}
