package testutil

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"

	"cosmossdk.io/math"
	abci "github.com/cometbft/cometbft/abci/types"
	dbm "github.com/cosmos/cosmos-db"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	"github.com/cosmos/gogoproto/proto"

	"poaid/app"
	"poaid/app/params"
	beacontypes "poaid/x/beacon/types"
	poaitypes "poaid/x/poai/types"
	rewardstypes "poaid/x/rewards/types"
	sprintstypes "poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
)

// Options of NewApp. The zero value is a chain with 4 accounts, without shadows.
type Options struct {
	// Accounts with Balance poai each. 0 means 4.
	Accounts int
	// Names begins the names of the accounts, of which their keys are made.
	Names string
	// Balance of each account, in poai. 0 means 1,000,000.
	Balance int64
	// Genesis may change the genesis before the chain starts.
	Genesis func(g *Genesis)
	// Bonds of the validators, in poai. Nil means one validator with 100.
	Bonds []int64
	// Shadows to compare every block with.
	Shadows []Shadow
	// Executor of the main copy: sequential (default) or block-stm, with Workers.
	Executor string
	Workers  int
	// CacheSize of the main copy's state trees, in nodes.
	CacheSize int
	// DB of the main copy. Nil means memory.
	DB dbm.DB
	// NoInvariants and NoCheckTx leave those out, for benchmarks.
	NoInvariants, NoCheckTx bool

	// validators puts others than the usual one into the genesis.
	validators func(g *Genesis) error
}

func (o Options) withDefaults() Options {
	if o.Accounts == 0 {
		o.Accounts = 4
	}
	if len(o.Bonds) == 0 {
		o.Bonds = []int64{100}
	}
	o.Accounts = max(o.Accounts, len(o.Bonds))
	if o.Balance == 0 {
		o.Balance = 1_000_000
	}
	if o.DB == nil {
		o.DB = dbm.NewMemDB()
	}
	return o
}

// Genesis is the state that a chain starts with.
type Genesis struct {
	App   *app.App
	State map[string]json.RawMessage
	// Accounts of the chain, as in Chain.Accounts.
	Accounts []*Account
}

// Get decodes a module's state into v.
func (g *Genesis) Get(module string, v proto.Message) {
	g.App.Codec.MustUnmarshalJSON(g.State[module], v)
}

// Set encodes v as a module's state.
func (g *Genesis) Set(module string, v proto.Message) {
	g.State[module] = g.App.Codec.MustMarshalJSON(v)
}

// Fund adds coins to the balance of an address, which may be a module's.
func (g *Genesis) Fund(addr sdk.AccAddress, coins sdk.Coins) {
	var bank banktypes.GenesisState
	g.Get(banktypes.ModuleName, &bank)
	bank.Balances = append(bank.Balances, banktypes.Balance{Address: addr.String(), Coins: coins})
	bank.Supply = bank.Supply.Add(coins...)
	g.Set(banktypes.ModuleName, &bank)
}

// newGenesis makes a genesis with funded accounts and bonded validators.
func newGenesis(c *Chain) (*abci.RequestInitChain, error) {
	g := &Genesis{App: c.App, State: c.App.DefaultGenesis(), Accounts: c.Accounts}
	if err := fundAccounts(g, c.opts); err != nil {
		return nil, err
	}
	if err := c.setValidators(g); err != nil {
		return nil, err
	}
	shortWindows(g)
	if c.opts.Genesis != nil {
		c.opts.Genesis(g)
	}
	if err := c.App.Basics().ValidateGenesis(c.App.Codec, c.App.TxConfig, g.State); err != nil {
		return nil, err
	}
	bz, err := json.Marshal(g.State)
	if err != nil {
		return nil, err
	}
	p := params.ConsensusParams()
	pp := p.ToProto()
	return &abci.RequestInitChain{
		ChainId: c.ChainID, Time: c.Time, InitialHeight: 1, ConsensusParams: &pp, AppStateBytes: bz, Validators: []abci.ValidatorUpdate{},
	}, nil
}

func fundAccounts(g *Genesis, o Options) error {
	accounts := make([]authtypes.GenesisAccount, len(g.Accounts))
	balances := make([]banktypes.Balance, len(g.Accounts))
	supply := sdk.NewCoins()
	for i, a := range g.Accounts {
		accounts[i] = authtypes.NewBaseAccount(a.Addr, a.Key.PubKey(), uint64(i), 0)
		balances[i] = banktypes.Balance{Address: a.String(), Coins: Poai(o.Balance)}
		supply = supply.Add(Poai(o.Balance)...)
	}
	g.Set(authtypes.ModuleName, authtypes.NewGenesisState(authtypes.DefaultParams(), accounts))
	var bank banktypes.GenesisState
	g.Get(banktypes.ModuleName, &bank)
	bank.Balances, bank.Supply = balances, supply
	g.Set(banktypes.ModuleName, &bank)
	return nil
}

// shortWindows makes everything that takes blocks take few.
func shortWindows(g *Genesis) {
	var p poaitypes.GenesisState
	g.Get(poaitypes.ModuleName, &p)
	p.Params.UnbondingBlocks, p.Params.EpochBlocks, p.Params.EpochCloseDelayBlocks = 10, 10, 5
	p.Params.VrfActivationBlocks = poaitypes.MinVRFActivationBlocks
	p.Params.Fault.JailBlocks, p.Params.Fault.TimeoutJailBlocks, p.Params.Fault.MaxJailBlocks, p.Params.Fault.MemoryBlocks = 5, 3, 40, 100
	p.Params.Fault.AppealBlocks = 100
	// A handful of participants, or one, must do: guards against captive models are for networks that anybody may join.
	p.Params.Minting = poaitypes.MintingParams{MinOperators: 1, MaxOperatorSharePpm: poaitypes.PPM}
	g.Set(poaitypes.ModuleName, &p)

	var t taskstypes.GenesisState
	g.Get(taskstypes.ModuleName, &t)
	t.Params.DrawDelay, t.Params.SealBlocks, t.Params.RevealBlocks, t.Params.ChallengeBlocks = 2, 10, 10, 5
	t.Params.OpenBlocks, t.Params.RetentionBlocks, t.Params.PromptBlocks = 30, 50, 1
	g.Set(taskstypes.ModuleName, &t)

	var v govv1.GenesisState
	g.Get(govtypes.ModuleName, &v)
	voting, expedited := 3*BlockTime, 2*BlockTime
	v.Params.VotingPeriod, v.Params.ExpeditedVotingPeriod = &voting, &expedited
	g.Set(govtypes.ModuleName, &v)

	var b beacontypes.GenesisState
	g.Get(beacontypes.ModuleName, &b)
	b.Params.ActivationBlocks = beacontypes.MinActivationBlocks
	g.Set(beacontypes.ModuleName, &b)

	var r rewardstypes.GenesisState
	g.Get(rewardstypes.ModuleName, &r)
	r.Params.VestingBlocks = 10
	r.Params.MaxEmissionPerUnit = math.NewInt(1_000_000_000_000) // runs of the echo model are of one unit
	r.Params.MaxEmissionCostBps = 0
	g.Set(rewardstypes.ModuleName, &r)

	// No sprints, unless a test asks for them: their model would take longer than everything else.
	var s sprintstypes.GenesisState
	g.Get(sprintstypes.ModuleName, &s)
	s.Params.DutyPpm, s.Program = 0, nil
	g.Set(sprintstypes.ModuleName, &s)
}

func blockHash(chainID string, height int64, last []byte) []byte {
	h := sha256.New()
	h.Write([]byte(chainID))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(height)))
	h.Write(last)
	return h.Sum(nil)
}
