package testutil

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"cosmossdk.io/math"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	"github.com/cosmos/cosmos-sdk/crypto/keys/ed25519"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"poaid/app/params"
	"poaid/internal/vrfkey"
	beacontypes "poaid/x/beacon/types"
	"poaid/x/beacon/vrf"
	poaitypes "poaid/x/poai/types"
)

// GenesisValidator is one of the validators that a test chain starts with. Account i operates validator i.
type GenesisValidator struct {
	*Account
	// Key signs its votes in the beginning.
	Key *ed25519.PrivKey
	// Bond in the beginning, in poai.
	Bond int64
}

// Operator address.
func (v *GenesisValidator) Operator() sdk.ValAddress { return sdk.ValAddress(v.Addr) }

// ValidatorKey derives a key that signs votes from a name.
func ValidatorKey(name string) *ed25519.PrivKey {
	return ed25519.GenPrivKeyFromSecret([]byte("poaid/testutil/" + name))
}

func newValidators(accounts []*Account, bonds []int64) []*GenesisValidator {
	out := make([]*GenesisValidator, len(bonds))
	for i, bond := range bonds {
		name := "validator"
		if i > 0 {
			name = fmt.Sprintf("validator%d", i)
		}
		out[i] = &GenesisValidator{Account: accounts[i], Key: ValidatorKey(name), Bond: bond}
	}
	return out
}

// vrfSeed is the secret of a validator's VRF key. All nodes have all of them.
func vrfSeed(validator int) []byte {
	name := "poaid/testutil/vrf"
	if validator > 0 {
		name += fmt.Sprint(validator)
	}
	seed := sha256.Sum256([]byte(name))
	return seed[:]
}

// ValidatorVRFKey is the first validator's VRF key, which is in its node's file.
func ValidatorVRFKey() vrf.SecretKey { return ValidatorVRFKeyOf(0) }

// ValidatorVRFKeyOf is that of any validator that the chain started with. All are in every node's file.
func ValidatorVRFKeyOf(validator int) vrf.SecretKey {
	secret, err := vrf.NewSecretKey(vrfSeed(validator))
	if err != nil {
		panic(err) // a hash has the right size
	}
	return secret
}

func genesisValidator(operator string, pubKey *codectypes.Any, bond math.Int) stakingtypes.Validator {
	return stakingtypes.Validator{
		OperatorAddress: operator, ConsensusPubkey: pubKey, Status: stakingtypes.Bonded, Tokens: bond, DelegatorShares: math.LegacyNewDecFromInt(bond),
		Commission: stakingtypes.NewCommission(math.LegacyZeroDec(), math.LegacyZeroDec(), math.LegacyZeroDec()), MinSelfDelegation: math.OneInt(),
	}
}

func signingInfo(cons sdk.ConsAddress) slashingtypes.SigningInfo {
	return slashingtypes.SigningInfo{
		Address: cons.String(), ValidatorSigningInfo: slashingtypes.NewValidatorSigningInfo(cons, 0, 0, time.Unix(0, 0).UTC(), false, 0),
	}
}

// setValidators puts the chain's validators into the genesis: those of a Network, or its own.
func (c *Chain) setValidators(g *Genesis) error {
	if c.opts.validators != nil {
		return c.opts.validators(g)
	}
	return addValidators(g, c.Validators)
}

