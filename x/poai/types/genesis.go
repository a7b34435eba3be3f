package types

import (
	errorsmod "cosmossdk.io/errors"
	"cosmossdk.io/math"

	"poaid/x/poai/sortition"
)

// DefaultGenesisState has nobody in it.
func DefaultGenesisState() *GenesisState {
	return &GenesisState{
		Params: DefaultParams(), Power: PowerState{Set: PowerSet{TotalScore: math.ZeroInt()}}, Losses: EpochLosses{Lost: math.ZeroInt()},
	}
}

// Validate checks each entry and that the sums agree: locks with locked, unbondings with unbonding, servings with models, seats with
// their committees, scores with the totals.
func (gs GenesisState) Validate() error {
	if err := gs.Params.Validate(); err != nil {
		return err
	}
	byAddress, err := gs.validateParticipants()
	if err != nil {
		return err
	}
	if err := gs.validateLedger(byAddress); err != nil {
		return err
	}
	if err := gs.validateServings(byAddress); err != nil {
		return err
	}
	if err := gs.validateCommittees(byAddress); err != nil {
		return err
	}
	if err := gs.validateFaults(byAddress); err != nil {
		return err
	}
	if err := gs.validatePower(); err != nil {
		return err
	}
	return gs.validateEpochs(byAddress)
}

func invalid(format string, args ...any) error {
	return errorsmod.Wrapf(ErrInvalidGenesis, format, args...)
}

func negative(amounts ...math.Int) bool {
	for _, a := range amounts {
		if a.IsNil() || a.IsNegative() {
			return true
		}
	}
	return false
}

func (gs GenesisState) validateParticipants() (map[string]Participant, error) {
	byAddress := make(map[string]Participant, len(gs.Participants))
	for i, p := range gs.Participants {
		if p.Address == "" {
			return nil, invalid("participants[%d]: no address", i)
		}
		if _, twice := byAddress[p.Address]; twice {
			return nil, invalid("participants[%d]: %s appears twice", i, p.Address)
		}
		if negative(p.Bond, p.Locked, p.Unbonding) || p.Locked.GT(p.Bond) {
			return nil, invalid("participants[%d]: bond %s, locked %s, unbonding %s", i, p.Bond, p.Locked, p.Unbonding)
		}
		if p.OwnBond().IsNegative() || p.DelegatedBond().IsNegative() {
			return nil, invalid("participants[%d]: delegated %s of a bond of %s", i, p.Delegated, p.Bond)
		}
		if p.ReliabilityPpm > PPM {
			return nil, invalid("participants[%d]: reliability_ppm %d, limit %d", i, p.ReliabilityPpm, PPM)
		}
		if p.WeighedReliabilityPpm > PPM {
			return nil, invalid("participants[%d]: weighed_reliability_ppm %d, limit %d", i, p.WeighedReliabilityPpm, PPM)
		}
		if running := gs.runningEpoch(); p.CapacityEpoch > running || p.Capacity > 0 && p.CapacityEpoch == 0 {
			return nil, invalid("participants[%d]: capacity %d of epoch %d, running epoch %d", i, p.Capacity, p.CapacityEpoch, running)
		}
		if err := CheckDeclaration(p.MemoryMib, p.Tags); err != nil {
			return nil, invalid("participants[%d]: %s", i, err)
		}
		if err := p.checkVRFKeys(); err != nil {
			return nil, err
		}
		if err := p.validateConduct(); err != nil {
			return nil, err
		}
		byAddress[p.Address] = p
	}
	return byAddress, nil
}

// runningEpoch is the last epoch; without any the chain begins with epoch 1.
func (gs GenesisState) runningEpoch() uint64 {
	if len(gs.Epochs) == 0 {
		return 1
	}
	return gs.Epochs[len(gs.Epochs)-1].Number
}

func (gs GenesisState) validateLedger(byAddress map[string]Participant) error {
	locked, unbonding := make(map[string]math.Int), make(map[string]math.Int)
	type lockID struct {
		participant string
		kind        LockKind
		item        uint64
	}
	type unbondingID struct {
		participant string
		height      int64
	}
	locks, unbondings := make(map[lockID]bool), make(map[unbondingID]bool)
	for i, l := range gs.Locks {
		id := lockID{l.Participant, l.Kind, l.Item}
		if locks[id] || negative(l.Amount) || l.Kind == LOCK_KIND_UNSPECIFIED {
			return invalid("locks[%d]: twice, without kind or negative", i)
		}
		locks[id] = true
		add(locked, l.Participant, l.Amount)
	}
	for i, u := range gs.Unbondings {
		id := unbondingID{u.Participant, u.MatureHeight}
		if unbondings[id] || negative(u.Amount) {
			return invalid("unbondings[%d]: twice or negative", i)
		}
		unbondings[id] = true
		add(unbonding, u.Participant, u.Amount)
	}
	for i, p := range gs.Participants {
		if !sum(locked, p.Address).Equal(p.Locked) {
			return invalid("participants[%d]: locked %s, locks sum to %s", i, p.Locked, sum(locked, p.Address))
		}
		if !sum(unbonding, p.Address).Equal(p.Unbonding) {
			return invalid("participants[%d]: unbonding %s, entries sum to %s", i, p.Unbonding, sum(unbonding, p.Address))
		}
	}
	for i, l := range gs.Locks {
		if _, ok := byAddress[l.Participant]; !ok {
			return invalid("locks[%d]: unknown participant %s", i, l.Participant)
		}
	}
	for i, u := range gs.Unbondings {
		if _, ok := byAddress[u.Participant]; !ok {
			return invalid("unbondings[%d]: unknown participant %s", i, u.Participant)
		}
	}
	return nil
}

