package testutil

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"

	"cosmossdk.io/math"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"poaid/app"
	"poaid/app/params"
	"poaid/internal/vrfkey"
	beacontypes "poaid/x/beacon/types"
	"poaid/x/beacon/vrf"
	poaitypes "poaid/x/poai/types"
)

// Validator is one validator of a Network: an application of its own, in a home with a VRF key of its own.
type Validator struct {
	*Account
	Cons *ed25519.PrivKey
	// Tamper, if set, changes what the validator proposes.
	Tamper func(round int, entries [][]byte) [][]byte

	secret vrf.SecretKey
	node   *node
}

// Operator is the validator's operator address.
func (v *Validator) Operator() sdk.ValAddress { return sdk.ValAddress(v.Addr) }

// ConsAddress is what CometBFT knows the validator by.
func (v *Validator) ConsAddress() sdk.ConsAddress { return sdk.ConsAddress(v.Cons.PubKey().Address()) }

// Secret is the validator's first VRF key.
func (v *Validator) Secret() vrf.SecretKey { return v.secret }

// App is the validator's application.
func (v *Validator) App() *app.App { return v.node.app }

// KeyFile is where its node reads VRF keys at start.
func (v *Validator) KeyFile() string { return vrfkey.Path(v.node.home) }

// NetworkOptions of NewNetwork.
type NetworkOptions struct {
	// Powers of the validators in the genesis. There is one account each, and Joining more of validators that are not in it.
	Powers  []int64
	Joining int
	// NoKeys leaves VRF keys out of the genesis.
	NoKeys  bool
	Genesis func(g *Genesis)
}

// Network is several validators that propose in turn, by CometBFT's rotation and with its rounds: a height whose proposal more than a third
// of the power refuses goes to the next proposer. Everybody executes every block, and all must come to the same state.
type Network struct {
	Validators []*Validator
	// Proposer of the latest block, and the round it was decided in.
	Proposer *Validator
	Round    int

	chain *Chain
	// sets are CometBFT's: of the last height, of the next one, and of the one after.
	last, current, next *cmttypes.ValidatorSet
}

// NewNetwork starts a network at height 1.
func NewNetwork(tb TB, o NetworkOptions) *Network {
	tb.Helper()
	params.Configure()
	opts := Options{Accounts: len(o.Powers) + o.Joining}.withDefaults()
	n := &Network{chain: &Chain{ChainID: "poai-network-1", Time: genesisTime(), tb: tb, opts: opts}}
	for i := range opts.Accounts {
		a := NewAccount(fmt.Sprintf("validator%d", i))
		n.chain.Accounts = append(n.chain.Accounts, a)
		n.Validators = append(n.Validators, n.newValidator(a))
	}
	n.chain.node = n.Validators[0].node
	n.chain.App = n.chain.node.app
	n.chain.opts.Genesis = o.Genesis
	n.chain.opts.validators = func(g *Genesis) error { return n.addValidators(g, o) }
	genesis, err := newGenesis(n.chain)
	if err != nil {
		tb.Fatalf("genesis: %v", err)
	}
	for _, v := range n.Validators {
		res, err := v.App().InitChain(genesis)
		if err != nil {
			tb.Fatalf("%s: init chain: %v", v.Name, err)
		}
		set, err := cmttypes.PB2TM.ValidatorUpdates(res.Validators)
		if err != nil {
			tb.Fatalf("%s: validators: %v", v.Name, err)
		}
		n.current = cmttypes.NewValidatorSet(set)
		n.next = n.current.CopyIncrementProposerPriority(1)
	}
	n.Block()
	for _, a := range n.chain.Accounts {
		n.chain.sync(a)
	}
	return n
}