// addValidators bonds the validators and lets each prove randomness from the first block on.
func addValidators(g *Genesis, validators []*GenesisValidator) error {
	var (
		bonded    []stakingtypes.Validator
		own       []stakingtypes.Delegation
		keys      []beacontypes.OperatorKeys
		signing   []slashingtypes.SigningInfo
		bondTotal = math.ZeroInt()
	)
	for i, v := range validators {
		pk, err := codectypes.NewAnyWithValue(v.Key.PubKey())
		if err != nil {
			return fmt.Errorf("validator key: %w", err)
		}
		bond := sdk.DefaultPowerReduction.MulRaw(v.Bond)
		bondTotal = bondTotal.Add(bond)
		bonded = append(bonded, genesisValidator(v.Operator().String(), pk, bond))
		own = append(own, stakingtypes.NewDelegation(v.String(), v.Operator().String(), math.LegacyNewDecFromInt(bond)))
		secret, err := vrf.NewSecretKey(vrfSeed(i))
		if err != nil {
			return err
		}
		keys = append(keys, beacontypes.OperatorKeys{Operator: v.Operator().String(), Next: vrfkey.Register(secret, v.Operator())})
		signing = append(signing, signingInfo(sdk.ConsAddress(v.Key.PubKey().Address())))
	}
	slices.SortFunc(keys, func(a, b beacontypes.OperatorKeys) int {
		return bytes.Compare(sdk.MustValAddressFromBech32(a.Operator), sdk.MustValAddressFromBech32(b.Operator))
	})
	g.Set(stakingtypes.ModuleName, stakingtypes.NewGenesisState(stakingtypes.DefaultParams(), bonded, own))
	var b beacontypes.GenesisState
	g.Get(beacontypes.ModuleName, &b)
	b.Keys = keys
	g.Set(beacontypes.ModuleName, &b)
	var slashing slashingtypes.GenesisState
	g.Get(slashingtypes.ModuleName, &slashing)
	slashing.SigningInfos = signing
	g.Set(slashingtypes.ModuleName, &slashing)
	g.Fund(authtypes.NewModuleAddress(stakingtypes.BondedPoolName), sdk.NewCoins(sdk.NewCoin(params.Denom, bondTotal)))
	return nil
}

// SetScores gives accounts a past: scores[e][i] is what account i earned in epoch e+1, in whole units. All of these epochs have ended; the
// last unclosed of them close one after the other, at the heights that follow the first epoch's end.
func (g *Genesis) SetScores(unclosed int, scores ...[]int64) {
	var gs poaitypes.GenesisState
	g.Get(poaitypes.ModuleName, &gs)
	for i := range scores[0] {
		gs.Participants = append(gs.Participants, poaitypes.Participant{
			Address: g.Accounts[i].String(), Bond: math.ZeroInt(), Locked: math.ZeroInt(), Unbonding: math.ZeroInt(), ReliabilityPpm: poaitypes.PPM,
			WeighedReliabilityPpm: poaitypes.PPM,
		})
	}
	for e, list := range scores {
		number, total := uint64(e+1), int64(0)
		for i, score := range list {
			if total += score; score == 0 {
				continue
			}
			n := math.NewInt(score).MulRaw(poaitypes.PPM)
			gs.Scores = append(gs.Scores, poaitypes.Score{Epoch: number, Participant: g.Accounts[i].String(), Score: n, Units: n})
		}
		closed := e < len(scores)-unclosed
		close := int64(1)
		if !closed {
			close = gs.Params.EpochBlocks * int64(e-(len(scores)-unclosed)+1)
		}
		gs.Epochs = append(gs.Epochs, poaitypes.Epoch{
			Number: number, StartHeight: 1, EndHeight: 1, CloseHeight: close, Closed: closed,
			TotalScore: math.NewInt(total).MulRaw(poaitypes.PPM), TotalUnits: math.NewInt(total),
		})
	}
	gs.Epochs = append(gs.Epochs, poaitypes.Epoch{Number: uint64(len(scores) + 1), StartHeight: 1, TotalScore: math.ZeroInt(), TotalUnits: math.ZeroInt()})
	g.Set(poaitypes.ModuleName, &gs)
}

// comet is what CometBFT keeps of the validators: it takes what a block returns two blocks later.
type comet struct {
	last, now, next *cmttypes.ValidatorSet // of the last block, of the one to be made, of the one after it
	past            map[int64]*cmttypes.ValidatorSet
	times           map[int64]time.Time
	absent          map[string]bool // consensus addresses
	misbehavior     []abci.Misbehavior
}

func newComet(updates []abci.ValidatorUpdate) (*comet, error) {
	vals, err := cmttypes.PB2TM.ValidatorUpdates(updates)
	if err != nil {
		return nil, err
	}
	now := cmttypes.NewValidatorSet(vals)
	return &comet{
		now: now, next: now.CopyIncrementProposerPriority(1), past: make(map[int64]*cmttypes.ValidatorSet),
		times: make(map[int64]time.Time), absent: make(map[string]bool),
	}, nil
}

