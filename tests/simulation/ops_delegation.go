package simulation

import (
	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app/params"
	delegationtypes "poaid/x/delegation/types"
)

func delegationModule() Module {
	return Module{
		Name: delegationtypes.ModuleName,
		Operations: []Operation{
			{Name: "delegation SetTerms", Weight: 6, Do: func(s *Sim) *Action { return s.setPool(true) }},
			{Name: "delegation SetTerms close", Weight: 1, Do: func(s *Sim) *Action { return s.setPool(false) }},
			{Name: "delegation Delegate", Weight: 12, Do: delegate},
			{Name: "delegation Delegate to oneself", Weight: 1, Refused: true, Do: delegateSelf},
			{Name: "delegation Undelegate", Weight: 5, Do: func(s *Sim) *Action { return s.undelegate(false) }},
			{Name: "delegation Undelegate too much", Weight: 1, Refused: true, Do: func(s *Sim) *Action { return s.undelegate(true) }},
			{Name: "delegation Dissolve", Weight: 3, Do: dissolve},
			{Name: "delegation Claim", Weight: 8, Do: claimHeld},
			{Name: "delegation Withdraw", Weight: 5, Do: withdrawHeld},
		},
		Proposals: []func(*Sim) sdk.Msg{delegationParams},
		Milestones: []string{
			"delegation TermsSet", "delegation Delegated", "delegation Undelegated", "delegation GenerationEnded", "delegation Rewarded",
			"delegation RewardsClaimed", "delegation Withdrawn", "delegation ParamsUpdated", "poai DelegatedBondChanged",
		},
	}
}

// delegationPools that a condition holds for.
func (s *Sim) delegationPools(holds func(delegationtypes.Pool) bool) (out []delegationtypes.Pool) {
	s.must(s.App.Delegation.Pools.Walk(s.Ctx(), nil, func(_ string, p delegationtypes.Pool) (bool, error) {
		if holds(p) {
			out = append(out, p)
		}
		return false, nil
	}))
	return out
}

// setPool opens somebody's pool or changes its terms; or closes one that is open.
func (s *Sim) setPool(open bool) *Action {
	p, ok := any1(s, s.people)
	if !open {
		var pool delegationtypes.Pool
		pool, ok = any1(s, s.delegationPools(func(p delegationtypes.Pool) bool { return p.Open && p.Shares().IsPositive() }))
		p = s.byAddress(pool.Participant)
	}
	if !ok {
		return nil
	}
	// The bound of changes stays what it was first: it can only be lowered.
	return one(p.Account, &delegationtypes.MsgSetTerms{
		Participant: p.String(), CommissionBps: uint32(s.r.Intn(3_000)), MaxChangeBps: uint32(1_000 + s.pick(2_000, "change", p.Account)), Open: open,
	})
}

func delegate(s *Sim) *Action {
	pool, ok := any1(s, s.delegationPools(func(p delegationtypes.Pool) bool { return p.Open }))
	from := s.anybody()
	if !ok || from.String() == pool.Participant {
		return nil
	}
	return one(from, &delegationtypes.MsgDelegate{Holder: from.String(), Participant: pool.Participant, Amount: s.coins(2_000_000, 4_000_000_000)})
}

func delegateSelf(s *Sim) *Action {
	pool, ok := any1(s, s.delegationPools(func(p delegationtypes.Pool) bool { return p.Open }))
	if !ok {
		return nil
	}
	return one(s.byAddr[pool.Participant], &delegationtypes.MsgDelegate{
		Holder: pool.Participant, Participant: pool.Participant, Amount: sdk.NewInt64Coin(params.Denom, 5_000_000),
	})
}

// delegations that a condition holds for.
func (s *Sim) delegations(holds func(delegationtypes.Delegation) bool) (out []delegationtypes.Delegation) {
	s.must(s.App.Delegation.Delegations.Walk(s.Ctx(), nil, func(_ collections.Pair[string, string], d delegationtypes.Delegation) (bool, error) {
		if holds(d) {
			out = append(out, d)
		}
		return false, nil
	}))
	return out
}

func (s *Sim) undelegate(tooMuch bool) *Action {
	d, ok := any1(s, s.delegations(func(d delegationtypes.Delegation) bool { return d.Shares().IsPositive() }))
	if !ok {
		return nil
	}
	shares := d.Shares()
	switch {
	case tooMuch:
		shares = shares.AddRaw(1).MulRaw(1_000_000) // it may get more in the same block
	case s.r.Intn(3) > 0:
		shares = math.MaxInt(shares.MulRaw(1+s.r.Int63n(99)).QuoRaw(100), math.OneInt())
	}
	return one(s.byAddr[d.Holder], &delegationtypes.MsgUndelegate{Holder: d.Holder, Participant: d.Participant, Shares: shares})
}

// dissolve ends closed pools.
func dissolve(s *Sim) *Action {
	pool, ok := any1(s, s.delegationPools(func(p delegationtypes.Pool) bool { return !p.Open && p.Shares().IsPositive() }))
	if !ok {
		return nil
	}
	return one(s.byAddr[pool.Participant], &delegationtypes.MsgDissolve{Participant: pool.Participant})
}

// claimHeld claims what a pool's index has moved for, or what a dissolved one is exchanged for.
func claimHeld(s *Sim) *Action {
	d, ok := any1(s, s.delegations(func(d delegationtypes.Delegation) bool {
		pool, err := s.App.Delegation.Pools.Get(s.Ctx(), d.Participant)
		s.must(err)
		return delegationtypes.Whole(d.Owed).IsPositive() || pool.Generation != d.Generation || pool.Index.GT(d.Index)
	}))
	if !ok {
		return nil
	}
	return one(s.byAddr[d.Holder], &delegationtypes.MsgClaim{Holder: d.Holder, Participant: d.Participant})
}

func withdrawHeld(s *Sim) *Action {
	var holders []string
	s.must(s.App.Delegation.Unbondings.Walk(s.Ctx(), nil, func(k collections.Triple[string, int64, string], _ math.Int) (bool, error) {
		if k.K2() <= s.Height()+1 {
			holders = append(holders, k.K1())
		}
		return false, nil
	}))
	holder, ok := any1(s, holders)
	if !ok {
		return nil
	}
	return one(s.byAddr[holder], &delegationtypes.MsgWithdraw{Holder: holder})
}

func delegationParams(s *Sim) sdk.Msg {
	p, err := s.App.Delegation.Params.Get(s.Ctx())
	s.must(err)
	switch s.r.Intn(2) {
	case 0:
		p.MaxLeverage = uint32(1 + s.r.Intn(6))
	case 1:
		p.MinDelegation = math.NewInt(1 + s.r.Int63n(2_000_000))
	}
	return &delegationtypes.MsgUpdateParams{Authority: s.authority(), Params: p}
}
