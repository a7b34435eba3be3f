package simulation

import (
	"context"
	"fmt"
	"math/rand"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/testutil/simsx"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	authzsim "github.com/cosmos/cosmos-sdk/x/authz/simulation"
	banksim "github.com/cosmos/cosmos-sdk/x/bank/simulation"
	distrsim "github.com/cosmos/cosmos-sdk/x/distribution/simulation"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	feegrantsim "github.com/cosmos/cosmos-sdk/x/feegrant/simulation"
	govsim "github.com/cosmos/cosmos-sdk/x/gov/simulation"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	slashingsim "github.com/cosmos/cosmos-sdk/x/slashing/simulation"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingsim "github.com/cosmos/cosmos-sdk/x/staking/simulation"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"poaid/app"
	"poaid/app/params"
	"poaid/internal/vrfkey"
	"poaid/testutil"
	beacontypes "poaid/x/beacon/types"
)

// purse shows a thousandth of what accounts have, so that factories that send a random part of everything leave something.
type purse struct{ bank simsx.BalanceSource }

// SpendableCoins of an account, a thousandth.
func (p purse) SpendableCoins(ctx context.Context, addr sdk.AccAddress) sdk.Coins {
	var out sdk.Coins
	for _, c := range p.bank.SpendableCoins(ctx, addr) {
		out = out.Add(sdk.NewCoin(c.Denom, c.Amount.QuoRaw(1_000)))
	}
	return out
}

// IsSendEnabledDenom implements simsx.BalanceSource.
func (p purse) IsSendEnabledDenom(ctx context.Context, denom string) bool {
	return p.bank.IsSendEnabledDenom(ctx, denom)
}

// factory makes an operation of one of the SDK's message factories. It is not run by SafeRunFactoryMethod, which leaves a factory that
// gave up running beside the next one, on the same random numbers.
func (s *Sim) factory(name string, weight int, f simsx.SimMsgFactoryX) Operation {
	return Operation{Name: name, Weight: weight, Do: func(s *Sim) *Action {
		reporter := simsx.NewBasicSimulationReporter().WithScope(f.MsgType())
		r := rand.New(rand.NewSource(s.r.Int63()))
		ctx := s.Ctx().WithBlockTime(s.Time)
		data := simsx.NewChainDataSource(ctx, r, s.App.Auth, purse{s.App.Bank}, s.App.Auth.AddressCodec(), s.sims...)
		from, msg := create(ctx, f, data, reporter)
		if reporter.IsSkipped() || len(from) == 0 || s.byAddr[from[0].AddressBech32] == nil {
			return nil
		}
		return one(s.byAddr[from[0].AddressBech32], msg)
	}}
}

// create runs a factory. One that has given up goes on with nothing in its hands, and may panic on it.
func create(ctx context.Context, f simsx.SimMsgFactoryX, data *simsx.ChainDataSource, reporter simsx.SimulationReporter) (from []simsx.SimAccount, msg sdk.Msg) {
	defer func() {
		if r := recover(); r != nil && !reporter.IsSkipped() {
			panic(r)
		}
	}()
	return f.Create()(ctx, data, reporter)
}

