package app

import (
	"encoding/json"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/auth"
	authsims "github.com/cosmos/cosmos-sdk/x/auth/simulation"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/auth/vesting"
	vestingtypes "github.com/cosmos/cosmos-sdk/x/auth/vesting/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	authzmodule "github.com/cosmos/cosmos-sdk/x/authz/module"
	"github.com/cosmos/cosmos-sdk/x/bank"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/cosmos-sdk/x/consensus"
	consensustypes "github.com/cosmos/cosmos-sdk/x/consensus/types"
	distr "github.com/cosmos/cosmos-sdk/x/distribution"
	distrtypes "github.com/cosmos/cosmos-sdk/x/distribution/types"
	"github.com/cosmos/cosmos-sdk/x/evidence"
	evidencetypes "github.com/cosmos/cosmos-sdk/x/evidence/types"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	feegrantmodule "github.com/cosmos/cosmos-sdk/x/feegrant/module"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	"github.com/cosmos/cosmos-sdk/x/gov"
	govclient "github.com/cosmos/cosmos-sdk/x/gov/client"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	"github.com/cosmos/cosmos-sdk/x/slashing"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	"github.com/cosmos/cosmos-sdk/x/staking"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/cosmos/cosmos-sdk/x/upgrade"
	upgradetypes "github.com/cosmos/cosmos-sdk/x/upgrade/types"

	"poaid/app/params"
	"poaid/x/auctions"
	auctionstypes "poaid/x/auctions/types"
	"poaid/x/beacon"
	beacontypes "poaid/x/beacon/types"
	"poaid/x/datasets"
	datasetstypes "poaid/x/datasets/types"
	"poaid/x/delegation"
	delegationtypes "poaid/x/delegation/types"
	"poaid/x/disputes"
	disputestypes "poaid/x/disputes/types"
	"poaid/x/grades"
	gradestypes "poaid/x/grades/types"
	"poaid/x/lineage"
	lineagetypes "poaid/x/lineage/types"
	"poaid/x/models"
	modelstypes "poaid/x/models/types"
	"poaid/x/poai"
	poaitypes "poaid/x/poai/types"
	"poaid/x/rewards"
	rewardstypes "poaid/x/rewards/types"
	"poaid/x/sprints"
	sprintstypes "poaid/x/sprints/types"
	"poaid/x/tasks"
	taskstypes "poaid/x/tasks/types"
	"poaid/x/training"
	trainingtypes "poaid/x/training/types"
)

// moduleAccountPerms says which module accounts exist and what they may do to the supply.
func moduleAccountPerms() map[string][]string {
	return map[string][]string{
		authtypes.FeeCollectorName:          nil,
		distrtypes.ModuleName:               nil,
		stakingtypes.BondedPoolName:         {authtypes.Burner, authtypes.Staking},
		stakingtypes.NotBondedPoolName:      {authtypes.Burner, authtypes.Staking},
		stakingtypes.KeyRotationFeePoolName: {authtypes.Burner},
		govtypes.ModuleName:                 {authtypes.Burner},
		poaitypes.ModuleName:                {authtypes.Burner},
		taskstypes.ModuleName:               {authtypes.Burner},
		rewardstypes.ModuleName:             {authtypes.Minter},
		delegationtypes.ModuleName:          nil,
		disputestypes.ModuleName:            {authtypes.Burner},
		trainingtypes.ModuleName:            nil,
		gradestypes.ModuleName:              {authtypes.Burner},
		lineagetypes.ModuleName:             nil,
		auctionstypes.ModuleName:            nil,
	}
}

// blockedAddresses may not be sent coins by users: what arrives there outside the modules' own ways would break their books.
// Governance is open, so that it can be given coins to spend.
func blockedAddresses() map[string]bool {
	blocked := make(map[string]bool)
	for name := range moduleAccountPerms() {
		blocked[authtypes.NewModuleAddress(name).String()] = name != govtypes.ModuleName
	}
	return blocked
}

