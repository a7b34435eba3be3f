package app_test

import (
	"testing"

	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	"github.com/stretchr/testify/require"

	"poaid/app"
	"poaid/app/params"
	"poaid/testutil"
	taskstypes "poaid/x/tasks/types"
)

// TestProposalsPayBeforeTheirBlockIsCredited: what the messages of a proposal send virtually, in EndBlock, must still be credited in
// that block. After x/bank's EndBlock it would be taken from governance and reach nobody.
func TestProposalsPayBeforeTheirBlockIsCredited(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{Shadows: testutil.AllShadows()})
	c.RegisterEcho(c.Accounts[1])
	gov := c.App.Auth.GetModuleAddress(govtypes.ModuleName)
	c.Deliver(c.Accounts[1], banktypes.NewMsgSend(c.Accounts[1].Addr, gov, testutil.Poai(1)))
	msg := testutil.SubmitEcho(c.Accounts[1], 1)
	msg.Submitter = app.Authority()
	c.Govern(msg)
	escrow := c.App.Bank.GetBalance(c.Ctx(), c.App.Auth.GetModuleAddress(taskstypes.ModuleName), params.Denom)
	require.Equal(t, msg.MaxFee, escrow)
	require.True(t, c.App.Bank.GetBalance(c.Ctx(), gov, params.Denom).IsZero())
	require.NoError(t, testutil.CheckInvariants(c.App, c.Ctx()))
}