// sdkModules are those of the SDK, with its own factories.
func (s *Sim) sdkModules(a *app.App) []Module {
	shared := govsim.NewSharedState()
	cancel := s.factory("gov CancelProposal", 6, govsim.MsgCancelProposalFactory(a.Gov, shared))
	cancel.Either = true // whose proposal is still open when its turn comes is luck
	return []Module{
		{Name: "bank", Operations: []Operation{
			s.factory("bank Send", 4, banksim.MsgSendFactory()),
			s.factory("bank MultiSend", 2, banksim.MsgMultiSendFactory()),
		}},
		{Name: stakingtypes.ModuleName, Genesis: stakingGenesis, Check: checkStaking, Operations: []Operation{
			s.factory("staking CreateValidator", 1, stakingsim.MsgCreateValidatorFactory(a.Staking)),
			s.factory("staking EditValidator", 1, stakingsim.MsgEditValidatorFactory(a.Staking)),
			s.factory("staking Delegate", 3, stakingsim.MsgDelegateFactory(a.Staking)),
			s.factory("staking Undelegate", 4, stakingsim.MsgUndelegateFactory(a.Staking)),
			s.factory("staking BeginRedelegate", 2, stakingsim.MsgBeginRedelegateFactory(a.Staking)),
			s.factory("staking CancelUnbondingDelegation", 10, stakingsim.MsgCancelUnbondingDelegationFactory(a.Staking)),
		}},
		{Name: slashingtypes.ModuleName, Genesis: slashingGenesis, Operations: []Operation{
			s.factory("slashing Unjail", 6, slashingsim.MsgUnjailFactory(a.Slashing, a.Staking)),
		}},
		{Name: distrtypes.ModuleName, Operations: []Operation{
			s.factory("distribution SetWithdrawAddress", 1, distrsim.MsgSetWithdrawAddressFactory(a.Distribution)),
			s.factory("distribution WithdrawDelegatorReward", 4, distrsim.MsgWithdrawDelegatorRewardFactory(a.Distribution, a.Staking)),
			s.factory("distribution WithdrawValidatorCommission", 2, distrsim.MsgWithdrawValidatorCommissionFactory(a.Distribution, a.Staking)),
		}},
		{Name: "authz", Operations: []Operation{
			s.factory("authz Grant", 3, authzsim.MsgGrantFactory()),
			s.factory("authz Exec", 3, authzsim.MsgExecFactory(a.Authz)),
			s.factory("authz Revoke", 1, authzsim.MsgRevokeFactory(a.Authz)),
		}},
		{Name: "feegrant", Operations: []Operation{
			s.factory("feegrant GrantAllowance", 2, feegrantsim.MsgGrantAllowanceFactory(a.FeeGrant)),
			s.factory("feegrant RevokeAllowance", 1, feegrantsim.MsgRevokeAllowanceFactory(a.FeeGrant)),
		}},
		{Name: govtypes.ModuleName, Genesis: govGenesis, Duties: votes, Check: checkGov, Operations: []Operation{
			{Name: "gov SubmitProposal", Weight: 18, Do: propose},
			s.factory("gov Deposit", 3, govsim.MsgDepositFactory(a.Gov, shared)),
			s.factory("gov Vote", 2, govsim.MsgVoteFactory(a.Gov, shared)),
			s.factory("gov VoteWeighted", 2, govsim.MsgWeightedVoteFactory(a.Gov, shared)),
			cancel,
		}},
	}
}

func stakingGenesis(g *testutil.Genesis) {
	var st stakingtypes.GenesisState
	g.Get(stakingtypes.ModuleName, &st)
	st.Params.UnbondingTime = 15 * testutil.BlockTime
	g.Set(stakingtypes.ModuleName, &st)
}

func slashingGenesis(g *testutil.Genesis) {
	var st slashingtypes.GenesisState
	g.Get(slashingtypes.ModuleName, &st)
	st.Params.SignedBlocksWindow, st.Params.MinSignedPerWindow = 12, math.LegacyNewDecWithPrec(5, 1)
	st.Params.DowntimeJailDuration = 60 * testutil.BlockTime // the least
	g.Set(slashingtypes.ModuleName, &st)
}

func govGenesis(g *testutil.Genesis) {
	var st govv1.GenesisState
	g.Get(govtypes.ModuleName, &st)
	deposit := 10 * testutil.BlockTime
	st.Params.MaxDepositPeriod = &deposit
	g.Set(govtypes.ModuleName, &st)
}

// checkStaking compares the pools of x/staking with what validators and unbondings hold.
func checkStaking(s *Sim) error {
	ctx := s.Ctx()
	bonded, not := math.ZeroInt(), math.ZeroInt()
	all, err := s.App.Staking.GetAllValidators(ctx)
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.IsBonded() {
			bonded = bonded.Add(v.Tokens)
		} else {
			not = not.Add(v.Tokens)
		}
	}
	err = s.App.Staking.IterateUnbondingDelegations(ctx, func(_ int64, u stakingtypes.UnbondingDelegation) bool {
		for _, e := range u.Entries {
			not = not.Add(e.Balance)
		}
		return false
	})
	if err != nil {
		return err
	}
	for name, want := range map[string]math.Int{stakingtypes.BondedPoolName: bonded, stakingtypes.NotBondedPoolName: not} {
		if have := s.App.Bank.GetBalance(ctx, authtypes.NewModuleAddress(name), params.Denom).Amount; !have.Equal(want) {
			return fmt.Errorf("%s holds %s, is owed %s", name, have, want)
		}
	}
	return nil
}

// checkGov compares the deposits with the coins of x/gov.
func checkGov(s *Sim) error {
	ctx, sum := s.Ctx(), sdk.NewCoins()
	err := s.App.Gov.Deposits.Walk(ctx, nil, func(_ collections.Pair[uint64, sdk.AccAddress], d govv1.Deposit) (bool, error) {
		sum = sum.Add(d.Amount...)
		return false, nil
	})
	if err != nil {
		return err
	}
	if have := s.App.Bank.GetAllBalances(ctx, authtypes.NewModuleAddress(govtypes.ModuleName)); !have.IsAllGTE(sum) {
		return fmt.Errorf("gov holds %s, deposits are %s", have, sum)
	}
	return nil
}