func (n *Network) newValidator(a *Account) *Validator {
	seed := VRFSeed(a.Name)
	secret, err := vrf.NewSecretKey(seed)
	if err != nil {
		panic(err) // a hash has the right size
	}
	v := &Validator{Account: a, Cons: ed25519.GenPrivKeyFromSecret([]byte("poaid/testutil/cons/" + a.Name)), secret: secret}
	v.node = &node{
		shadow: Shadow{Name: a.Name, Executor: serverconfig.BlockExecutorSequential}, db: dbm.NewMemDB(), home: n.chain.tb.TempDir(),
	}
	n.AddSeed(v, seed)
	return v
}

// VRFSeed makes a VRF secret from a name, which a validator's first one is made of.
func VRFSeed(name string) []byte {
	seed := sha256.Sum256([]byte("poaid/testutil/vrf/" + name))
	return seed[:]
}

// AddSeed puts a VRF secret into the validator's key file and restarts its node.
func (n *Network) AddSeed(v *Validator, seed []byte) {
	n.chain.tb.Helper()
	if _, err := vrfkey.AddSeed(v.KeyFile(), seed); err != nil {
		n.chain.tb.Fatalf("%s: %v", v.Name, err)
	}
	n.Restart(v)
}

// DropKeyFile removes the validator's key file and restarts its node.
func (n *Network) DropKeyFile(v *Validator) {
	n.chain.tb.Helper()
	if err := os.Remove(v.KeyFile()); err != nil {
		n.chain.tb.Fatalf("%s: %v", v.Name, err)
	}
	n.Restart(v)
}

// Restart opens the validator's node anew from its database.
func (n *Network) Restart(v *Validator) {
	n.chain.tb.Helper()
	if err := v.node.open(n.chain.ChainID); err != nil {
		n.chain.tb.Fatalf("%s: restart: %v", v.Name, err)
	}
	if v.node == n.chain.node {
		n.chain.App = v.node.app
	}
}

// addValidators puts the network's validators in the place of a test chain's only one.
func (n *Network) addValidators(g *Genesis, o NetworkOptions) error {
	var vals []stakingtypes.Validator
	var delegations []stakingtypes.Delegation
	var slashing slashingtypes.GenesisState
	var beacon beacontypes.GenesisState
	g.Get(slashingtypes.ModuleName, &slashing)
	g.Get(beacontypes.ModuleName, &beacon)
	slashing.SigningInfos, beacon.Keys = nil, nil
	pool := math.ZeroInt()
	for i, power := range o.Powers {
		v := n.Validators[i]
		pk, err := codectypes.NewAnyWithValue(v.Cons.PubKey())
		if err != nil {
			return fmt.Errorf("key of %s: %w", v.Name, err)
		}
		bond := sdk.DefaultPowerReduction.MulRaw(power)
		pool = pool.Add(bond)
		val := genesisValidator(v.Operator().String(), pk, bond)
		vals = append(vals, val)
		delegations = append(delegations, stakingtypes.NewDelegation(v.String(), val.OperatorAddress, val.DelegatorShares))
		slashing.SigningInfos = append(slashing.SigningInfos, signingInfo(v.ConsAddress()))
		if !o.NoKeys {
			beacontypes.AddKeys(&beacon, beacontypes.OperatorKeys{Operator: val.OperatorAddress, Next: vrfkey.Register(v.secret, v.Operator())})
		}
	}
	var poai poaitypes.GenesisState
	g.Get(poaitypes.ModuleName, &poai)
	// By bond alone, without a cap, and as fast as it may change.
	power := &poai.Params.Power
	power.ComputePpm, power.CapPpm, power.MinStake, power.ChangePpmPerTrustingPeriod, power.TrustingEpochs = 0, poaitypes.PPM, math.OneInt(), 333_000, 1
	g.Set(poaitypes.ModuleName, &poai)
	g.Set(stakingtypes.ModuleName, stakingtypes.NewGenesisState(stakingtypes.DefaultParams(), vals, delegations))
	g.Set(slashingtypes.ModuleName, &slashing)
	g.Set(beacontypes.ModuleName, &beacon)
	g.Fund(authtypes.NewModuleAddress(stakingtypes.BondedPoolName), sdk.NewCoins(sdk.NewCoin(params.Denom, pool)))
	return nil
}

