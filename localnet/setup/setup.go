package setup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/daemon/chain"
	"poaid/localnet"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	sprintstypes "poaid/x/sprints/types"
)

// Bond of each participant, in poai.
const Bond = 10_000

// concurrency is how many tasks a participant takes at a time.
const concurrency = 8

// Setup is a running network that is put to work.
type Setup struct {
	Layout *localnet.Layout
	Net    *localnet.Network
	Client *localnet.Client
	// Step is told what was done, Status how something that takes time stands.
	Step   func(format string, args ...any)
	Status func(line string)

	models []Model
	owner  *artifactServer
}

// operator is the name of participant i's operator key.
func operator(i int) string { return fmt.Sprintf("op%d", i) }

// Join bonds every participant that has not joined, and grants its hot key just what its daemon needs: some message types and gas.
func (s *Setup) Join(ctx context.Context) error {
	var mu sync.Mutex
	joined, present, total := 0, 0, len(s.Layout.Participants)
	err := s.each(func(i int) error {
		p, known, err := s.participant(ctx, i)
		if err != nil {
			return err
		}
		if known && p.Participant.Endpoint != s.endpoint(i) {
			return fmt.Errorf("participant %d: its endpoint on the chain is %q, want %q", i, p.Participant.Endpoint, s.endpoint(i))
		}
		if !known {
			if err := s.join(ctx, i); err != nil {
				return err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		present++
		if !known {
			joined++
		}
		s.Status(fmt.Sprintf("participants joined %d of %d", present, total))
		return nil
	})
	if err != nil {
		return err
	}
	if joined > 0 {
		s.Step("%d participants joined, each with a bond of %d poai; their daemons sign with hot keys", joined, Bond)
	}
	return nil
}

func (s *Setup) endpoint(i int) string { return "http://" + s.Layout.Participants[i].Artifacts }

func (s *Setup) join(ctx context.Context, i int) error {
	p := s.Layout.Participants[i]
	granter, err := sdk.AccAddressFromBech32(p.Operator)
	if err != nil {
		return err
	}
	hot, err := sdk.AccAddressFromBech32(p.Hot)
	if err != nil {
		return err
	}
	grants, err := chain.HotGrants(granter, hot)
	if err != nil {
		return err
	}
	msgs := append([]sdk.Msg{&poaitypes.MsgJoin{
		Participant: p.Operator, Bond: sdk.NewInt64Coin(localnet.Denom, Bond*1_000_000), Moniker: p.Name,
		Endpoint: s.endpoint(i), Concurrency: concurrency,
	}}, grants...)
	allow, err := feegrant.NewMsgGrantAllowance(&feegrant.BasicAllowance{}, granter, hot)
	if err != nil {
		return fmt.Errorf("fee grant: %w", err)
	}
	_, err = s.Client.Send(ctx, operator(i), append(msgs, allow)...)
	return err
}

// participant asks the chain about participant i.
func (s *Setup) participant(ctx context.Context, i int) (res *poaitypes.QueryParticipantResponse, known bool, err error) {
	res, err = poaitypes.NewQueryClient(s.Client.Conn).Participant(ctx, &poaitypes.QueryParticipantRequest{Address: s.Layout.Participants[i].Operator})
	switch {
	case status.Code(err) == codes.NotFound:
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("participant %d: %w", i, err)
	}
	return res, true, nil
}

// each runs f for all participants at the same time, so that what they send shares blocks.
func (s *Setup) each(f func(i int) error) error {
	errs := make([]error, len(s.Layout.Participants))
	var wg sync.WaitGroup
	for i := range s.Layout.Participants {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// StartParticipants starts the daemons and lets them serve all models, and prove their capacity.
func (s *Setup) StartParticipants(ctx context.Context) error {
	for i := range s.Layout.Participants {
		if _, err := s.Net.StartParticipant(i); err != nil {
			return err
		}
	}
	ids := append(s.ModelIDs(), sprintstypes.DefaultBaseModel) // whose windows prove capacity
	if err := s.each(func(i int) error { return s.Serve(ctx, i, ids...) }); err != nil {
		return err
	}
	s.Step("%d worker/verifier processes started, serving %v", len(s.Layout.Participants), ids)
	return nil
}

// Serve lets participant i serve those of the models that it does not serve yet.
func (s *Setup) Serve(ctx context.Context, i int, models ...string) error {
	p, known, err := s.participant(ctx, i)
	if err != nil {
		return err
	}
	if !known {
		return fmt.Errorf("participant %d: has not joined", i)
	}
	var missing []string
	for _, id := range models {
		if !slices.Contains(p.Models, id) {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = s.Client.Send(ctx, operator(i), &poaitypes.MsgServe{Participant: s.Layout.Participants[i].Operator, Models: missing})
	return err
}

// MakeEligible has governance vote those models eligible for block reward that are not.
func (s *Setup) MakeEligible(ctx context.Context) error {
	authority := authtypes.NewModuleAddress(govtypes.ModuleName).String()
	var msgs []sdk.Msg
	var ids []string
	for _, m := range s.models {
		got, known, err := s.registered(ctx, m.ID)
		if err != nil {
			return err
		}
		if known && got.Eligible {
			continue
		}
		ids = append(ids, m.ID)
		msgs = append(msgs, &modelstypes.MsgSetEligibility{Authority: authority, Id: m.ID, Eligible: true})
	}
	if len(msgs) == 0 {
		return nil
	}
	id, err := s.propose(ctx, msgs)
	if err != nil {
		return err
	}
	if err := s.vote(ctx, id); err != nil {
		return err
	}
	s.Status(fmt.Sprintf("governance votes on eligibility (%s)", localnet.VotingPeriod))
	if err := s.passed(ctx, id); err != nil {
		return err
	}
	s.Step("governance made %v eligible for block reward (proposal %d)", ids, id)
	return nil
}

func (s *Setup) propose(ctx context.Context, msgs []sdk.Msg) (uint64, error) {
	owner, err := s.Layout.Address(localnet.AccountOwner)
	if err != nil {
		return 0, err
	}
	proposal, err := govv1.NewMsgSubmitProposal(msgs, sdk.NewCoins(sdk.NewInt64Coin(localnet.Denom, 10_000_000)), owner, "",
		"Eligible models", "Let models earn block reward.", false)
	if err != nil {
		return 0, fmt.Errorf("proposal: %w", err)
	}
	res, err := s.Client.Send(ctx, localnet.AccountOwner, proposal)
	if err != nil {
		return 0, err
	}
	var made govv1.MsgSubmitProposalResponse
	err = localnet.Responses(res, &made)
	return made.ProposalId, err
}

// vote has every validator vote yes.
func (s *Setup) vote(ctx context.Context, proposal uint64) error {
	errs := make([]error, len(s.Layout.Nodes))
	var wg sync.WaitGroup
	for i := range s.Layout.Nodes {
		wg.Go(func() {
			name := fmt.Sprintf("val%d", i)
			voter, err := s.Layout.Address(name)
			if err == nil {
				_, err = s.Client.Send(ctx, name, &govv1.MsgVote{ProposalId: proposal, Voter: voter, Option: govv1.OptionYes})
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// passed waits until the proposal has.
func (s *Setup) passed(ctx context.Context, id uint64) error {
	gov := govv1.NewQueryClient(s.Client.Conn)
	return Poll(ctx, 200*time.Millisecond, func() (bool, error) {
		p, err := gov.Proposal(ctx, &govv1.QueryProposalRequest{ProposalId: id})
		if err != nil {
			return false, err
		}
		switch p.Proposal.Status {
		case govv1.StatusPassed:
			return true, nil
		case govv1.StatusFailed, govv1.StatusRejected:
			return false, fmt.Errorf("proposal %d: %s %s", id, p.Proposal.Status, p.Proposal.FailedReason)
		}
		return false, nil
	})
}

// Close stops what the setup itself runs.
func (s *Setup) Close() error {
	if s.owner == nil {
		return nil
	}
	return s.owner.close()
}

// Poll calls f every interval until it is done.
func Poll(ctx context.Context, interval time.Duration, f func() (done bool, err error)) error {
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