// propose puts a message of some module before governance; a few carry two.
func propose(s *Sim) *Action {
	var msgs []sdk.Msg
	for range 1 + s.r.Intn(4)/3 {
		var all []func(*Sim) sdk.Msg
		for _, m := range s.modules {
			all = append(all, m.Proposals...)
		}
		s.turn++ // each kind in its turn, so that every one comes
		if msg := all[s.turn%len(all)](s); msg != nil {
			msgs = append(msgs, msg)
		}
	}
	if len(msgs) == 0 {
		return nil
	}
	p, err := s.App.Gov.Params.Get(s.Ctx())
	s.must(err)
	deposit := sdk.NewCoins(p.MinDeposit...)
	if s.r.Intn(6) == 0 {
		deposit = sdk.NewCoins(sdk.NewCoin(params.Denom, deposit[0].Amount.QuoRaw(2))) // others may add the rest
	}
	from := s.anybody()
	msg, err := govv1.NewMsgSubmitProposal(msgs, deposit, from.String(), "", "change", name(msgs[0]), false)
	s.must(err)
	return one(from, msg)
}

// votes are those of the first validators, on whatever is open. Most proposals are liked.
func votes(s *Sim) (actions []Action) {
	ctx := s.Ctx()
	s.must(s.App.Gov.Proposals.Walk(ctx, nil, func(id uint64, p govv1.Proposal) (bool, error) {
		if p.Status != govv1.StatusVotingPeriod {
			return false, nil
		}
		for i, v := range s.Validators {
			voted, err := s.App.Gov.Votes.Has(ctx, collections.Join(id, v.Addr))
			if err != nil || voted {
				return err != nil, err
			}
			option := govv1.OptionYes
			if s.chance(100_000, "disliked", id) {
				option = []govv1.VoteOption{govv1.OptionNo, govv1.OptionNoWithVeto, govv1.OptionAbstain}[s.pick(3, "dislike", id, i)]
			}
			actions = append(actions, Action{Name: "gov Vote", From: v.Account, Msgs: []sdk.Msg{govv1.NewMsgVote(v.Addr, id, option, "")}})
		}
		return false, nil
	}))
	return actions
}

// unrest has validators fall silent for a while, and one sign twice.
func (s *Sim) unrest() {
	v := s.Validators[1+s.pick(2, "unrest", s.Height()/60)]
	for _, other := range s.Validators[1:3] {
		s.SetAbsent(other.Key, other == v && s.Height()%60 > 40)
	}
	if last := s.Validators[3]; s.Height() == int64(s.Blocks)*4/5 && s.Validated(last.Key, s.Height()) {
		s.DoubleSign(last.Key, s.Height())
	}
}

func beaconModule() Module {
	return Module{
		Name:       beacontypes.ModuleName,
		Operations: []Operation{{Name: "beacon RegisterKey", Weight: 1, Do: registerKey}, {Name: "beacon RegisterKey nobody's", Weight: 1, Refused: true, Do: registerNobodys}},
		Proposals: []func(*Sim) sdk.Msg{func(s *Sim) sdk.Msg {
			p, err := s.App.Beacon.Params.Get(s.Ctx())
			s.must(err)
			p.ActivationBlocks = uint64(beacontypes.MinActivationBlocks + s.r.Intn(10))
			return &beacontypes.MsgUpdateParams{Authority: s.authority(), Params: p}
		}},
		Milestones: []string{"beacon Randomness", "beacon KeyRegistered", "beacon ParamsUpdated"},
	}
}

// registerKey registers a validator's own key anew.
func registerKey(s *Sim) *Action {
	i := s.r.Intn(validators)
	v := s.Validators[i]
	key := vrfkey.Register(testutil.ValidatorVRFKeyOf(i), v.Operator())
	return one(v.Account, &beacontypes.MsgRegisterKey{Operator: v.Operator().String(), PubKey: key.PubKey, Proof: key.Proof})
}

// registerNobodys tries to with another's key.
func registerNobodys(s *Sim) *Action {
	v := s.Validators[0]
	key := vrfkey.Register(testutil.ValidatorVRFKeyOf(1), s.Validators[1].Operator())
	return one(v.Account, &beacontypes.MsgRegisterKey{Operator: v.Operator().String(), PubKey: key.PubKey, Proof: key.Proof})
}

var _ simsx.BalanceSource = purse{}
