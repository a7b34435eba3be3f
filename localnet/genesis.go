package localnet

import (
	"encoding/json"
	"fmt"
	"time"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/cosmos/gogoproto/proto"

	beacontypes "poaid/x/beacon/types"
	disputestypes "poaid/x/disputes/types"
	poaitypes "poaid/x/poai/types"
	rewardstypes "poaid/x/rewards/types"
	sprintstypes "poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
)

// Denom is the base denom; one poai is 10^6 of it.
const (
	Denom   = "upoai"
	perPoai = 1_000_000
)

// HotKey is the name of the key in a participant's home that its daemon signs with.
const HotKey = "hot"

// Genesis balances and stakes, in poai.
const (
	validatorFunds = 2_000_000
	validatorStake = 1_000_000
	operatorFunds  = 100_000
	userFunds      = 1_000_000
)

// VotingPeriod of a local network's governance.
const VotingPeriod = 6 * time.Second

func coin(poai int64) sdk.Coin { return sdk.NewInt64Coin(Denom, poai*perPoai) }

func oneInt() math.Int { return math.OneInt() }

func commission() stakingtypes.CommissionRates {
	return stakingtypes.NewCommissionRates(math.LegacyNewDecWithPrec(5, 2), math.LegacyNewDecWithPrec(20, 2), math.LegacyNewDecWithPrec(1, 2))
}

// appState is the default genesis with the accounts, the genesis transactions and windows short enough to watch.
func (b *builder) appState() (json.RawMessage, error) {
	state := make(map[string]json.RawMessage, len(b.enc.DefaultGenesis))
	for name, bz := range b.enc.DefaultGenesis {
		state[name] = bz
	}
	var accounts []authtypes.GenesisAccount
	var balances []banktypes.Balance
	for _, f := range b.funds {
		addr, err := sdk.AccAddressFromBech32(f.address)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, authtypes.NewBaseAccountWithAddress(addr))
		balances = append(balances, banktypes.Balance{Address: f.address, Coins: sdk.NewCoins(coin(f.amount))})
	}
	packed, err := authtypes.PackAccounts(accounts)
	if err != nil {
		return nil, err
	}
	steps := []error{
		edit(b, state, authtypes.ModuleName, func(g *authtypes.GenesisState) { g.Accounts = append(g.Accounts, packed...) }),
		edit(b, state, banktypes.ModuleName, func(g *banktypes.GenesisState) {
			g.Balances = banktypes.SanitizeGenesisBalances(append(g.Balances, balances...))
			g.Supply = nil // computed from the balances
		}),
		edit(b, state, stakingtypes.ModuleName, func(g *stakingtypes.GenesisState) { g.Params.BondDenom = Denom }),
		edit(b, state, beacontypes.ModuleName, b.editBeacon),
		edit(b, state, govtypes.ModuleName, editGov),
		edit(b, state, slashingtypes.ModuleName, editSlashing),
		edit(b, state, poaitypes.ModuleName, editPoai),
		edit(b, state, taskstypes.ModuleName, editTasks),
		edit(b, state, rewardstypes.ModuleName, editRewards),
		edit(b, state, disputestypes.ModuleName, editDisputes),
		edit(b, state, sprintstypes.ModuleName, editSprints),
		edit(b, state, genutiltypes.ModuleName, func(g *genutiltypes.GenesisState) { g.GenTxs = b.gentxs }),
	}
	for _, err := range steps {
		if err != nil {
			return nil, err
		}
	}
	return json.Marshal(state)
}

// edit decodes one module's genesis, changes it and encodes it again.
func edit[T any, P interface {
	*T
	proto.Message
}](b *builder, state map[string]json.RawMessage, name string, change func(P)) error {
	g := P(new(T))
	if err := b.enc.Codec.UnmarshalJSON(state[name], g); err != nil {
		return fmt.Errorf("genesis of %s: %w", name, err)
	}
	change(g)
	bz, err := b.enc.Codec.MarshalJSON(g)
	if err != nil {
		return fmt.Errorf("genesis of %s: %w", name, err)
	}
	state[name] = bz
	return nil
}

func editGov(g *govv1.GenesisState) {
	voting, expedited := VotingPeriod, VotingPeriod/2
	g.Params.VotingPeriod = &voting
	g.Params.ExpeditedVotingPeriod = &expedited
	g.Params.MaxDepositPeriod = &voting
	g.Params.MinDeposit = sdk.NewCoins(coin(10))
	g.Params.ExpeditedMinDeposit = sdk.NewCoins(coin(50))
}

