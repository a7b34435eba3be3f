package keeper

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtcrypto "github.com/cometbft/cometbft/proto/tendermint/crypto"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/power"
	"poaid/x/poai/types"
)

// BondKey is (operator, height).
type BondKey = collections.Pair[string, int64]

// powerState is the part of the schema that is about validators.
type powerState struct {
	PowerSet collections.Item[types.PowerSet]              // what held when power was last worked out
	Powers   collections.Map[string, types.ValidatorPower] // by operator: who is bonded, in CometBFT's set, or left lately
	Bonds    collections.Map[BondKey, types.BondChange]
}

func newPowerState(sb *collections.SchemaBuilder, cdc codec.BinaryCodec) powerState {
	return powerState{
		PowerSet: collections.NewItem(sb, types.PowerSetKey, "power_set", codec.CollValue[types.PowerSet](cdc)),
		Powers:   collections.NewMap(sb, types.PowersPrefix, "powers", collections.StringKey, codec.CollValue[types.ValidatorPower](cdc)),
		Bonds: collections.NewMap(sb, types.BondsPrefix, "bonds",
			collections.PairKeyCodec(collections.StringKey, collections.Int64Key), codec.CollValue[types.BondChange](cdc)),
	}
}

// EpochEnded tells whether the block that is being ended was the last of an epoch. x/poai's own EndBlock must have run.
func (k *Keeper) EpochEnded(ctx context.Context) (bool, error) {
	number, err := k.RunningEpoch.Get(ctx)
	if err != nil {
		return false, err
	}
	e, err := k.Epochs.Get(ctx, number)
	return e.StartHeight == sdk.UnwrapSDKContext(ctx).BlockHeight()+1, err
}

