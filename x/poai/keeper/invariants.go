package keeper

import (
	"context"
	gomath "math"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/x/poai/power"
	"poaid/x/poai/types"
)

// CheckInvariants checks everything that must hold between blocks. It reads the whole state: for tests and audits, not for blocks.
// The module's balance is right only after x/bank's EndBlock has credited virtual sends.
func (k *Keeper) CheckInvariants(ctx context.Context) error {
	for _, check := range []func(context.Context) error{
		k.CheckBalance, k.CheckLocks, k.CheckUnbondings, k.CheckTrees, k.CheckCapacity, k.CheckPlaces, k.CheckScores, k.CheckPower,
		k.CheckFaults,
	} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

func broken(format string, args ...any) error {
	return errorsmod.Wrapf(types.ErrInvariant, format, args...)
}

// CheckBalance checks that the module's account holds exactly all bonds and all that is unbonding.
func (k *Keeper) CheckBalance(ctx context.Context) error {
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	owed := math.ZeroInt()
	err = k.Participants.Walk(ctx, nil, func(_ string, p types.Participant) (bool, error) {
		owed = owed.Add(p.Bond).Add(p.Unbonding)
		if p.DelegatedBond().IsNegative() || p.OwnBond().IsNegative() {
			return true, broken("participant %s: delegated %s of a bond of %s", p.Address, p.Delegated, p.Bond)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	held := k.bank.GetBalance(ctx, k.accounts.GetModuleAddress(types.ModuleName), params.BondDenom).Amount
	if !held.Equal(owed) {
		return broken("module holds %s, bonds and unbondings are %s", held, owed)
	}
	return nil
}

// CheckLocks checks that a participant's locks sum to locked, which is never more than its bond.
func (k *Keeper) CheckLocks(ctx context.Context) error {
	sums := make(map[string]math.Int)
	err := k.Locks.Walk(ctx, nil, func(key LockKey, amount math.Int) (bool, error) {
		addTo(sums, key.K1(), amount)
		return false, nil
	})
	if err != nil {
		return err
	}
	return k.matchSums(ctx, sums, func(p types.Participant, sum math.Int) error {
		if !p.Locked.Equal(sum) || p.Locked.GT(p.Bond) {
			return broken("participant %s: locked %s, locks sum to %s, bond %s", p.Address, p.Locked, sum, p.Bond)
		}
		return nil
	})
}

// CheckUnbondings checks that a participant's unbonding entries sum to unbonding.
func (k *Keeper) CheckUnbondings(ctx context.Context) error {
	sums := make(map[string]math.Int)
	err := k.Unbondings.Walk(ctx, nil, func(key UnbondingKey, amount math.Int) (bool, error) {
		addTo(sums, key.K1(), amount)
		return false, nil
	})
	if err != nil {
		return err
	}
	return k.matchSums(ctx, sums, func(p types.Participant, sum math.Int) error {
		if !p.Unbonding.Equal(sum) {
			return broken("participant %s: unbonding %s, entries sum to %s", p.Address, p.Unbonding, sum)
		}
		return nil
	})
}

func addTo(sums map[string]math.Int, key string, amount math.Int) {
	if old, ok := sums[key]; ok {
		amount = amount.Add(old)
	}
	sums[key] = amount
}

// matchSums checks every participant against its sum, and that no sum is left over.
func (k *Keeper) matchSums(ctx context.Context, sums map[string]math.Int, check func(types.Participant, math.Int) error) error {
	err := k.Participants.Walk(ctx, nil, func(_ string, p types.Participant) (bool, error) {
		sum, ok := sums[p.Address]
		if !ok {
			sum = math.ZeroInt()
		}
		delete(sums, p.Address)
		return false, check(p, sum)
	})
	if err != nil {
		return err
	}
	if len(sums) > 0 {
		return broken("%d sums belong to nobody", len(sums))
	}
	return nil
}

// CheckTrees checks that each tree is consistent in itself, and unless a reweighing is under way or the participant waits to be weighed
// anew after a fault, each leaf is what the participant weighs.
func (k *Keeper) CheckTrees(ctx context.Context) error {
	if err := k.Trees.Check(ctx); err != nil {
		return broken("%s", err)
	}
	params, err := k.Params.Get(ctx)
	if err != nil {
		return err
	}
	reweighing, err := k.ReweighCursor.Has(ctx)
	if err != nil {
		return err
	}
	waits, err := k.waiting(ctx)
	if err != nil {
		return err
	}
	served := make(map[string]uint32)
	err = k.Trees.Slots.Walk(ctx, nil, func(key collections.Pair[string, string], _ uint64) (bool, error) {
		model, address := key.K1(), key.K2()
		served[address]++
		p, err := k.Participants.Get(ctx, address)
		if err != nil {
			return true, err
		}
		leaf, _, err := k.Trees.Leaf(ctx, model, address)
		if err != nil {
			return true, err
		}
		want, err := k.weight(ctx, p, params)
		if err != nil {
			return true, err
		}
		if leaf.Weight != want && !reweighing && !waits[address] {
			return true, broken("participant %s, model %s: weight %d, should be %d", address, model, leaf.Weight, want)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	return k.Participants.Walk(ctx, nil, func(address string, p types.Participant) (bool, error) {
		if p.Models != served[address] {
			return true, broken("participant %s: models %d, serves %d", address, p.Models, served[address])
		}
		if p.Models > 0 && p.WeighedReliabilityPpm > p.ReliabilityPpm && !waits[address] {
			return true, broken("participant %s: reliability fell to %d, weighed by %d", address, p.ReliabilityPpm, p.WeighedReliabilityPpm)
		}
		return false, nil
	})
}

// waiting are those who are to be weighed anew because of a fault.
func (k *Keeper) waiting(ctx context.Context) (map[string]bool, error) {
	waits := make(map[string]bool)
	err := k.Stale.Walk(ctx, nil, func(key StaleKey) (bool, error) {
		waits[key.K2()] = true
		return false, nil
	})
	return waits, err
}

// CheckCapacity checks that exactly those with capacity wait for it to halve, each at the epoch its capacity is of.
func (k *Keeper) CheckCapacity(ctx context.Context) error {
	running, err := k.RunningEpoch.Get(ctx)
	if err != nil {
		return err
	}
	queued := 0
	err = k.Decays.Walk(ctx, nil, func(DecayKey) (bool, error) {
		queued++
		return false, nil
	})
	if err != nil {
		return err
	}
	err = k.Participants.Walk(ctx, nil, func(address string, p types.Participant) (bool, error) {
		if p.CapacityEpoch > running {
			return true, broken("participant %s: capacity of epoch %d, running epoch %d", address, p.CapacityEpoch, running)
		}
		if p.Capacity == 0 {
			return false, nil
		}
		queued--
		has, err := k.Decays.Has(ctx, collections.Join(p.CapacityEpoch, address))
		if err == nil && !has {
			err = broken("participant %s: capacity of epoch %d never halves", address, p.CapacityEpoch)
		}
		return err != nil, err
	})
	if err == nil && queued != 0 {
		err = broken("%d more capacities to halve than there are", queued)
	}
	return err
}

// CheckPlaces checks that committees count their seats, live seats have a duty and a place. The places of workers are x/tasks' to count; here
// each must at least have a task lock.
func (k *Keeper) CheckPlaces(ctx context.Context) error {
	live, tasks := make(map[string]uint64), make(map[string]uint64)
	duties := 0
	err := k.Committees.Walk(ctx, nil, func(task uint64, c types.Committee) (bool, error) {
		seats, err := k.seats(ctx, task)
		if err != nil {
			return true, err
		}
		n, err := k.checkSeats(ctx, c, seats, live)
		duties += n
		return false, err
	})
	if err != nil {
		return err
	}
	err = k.Duties.Walk(ctx, nil, func(DutyKey, uint32) (bool, error) {
		duties--
		return false, nil
	})
	if err != nil {
		return err
	}
	if duties != 0 {
		return broken("%d more live seats than duties", duties)
	}
	err = k.Locks.Walk(ctx, nil, func(key LockKey, _ math.Int) (bool, error) {
		if types.LockKind(key.K2()) == types.LOCK_KIND_TASK {
			tasks[key.K1()]++
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	return k.Participants.Walk(ctx, nil, func(address string, p types.Participant) (bool, error) {
		if active := uint64(p.Active); active < live[address] || active > live[address]+tasks[address] {
			return true, broken("participant %s: active %d, live seats %d, task locks %d", address, active, live[address], tasks[address])
		}
		return false, nil
	})
}

// checkSeats checks one committee, counts its live seats into live and returns how many there are.
func (k *Keeper) checkSeats(ctx context.Context, c types.Committee, seats []types.Seat, live map[string]uint64) (n int, err error) {
	var sealed, closed, revealed uint32
	for _, s := range seats {
		switch s.State {
		case types.SEAT_STATE_SEALED:
			sealed++
		case types.SEAT_STATE_CLOSED:
			closed++
		case types.SEAT_STATE_REVEALED:
			sealed++
			revealed++
		}
		if c.Phase == types.COMMITTEE_PHASE_DONE || s.State != types.SEAT_STATE_OPEN && s.State != types.SEAT_STATE_SEALED {
			continue
		}
		n++
		live[s.Participant]++
		index, err := k.Duties.Get(ctx, collections.Join(s.Participant, s.TaskId))
		if err != nil || index != s.Index {
			return n, broken("task %d: seat %d has no duty: %v", s.TaskId, s.Index, err)
		}
	}
	if int(c.Seats) != len(seats) || sealed != c.Sealed || closed != c.Closed || revealed != c.Revealed {
		return n, broken("task %d: committee counts seats %d sealed %d closed %d revealed %d, has %d %d %d %d",
			c.TaskId, c.Seats, c.Sealed, c.Closed, c.Revealed, len(seats), sealed, closed, revealed)
	}
	return n, nil
}

// CheckScores checks that an epoch's totals are the sums of its scores and of the whole units behind them, and that no score is above its units.
func (k *Keeper) CheckScores(ctx context.Context) error {
	scores, units := make(map[uint64]math.Int), make(map[uint64]math.Int)
	err := k.Scores.Walk(ctx, nil, func(key ScoreKey, s types.Score) (bool, error) {
		sum, whole := s.Score, s.Units.QuoRaw(types.PPM)
		if old, ok := scores[key.K1()]; ok {
			sum, whole = sum.Add(old), whole.Add(units[key.K1()])
		}
		scores[key.K1()], units[key.K1()] = sum, whole
		if s.Delegated.IsNegative() || s.Delegated.GT(s.Score) {
			return true, broken("epoch %d, participant %s: %s of a score of %s backed by delegated bond", key.K1(), key.K2(), s.Delegated, s.Score)
		}
		if s.Score.GT(s.Units) {
			return true, broken("epoch %d, participant %s: score %s, units %s", key.K1(), key.K2(), s.Score, s.Units)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	return k.Epochs.Walk(ctx, nil, func(number uint64, e types.Epoch) (bool, error) {
		sum, ok := scores[number]
		whole := units[number]
		if !ok {
			sum, whole = math.ZeroInt(), math.ZeroInt()
		}
		if !sum.Equal(e.TotalScore) || !whole.Equal(e.TotalUnits) {
			return true, broken("epoch %d: totals %s and %s units, scores sum to %s and %s units", number, e.TotalScore, e.TotalUnits, sum, whole)
		}
		return false, nil
	})
}

// CheckPower checks that the powers told to CometBFT are positive, have a key and add up to what it takes, and that the last bond noted of
// every validator is the one it has.
func (k *Keeper) CheckPower(ctx context.Context) error {
	told, err := k.powers(ctx)
	if err != nil {
		return err
	}
	var total int64
	for _, v := range told {
		if v.Power < 0 || (v.Power > 0) != (len(v.ConsensusKey) > 0) || v.Power > 0 && v.LeftShare > 0 {
			return broken("validator %s: power %d, key of %d bytes, left with %d", v.Operator, v.Power, len(v.ConsensusKey), v.LeftShare)
		}
		total += v.Power
		bond, _, err := k.BondAt(ctx, v.Operator, gomath.MaxInt64)
		if err != nil {
			return err
		}
		if bond != v.Bond {
			return broken("validator %s: bond %d, last noted %d", v.Operator, v.Bond, bond)
		}
	}
	if total > power.MaxTotal {
		return broken("power adds up to %d, limit %d", total, power.MaxTotal)
	}
	return nil
}

// CheckFaults checks that every participant has the records of faults that it counts, but for the oldest, and no more lies among them than it counts;
// that nobody in jail weighs anything (CheckTrees compares the rest); and that all bonds add up to the total and what it does not know yet.
func (k *Keeper) CheckFaults(ctx context.Context) error {
	records, lies, dropped := make(map[string]uint64), make(map[string]uint64), make(map[string]bool)
	err := k.Faults.Walk(ctx, nil, func(key FaultKey, f types.Fault) (bool, error) {
		last := records[key.K1()]
		if last > 0 && f.Number != last+1 || key.K2() != f.Number || f.Participant != key.K1() {
			return true, broken("fault %d of %s is stored as %d of %s, after %d", f.Number, f.Participant, key.K2(), key.K1(), last)
		}
		if last == 0 && f.Number > 1 {
			dropped[key.K1()] = true
		}
		records[key.K1()] = f.Number
		if f.Lie && !f.Acquitted {
			lies[key.K1()]++
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	total, err := k.TotalBonded(ctx)
	if err != nil {
		return err
	}
	err = k.BondMoves.Walk(ctx, nil, func(_ string, by math.Int) (bool, error) {
		total = total.Add(by)
		return false, nil
	})
	if err != nil {
		return err
	}
	err = k.Participants.Walk(ctx, nil, func(address string, p types.Participant) (bool, error) {
		total = total.Sub(p.Bond)
		if c := p.Conduct; c.Records != records[address] || p.Faults < lies[address] || p.Faults > lies[address] && !dropped[address] {
			return true, broken("participant %s: %d faults and %d lies, stored %d and %d", address, c.Records, p.Faults, records[address], lies[address])
		}
		delete(records, address)
		return false, nil
	})
	if err != nil {
		return err
	}
	if len(records) > 0 {
		return broken("faults of %d strangers", len(records))
	}
	if !total.IsZero() {
		return broken("total of bonds is wrong by %s", total)
	}
	return nil
}