// Windows are short so that a person can watch a task from submission to reward; every mechanism is the real one.
func editPoai(g *poaitypes.GenesisState) {
	g.Params.UnbondingBlocks = 100
	g.Params.EpochBlocks = 40
	g.Params.EpochCloseDelayBlocks = 20
	g.Params.VrfActivationBlocks = 10
	g.Params.Fault.JailBlocks, g.Params.Fault.MaxJailBlocks, g.Params.Fault.MemoryBlocks = 100, 2_000, 1_000
	g.Params.Fault.TimeoutJailBlocks, g.Params.Fault.AppealBlocks = 20, 2_000
	// A few participants, of which some may be down or in jail: a real network asks for four operators, none above a third.
	g.Params.Minting = poaitypes.MintingParams{MinOperators: 1, MaxOperatorSharePpm: poaitypes.PPM}
}

func editTasks(g *taskstypes.GenesisState) {
	g.Params.DrawDelay = 2
	g.Params.SealBlocks, g.Params.PromptBlocks = 150, 10
	g.Params.RevealBlocks = 100
	g.Params.ChallengeBlocks = 10
	g.Params.OpenBlocks = 600
	g.Params.RetentionBlocks = 100_000
	// Everybody is new here, so every task is audited.
	g.Params.AuditMinPpm = 1_000_000
	// Few tasks, and some are to show a forced error.
	g.Params.ForcedErrorPpm = 500_000
}

// A tick is a block: a move has a few seconds, and a machine that is busy with everything else needs them.
func editDisputes(g *disputestypes.GenesisState) {
	g.Params.ClockBase = 40
	g.Params.ClockReserve = 200
	g.Params.ClaimBlocks = 20
	g.Params.DemandBlocks = 100
	g.Params.AppealBlocks = 40
}

// A validator that somebody stops to see what happens is not jailed within seconds.
func editSlashing(g *slashingtypes.GenesisState) { g.Params.SignedBlocksWindow = 2_000 }

func (b *builder) editBeacon(g *beacontypes.GenesisState) {
	g.Params.ActivationBlocks = 100
	beacontypes.AddKeys(g, b.vrfKeys...)
}

// Windows of sprints are short and many, leaves short, and a commit of a hundred leaves is audited more often than not: real networks spend a
// twentieth of their time and a fiftieth of the work on it.
func editSprints(g *sprintstypes.GenesisState) {
	g.Params.DutyPpm = 300_000
	g.Params.WindowBlocks = 8
	g.Params.Delay = 2
	g.Params.Sample = 40
	g.Params.VerifyPpm = 1_000_000
	g.Params.FirstTokens = 8
	g.Params.TargetLeaves = 1_000
}

func editRewards(g *rewardstypes.GenesisState) { g.Params.VestingBlocks = 40 }

// nodeArgs are the arguments a node is started with.
func nodeArgs(n Node) []string {
	return []string{
		"start", "--home", n.Home, "--log_no_color",
		"--minimum-gas-prices", "0.0025" + Denom,
		"--grpc.enable", "--grpc.address", n.GRPC,
		"--api.enable", "--api.address", "tcp://" + n.API,
		"--api.swagger", "--api.enabled-unsafe-cors",
	}
}

// participantArgs are the arguments a participant's daemon is started with. It asks one node, and the others when that one fails.
func participantArgs(l *Layout, i int) []string {
	p := l.Participants[i]
	args := []string{
		"worker", "start", "--verify", "--home", p.Home, "--log_no_color",
		"--chain-id", l.Config.ChainID, "--keyring-backend", "test",
		"--from", HotKey, "--operator", p.Operator, "--fee-granter", p.Operator,
		"--artifacts-addr", p.Artifacts, "--metrics-addr", p.Metrics,
		"--peers", "http://" + l.OwnerArtifacts,
		"--threads", "1", // all participants share this machine
		"--bid", fmt.Sprintf("%d%%", 80+i),
	}
	for j := range l.Nodes {
		n := l.Nodes[(i+j)%len(l.Nodes)]
		args = append(args, "--node", "tcp://"+n.RPC, "--grpc-addr", n.GRPC)
	}
	return args
}