// StartValidators returns the set that a chain starts with, its height being that before the first block. A genesis that says what
// CometBFT was told keeps it; otherwise everybody has at once what it should.
func (k *Keeper) StartValidators(ctx context.Context, bonded []types.BondedValidator, keyOf types.ConsensusKeys) ([]abci.ValidatorUpdate, error) {
	told, err := k.powers(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range told {
		if v.Power == 0 {
			continue
		}
		if v.ConsensusKey, err = encodedKey(ctx, v.Operator, keyOf); err != nil {
			return nil, err
		}
		if err := k.Powers.Set(ctx, v.Operator, v); err != nil {
			return nil, err
		}
	}
	if _, err := k.UpdateValidators(ctx, bonded, keyOf, false); err != nil {
		return nil, err
	}
	if told, err = k.powers(ctx); err != nil {
		return nil, err
	}
	var set []abci.ValidatorUpdate
	for _, v := range told {
		if v.Power == 0 {
			continue
		}
		update, err := updateOf(v.ConsensusKey, v.Power)
		if err != nil {
			return nil, err
		}
		set = append(set, update)
	}
	return set, nil
}

// UpdateValidators takes the validators that x/staking has bonded at the end of a block and returns what CometBFT must be told. Who
// leaves, comes back, changes its key or has too little bond left changes now; proven compute and bond count at the ends of epochs.
// Where nobody would be left the set stays as it is: a chain without validators is no chain.
func (k *Keeper) UpdateValidators(
	ctx context.Context, bonded []types.BondedValidator, keyOf types.ConsensusKeys, epochEnded bool,
) ([]abci.ValidatorUpdate, error) {
	u, err := k.newUpdate(ctx, bonded, keyOf, epochEnded)
	if err != nil {
		return nil, err
	}
	if err := u.workOut(ctx); err != nil {
		return nil, err
	}
	return u.store(ctx)
}

// update is one change of the validator set in the making.
type update struct {
	*Keeper
	params     types.PowerParams
	epoch      uint64
	keyOf      types.ConsensusKeys
	epochEnded bool
	told       []types.ValidatorPower           // as stored, by operator
	next       map[string]*types.ValidatorPower // what is to be stored
	members    []types.BondedValidator          // who has power from now on, by operator; empty where the set stays
	fell       map[string]bool                  // whose bond fell
}

func (k *Keeper) newUpdate(ctx context.Context, bonded []types.BondedValidator, keyOf types.ConsensusKeys, epochEnded bool) (*update, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	u := &update{Keeper: k, params: params.Power, keyOf: keyOf, epochEnded: epochEnded, next: make(map[string]*types.ValidatorPower), fell: make(map[string]bool)}
	if u.epoch, err = k.RunningEpoch.Get(ctx); err != nil {
		return nil, err
	}
	if u.told, err = k.powers(ctx); err != nil {
		return nil, err
	}
	for _, v := range u.told {
		u.next[v.Operator] = &v
	}
	for i, b := range bonded {
		if b.Bond < 1 {
			return nil, errorsmod.Wrapf(types.ErrInvariant, "validator %d, %s: bond %d", i, b.Operator, b.Bond)
		}
		if u.next[b.Operator] != nil {
			continue
		}
		account, err := k.accounts.AddressCodec().BytesToString(b.Address)
		if err != nil {
			return nil, err
		}
		u.next[b.Operator] = &types.ValidatorPower{Operator: b.Operator, Account: account, Score: math.ZeroInt()}
	}
	if err := u.takeBonds(ctx, bonded); err != nil {
		return nil, err
	}
	u.members = slices.DeleteFunc(slices.Clone(bonded), func(b types.BondedValidator) bool { return b.Stake.LT(u.params.MinStake) })
	if len(u.members) == 0 {
		u.members = slices.Clone(bonded)
	}
	slices.SortFunc(u.members, func(a, b types.BondedValidator) int { return strings.Compare(a.Operator, b.Operator) })
	return u, nil
}

// takeBonds notes every bond that changed.
func (u *update) takeBonds(ctx context.Context, bonded []types.BondedValidator) error {
	bonds := make(map[string]int64, len(bonded))
	for _, b := range bonded {
		bonds[b.Operator] = b.Bond
	}
	for _, operator := range u.operators() {
		v := u.next[operator]
		if v.Bond == bonds[operator] {
			continue
		}
		u.fell[operator] = bonds[operator] < v.Bond
		v.Bond = bonds[operator]
		if err := u.noteBond(ctx, operator, v.Bond); err != nil {
			return err
		}
	}
	return nil
}

// operators of all that is to be stored, in order.
func (u *update) operators() []string {
	out := make([]string, 0, len(u.next))
	for _, v := range u.told {
		out = append(out, v.Operator)
	}
	known := len(out)
	for operator := range u.next { //detlint:allow sorted below
		if _, found := slices.BinarySearch(out[:known], operator); !found {
			out = append(out, operator)
		}
	}
	slices.Sort(out)
	return out
}

// workOut sets the members' powers.
func (u *update) workOut(ctx context.Context) error {
	if len(u.members) == 0 {
		return nil
	}
	members, first := make([]power.Member, len(u.members)), true
	wantScores, wantLimits := u.epochEnded, false
	for i, b := range u.members {
		v := u.next[b.Operator]
		members[i] = power.Member{Told: v.Power, Fell: u.fell[b.Operator]}
		if v.Power == 0 && v.LeftShare > 0 && u.epoch-v.LeftEpoch <= uint64(u.params.TrustingEpochs) {
			members[i].Back = v.LeftShare
			wantScores = true
		}
		first = first && v.Power == 0
		wantLimits = wantLimits || members[i].Fell
	}
	var (
		goal   power.Goal
		scores []math.Int
		err    error
	)
	if wantScores = wantScores || first; wantScores || wantLimits {
		if goal, scores, err = u.goal(ctx, wantScores); err != nil {
			return err
		}
		for i := range members {
			members[i].Back, members[i].Limit = min(members[i].Back, goal.Powers[i]), goal.Limits[i]
		}
	}
	powers, set := goal.Powers, types.PowerSet{}
	if !first {
		powers = power.Between(members)
	}
	if !first && u.epochEnded {
		set.ChangeLimit = u.params.Budget()
		powers, set.Changed = power.Step(powers, goal.Powers, set.ChangeLimit)
	}
	for i, b := range u.members {
		u.next[b.Operator].Power = powers[i]
	}
	if !first && !u.epochEnded {
		return nil
	}
	return u.explain(ctx, set, goal, scores)
}

// goal works out where the members' powers should be. Without scores only its limits are meant.
func (u *update) goal(ctx context.Context, withScores bool) (power.Goal, []math.Int, error) {
	set, scores := make([]power.Validator, len(u.members)), make([]math.Int, len(u.members))
	for i, b := range u.members {
		scores[i] = math.ZeroInt()
		if withScores {
			var err error
			if scores[i], err = u.powerScore(ctx, u.next[b.Operator].Account); err != nil {
				return power.Goal{}, nil, err
			}
		}
		set[i] = power.Validator{Bond: b.Bond, Score: scores[i]}
	}
	return power.Target(u.params.Rule(), set), scores, nil
}

// powerScore is the score that gives a validator power: none while its participant is in jail. What it earned counts again once it is out.
func (u *update) powerScore(ctx context.Context, account string) (math.Int, error) {
	p, err := u.Participants.Get(ctx, account)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return math.Int{}, err
	}
	if p.Jailed() {
		return math.ZeroInt(), nil
	}
	return u.RecentScore(ctx, account, u.params.ScoreEpochs)
}

// explain keeps what the powers came from.
func (u *update) explain(ctx context.Context, set types.PowerSet, goal power.Goal, scores []math.Int) error {
	set.Height, set.Epoch, set.Cap, set.ByBond = sdk.UnwrapSDKContext(ctx).BlockHeight(), u.epoch, goal.Cap, goal.ByBond
	if u.epochEnded {
		set.Epoch--
	}
	set.TotalScore = math.ZeroInt()
	for _, operator := range u.operators() {
		v := u.next[operator]
		v.Score, v.Target, v.LambdaLimit = math.ZeroInt(), 0, 0
	}
	for i, b := range u.members {
		v := u.next[b.Operator]
		v.Score, v.Target, v.LambdaLimit = scores[i], goal.Powers[i], goal.Limits[i]
		set.TotalBond += b.Bond
		set.TotalScore = set.TotalScore.Add(scores[i])
	}
	if err := u.PowerSet.Set(ctx, set); err != nil {
		return err
	}
	return emit(ctx, &types.EventPowerWorkedOut{Epoch: set.Epoch, ChangeLimit: set.ChangeLimit, Changed: set.Changed})
}

