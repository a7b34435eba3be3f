package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/types"
)

// FaultKey is (participant, number).
type FaultKey = collections.Pair[string, uint64]

// faultState is the part of the schema that is about faults.
type faultState struct {
	Faults    collections.Map[FaultKey, types.Fault]
	Losses    collections.Item[types.EpochLosses]
	TotalBond collections.Item[math.Int]        // all bonds as of the end of a block, but for the moves
	BondMoves collections.Map[string, math.Int] // by participant: how its bond changed and the total does not know yet
}

func newFaultState(sb *collections.SchemaBuilder, cdc codec.BinaryCodec) faultState {
	return faultState{
		Faults: collections.NewMap(sb, types.FaultsPrefix, "faults",
			collections.PairKeyCodec(collections.StringKey, collections.Uint64Key), codec.CollValue[types.Fault](cdc)),
		Losses:    collections.NewItem(sb, types.LossesKey, "losses", codec.CollValue[types.EpochLosses](cdc)),
		TotalBond: collections.NewItem(sb, types.TotalBondKey, "total_bond", sdk.IntValue),
		BondMoves: collections.NewMap(sb, types.BondMovesPrefix, "bond_moves", collections.StringKey, sdk.IntValue),
	}
}

// newFault begins the record of a slash, with p's next number. It changes p, which the caller stores.
func (k *Keeper) newFault(ctx context.Context, p *types.Participant, req types.SlashRequest) (types.Fault, error) {
	epoch, err := k.RunningEpoch.Get(ctx)
	p.Conduct.Records++
	return types.Fault{
		Participant: p.Address, Number: p.Conduct.Records, Kind: req.Kind, Item: req.Task, Reason: req.Reason, Lie: req.Lie, Evidence: req.Evidence,
		Taken: math.ZeroInt(), Extra: math.ZeroInt(), Burnt: math.ZeroInt(),
		Height: sdk.UnwrapSDKContext(ctx).BlockHeight(), Epoch: epoch, ReliabilityBeforePpm: p.ReliabilityPpm,
	}, err
}

// dropsPerFault is more than one fault adds, so that records nobody can appeal any more never pile up.
const dropsPerFault = 2