// App is the first validator's application.
func (n *Network) App() *app.App { return n.chain.App }

// Ctx reads the latest committed state of the first validator.
func (n *Network) Ctx() sdk.Context { return n.chain.Ctx() }

// Height of the latest block.
func (n *Network) Height() int64 { return n.chain.Height() }

// ChainID of the network.
func (n *Network) ChainID() string { return n.chain.ChainID }

// Accounts of the network, the validators' first.
func (n *Network) Accounts() []*Account { return n.chain.Accounts }

// Power is a validator's at the next height; 0 if it is not in the set.
func (n *Network) Power(v *Validator) int64 {
	if _, val := n.current.GetByAddress(v.ConsAddress()); val != nil {
		return val.VotingPower
	}
	return 0
}

// Next is the proposer of the next height's round.
func (n *Network) Next(round int) *Validator {
	set := n.current
	if round > 0 {
		set = set.CopyIncrementProposerPriority(int32(round))
	}
	for _, v := range n.Validators {
		if bytes.Equal(v.ConsAddress(), set.GetProposer().Address) {
			return v
		}
	}
	n.chain.tb.Fatalf("height %d: unknown proposer %X", n.Height()+1, set.GetProposer().Address)
	return nil
}

// Deliver puts one transaction into a block and fails the test unless it succeeds.
func (n *Network) Deliver(from *Account, msgs ...sdk.Msg) *abci.ExecTxResult {
	n.chain.tb.Helper()
	res := n.Try(from, msgs...)
	if res.Code != 0 {
		n.chain.tb.Fatalf("transaction of %s failed with code %d of %s: %s", from.Name, res.Code, res.Codespace, res.Log)
	}
	return res
}

// Try puts one transaction into a block and returns its result, whatever it is.
func (n *Network) Try(from *Account, msgs ...sdk.Msg) *abci.ExecTxResult {
	n.chain.tb.Helper()
	results := n.Block(n.chain.Tx(from, msgs...)).TxResults
	n.chain.sync(from)
	return results[len(results)-1]
}

// Block makes one block: proposals go round until more than two thirds of the power accept one. It fails the test if nobody's is accepted
// although everybody had its turn.
func (n *Network) Block(txs ...[]byte) *abci.ResponseFinalizeBlock {
	n.chain.tb.Helper()
	n.chain.senders = n.chain.senders[:0]
	n.chain.Time = n.chain.Time.Add(BlockTime)
	var req *abci.RequestFinalizeBlock
	total := n.current.TotalVotingPower()
	for n.Round = 0; ; n.Round++ {
		if n.Round > 10*n.current.Size() {
			n.chain.tb.Fatalf("height %d: no proposal is accepted: the chain halts", n.Height()+1)
		}
		n.Proposer = n.Next(n.Round)
		req = n.request(n.Proposal(n.Proposer, n.Round, txs))
		if 3*n.accepting(req) > 2*total {
			break
		}
	}
	return n.decide(req)
}

// Proposal is what a validator proposes for the next height.
func (n *Network) Proposal(v *Validator, round int, txs [][]byte) [][]byte {
	n.chain.tb.Helper()
	res, err := v.App().PrepareProposal(&abci.RequestPrepareProposal{
		MaxTxBytes: params.BlockTxBytes, Txs: txs, Height: n.Height() + 1, Time: n.chain.Time, ProposerAddress: v.ConsAddress(),
	})
	if err != nil {
		n.chain.tb.Fatalf("%s: prepare height %d: %v", v.Name, n.Height()+1, err)
	}
	if v.Tamper != nil {
		return v.Tamper(round, res.Txs)
	}
	return res.Txs
}