// store writes what changed and returns what CometBFT does not know yet, by operator.
func (u *update) store(ctx context.Context) ([]abci.ValidatorUpdate, error) {
	u.leave()
	stored := make(map[string]types.ValidatorPower, len(u.told))
	for _, v := range u.told {
		stored[v.Operator] = v
	}
	var updates []abci.ValidatorUpdate
	for _, operator := range u.operators() {
		v, before := u.next[operator], stored[operator]
		if v.Power > 0 {
			var err error
			if v.ConsensusKey, err = encodedKey(ctx, operator, u.keyOf); err != nil {
				return nil, err
			}
			v.LeftShare, v.LeftEpoch = 0, 0
		}
		changed, err := difference(before, *v)
		if err != nil {
			return nil, err
		}
		updates = append(updates, changed...)
		if v.Power == 0 {
			v.ConsensusKey = nil
		}
		done, err := u.forget(ctx, v)
		if err != nil {
			return nil, err
		}
		if done || v.Equal(&before) {
			continue
		}
		if err := u.Powers.Set(ctx, operator, *v); err != nil {
			return nil, err
		}
	}
	return updates, nil
}

// leave takes power from those who are members no longer, and notes the share they leave with.
func (u *update) leave() {
	if len(u.members) == 0 {
		return
	}
	var total int64
	for _, v := range u.told {
		total += v.Power
	}
	here := make(map[string]bool, len(u.members))
	for _, b := range u.members {
		here[b.Operator] = true
	}
	for _, v := range u.told {
		if v.Power == 0 || here[v.Operator] {
			continue
		}
		n := u.next[v.Operator]
		n.Power, n.LeftShare, n.LeftEpoch = 0, power.Share(v.Power, total), u.epoch
	}
}

// forget deletes, at the end of an epoch, what is known of a validator that is gone for longer than a trusting period, a part of its bonds
// at a time. It tells whether nothing is left.
func (u *update) forget(ctx context.Context, v *types.ValidatorPower) (bool, error) {
	if !u.epochEnded || v.Power > 0 || v.Bond > 0 || u.epoch-v.LeftEpoch <= uint64(u.params.TrustingEpochs) {
		return false, nil
	}
	empty, err := u.pruneBonds(ctx, v.Operator, 100, true)
	if err != nil || !empty {
		return false, err
	}
	return true, u.Powers.Remove(ctx, v.Operator)
}

// powers lists what is known of validators, by operator.
func (k *Keeper) powers(ctx context.Context) ([]types.ValidatorPower, error) {
	var out []types.ValidatorPower
	err := k.Powers.Walk(ctx, nil, func(_ string, v types.ValidatorPower) (bool, error) {
		out = append(out, v)
		return false, nil
	})
	return out, err
}

// RecentScore is what a participant earned in the last closed epochs, in millionths of a unit.
func (k *Keeper) RecentScore(ctx context.Context, participant string, epochs uint32) (math.Int, error) {
	sum := math.ZeroInt()
	closed, err := k.ClosedEpochs.Get(ctx)
	if err != nil {
		return sum, err
	}
	for e := closed; e > 0 && closed-e < uint64(epochs); e-- {
		score, err := k.GetScore(ctx, e, participant)
		if err != nil {
			return sum, err
		}
		sum = sum.Add(score)
	}
	return sum, nil
}

func encodedKey(ctx context.Context, operator string, keyOf types.ConsensusKeys) ([]byte, error) {
	key, err := keyOf(ctx, operator)
	if err != nil {
		return nil, err
	}
	return key.Marshal()
}

func updateOf(encoded []byte, power int64) (abci.ValidatorUpdate, error) {
	var key cmtcrypto.PublicKey
	err := key.Unmarshal(encoded)
	return abci.ValidatorUpdate{PubKey: key, Power: power}, err
}

// difference is what CometBFT must be told of one validator. An old key goes when another one comes, or when the validator leaves.
func difference(before, after types.ValidatorPower) (updates []abci.ValidatorUpdate, err error) {
	add := func(key []byte, power int64) error {
		u, err := updateOf(key, power)
		updates = append(updates, u)
		return err
	}
	moved := !bytes.Equal(before.ConsensusKey, after.ConsensusKey)
	if before.Power > 0 && (after.Power == 0 || moved) {
		err = add(before.ConsensusKey, 0)
	}
	if after.Power > 0 && (after.Power != before.Power || moved) {
		err = errors.Join(err, add(after.ConsensusKey, after.Power))
	}
	return updates, err
}

// powerSet is what held when power was last worked out; empty before.
func (k *Keeper) powerSet(ctx context.Context) (types.PowerSet, error) {
	set, err := k.PowerSet.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return types.PowerSet{TotalScore: math.ZeroInt()}, nil
	}
	return set, err
}