// advance takes what a block returned. An error would have stopped CometBFT.
func (m *comet) advance(height int64, at time.Time, updates []abci.ValidatorUpdate) error {
	m.past[height], m.times[height] = m.now, at
	next := m.next.Copy()
	if len(updates) > 0 {
		changes, err := cmttypes.PB2TM.ValidatorUpdates(updates)
		if err != nil {
			return err
		}
		if err := next.UpdateWithChangeSet(changes); err != nil {
			return err
		}
	}
	next.IncrementProposerPriority(1)
	m.last, m.now, m.next = m.now, m.next, next
	m.misbehavior = nil
	return nil
}

// votes are the last commit as the next block tells it.
func (m *comet) votes() []abci.VoteInfo {
	if m.last == nil {
		return nil
	}
	votes := make([]abci.VoteInfo, len(m.last.Validators))
	for i, v := range m.last.Validators {
		flag := cmtproto.BlockIDFlagCommit
		if m.absent[string(v.Address)] {
			flag = cmtproto.BlockIDFlagAbsent
		}
		votes[i] = abci.VoteInfo{Validator: abci.Validator{Address: v.Address, Power: v.VotingPower}, BlockIdFlag: flag}
	}
	return votes
}

// proposers of the next block, round after round, without those who are absent.
func (m *comet) proposers() [][]byte {
	var out [][]byte
	set := m.now.Copy()
	for range 4 * len(set.Validators) {
		if p := set.GetProposer().Address; !m.absent[string(p)] && !slices.ContainsFunc(out, func(o []byte) bool { return string(o) == string(p) }) {
			out = append(out, p)
		}
		set.IncrementProposerPriority(1)
	}
	return out
}

// SetAbsent has the validator with a key vote and propose no longer, or again.
func (c *Chain) SetAbsent(key *ed25519.PrivKey, absent bool) {
	c.comet.absent[string(key.PubKey().Address())] = absent
}

// DoubleSign has the next block tell that the holder of a key signed twice at a height.
func (c *Chain) DoubleSign(key *ed25519.PrivKey, height int64) {
	c.tb.Helper()
	set := c.comet.past[height]
	if set == nil {
		c.tb.Fatalf("no validator set of height %d", height)
	}
	_, v := set.GetByAddress(key.PubKey().Address())
	if v == nil {
		c.tb.Fatalf("%X does not validate at height %d", key.PubKey().Address(), height)
	}
	c.comet.misbehavior = append(c.comet.misbehavior, abci.Misbehavior{
		Type: abci.MisbehaviorType_DUPLICATE_VOTE, Validator: abci.Validator{Address: v.Address, Power: v.VotingPower}, Height: height,
		Time: c.comet.times[height], TotalVotingPower: set.TotalVotingPower(),
	})
}

// VotingPower is the power that CometBFT gives the holder of a key once the latest block is two blocks old, and of all.
func (c *Chain) VotingPower(key *ed25519.PrivKey) (power, total int64) {
	if _, v := c.comet.next.GetByAddress(key.PubKey().Address()); v != nil {
		power = v.VotingPower
	}
	return power, c.comet.next.TotalVotingPower()
}

// Validated tells whether the holder of a key was in CometBFT's set at a height since the start, or since the last Rebirth.
func (c *Chain) Validated(key *ed25519.PrivKey, height int64) bool {
	set := c.comet.past[height]
	return set != nil && set.HasAddress(key.PubKey().Address())
}

// checkValidators compares CometBFT's set with what the application believes it to be.
func (c *Chain) checkValidators() error {
	believed := make(map[string]int64)
	err := c.App.Poai.Powers.Walk(c.Ctx(), nil, func(operator string, v poaitypes.ValidatorPower) (bool, error) {
		if v.Power == 0 {
			return false, nil
		}
		var update abci.ValidatorUpdate
		if err := update.PubKey.Unmarshal(v.ConsensusKey); err != nil {
			return true, err
		}
		key, err := cryptocodec.FromCmtProtoPublicKey(update.PubKey)
		if err != nil {
			return true, fmt.Errorf("validator %s: %w", operator, err)
		}
		believed[string(key.Address())] = v.Power
		return false, nil
	})
	if err != nil {
		return err
	}
	if n := len(c.comet.next.Validators); n != len(believed) {
		return fmt.Errorf("CometBFT has %d validators, the application believes %d", n, len(believed))
	}
	for _, v := range c.comet.next.Validators {
		if p := believed[string(v.Address)]; p != v.VotingPower {
			return fmt.Errorf("CometBFT gives %X power %d, the application believes %d", v.Address, v.VotingPower, p)
		}
	}
	return nil
}
