package keeper

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"

	"poaid/internal/split"
	"poaid/x/grades/types"
	poaitypes "poaid/x/poai/types"
	"poaid/x/poai/yuma"
)

// settle ends a round: graders get back or lose what they had at risk, and if enough of them revealed the pot is shared by consensus.
func (k Keeper) settle(ctx context.Context, params types.Params, c types.Contest) error {
	seats, err := k.seats(ctx, c.Number)
	if err != nil {
		return err
	}
	if need := params.Quorum(c.Seats); c.Revealed < need {
		return k.settleVoid(ctx, params, c, fmt.Sprintf("%d of %d graders revealed, want %d", c.Revealed, c.Seats, need))
	}
	var graders []types.Seat
	for _, s := range seats {
		if s.Revealed {
			graders = append(graders, s)
		}
	}
	entries, err := k.entries(ctx, c.Number)
	if err != nil {
		return err
	}
	result := types.RoundResult{Contest: c.Id, Round: c.Round, Height: height(ctx), Paid: math.ZeroInt()}
	if err := k.grade(ctx, params, &c, &result, graders, entries); err != nil {
		return err
	}
	return k.finish(ctx, params, c, result)
}

// settleVoid ends a round that pays nobody.
func (k Keeper) settleVoid(ctx context.Context, params types.Params, c types.Contest, reason string) error {
	return k.finish(ctx, params, c, types.RoundResult{Contest: c.Id, Round: c.Round, Height: height(ctx), Paid: math.ZeroInt(), Reason: reason})
}

// grade works out the consensus and pays.
func (k Keeper) grade(
	ctx context.Context, params types.Params, c *types.Contest, result *types.RoundResult, graders []types.Seat, entries []types.Entry,
) error {
	graded := make([]types.Entry, 0, len(entries))
	for _, e := range entries {
		if e.FirstRound <= c.Round {
			graded = append(graded, e)
		}
	}
	if len(graded) == 0 {
		result.Reason = "no entry is left"
		return nil
	}
	round, err := k.round(ctx, *c, graders, graded)
	if err != nil {
		return err
	}
	res, err := yuma.Compute(params.Yuma(), round)
	if err != nil {
		return err
	}
	if err := k.keepBonds(ctx, *c, graders, graded, res.Bonds); err != nil {
		return err
	}
	pot := math.MinInt(c.Pot, c.Balance)
	forGraders := pot.MulRaw(int64(c.GraderBps)).QuoRaw(types.BpsOne)
	incentives := shares(pot.Sub(forGraders), res.Incentive)
	dividends := shares(forGraders, res.Dividends)
	if incentives == nil {
		result.Reason = "the graders agree on no entry"
		return nil
	}
	for i, e := range graded {
		paid, err := k.pay(ctx, params, c, e.Owner, incentives[i])
		if err != nil {
			return err
		}
		e.LastRound, e.ConsensusPpb, e.IncentivePpb, e.Earned = c.Round, res.Consensus[i], res.Incentive[i], e.Earned.Add(paid)
		if err := k.Entries.Set(ctx, collections.Join(c.Number, uint64(e.Slot)), e); err != nil {
			return err
		}
		result.Paid = result.Paid.Add(paid)
		result.Entries = append(result.Entries, types.EntryResult{
			Slot: e.Slot, Owner: e.Owner, ConsensusPpb: res.Consensus[i], IncentivePpb: res.Incentive[i], Paid: paid,
		})
	}
	for i, g := range graders {
		paid := math.ZeroInt()
		if dividends != nil {
			if paid, err = k.pay(ctx, params, c, g.Grader, dividends[i]); err != nil {
				return err
			}
		}
		result.Paid = result.Paid.Add(paid)
		result.Graders = append(result.Graders, types.GraderResult{Grader: g.Grader, TrustPpb: res.Trust[i], DividendPpb: res.Dividends[i], Paid: paid})
	}
	return nil
}

// round masks what must not count: grades of oneself, and bonds from before an entry came. Graders were drawn by weight, so each counts the same.
func (k Keeper) round(ctx context.Context, c types.Contest, graders []types.Seat, graded []types.Entry) (yuma.Round, error) {
	r := yuma.Round{}
	for _, g := range graders {
		old, err := k.Bonds.Get(ctx, collections.Join(c.Number, g.Grader))
		if err != nil && !errors.Is(err, collections.ErrNotFound) {
			return r, err
		}
		grades, bonds := make([]uint64, len(graded)), make([]uint64, len(graded))
		for j, e := range graded {
			if int(e.Slot) < len(g.Grades) && e.Owner != g.Grader {
				grades[j] = uint64(g.Grades[e.Slot])
			}
			if int(e.Slot) < len(old.Ppb) && e.FirstRound <= old.Round {
				bonds[j] = old.Ppb[e.Slot]
			}
		}
		r.Stake, r.Grades, r.Bonds = append(r.Stake, 1), append(r.Grades, grades), append(r.Bonds, bonds)
	}
	return r, nil
}

