package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	gomath "math"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/x/poai/sortition"
	"poaid/x/poai/types"
)

// OpenCommittee draws a committee; the worker and who is excluded are never in it. The returned committee has fewer seats than asked when there are not
// enough candidates, and never more than max_seats; with none at all nothing is stored. A settled committee of the same task makes place for the new one.
func (k *Keeper) OpenCommittee(ctx context.Context, req types.CommitteeRequest) (types.Committee, error) {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return types.Committee{}, err
	}
	if err := k.checkCommittee(ctx, req); err != nil {
		return types.Committee{}, err
	}
	// A size above max_seats is a mismatch of two modules' params, which must not stop the chain: the bound holds.
	req.Size = min(req.Size, params.MaxSeats)
	c := types.Committee{
		TaskId: req.Task, Model: req.Model, Phase: types.COMMITTEE_PHASE_SEALING, Size_: req.Size,
		Deadline: req.Deadline, Worker: req.Worker, LockPerSeat: req.LockPerSeat, Excused: req.Excused, Excluded: req.Exclude,
	}
	if err := k.drawSeats(ctx, &c, nil, req.Seed, req.Size, params); err != nil || c.Seats == 0 {
		return c, err
	}
	return c, k.setPhase(ctx, c)
}

func (k *Keeper) checkCommittee(ctx context.Context, req types.CommitteeRequest) error {
	if req.Size == 0 {
		return errorsmod.Wrap(types.ErrInvalidCommittee, "size: must not be 0")
	}
	if req.LockPerSeat.IsNil() || req.LockPerSeat.IsNegative() {
		return errorsmod.Wrap(types.ErrInvalidCommittee, "lock_per_seat: must not be negative")
	}
	old, err := k.Committees.Get(ctx, req.Task)
	if errors.Is(err, collections.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if old.Phase != types.COMMITTEE_PHASE_DONE {
		return errorsmod.Wrapf(types.ErrCommitteeExists, "task %d", req.Task)
	}
	return k.PruneCommittee(ctx, req.Task)
}

// drawSeats draws up to count more seats and adds them to c, which the caller stores. taken are the seats c has.
func (k *Keeper) drawSeats(
	ctx context.Context, c *types.Committee, taken []types.Seat, seed []byte, count uint32, params types.Params,
) error {
	src := sortition.NewSource("seat", c.TaskId, uint64(c.Seats), seed)
	pool := candidates{model: c.Model, lock: c.LockPerSeat, src: src}
	if err := k.exclude(ctx, &pool, c.Worker); err != nil {
		return err
	}
	for _, address := range c.Excluded {
		if err := k.exclude(ctx, &pool, address); err != nil {
			return err
		}
	}
	for _, s := range taken {
		if err := k.exclude(ctx, &pool, s.Participant); err != nil {
			return err
		}
	}
	for range count {
		p, found, err := k.draw(ctx, &pool, params)
		if err != nil || !found {
			return err
		}
		if err := k.seat(ctx, c, &p); err != nil {
			return err
		}
	}
	return nil
}

// seat gives p the next seat of c.
func (k *Keeper) seat(ctx context.Context, c *types.Committee, p *types.Participant) error {
	if err := k.lock(ctx, p, types.LOCK_KIND_SEAT, c.TaskId, c.LockPerSeat); err != nil {
		return err
	}
	occupy(p)
	if err := k.Participants.Set(ctx, p.Address, *p); err != nil {
		return err
	}
	s := types.Seat{TaskId: c.TaskId, Index: c.Seats, Participant: p.Address, State: types.SEAT_STATE_OPEN}
	if err := k.Seats.Set(ctx, collections.Join(s.TaskId, s.Index), s); err != nil {
		return err
	}
	if err := k.Duties.Set(ctx, collections.Join(p.Address, c.TaskId), s.Index); err != nil {
		return err
	}
	c.Seats++
	return emit(ctx, &types.EventSeatDrawn{
		TaskId: s.TaskId, Seat: s.Index, Participant: s.Participant, Deadline: c.Deadline,
	})
}

// GetCommittee returns the committee and its seats in order; collections.ErrNotFound when the task has none.
func (k *Keeper) GetCommittee(ctx context.Context, task uint64) (types.Committee, []types.Seat, error) {
	c, err := k.Committees.Get(ctx, task)
	if err != nil {
		return c, nil, err
	}
	seats, err := k.seats(ctx, task)
	return c, seats, err
}

func (k *Keeper) seats(ctx context.Context, task uint64) (seats []types.Seat, err error) {
	err = k.Seats.Walk(ctx, collections.NewPrefixedPairRange[uint64, uint32](task), func(_ SeatKey, s types.Seat) (bool, error) {
		seats = append(seats, s)
		return false, nil
	})
	return seats, err
}

// CloseOverdueSeats closes seats still open at the end of the sealing deadline (called at that height's end or later) and draws
// replacements, who may seal until deadline. When none is drawn the committee goes on to reveal. ErrWrongPhase unless it is
// sealing, ErrBeforeDeadline when called early.
func (k *Keeper) CloseOverdueSeats(ctx context.Context, task uint64, seed []byte, deadline int64) (types.Committee, error) {
	c, seats, err := k.GetCommittee(ctx, task)
	if err != nil {
		return c, err
	}
	if c.Phase != types.COMMITTEE_PHASE_SEALING {
		return c, errorsmod.Wrapf(types.ErrWrongPhase, "task %d: committee is in %s", task, c.Phase)
	}
	if now := sdk.UnwrapSDKContext(ctx).BlockHeight(); now < c.Deadline {
		return c, errorsmod.Wrapf(types.ErrBeforeDeadline, "task %d: seats may seal until %d, now %d", task, c.Deadline, now)
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return c, err
	}
	for _, s := range seats {
		if s.State != types.SEAT_STATE_OPEN {
			continue
		}
		if err := k.closeSeat(ctx, c, s, params); err != nil {
			return c, err
		}
		c.Closed++
	}
	before := c.Seats
	if c.Sealed < c.Size_ && c.Seats < params.MaxSeats {
		c.Deadline = deadline
		if err := k.drawSeats(ctx, &c, seats, seed, min(c.Size_-c.Sealed, params.MaxSeats-c.Seats), params); err != nil {
			return c, err
		}
	}
	if c.Seats > before {
		return c, k.Committees.Set(ctx, task, c)
	}
	return k.openReveals(ctx, c)
}

// closeSeat notes an abstention: it costs a little reliability, unless it is excused, never the lock.
func (k *Keeper) closeSeat(ctx context.Context, c types.Committee, s types.Seat, params types.Params) error {
	p, err := k.participant(ctx, s.Participant)
	if err != nil {
		return err
	}
	if !c.Excused {
		if _, err := k.silent(ctx, &p, params); err != nil {
			return err
		}
	}
	s.State = types.SEAT_STATE_CLOSED
	return k.freeSeat(ctx, &p, s)
}

// freeSeat releases everything a live seat holds, and stores p and s.
func (k *Keeper) freeSeat(ctx context.Context, p *types.Participant, s types.Seat) error {
	if _, err := k.unlock(ctx, p, types.LOCK_KIND_SEAT, s.TaskId); err != nil {
		return err
	}
	return k.endDuty(ctx, p, s)
}

// endDuty frees the place of a seat that has nothing more to do, and stores p and s.
func (k *Keeper) endDuty(ctx context.Context, p *types.Participant, s types.Seat) error {
	if err := vacate(p); err != nil {
		return err
	}
	if err := k.Participants.Set(ctx, p.Address, *p); err != nil {
		return err
	}
	if err := k.Duties.Remove(ctx, collections.Join(s.Participant, s.TaskId)); err != nil {
		return err
	}
	return k.setSeat(ctx, s)
}

func (k *Keeper) setSeat(ctx context.Context, s types.Seat) error {
	if err := k.Seats.Set(ctx, collections.Join(s.TaskId, s.Index), s); err != nil {
		return err
	}
	return emit(ctx, &types.EventSeatChanged{
		TaskId: s.TaskId, Seat: s.Index, Participant: s.Participant, State: s.State,
	})
}

func (k *Keeper) setPhase(ctx context.Context, c types.Committee) error {
	if err := k.Committees.Set(ctx, c.TaskId, c); err != nil {
		return err
	}
	return emit(ctx, &types.EventCommitteePhase{TaskId: c.TaskId, Phase: c.Phase})
}

// openReveals enters the revealing phase. The phase is stored before the hook runs, so that the hook sees it. With no seal at all
// nobody is left to reveal and AfterCommitteeRevealed will not come.
func (k *Keeper) openReveals(ctx context.Context, c types.Committee) (types.Committee, error) {
	c.Phase = types.COMMITTEE_PHASE_REVEALING
	c.Deadline = gomath.MaxInt64
	if err := k.setPhase(ctx, c); err != nil || k.committeeHooks == nil {
		return c, err
	}
	deadline, err := k.committeeHooks.AfterCommitteeSealed(ctx, c.TaskId)
	if err != nil {
		return c, err
	}
	c, err = k.Committees.Get(ctx, c.TaskId) // the hook may have moved it on
	if err != nil || c.Phase != types.COMMITTEE_PHASE_REVEALING {
		return c, err
	}
	c.Deadline = deadline
	return c, k.Committees.Set(ctx, c.TaskId, c)
}

// SettleCommittee ends a committee. A seat that sealed and let the reveal deadline pass loses its whole lock, and so does a
// revealed root other than a non-nil ValidRoot; everything else is released. It returns who revealed ValidRoot, in seat order.
// ErrWrongPhase when it is settled already.
func (k *Keeper) SettleCommittee(ctx context.Context, task uint64, out types.CommitteeOutcome) (agreed []string, err error) {
	c, seats, err := k.GetCommittee(ctx, task)
	if err != nil {
		return nil, err
	}
	if c.Phase == types.COMMITTEE_PHASE_DONE {
		return nil, errorsmod.Wrapf(types.ErrWrongPhase, "task %d: committee is settled", task)
	}
	// Before the deadline, and above all while reveals are not open yet, an unrevealed seal is no lie.
	overdue := c.Phase == types.COMMITTEE_PHASE_REVEALING && sdk.UnwrapSDKContext(ctx).BlockHeight() >= c.Deadline
	c.Phase = types.COMMITTEE_PHASE_DONE
	if err := k.setPhase(ctx, c); err != nil {
		return nil, err
	}
	for _, s := range seats {
		if err := k.settleSeat(ctx, s, out, overdue); err != nil {
			return nil, err
		}
		if s.State == types.SEAT_STATE_REVEALED && out.ValidRoot != nil && bytes.Equal(s.ResultRoot, out.ValidRoot) {
			agreed = append(agreed, s.Participant)
		}
	}
	return agreed, nil
}

func (k *Keeper) settleSeat(ctx context.Context, s types.Seat, out types.CommitteeOutcome, overdue bool) error {
	if s.State == types.SEAT_STATE_CLOSED {
		return nil // released when it was closed
	}
	p, err := k.participant(ctx, s.Participant)
	if err != nil {
		return err
	}
	lie, evidence := lieOf(s, out, overdue)
	if s.State != types.SEAT_STATE_REVEALED {
		// Its duty ends here. The state stays what it was, which tells why.
		if err := k.endDuty(ctx, &p, s); err != nil {
			return err
		}
	}
	if lie != "" {
		return k.slash(ctx, &p, types.SlashRequest{
			Participant: s.Participant, Kind: types.LOCK_KIND_SEAT, Task: s.TaskId, Bps: types.BPS, Reason: lie, Lie: true,
			Beneficiaries: out.Beneficiaries, Evidence: evidence,
		})
	}
	if _, err := k.unlock(ctx, &p, types.LOCK_KIND_SEAT, s.TaskId); err != nil {
		return err
	}
	return k.Participants.Set(ctx, p.Address, p)
}

// lieOf tells what a seat lied about when its committee is settled, "" where it did not, and what proves it.
func lieOf(s types.Seat, out types.CommitteeOutcome, overdue bool) (string, types.Evidence) {
	by := out.Reference
	if by == "" {
		by = fmt.Sprintf("committee of task %d, seat %d", s.TaskId, s.Index)
	}
	revealed := s.State == types.SEAT_STATE_REVEALED
	switch {
	case s.State == types.SEAT_STATE_SEALED && overdue:
		return "attestation sealed and not revealed", types.Evidence{Seal: s.Seal, ValidRoot: out.ValidRoot, Reference: by}
	case revealed && out.ValidRoot != nil && !bytes.Equal(s.ResultRoot, out.ValidRoot):
		return "attested a wrong root", types.Evidence{OwnRoot: s.ResultRoot, ValidRoot: out.ValidRoot, Reference: by}
	case revealed && out.FalseRoot != nil && bytes.Equal(s.ResultRoot, out.FalseRoot):
		return "attested a wrong root", types.Evidence{OwnRoot: s.ResultRoot, Reference: by}
	}
	return "", types.Evidence{}
}

// PruneCommittee drops a settled committee and its seats. ErrWrongPhase before.
func (k *Keeper) PruneCommittee(ctx context.Context, task uint64) error {
	c, seats, err := k.GetCommittee(ctx, task)
	if err != nil {
		return err
	}
	if c.Phase != types.COMMITTEE_PHASE_DONE {
		return errorsmod.Wrapf(types.ErrWrongPhase, "task %d: committee is in %s", task, c.Phase)
	}
	for _, s := range seats {
		if err := k.Seats.Remove(ctx, collections.Join(task, s.Index)); err != nil {
			return err
		}
	}
	return k.Committees.Remove(ctx, task)
}