func add(sums map[string]math.Int, key string, amount math.Int) {
	sums[key] = sum(sums, key).Add(amount)
}

func sum(sums map[string]math.Int, key string) math.Int {
	if s, ok := sums[key]; ok {
		return s
	}
	return math.ZeroInt()
}

func (gs GenesisState) validateServings(byAddress map[string]Participant) error {
	type slotID struct {
		model string
		slot  uint64
	}
	type servingID struct{ model, participant string }
	slots, servings, models := make(map[slotID]bool), make(map[servingID]bool), make(map[string]uint32)
	for i, s := range gs.Servings {
		if _, ok := byAddress[s.Participant]; !ok {
			return invalid("servings[%d]: unknown participant %s", i, s.Participant)
		}
		if s.Model == "" || s.Slot >= sortition.MaxSlots {
			return invalid("servings[%d]: model %q, slot %d, limit %d", i, s.Model, s.Slot, sortition.MaxSlots)
		}
		if slots[slotID{s.Model, s.Slot}] || servings[servingID{s.Model, s.Participant}] {
			return invalid("servings[%d]: slot or participant appears twice for model %s", i, s.Model)
		}
		slots[slotID{s.Model, s.Slot}], servings[servingID{s.Model, s.Participant}] = true, true
		models[s.Participant]++
	}
	for i, p := range gs.Participants {
		if models[p.Address] != p.Models {
			return invalid("participants[%d]: models %d, servings %d", i, p.Models, models[p.Address])
		}
	}
	return nil
}

func (gs GenesisState) validateCommittees(byAddress map[string]Participant) error {
	committees := make(map[uint64]Committee, len(gs.Committees))
	for i, c := range gs.Committees {
		if _, twice := committees[c.TaskId]; twice || c.Phase == COMMITTEE_PHASE_UNSPECIFIED || negative(c.LockPerSeat) {
			return invalid("committees[%d]: twice, without phase or with a negative lock", i)
		}
		committees[c.TaskId] = c
	}
	next := make(map[uint64]uint32, len(committees))
	for i, s := range gs.Seats {
		if _, ok := committees[s.TaskId]; !ok {
			return invalid("seats[%d]: task %d has no committee", i, s.TaskId)
		}
		if _, ok := byAddress[s.Participant]; !ok || s.State == SEAT_STATE_UNSPECIFIED {
			return invalid("seats[%d]: unknown participant %s or no state", i, s.Participant)
		}
		if s.Index != next[s.TaskId] {
			return invalid("seats[%d]: index %d, expected %d", i, s.Index, next[s.TaskId])
		}
		next[s.TaskId]++
	}
	for i, c := range gs.Committees {
		if next[c.TaskId] != c.Seats {
			return invalid("committees[%d]: seats %d, listed %d", i, c.Seats, next[c.TaskId])
		}
	}
	return nil
}

func (gs GenesisState) validateEpochs(byAddress map[string]Participant) error {
	for i, e := range gs.Epochs {
		if e.Number == 0 || i > 0 && e.Number != gs.Epochs[i-1].Number+1 || negative(e.TotalScore, e.TotalUnits) {
			return invalid("epochs[%d]: number %d does not follow, or negative totals", i, e.Number)
		}
		if running := i == len(gs.Epochs)-1; running != (e.EndHeight == 0) || e.Closed && (running || i > 0 && !gs.Epochs[i-1].Closed) {
			return invalid("epochs[%d]: only the last one runs, and epochs close in order", i)
		}
	}
	if running := gs.runningEpoch(); gs.CapacityFrom > running+1 {
		return invalid("capacity_from: epoch %d, running epoch %d", gs.CapacityFrom, running)
	}
	return gs.validateScores(byAddress)
}

func (gs GenesisState) validateScores(byAddress map[string]Participant) error {
	totals, units := make(map[uint64]math.Int, len(gs.Epochs)), make(map[uint64]math.Int, len(gs.Epochs))
	type scoreID struct {
		epoch       uint64
		participant string
	}
	scores := make(map[scoreID]bool, len(gs.Scores))
	for i, s := range gs.Scores {
		if _, ok := byAddress[s.Participant]; !ok || scores[scoreID{s.Epoch, s.Participant}] || negative(s.Score, s.Units) {
			return invalid("scores[%d]: unknown participant, twice or negative", i)
		}
		if !s.Delegated.IsNil() && (s.Delegated.IsNegative() || s.Delegated.GT(s.Score)) {
			return invalid("scores[%d]: %s of a score of %s backed by delegated bond", i, s.Delegated, s.Score)
		}
		if s.Score.GT(s.Units) {
			return invalid("scores[%d]: score %s, units %s", i, s.Score, s.Units)
		}
		scores[scoreID{s.Epoch, s.Participant}] = true
		if _, ok := totals[s.Epoch]; !ok {
			totals[s.Epoch], units[s.Epoch] = math.ZeroInt(), math.ZeroInt()
		}
		totals[s.Epoch] = totals[s.Epoch].Add(s.Score)
		units[s.Epoch] = units[s.Epoch].Add(s.Units.QuoRaw(PPM))
	}
	for i, e := range gs.Epochs {
		total, ok := totals[e.Number]
		sum := units[e.Number]
		if !ok {
			total, sum = math.ZeroInt(), math.ZeroInt()
		}
		if !total.Equal(e.TotalScore) {
			return invalid("epochs[%d]: total_score %s, scores sum to %s", i, e.TotalScore, total)
		}
		if !sum.Equal(e.TotalUnits) {
			return invalid("epochs[%d]: total_units %s, units sum to %s", i, e.TotalUnits, sum)
		}
		delete(totals, e.Number)
	}
	if len(totals) > 0 {
		return invalid("scores: %d epochs are not listed", len(totals))
	}
	return nil
}
