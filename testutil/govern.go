package testutil

import (
	sdk "github.com/cosmos/cosmos-sdk/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
)

// Govern passes messages through a governance proposal of the first account, which has delegated the whole stake, and fails the
// test unless they succeed.
func (c *Chain) Govern(msgs ...sdk.Msg) {
	c.tb.Helper()
	voter := c.Accounts[0]
	params, err := c.App.Gov.Params.Get(c.Ctx())
	if err != nil {
		c.tb.Fatalf("gov params: %v", err)
	}
	id, err := c.App.Gov.ProposalID.Peek(c.Ctx())
	if err != nil {
		c.tb.Fatalf("gov: next proposal: %v", err)
	}
	submit, err := govv1.NewMsgSubmitProposal(msgs, params.MinDeposit, voter.String(), "", "test", "test", false)
	if err != nil {
		c.tb.Fatalf("gov: %v", err)
	}
	c.Deliver(voter, submit)
	c.Deliver(voter, govv1.NewMsgVote(voter.Addr, id, govv1.OptionYes, ""))
	for end := c.Time.Add(*params.VotingPeriod); !c.Time.After(end); {
		c.Block()
	}
	p, err := c.App.Gov.Proposals.Get(c.Ctx(), id)
	if err != nil {
		c.tb.Fatalf("gov: proposal %d: %v", id, err)
	}
	if p.Status != govv1.StatusPassed {
		c.tb.Fatalf("gov: proposal %d is %s: %s", id, p.Status, p.FailedReason)
	}
}