// dropFaults deletes a participant's oldest records once they can be appealed no more. That they were is kept: Records and Faults count them.
func (k *Keeper) dropFaults(ctx context.Context, address string, params types.FaultParams) error {
	var old []FaultKey
	now := sdk.UnwrapSDKContext(ctx).BlockHeight()
	err := k.Faults.Walk(ctx, collections.NewPrefixedPairRange[string, uint64](address), func(key FaultKey, f types.Fault) (bool, error) {
		if len(old) == dropsPerFault || now <= f.Height+params.AppealBlocks {
			return true, nil
		}
		old = append(old, key)
		return false, nil
	})
	if err != nil {
		return err
	}
	for _, key := range old {
		if err := k.Faults.Remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// record stores a fault and announces it.
func (k *Keeper) record(ctx context.Context, f types.Fault, params types.FaultParams) error {
	if err := k.dropFaults(ctx, f.Participant, params); err != nil {
		return err
	}
	if err := k.Faults.Set(ctx, collections.Join(f.Participant, f.Number), f); err != nil {
		return err
	}
	return emit(ctx, &types.EventSlashed{
		Participant: f.Participant, Kind: f.Kind, TaskId: f.Item, Amount: f.Taken.String(), Extra: f.Extra.String(), Burnt: f.Burnt.String(),
		Reason: f.Reason, Fault: f.Number,
	})
}

// losses is what lies have cost in an epoch; nothing, when it is not the one that is stored.
func (k *Keeper) losses(ctx context.Context, epoch uint64) (types.EpochLosses, error) {
	l, err := k.Losses.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) || err == nil && l.Epoch != epoch {
		return types.EpochLosses{Epoch: epoch, Lost: math.ZeroInt()}, nil
	}
	return l, err
}

// acquit takes a fault back, once and in time: what was taken is paid from the community pool into the bond, and reliability, jail and counts are
// as if it had not been. What beneficiaries got stays theirs, and what x/rewards forfeited is not restored. It returns what was paid.
func (k *Keeper) acquit(ctx context.Context, address string, number uint64) (math.Int, error) {
	none := math.ZeroInt()
	params, err := k.Params.Get(ctx)
	if err != nil {
		return none, err
	}
	p, err := k.participant(ctx, address)
	if err != nil {
		return none, err
	}
	f, err := k.appealable(ctx, address, number, params)
	if err != nil {
		return none, err
	}
	back := f.Taken.Add(f.Extra)
	if back.IsPositive() {
		if err := k.community.PayFromCommunityPool(ctx, sdk.NewCoins(sdk.NewCoin(params.BondDenom, back)), types.ModuleName); err != nil {
			return none, err
		}
	}
	if err := k.giveBond(ctx, &p, back); err != nil {
		return none, err
	}
	f.Acquitted = true
	if err := k.Faults.Set(ctx, collections.Join(address, number), f); err != nil {
		return none, err
	}
	if err := k.forget(ctx, &p, f, params); err != nil {
		return none, err
	}
	if err := k.Participants.Set(ctx, address, p); err != nil {
		return none, err
	}
	return back, emit(ctx, &types.EventAcquitted{Participant: address, Fault: number, PaidBack: back.String()})
}

// appealable finds a fault that governance may still take back.
func (k *Keeper) appealable(ctx context.Context, address string, number uint64, params types.Params) (types.Fault, error) {
	f, err := k.Faults.Get(ctx, collections.Join(address, number))
	if errors.Is(err, collections.ErrNotFound) {
		return f, errorsmod.Wrapf(types.ErrUnknownFault, "fault: %d of %s", number, address)
	}
	if err != nil {
		return f, err
	}
	if f.Acquitted {
		return f, errorsmod.Wrapf(types.ErrAcquitted, "fault: %d of %s", number, address)
	}
	if now, last := sdk.UnwrapSDKContext(ctx).BlockHeight(), f.Height+params.Fault.AppealBlocks; now > last {
		return f, errorsmod.Wrapf(types.ErrAppealOver, "fault: %d of %s could be appealed until height %d, it is %d", number, address, last, now)
	}
	return f, nil
}

// forget undoes what a fault did to p besides its bond, and weighs p anew. It changes p, which the caller stores.
func (k *Keeper) forget(ctx context.Context, p *types.Participant, f types.Fault, params types.Params) error {
	if f.Lie && p.Faults > 0 {
		p.Faults--
	}
	p.ReliabilityPpm = restored(p.ReliabilityPpm, f)
	was := p.Jailed()
	p.Conduct.Forget(params.Fault, f)
	if err := k.weigh(ctx, p, params); err != nil {
		return err
	}
	if f.Lie {
		losses, err := k.losses(ctx, f.Epoch)
		if err != nil {
			return err
		}
		running, err := k.RunningEpoch.Get(ctx)
		if err != nil {
			return err
		}
		if running == f.Epoch {
			losses.Lost = math.MaxInt(losses.Lost.Sub(f.Taken), math.ZeroInt())
			if err := k.Losses.Set(ctx, losses); err != nil {
				return err
			}
		}
	}
	if was && !p.Jailed() {
		return emit(ctx, &types.EventUnjailed{Participant: p.Address, ByAcquittal: true})
	}
	return nil
}

// restored is reliability without a fault: multiplied back by as much as the fault cut it, so that what came since still counts. Where the fault
// left nothing, it is at least what it was.
func restored(now uint64, f types.Fault) uint64 {
	if f.ReliabilityAfterPpm == 0 {
		return max(now, f.ReliabilityBeforePpm)
	}
	return min(now*f.ReliabilityBeforePpm/f.ReliabilityAfterPpm, types.PPM) // below 2^40
}