// newModuleManager builds the modules and fixes the order in which they run.
func newModuleManager(cdc codec.Codec, reg codectypes.InterfaceRegistry, txConfig client.TxConfig, k Keepers, a *App) *module.Manager {
	m := module.NewManager(
		genutil.NewAppModule(k.Auth, k.validators(), a, txConfig),
		auth.NewAppModule(cdc, k.Auth, authsims.RandomGenesisAccounts),
		vesting.NewAppModule(k.Auth, k.Bank),
		bank.NewAppModule(cdc, k.Bank, k.Auth),
		stakingModule{staking.NewAppModule(cdc, k.Staking, k.Auth, k.Bank), k.validators()},
		slashing.NewAppModule(cdc, k.Slashing, k.Auth, k.Bank, k.slasher(), reg),
		evidence.NewAppModule(*k.Evidence),
		distr.NewAppModule(cdc, k.Distribution, k.Auth, k.Bank, k.Staking),
		gov.NewAppModule(cdc, k.Gov, k.Auth, k.Bank),
		authzmodule.NewAppModule(cdc, k.Authz, k.Auth, k.Bank, reg),
		feegrantmodule.NewAppModule(cdc, k.Auth, k.Bank, k.FeeGrant, reg),
		consensus.NewAppModule(cdc, k.Consensus),
		upgrade.NewAppModule(k.Upgrade, k.Auth.AddressCodec()),
		beacon.NewAppModule(k.Beacon),
		models.NewAppModule(k.Models),
		poai.NewAppModule(k.Poai),
		tasks.NewAppModule(k.Tasks),
		delegation.NewAppModule(k.Delegation),
		rewards.NewAppModule(k.Rewards),
		disputes.NewAppModule(k.Disputes),
		sprints.NewAppModule(k.Sprints),
		training.NewAppModule(k.Training),
		grades.NewAppModule(k.Grades),
		datasets.NewAppModule(k.Datasets),
		lineage.NewAppModule(k.Lineage),
		auctions.NewAppModule(k.Auctions),
	)
	m.SetOrderPreBlockers(upgradetypes.ModuleName, authtypes.ModuleName)
	m.SetOrderBeginBlockers(
		distrtypes.ModuleName, slashingtypes.ModuleName, evidencetypes.ModuleName, stakingtypes.ModuleName, authz.ModuleName,
	)
	// x/gov first: what the messages of a proposal send to module accounts virtually is lost unless x/bank still credits it.
	// x/bank next: it credits what was sent virtually in this block, and modules after it spend from there.
	// x/disputes before x/tasks: what was decided is settled at once.
	// x/training after x/tasks: a segment that became final is followed by the next at once.
	// x/tasks before x/poai: what is final in an epoch's last block still counts for that epoch. So does what x/sprints settles.
	m.SetOrderEndBlockers(
		govtypes.ModuleName, banktypes.ModuleName, disputestypes.ModuleName, taskstypes.ModuleName, trainingtypes.ModuleName, sprintstypes.ModuleName,
		gradestypes.ModuleName, poaitypes.ModuleName,
		stakingtypes.ModuleName, feegrant.ModuleName,
	)
	genesis := []string{
		consensustypes.ModuleName, authtypes.ModuleName, banktypes.ModuleName,
		poaitypes.ModuleName, // before x/staking, whose validators it gives power
		distrtypes.ModuleName, stakingtypes.ModuleName,
		slashingtypes.ModuleName, govtypes.ModuleName, evidencetypes.ModuleName, authz.ModuleName, feegrant.ModuleName,
		upgradetypes.ModuleName, vestingtypes.ModuleName,
		beacontypes.ModuleName, modelstypes.ModuleName, taskstypes.ModuleName, delegationtypes.ModuleName, rewardstypes.ModuleName,
		disputestypes.ModuleName, sprintstypes.ModuleName, gradestypes.ModuleName, auctionstypes.ModuleName,
		datasetstypes.ModuleName, lineagetypes.ModuleName, // after x/models: edges are between models and datasets that exist
		trainingtypes.ModuleName,
		genutiltypes.ModuleName, // last: its transactions need everything above
	}
	m.SetOrderInitGenesis(genesis...)
	m.SetOrderExportGenesis(genesis...)
	return m
}

// newBasicManager gives the modules' stateless side: codecs, default genesis, HTTP routes.
func newBasicManager(m *module.Manager) module.BasicManager {
	b := module.NewBasicManagerFromManager(m, map[string]module.AppModuleBasic{
		genutiltypes.ModuleName: genutil.NewAppModuleBasic(genutiltypes.DefaultMessageValidator),
		govtypes.ModuleName:     gov.NewAppModuleBasic([]govclient.ProposalHandler{}),
	})
	b[banktypes.ModuleName] = bankBasic{b[banktypes.ModuleName]}
	return b
}

// bankBasic puts the denomination's metadata into the default genesis.
type bankBasic struct{ module.AppModuleBasic }

// DefaultGenesis of x/bank with metadata.
func (bankBasic) DefaultGenesis(cdc codec.JSONCodec) json.RawMessage {
	g := banktypes.DefaultGenesisState()
	g.DenomMetadata = []banktypes.Metadata{params.DenomMetadata()}
	return cdc.MustMarshalJSON(g)
}

// ValidateGenesis of x/bank.
func (b bankBasic) ValidateGenesis(cdc codec.JSONCodec, cfg client.TxEncodingConfig, bz json.RawMessage) error {
	return b.AppModuleBasic.(module.HasGenesisBasics).ValidateGenesis(cdc, cfg, bz)
}
