package keeper

import (
	"context"
	gomath "math"
	"math/bits"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/x/poai/types"
)

// Credit credits proven work: score = reliability × units that count (a verifier's or a sprint's share of them, and no more than the
// participant's capacity allows in the epoch), in millionths of a unit, added to the participant's score and the epoch's total; then the work,
// all of it, moves reliability.
func (k *Keeper) Credit(ctx context.Context, req types.CreditRequest) error {
	if req.ScoreUnits > req.Units {
		return errorsmod.Wrapf(types.ErrInvalidCredit, "score_units %d: above units %d", req.ScoreUnits, req.Units)
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	share := uint64(types.PPM)
	switch req.Role {
	case types.RoleWorker:
	case types.RoleVerifier:
		share = params.VerifierSharePpm
	case types.RoleSprint:
		share = params.Capacity.SprintSharePpm
	default:
		return errorsmod.Wrapf(types.ErrInvalidCredit, "role %d", req.Role)
	}
	p, err := k.participant(ctx, req.Participant)
	if err != nil {
		return err
	}
	epoch, err := k.creditEpoch(ctx, req.Epoch)
	if err != nil {
		return err
	}
	asked := math.NewIntFromUint64(req.ScoreUnits).Mul(math.NewIntFromUint64(share)) // millionths of a unit
	score, credited, err := k.addScore(ctx, epoch, p, asked, params)
	if err != nil {
		return err
	}
	// What a sprint claims is checked by samples only; the runs of its audits move reliability as any task does.
	if req.Role != types.RoleSprint {
		prove(&p, req.Units, params.ReliabilityWindowUnits)
		p.Conduct.Timeouts = 0
	}
	if err := k.Participants.Set(ctx, p.Address, p); err != nil {
		return err
	}
	return emit(ctx, &types.EventScored{
		Epoch: epoch.Number, Participant: p.Address, TaskId: req.Task, Score: score.String(), ReliabilityPpm: p.ReliabilityPpm,
		Units: credited.String(), Excess: asked.Sub(credited).String(),
	})
}

// VerifierShare is what a unit counts for a member that checked it, in millionths of what it counts for the worker.
func (k *Keeper) VerifierShare(ctx context.Context) (ppm uint64, err error) {
	params, err := k.Params.Get(ctx)
	return params.VerifierSharePpm, err
}

// addScore credits units, in millionths, as far as p's capacity allows in the epoch, and returns what it added. It is two writes whatever
// the number of participants, and none where no score comes of it.
func (k *Keeper) addScore(
	ctx context.Context, e types.Epoch, p types.Participant, units math.Int, params types.Params,
) (score, credited math.Int, err error) {
	none := math.ZeroInt()
	s, err := k.scoreOf(ctx, e.Number, p.Address)
	if err != nil {
		return none, none, err
	}
	counts, err := k.capacityCounts(ctx, e.Number, params)
	if err != nil {
		return none, none, err
	}
	if counts {
		left := params.EpochAllowance(p.Capacity).Sub(s.Units)
		units = math.MinInt(units, math.MaxInt(left, none))
	}
	score = units.Mul(math.NewIntFromUint64(p.ReliabilityPpm)).QuoRaw(types.PPM)
	if !score.IsPositive() {
		return none, units, nil
	}
	whole := s.Units.QuoRaw(types.PPM)
	s.Score, s.Units = s.Score.Add(score), s.Units.Add(units)
	s.Delegated = s.Delegated.Add(p.DelegatedPart(score))
	if err := k.Scores.Set(ctx, collections.Join(e.Number, p.Address), s); err != nil {
		return none, none, err
	}
	e.TotalScore = e.TotalScore.Add(score)
	e.TotalUnits = e.TotalUnits.Add(s.Units.QuoRaw(types.PPM).Sub(whole))
	return score, units, k.Epochs.Set(ctx, e.Number, e)
}

// prove moves p's reliability towards 1 by units: r += (1 − r) · u / (window + u). Units too few to move it by a millionth are kept
// until they do, so that small tasks count for what they are and for no more. Sums stop at their largest value rather than fail:
// a credit comes at the end of a task, where nothing could be done about an error.
func prove(p *types.Participant, units, window uint64) {
	p.UnitsProven = addCapped(p.UnitsProven, units, gomath.MaxUint64)
	pending := addCapped(p.PendingUnits, units, 1<<62)
	gap := types.PPM - p.ReliabilityPpm
	hi, lo := bits.Mul64(gap, pending)
	step, _ := bits.Div64(hi, lo, window+pending) // below gap, as pending is below the divisor
	if step == 0 {
		p.PendingUnits = pending
		return
	}
	p.ReliabilityPpm += step
	p.PendingUnits = 0
}

func addCapped(a, b, limit uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return limit
	}
	return min(sum, limit)
}
