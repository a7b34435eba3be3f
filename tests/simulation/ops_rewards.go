package simulation

import (
	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	rewardskeeper "poaid/x/rewards/keeper"
	rewardstypes "poaid/x/rewards/types"
)

func rewardsModule() Module {
	return Module{
		Name: rewardstypes.ModuleName,
		Operations: []Operation{
			{Name: "rewards Claim", Weight: 6, Do: claimRewards},
			{Name: "rewards Claim twice", Weight: 1, Refused: true, Do: claimTwice},
			{Name: "rewards Release", Weight: 3, Do: release},
			{Name: "rewards ClaimFor", Weight: 4, Do: claimFor},
			{Name: "rewards ReleaseFor", Weight: 1, Do: releaseFor},
			{Name: "rewards SetAutoBond", Weight: 2, Do: setAutoBond},
			{Name: "rewards Sweep", Weight: 2, Do: sweep},
		},
		Proposals: []func(*Sim) sdk.Msg{rewardsParams},
		Milestones: []string{
			"rewards EpochPool", "rewards Claimed", "rewards Released", "rewards Forfeited", "rewards AutoBondSet", "rewards ParamsUpdated",
		},
	}
}

// claimable are epochs in which a participant has an unclaimed share.
func (s *Sim) claimable(p *person) (epochs []uint64) {
	res, err := rewardskeeper.NewQueryServer(s.App.Rewards).Claimable(s.Ctx(), &rewardstypes.QueryClaimableRequest{Participant: p.String()})
	s.must(err)
	for _, c := range res.Claimable {
		epochs = append(epochs, c.Epoch)
	}
	return epochs
}

func claimRewards(s *Sim) *Action {
	p, ok := any1(s, s.people)
	if !ok {
		return nil
	}
	epochs := s.claimable(p)
	if len(epochs) == 0 {
		return nil
	}
	return one(p.Account, &rewardstypes.MsgClaim{Participant: p.String(), Epochs: epochs[:1+s.r.Intn(len(epochs))]})
}

func claimTwice(s *Sim) *Action {
	var p *person
	var epoch uint64
	s.must(s.App.Rewards.Claims.Walk(s.Ctx(), nil, func(k collections.Pair[sdk.AccAddress, uint64]) (bool, error) {
		p, epoch = s.byAddress(k.K1().String()), k.K2()
		return s.r.Intn(4) == 0, nil
	}))
	if p == nil {
		return nil
	}
	return one(p.Account, &rewardstypes.MsgClaim{Participant: p.String(), Epochs: []uint64{epoch}})
}

// claimFor claims what somebody has left unclaimed for long, and others have a part in.
func claimFor(s *Sim) *Action {
	params, err := s.App.Rewards.Params.Get(s.Ctx())
	s.must(err)
	var all []*rewardstypes.MsgClaimFor
	for _, p := range s.people {
		var epochs []uint64
		for _, epoch := range s.claimable(p) {
			_, delegated, err := s.App.Poai.ScoreParts(s.Ctx(), epoch, p.String())
			s.must(err)
			pool, err := s.App.Rewards.Pools.Get(s.Ctx(), epoch)
			s.must(err)
			if delegated.IsPositive() && s.Height()+1 >= pool.OpenedHeight+params.VestingBlocks && len(epochs) < 3 {
				epochs = append(epochs, epoch)
			}
		}
		if len(epochs) > 0 {
			all = append(all, &rewardstypes.MsgClaimFor{Participant: p.String(), Epochs: epochs})
		}
	}
	msg, ok := any1(s, all)
	if !ok {
		return nil
	}
	from := s.anybody()
	msg.Sender = from.String()
	return one(from, msg)
}

// releaseFor pays out for another.
func releaseFor(s *Sim) *Action {
	a := release(s)
	if a == nil {
		return nil
	}
	from := s.anybody()
	return one(from, &rewardstypes.MsgReleaseFor{Sender: from.String(), Participant: a.From.String()})
}

func setAutoBond(s *Sim) *Action {
	p, ok := any1(s, s.people)
	if !ok {
		return nil
	}
	return one(p.Account, &rewardstypes.MsgSetAutoBond{Participant: p.String(), Ppm: uint32(s.r.Intn(rewardstypes.MaxAutoBondPpm + 1))})
}

func release(s *Sim) *Action {
	var who []*person
	s.must(s.App.Rewards.Vestings.Walk(s.Ctx(), nil, func(addr sdk.AccAddress, _ rewardstypes.Vesting) (bool, error) {
		if p := s.byAddress(addr.String()); p != nil {
			who = append(who, p)
		}
		return false, nil
	}))
	p, ok := any1(s, who)
	if !ok {
		return nil
	}
	return one(p.Account, &rewardstypes.MsgRelease{Participant: p.String()})
}

// sweep takes away what somebody lost by a lie before claiming it.
func sweep(s *Sim) *Action {
	ctx := s.Ctx()
	var found []*rewardstypes.MsgSweep
	s.must(s.App.Rewards.Forfeitures.Walk(ctx, nil, func(addr sdk.AccAddress, last uint64) (bool, error) {
		var epochs []uint64
		for epoch := uint64(1); epoch <= last && len(epochs) < 5; epoch++ {
			score, err := s.App.Poai.GetScore(ctx, epoch, addr.String())
			if err != nil {
				return true, err
			}
			pool, err := s.App.Rewards.Pools.Has(ctx, epoch)
			if err != nil {
				return true, err
			}
			claimed, err := s.App.Rewards.Claims.Has(ctx, collections.Join(addr, epoch))
			if err != nil {
				return true, err
			}
			if score.IsPositive() && pool && !claimed {
				epochs = append(epochs, epoch)
			}
		}
		if len(epochs) > 0 {
			found = append(found, &rewardstypes.MsgSweep{Participant: addr.String(), Epochs: epochs})
		}
		return false, nil
	}))
	msg, ok := any1(s, found)
	if !ok {
		return nil
	}
	from := s.anybody()
	msg.Sender = from.String()
	return one(from, msg)
}

func rewardsParams(s *Sim) sdk.Msg {
	p, err := s.App.Rewards.Params.Get(s.Ctx())
	s.must(err)
	switch s.r.Intn(4) {
	case 0:
		p.BlockEmission = math.NewInt(1_000_000 + s.r.Int63n(5_000_000))
	case 1:
		p.StakeBps, p.CommunityBps = uint32(s.r.Intn(1_000)), uint32(s.r.Intn(1_000))
		p.ComputeBps = 10_000 - p.StakeBps - p.CommunityBps
	case 2:
		p.VestingBlocks = s.r.Int63n(40)
	case 3:
		p.MaxEmissionPerUnit = math.NewInt(1_000_000 + s.r.Int63n(1_000_000_000_000))
	}
	return &rewardstypes.MsgUpdateParams{Authority: s.authority(), Params: p}
}
