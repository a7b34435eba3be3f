package demo

import (
	"context"
	"fmt"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"poaid/localnet"
	disputestypes "poaid/x/disputes/types"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// bond of each participant, in poai.
const bond = 10_000

// hotMessages is what a participant's daemon may sign in its operator's name.
func hotMessages() []sdk.Msg {
	return []sdk.Msg{
		&taskstypes.MsgSealResults{}, &taskstypes.MsgRevealResults{},
		&poaitypes.MsgSealAttestations{}, &poaitypes.MsgRevealAttestations{},
		&disputestypes.MsgClaim{}, &disputestypes.MsgAttack{}, &disputestypes.MsgDefend{}, &disputestypes.MsgMove{},
		&disputestypes.MsgDemandBytes{}, &disputestypes.MsgProduceBytes{},
	}
}

// join bonds every participant and grants its hot key just what its daemon needs: ten message types and gas.
func (r *runner) join(ctx context.Context) error {
	for i, p := range r.layout.Participants {
		operator, err := sdk.AccAddressFromBech32(p.Operator)
		if err != nil {
			return err
		}
		hot, err := sdk.AccAddressFromBech32(p.Hot)
		if err != nil {
			return err
		}
		msgs := []sdk.Msg{&poaitypes.MsgJoin{
			Participant: p.Operator, Bond: sdk.NewInt64Coin(localnet.Denom, bond*1_000_000), Moniker: p.Name,
			Endpoint: "http://" + p.Artifacts, Concurrency: 8,
		}}
		for _, m := range hotMessages() {
			grant, err := authz.NewMsgGrant(operator, hot, authz.NewGenericAuthorization(sdk.MsgTypeURL(m)), nil)
			if err != nil {
				return fmt.Errorf("grant: %w", err)
			}
			msgs = append(msgs, grant)
		}
		allow, err := feegrant.NewMsgGrantAllowance(&feegrant.BasicAllowance{}, operator, hot)
		if err != nil {
			return fmt.Errorf("fee grant: %w", err)
		}
		if _, err := r.client.Send(ctx, fmt.Sprintf("op%d", i), append(msgs, allow)...); err != nil {
			return err
		}
		r.screen.status(fmt.Sprintf("participants joined %s %d of %d", bar(i+1, len(r.layout.Participants)), i+1, len(r.layout.Participants)))
	}
	r.screen.step("%d participants joined, each with a bond of %d poai; their daemons sign with hot keys", len(r.layout.Participants), bond)
	return nil
}

// makeEligible has governance vote both models eligible for block reward.
func (r *runner) makeEligible(ctx context.Context) error {
	authority := authtypes.NewModuleAddress(govtypes.ModuleName).String()
	var msgs []sdk.Msg
	for _, id := range modelIDs() {
		msgs = append(msgs, &modelstypes.MsgSetEligibility{Authority: authority, Id: id, Eligible: true})
	}
	owner, err := r.layout.Address(localnet.AccountOwner)
	if err != nil {
		return err
	}
	proposal, err := govv1.NewMsgSubmitProposal(msgs, sdk.NewCoins(sdk.NewInt64Coin(localnet.Denom, 10_000_000)), owner, "",
		"Eligible models", "Let digits and story earn block reward.", false)
	if err != nil {
		return fmt.Errorf("proposal: %w", err)
	}
	res, err := r.client.Send(ctx, localnet.AccountOwner, proposal)
	if err != nil {
		return err
	}
	var made govv1.MsgSubmitProposalResponse
	if err := localnet.Responses(res, &made); err != nil {
		return err
	}
	for i := range r.layout.Nodes {
		name := fmt.Sprintf("val%d", i)
		voter, err := r.layout.Address(name)
		if err != nil {
			return err
		}
		vote := &govv1.MsgVote{ProposalId: made.ProposalId, Voter: voter, Option: govv1.OptionYes}
		if _, err := r.client.Send(ctx, name, vote); err != nil {
			return err
		}
	}
	r.screen.status(fmt.Sprintf("governance votes on eligibility (%s)", localnet.VotingPeriod))
	gov := govv1.NewQueryClient(r.client.Conn)
	err = poll(ctx, 200*time.Millisecond, func() (bool, error) {
		p, err := gov.Proposal(ctx, &govv1.QueryProposalRequest{ProposalId: made.ProposalId})
		if err != nil {
			return false, err
		}
		switch p.Proposal.Status {
		case govv1.StatusPassed:
			return true, nil
		case govv1.StatusFailed, govv1.StatusRejected:
			return false, fmt.Errorf("proposal %d: %s %s", made.ProposalId, p.Proposal.Status, p.Proposal.FailedReason)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	r.screen.step("governance made %v eligible for block reward (proposal %d)", modelIDs(), made.ProposalId)
	return nil
}

// startParticipants starts the daemons and lets them serve both models.
func (r *runner) startParticipants(ctx context.Context) error {
	for i := range r.layout.Participants {
		if _, err := r.net.StartParticipant(i); err != nil {
			return err
		}
		p := r.layout.Participants[i]
		serve := &poaitypes.MsgServe{Participant: p.Operator, Models: modelIDs()}
		if _, err := r.client.Send(ctx, fmt.Sprintf("op%d", i), serve); err != nil {
			return err
		}
	}
	r.screen.step("%d worker/verifier processes started, serving %v", len(r.layout.Participants), modelIDs())
	return nil
}

// poll calls f every interval until it is done.
func poll(ctx context.Context, interval time.Duration, f func() (done bool, err error)) error {
	t := time.NewTicker(interval)
	defer t.Stop()
	for {
		done, err := f()
		if err != nil || done {
			return err
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