// keepBonds stores the bonds of the graders of this round, by slot.
func (k Keeper) keepBonds(ctx context.Context, c types.Contest, graders []types.Seat, graded []types.Entry, bonds [][]uint64) error {
	for i, g := range graders {
		row := make([]uint64, graded[len(graded)-1].Slot+1) // in order of slots
		for j, e := range graded {
			row[e.Slot] = bonds[i][j]
		}
		b := types.Bonds{Contest: c.Id, Grader: g.Grader, Round: c.Round, Ppb: row}
		if err := k.Bonds.Set(ctx, collections.Join(c.Number, g.Grader), b); err != nil {
			return err
		}
	}
	return nil
}

// shares divides an amount by shares that add up to yuma.One; nil where all are 0.
func shares(amount math.Int, ppb []uint64) []math.Int {
	for _, v := range ppb {
		if v > 0 {
			return split.Weighted(amount, ppb...)
		}
	}
	return nil
}

// pay pays from a contest's balance. Who may not receive coins any more gets nothing, and the contest keeps it.
func (k Keeper) pay(ctx context.Context, params types.Params, c *types.Contest, to string, amount math.Int) (paid math.Int, err error) {
	addr, _, err := k.address("recipient", to)
	if err != nil {
		return math.ZeroInt(), err
	}
	if !amount.IsPositive() || k.bank.BlockedAddr(addr) {
		return math.ZeroInt(), nil
	}
	c.Balance, c.Paid = c.Balance.Sub(amount), c.Paid.Add(amount)
	return amount, k.bank.SendCoinsFromModuleToAccount(ctx, types.ModuleName, addr, coins(params.FeeDenom, amount))
}

// finish releases or slashes the graders, keeps the result, drops an old one, and lets the contest pause, go on or close.
func (k Keeper) finish(ctx context.Context, params types.Params, c types.Contest, result types.RoundResult) error {
	seats, err := k.seats(ctx, c.Number)
	if err != nil {
		return err
	}
	for _, s := range seats {
		if err := k.releaseSeat(ctx, params, c, s); err != nil {
			return err
		}
	}
	if err := k.Rounds.Set(ctx, collections.Join(c.Number, c.Round), result); err != nil {
		return err
	}
	if old := int64(c.Round) - int64(params.KeepRounds); old > 0 { // #nosec G115 -- rounds are below 2^32
		if err := k.Rounds.Remove(ctx, collections.Join(c.Number, uint64(old))); err != nil {
			return err
		}
	}
	if err := emit(ctx, &types.EventRoundSettled{Contest: c.Id, Round: c.Round, Paid: result.Paid.String(), Reason: result.Reason}); err != nil {
		return err
	}
	c.Phase, c.Drawn, c.Sealed, c.Revealed = types.PHASE_IDLE, 0, 0, 0
	if c.Closing {
		return k.end(ctx, params, c)
	}
	// A pause of one block at least, so that a contest makes no two rounds in one.
	return k.move(ctx, c, height(ctx)+max(c.PauseBlocks, 1))
}

// releaseSeat ends a seat. Who sealed and did not reveal loses its whole lock, as for any sealed result; who sealed nothing in a phase that was open to it
// has abstained.
func (k Keeper) releaseSeat(ctx context.Context, params types.Params, c types.Contest, s types.Seat) error {
	if err := k.Seats.Remove(ctx, collections.Join(c.Number, s.Grader)); err != nil {
		return err
	}
	req := poaitypes.SlashRequest{Participant: s.Grader, Kind: poaitypes.LOCK_KIND_GRADE, Task: c.Number}
	switch {
	case len(s.Seal) > 0 && !s.Revealed:
		req.Bps, req.Lie, req.Reason = types.BpsOne, true, "sealed grades not revealed"
	case len(s.Seal) == 0 && c.Phase == types.PHASE_REVEALING && params.AbstainSlashBps > 0:
		req.Bps, req.Reason = params.AbstainSlashBps, "no grades sealed"
	default:
		return k.poai.ReleaseLock(ctx, s.Grader, poaitypes.LOCK_KIND_GRADE, c.Number)
	}
	return k.poai.Slash(ctx, req)
}