func (n *Network) request(entries [][]byte) *abci.RequestFinalizeBlock {
	height := n.Height() + 1
	req := &abci.RequestFinalizeBlock{
		Height: height, Time: n.chain.Time, Txs: entries, ProposerAddress: n.Proposer.ConsAddress(),
		Hash: blockHash(n.chain.ChainID, height, n.App().LastCommitID().Hash), NextValidatorsHash: n.next.Hash(),
	}
	if n.last != nil {
		for _, v := range n.last.Validators {
			req.DecidedLastCommit.Votes = append(req.DecidedLastCommit.Votes, abci.VoteInfo{
				Validator: abci.Validator{Address: v.Address, Power: v.VotingPower}, BlockIdFlag: cmtproto.BlockIDFlagCommit,
			})
		}
	}
	return req
}

// accepting is the power that votes for a proposal. Validators without any are asked too: full nodes must agree.
func (n *Network) accepting(req *abci.RequestFinalizeBlock) int64 {
	n.chain.tb.Helper()
	var power int64
	votes := map[bool]string{}
	for _, v := range n.Validators {
		res, err := v.App().ProcessProposal(&abci.RequestProcessProposal{
			Txs: req.Txs, ProposedLastCommit: req.DecidedLastCommit, Hash: req.Hash, Height: req.Height, Time: req.Time,
			NextValidatorsHash: req.NextValidatorsHash, ProposerAddress: req.ProposerAddress,
		})
		if err != nil {
			n.chain.tb.Fatalf("%s: process height %d: %v", v.Name, req.Height, err)
		}
		votes[res.IsAccepted()] = v.Name
		if res.IsAccepted() {
			power += n.Power(v)
		}
	}
	if len(votes) > 1 {
		n.chain.tb.Fatalf("height %d, round %d: %s accepts what %s refuses", req.Height, n.Round, votes[true], votes[false])
	}
	return power
}

// decide has everybody execute a block, and moves the sets on as CometBFT does.
func (n *Network) decide(req *abci.RequestFinalizeBlock) *abci.ResponseFinalizeBlock {
	n.chain.tb.Helper()
	first := n.chain.run(n.Validators[0].node, req)
	for _, v := range n.Validators[1:] {
		n.chain.compare(v.node, first, n.chain.run(v.node, req))
	}
	if err := CheckInvariants(n.App(), n.Ctx()); err != nil {
		n.chain.tb.Fatalf("height %d: %v", n.Height(), err)
	}
	updates, err := cmttypes.PB2TM.ValidatorUpdates(first.ValidatorUpdates)
	if err != nil {
		n.chain.tb.Fatalf("height %d: validator updates: %v", n.Height(), err)
	}
	n.last, n.current, n.next = n.current, n.next, n.next.Copy()
	if len(updates) > 0 {
		if err := n.next.UpdateWithChangeSet(updates); err != nil {
			n.chain.tb.Fatalf("height %d: validator updates: %v", n.Height(), err)
		}
	}
	n.next.IncrementProposerPriority(1)
	n.checkSet()
	return first
}

// checkSet compares CometBFT's set of the next height with x/beacon's.
func (n *Network) checkSet() {
	n.chain.tb.Helper()
	size := 0
	err := n.App().Beacon.Proposers.Walk(n.Ctx(), nil, func(cons []byte, p beacontypes.Proposer) (bool, error) {
		size++
		if _, v := n.current.GetByAddress(cons); v == nil || v.VotingPower != p.Power {
			return false, fmt.Errorf("x/beacon has %X with power %d, CometBFT %v", cons, p.Power, v)
		}
		return false, nil
	})
	if err == nil && size != n.current.Size() {
		err = fmt.Errorf("x/beacon has %d proposers, CometBFT %d", size, n.current.Size())
	}
	if err != nil {
		n.chain.tb.Fatalf("height %d: %v", n.Height(), err)
	}
}

// Randomness of the latest height.
func (n *Network) Randomness() beacontypes.Randomness {
	n.chain.tb.Helper()
	r, err := n.App().Beacon.At(n.Ctx(), n.Height())
	if err != nil {
		n.chain.tb.Fatalf("height %d: %v", n.Height(), err)
	}
	return r
}
