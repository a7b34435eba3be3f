package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/types"
)

// InitGenesis stores a genesis. Trees are rebuilt from servings, slot by slot, so that draws stay what they were. The module's
// account, which x/bank has filled by then, must hold what the state owes.
func (k *Keeper) InitGenesis(ctx context.Context, gs types.GenesisState) error {
	if err := gs.Validate(); err != nil {
		return err
	}
	k.accounts.GetModuleAccount(ctx, types.ModuleName) // created now, so that no transaction has to
	if err := k.Params.Set(ctx, gs.Params); err != nil {
		return err
	}
	if err := k.initEpochs(ctx, gs); err != nil {
		return err
	}
	if err := k.initParticipants(ctx, gs); err != nil {
		return err
	}
	for _, l := range gs.Locks {
		if err := k.Locks.Set(ctx, lockKey(l.Participant, l.Kind, l.Item), l.Amount); err != nil {
			return err
		}
	}
	for _, u := range gs.Unbondings {
		if err := k.Unbondings.Set(ctx, collections.Join(u.Participant, u.MatureHeight), u.Amount); err != nil {
			return err
		}
	}
	if err := k.initCommittees(ctx, gs); err != nil {
		return err
	}
	if err := k.initPower(ctx, gs.Power); err != nil {
		return err
	}
	if err := k.initFaults(ctx, gs); err != nil {
		return err
	}
	return k.CheckBalance(ctx)
}

// initParticipants stores participants, rebuilds the queue of those whose capacity halves, and the trees. Who waited to be weighed anew
// because of a fault is weighed now.
func (k *Keeper) initParticipants(ctx context.Context, gs types.GenesisState) error {
	if gs.CapacityFrom > 0 {
		if err := k.CapacityFrom.Set(ctx, gs.CapacityFrom); err != nil {
			return err
		}
	}
	running, err := k.RunningEpoch.Get(ctx)
	if err != nil {
		return err
	}
	counts, err := k.capacityCounts(ctx, running, gs.Params)
	if err != nil {
		return err
	}
	weights := make(map[string]uint64, len(gs.Participants))
	for _, p := range gs.Participants {
		p.WeighedReliabilityPpm = min(p.WeighedReliabilityPpm, p.ReliabilityPpm)
		weights[p.Address] = gs.Params.Weight(p, counts)
		if err := k.Participants.Set(ctx, p.Address, p); err != nil {
			return err
		}
		if p.Capacity == 0 {
			continue
		}
		if err := k.Decays.Set(ctx, collections.Join(p.CapacityEpoch, p.Address)); err != nil {
			return err
		}
	}
	for _, s := range gs.Servings {
		if err := k.Trees.AddAt(ctx, s.Model, s.Participant, s.Slot, weights[s.Participant]); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) initCommittees(ctx context.Context, gs types.GenesisState) error {
	live := make(map[uint64]bool, len(gs.Committees))
	for _, c := range gs.Committees {
		live[c.TaskId] = c.Phase != types.COMMITTEE_PHASE_DONE
		if err := k.Committees.Set(ctx, c.TaskId, c); err != nil {
			return err
		}
	}
	for _, s := range gs.Seats {
		if err := k.Seats.Set(ctx, collections.Join(s.TaskId, s.Index), s); err != nil {
			return err
		}
		if !live[s.TaskId] || s.State != types.SEAT_STATE_OPEN && s.State != types.SEAT_STATE_SEALED {
			continue
		}
		if err := k.Duties.Set(ctx, collections.Join(s.Participant, s.TaskId), s.Index); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) initEpochs(ctx context.Context, gs types.GenesisState) error {
	epochs := gs.Epochs
	if len(epochs) == 0 {
		epochs = []types.Epoch{newEpoch(1, max(sdk.UnwrapSDKContext(ctx).BlockHeight(), 1))}
	}
	closed := epochs[0].Number - 1
	for _, e := range epochs {
		if e.Closed {
			closed = e.Number
		}
		if err := k.Epochs.Set(ctx, e.Number, e); err != nil {
			return err
		}
	}
	if err := k.ClosedEpochs.Set(ctx, closed); err != nil {
		return err
	}
	for _, s := range gs.Scores {
		key := collections.Join(s.Epoch, s.Participant)
		if err := k.Scores.Set(ctx, key, types.Score{Score: s.Score, Units: s.Units, Delegated: s.Delegated}); err != nil {
			return err
		}
	}
	return k.RunningEpoch.Set(ctx, epochs[len(epochs)-1].Number)
}

// initPower stores what CometBFT was told by the chain before. Which keys it knows now is found when the set is returned to it.
func (k *Keeper) initPower(ctx context.Context, state types.PowerState) error {
	if state.Set.Cap > 0 {
		if err := k.PowerSet.Set(ctx, state.Set); err != nil {
			return err
		}
	}
	for _, v := range state.Validators {
		if err := k.Powers.Set(ctx, v.Operator, v); err != nil {
			return err
		}
	}
	for _, b := range state.Bonds {
		if err := k.Bonds.Set(ctx, collections.Join(b.Operator, b.Height), b); err != nil {
			return err
		}
	}
	return nil
}

// ExportGenesis is the inverse of InitGenesis. A reweighing in progress is completed by the import, which weighs everybody.
func (k *Keeper) ExportGenesis(ctx context.Context) (*types.GenesisState, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	gs := &types.GenesisState{Params: params}
	for _, export := range []func(context.Context, *types.GenesisState) error{k.exportBonds, k.exportCommittees, k.exportEpochs, k.exportPower, k.exportFaults} {
		if err := export(ctx, gs); err != nil {
			return nil, err
		}
	}
	return gs, nil
}

func (k *Keeper) exportBonds(ctx context.Context, gs *types.GenesisState) error {
	err := k.Participants.Walk(ctx, nil, func(_ string, p types.Participant) (bool, error) {
		gs.Participants = append(gs.Participants, p)
		return false, nil
	})
	if err != nil {
		return err
	}
	err = k.Trees.Slots.Walk(ctx, nil, func(key collections.Pair[string, string], slot uint64) (bool, error) {
		gs.Servings = append(gs.Servings, types.Serving{Model: key.K1(), Participant: key.K2(), Slot: slot})
		return false, nil
	})
	if err != nil {
		return err
	}
	err = k.Locks.Walk(ctx, nil, func(key LockKey, amount math.Int) (bool, error) {
		gs.Locks = append(gs.Locks, types.Lock{Participant: key.K1(), Kind: types.LockKind(key.K2()), Item: key.K3(), Amount: amount})
		return false, nil
	})
	if err != nil {
		return err
	}
	return k.Unbondings.Walk(ctx, nil, func(key UnbondingKey, amount math.Int) (bool, error) {
		gs.Unbondings = append(gs.Unbondings, types.Unbonding{Participant: key.K1(), MatureHeight: key.K2(), Amount: amount})
		return false, nil
	})
}

func (k *Keeper) exportCommittees(ctx context.Context, gs *types.GenesisState) error {
	err := k.Committees.Walk(ctx, nil, func(_ uint64, c types.Committee) (bool, error) {
		gs.Committees = append(gs.Committees, c)
		return false, nil
	})
	if err != nil {
		return err
	}
	return k.Seats.Walk(ctx, nil, func(_ SeatKey, s types.Seat) (bool, error) {
		gs.Seats = append(gs.Seats, s)
		return false, nil
	})
}

func (k *Keeper) exportEpochs(ctx context.Context, gs *types.GenesisState) error {
	err := k.Epochs.Walk(ctx, nil, func(_ uint64, e types.Epoch) (bool, error) {
		gs.Epochs = append(gs.Epochs, e)
		return false, nil
	})
	if err != nil {
		return err
	}
	gs.CapacityFrom, err = k.CapacityFrom.Get(ctx)
	if err != nil && !errors.Is(err, collections.ErrNotFound) {
		return err
	}
	return k.Scores.Walk(ctx, nil, func(key ScoreKey, s types.Score) (bool, error) {
		gs.Scores = append(gs.Scores, types.Score{Epoch: key.K1(), Participant: key.K2(), Score: s.Score, Units: s.Units, Delegated: s.Delegated})
		return false, nil
	})
}

func (k *Keeper) exportPower(ctx context.Context, gs *types.GenesisState) error {
	var err error
	gs.Power.Set, err = k.powerSet(ctx)
	if err != nil {
		return err
	}
	if gs.Power.Validators, err = k.powers(ctx); err != nil {
		return err
	}
	for i := range gs.Power.Validators {
		gs.Power.Validators[i].ConsensusKey = nil
	}
	return k.Bonds.Walk(ctx, nil, func(_ BondKey, b types.BondChange) (bool, error) {
		gs.Power.Bonds = append(gs.Power.Bonds, b)
		return false, nil
	})
}

// initFaults stores the records of faults and adds up bonds.
func (k *Keeper) initFaults(ctx context.Context, gs types.GenesisState) error {
	for _, f := range gs.Faults {
		if err := k.Faults.Set(ctx, collections.Join(f.Participant, f.Number), f); err != nil {
			return err
		}
	}
	if err := k.Losses.Set(ctx, gs.Losses); err != nil {
		return err
	}
	total := math.ZeroInt()
	for _, p := range gs.Participants {
		total = total.Add(p.Bond)
	}
	return k.TotalBond.Set(ctx, total)
}

func (k *Keeper) exportFaults(ctx context.Context, gs *types.GenesisState) error {
	var err error
	if gs.Losses, err = k.Losses.Get(ctx); err != nil {
		return err
	}
	return k.Faults.Walk(ctx, nil, func(_ FaultKey, f types.Fault) (bool, error) {
		gs.Faults = append(gs.Faults, f)
		return false, nil
	})
}
