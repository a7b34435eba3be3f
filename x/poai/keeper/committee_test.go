package keeper_test

import (
	"errors"
	"fmt"
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/x/poai/types"
)

const task = uint64(1 << 24)

var errHook = errors.New("hook refuses")

// open opens a committee of size seats over n participants, sealing until height 10. The worker is addr(0), who serves too.
func (f *fixture) open(n, size int) types.Committee {
	f.t.Helper()
	for i := range n + 1 {
		f.join(i, 5_000, digits)
	}
	return f.openFor(task, size)
}

func (f *fixture) openFor(task uint64, size int) types.Committee {
	f.t.Helper()
	c, err := f.OpenCommittee(f.ctx, types.CommitteeRequest{
		Task: task, Model: digits, Worker: addr(0), Seed: []byte("s"), Size: uint32(size), LockPerSeat: math.NewInt(300), Deadline: 10,
	})
	require.NoError(f.t, err)
	return c
}

func (f *fixture) seatsOf(task uint64) []types.Seat {
	f.t.Helper()
	_, seats, err := f.GetCommittee(f.ctx, task)
	require.NoError(f.t, err)
	return seats
}

func (f *fixture) committee(task uint64) types.Committee {
	f.t.Helper()
	c, _, err := f.GetCommittee(f.ctx, task)
	require.NoError(f.t, err)
	return c
}

// sealAll seals every open seat with the root that rootFor gives by seat index.
func (f *fixture) sealAll(rootFor func(i int) byte) {
	f.t.Helper()
	for i, s := range f.seatsOf(task) {
		if s.State == types.SEAT_STATE_OPEN {
			require.Empty(f.t, f.seal(s.Participant, sealItem(s.Participant, task, rootOf(rootFor(i)))))
		}
	}
}

func same(int) byte { return 1 }

func TestOpenCommittee(t *testing.T) {
	f := newFixture(t)
	c := f.open(8, 5)
	require.EqualValues(t, 5, c.Seats)
	require.Equal(t, types.COMMITTEE_PHASE_SEALING, c.Phase)
	seen := map[string]bool{addr(0): true}
	for i, s := range f.seatsOf(task) {
		require.False(t, seen[s.Participant], "neither the worker nor anybody twice")
		seen[s.Participant] = true
		require.EqualValues(t, i, s.Index)
		require.Equal(t, types.SEAT_STATE_OPEN, s.State)
		p := f.get(s.Participant)
		require.EqualValues(t, 300, p.Locked.Int64())
		require.EqualValues(t, 1, p.Active)
	}
	f.ok()
}

func TestWorkerIsNeverDrawn(t *testing.T) {
	f := newFixture(t)
	c := f.open(1, 3)
	require.EqualValues(t, 1, c.Seats, "the worker serves the model and stays out")
	require.Equal(t, addr(1), f.seatsOf(task)[0].Participant)
}

func TestOpenCommitteeWithoutCandidates(t *testing.T) {
	f := newFixture(t)
	c := f.open(0, 3)
	require.Zero(t, c.Seats)
	_, _, err := f.GetCommittee(f.ctx, task)
	require.ErrorIs(t, err, collections.ErrNotFound)
	f.ok()
}

func TestOpenCommitteeRefuses(t *testing.T) {
	f := newFixture(t)
	f.open(8, 2)
	req := types.CommitteeRequest{Task: task, Model: digits, Size: 2, LockPerSeat: math.OneInt(), Deadline: 10}
	_, err := f.OpenCommittee(f.ctx, req)
	require.ErrorIs(t, err, types.ErrCommitteeExists)
	req.Task++
	for _, change := range []func(*types.CommitteeRequest){
		func(r *types.CommitteeRequest) { r.Size = 0 },
		func(r *types.CommitteeRequest) { r.LockPerSeat = math.NewInt(-1) },
		func(r *types.CommitteeRequest) { r.LockPerSeat = math.Int{} },
	} {
		bad := req
		change(&bad)
		_, err := f.OpenCommittee(f.ctx, bad)
		require.ErrorIs(t, err, types.ErrInvalidCommittee)
	}
}

func TestCommitteeIsBoundedByMaxSeats(t *testing.T) {
	f := newFixture(t)
	c := f.open(9, 8)
	require.EqualValues(t, 6, c.Seats)
	require.EqualValues(t, 6, c.Size_)
	f.ok()
}

func TestAttestToTheEnd(t *testing.T) {
	f := newFixture(t)
	f.open(8, 3)
	f.hooks.revealDeadline = 30
	f.sealAll(same)
	require.Equal(t, []uint64{task}, f.hooks.sealed, "once, with the last seal")
	c := f.committee(task)
	require.Equal(t, types.COMMITTEE_PHASE_REVEALING, c.Phase)
	require.EqualValues(t, 30, c.Deadline)
	f.ok()

	f.at(30)
	seats := f.seatsOf(task)
	for i, s := range seats {
		require.Empty(t, f.hooks.revealed, "not before the last")
		require.Empty(t, f.reveal(s.Participant, revealItem(s.Participant, task, rootOf(1))))
		require.Zero(t, f.get(s.Participant).Active, "the place is free")
		require.EqualValues(t, 300, f.get(s.Participant).Locked.Int64(), "the lock lasts")
		require.EqualValues(t, i+1, f.committee(task).Revealed)
		f.ok()
	}
	require.Equal(t, []uint64{task}, f.hooks.revealed)

	root := rootOf(1)
	agreed, err := f.SettleCommittee(f.ctx, task, types.CommitteeOutcome{ValidRoot: root[:]})
	require.NoError(t, err)
	require.Equal(t, []string{seats[0].Participant, seats[1].Participant, seats[2].Participant}, agreed)
	for _, s := range seats {
		require.True(t, f.get(s.Participant).Locked.IsZero())
		require.EqualValues(t, 5_000, f.get(s.Participant).Bond.Int64())
	}
	f.ok()
	_, err = f.SettleCommittee(f.ctx, task, types.CommitteeOutcome{ValidRoot: root[:]})
	require.ErrorIs(t, err, types.ErrWrongPhase, "once")
	require.NoError(t, f.PruneCommittee(f.ctx, task))
	_, _, err = f.GetCommittee(f.ctx, task)
	require.ErrorIs(t, err, collections.ErrNotFound)
	_, err = f.SettleCommittee(f.ctx, task, types.CommitteeOutcome{})
	require.ErrorIs(t, err, collections.ErrNotFound)
	f.ok()
}

func TestSealRefuses(t *testing.T) {
	f := newFixture(t)
	f.open(8, 3)
	seats := f.seatsOf(task)
	member, second := seats[0].Participant, seats[1].Participant
	stranger := addr(99)
	short := sealItem(member, task, rootOf(1))
	short.Seal = short.Seal[:31]

	require.Contains(t, f.seal(member, short), types.ErrInvalidSeal.Error())
	require.Contains(t, f.seal(stranger, sealItem(stranger, task, rootOf(1))), types.ErrNotDrawn.Error(), "never joined")
	require.Contains(t, f.seal(addr(0), sealItem(addr(0), task, rootOf(1))), types.ErrNotDrawn.Error(), "the worker")
	require.Contains(t, f.seal(member, sealItem(member, task+1, rootOf(1))), types.ErrNotDrawn.Error(), "another task")
	require.Contains(t, f.reveal(member, revealItem(member, task, rootOf(1))), types.ErrWrongPhase.Error(), "reveals are not open")

	require.Empty(t, f.seal(member, sealItem(member, task, rootOf(1))))
	for range 10 { // the same member votes ten times: once counts
		require.Contains(t, f.seal(member, sealItem(member, task, rootOf(2))), types.ErrAlreadyAttested.Error())
	}
	require.EqualValues(t, 1, f.committee(task).Sealed)

	f.at(11)
	require.Contains(t, f.seal(second, sealItem(second, task, rootOf(1))), types.ErrPastDeadline.Error(),
		"late by height, though nobody closed the seat yet")
	f.at(10)
	require.Empty(t, f.seal(second, sealItem(second, task, rootOf(1))), "the deadline is the last height")
	f.ok()
}

func TestRevealRefuses(t *testing.T) {
	f := newFixture(t)
	f.open(8, 2)
	f.hooks.revealDeadline = 20
	f.sealAll(same)
	seats := f.seatsOf(task)
	member, second := seats[0].Participant, seats[1].Participant
	good := revealItem(member, task, rootOf(1))

	otherRoot, otherSalt, short, shortSalt := good, good, good, good
	otherRoot.ResultRoot = revealItem(member, task, rootOf(2)).ResultRoot
	otherSalt.Salt = revealItem(second, task, rootOf(1)).Salt
	short.ResultRoot, shortSalt.Salt = short.ResultRoot[:5], nil
	require.Contains(t, f.reveal(member, otherRoot), types.ErrSealMismatch.Error())
	require.Contains(t, f.reveal(member, otherSalt), types.ErrSealMismatch.Error())
	require.Contains(t, f.reveal(member, short), types.ErrInvalidReveal.Error())
	require.Contains(t, f.reveal(member, shortSalt), types.ErrInvalidReveal.Error())
	require.Contains(t, f.reveal(addr(99), good), types.ErrNotDrawn.Error())
	require.Contains(t, f.seal(member, sealItem(member, task, rootOf(1))), types.ErrAlreadyAttested.Error())

	require.Empty(t, f.reveal(member, good))
	require.Contains(t, f.reveal(member, good), types.ErrAlreadyAttested.Error())
	require.EqualValues(t, 1, f.committee(task).Revealed)
	f.at(21)
	require.Contains(t, f.reveal(second, revealItem(second, task, rootOf(1))), types.ErrPastDeadline.Error())
	f.ok()
}

// A copied seal does not open: it is bound to its author, its task and the chain.
func TestCopiedSealDoesNotOpen(t *testing.T) {
	f := newFixture(t)
	f.open(8, 2)
	seats := f.seatsOf(task)
	honest, thief := seats[0].Participant, seats[1].Participant
	item := sealItem(honest, task, rootOf(1))
	require.Empty(t, f.seal(honest, item))
	require.Empty(t, f.seal(thief, item))
	require.Empty(t, f.reveal(honest, revealItem(honest, task, rootOf(1))))
	require.Contains(t, f.reveal(thief, revealItem(honest, task, rootOf(1))), types.ErrSealMismatch.Error())

	f.ctx = f.ctx.WithChainID("other-chain")
	require.Contains(t, f.reveal(thief, revealItem(thief, task, rootOf(1))), types.ErrSealMismatch.Error())
}

func TestBatchItemsStandAlone(t *testing.T) {
	f := newFixture(t)
	f.open(1, 1)
	for i := uint64(1); i <= 4; i++ {
		f.openFor(task+i, 1)
	}
	m := addr(1)
	short := sealItem(m, task+1, rootOf(1))
	short.Seal = nil
	res, err := f.msgs.SealAttestations(f.ctx, &types.MsgSealAttestations{Participant: m, Items: []types.AttestationSeal{
		sealItem(m, task, rootOf(1)), short, sealItem(m, task+9, rootOf(1)), sealItem(m, task, rootOf(2)), sealItem(m, task+2, rootOf(1)),
	}})
	require.NoError(t, err)
	for i, want := range []error{nil, types.ErrInvalidSeal, types.ErrNotDrawn, types.ErrDuplicateItem, nil} {
		require.Equal(t, want == nil, res.Results[i].Accepted, i)
		if want != nil {
			require.Contains(t, res.Results[i].Error, want.Error())
		}
	}
	require.Equal(t, []uint64{task, task + 2}, f.hooks.sealed)
	res2, err := f.msgs.RevealAttestations(f.ctx, &types.MsgRevealAttestations{Participant: m, Items: []types.AttestationReveal{
		revealItem(m, task+1, rootOf(1)), revealItem(m, task, rootOf(1)), revealItem(m, task, rootOf(1)), revealItem(m, task+2, rootOf(1)),
	}})
	require.NoError(t, err)
	for i, want := range []error{types.ErrWrongPhase, nil, types.ErrDuplicateItem, nil} {
		require.Equal(t, want == nil, res2.Results[i].Accepted, i)
		if want != nil {
			require.Contains(t, res2.Results[i].Error, want.Error())
		}
	}
	f.ok()
}

func TestBatchSizes(t *testing.T) {
	f := newFixture(t)
	_, err := f.msgs.SealAttestations(f.ctx, &types.MsgSealAttestations{Participant: addr(1)})
	require.ErrorIs(t, err, types.ErrEmptyBatch)
	_, err = f.msgs.RevealAttestations(f.ctx, &types.MsgRevealAttestations{Participant: addr(1)})
	require.ErrorIs(t, err, types.ErrEmptyBatch)
	_, err = f.msgs.SealAttestations(f.ctx, &types.MsgSealAttestations{Participant: addr(1), Items: make([]types.AttestationSeal, 11)})
	require.ErrorIs(t, err, types.ErrBatchTooLarge)
	_, err = f.msgs.RevealAttestations(f.ctx, &types.MsgRevealAttestations{Participant: addr(1), Items: make([]types.AttestationReveal, 11)})
	require.ErrorIs(t, err, types.ErrBatchTooLarge)
	_, err = f.msgs.SealAttestations(f.ctx, &types.MsgSealAttestations{Participant: "x", Items: make([]types.AttestationSeal, 1)})
	require.ErrorIs(t, err, types.ErrInvalidAddress)
}

// An item that its hook refuses leaves no trace, neither state nor events, and does not take the batch with it.
func TestRefusedItemLeavesNoTrace(t *testing.T) {
	f := newFixture(t)
	f.open(1, 1)
	m := addr(1)
	before, err := f.ExportGenesis(f.ctx)
	require.NoError(t, err)
	events := len(f.ctx.EventManager().Events())
	f.hooks.fail = errHook
	require.Contains(t, f.seal(m, sealItem(m, task, rootOf(1))), errHook.Error())
	after, err := f.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Len(t, f.ctx.EventManager().Events(), events)

	f.hooks.fail = nil
	require.Empty(t, f.seal(m, sealItem(m, task, rootOf(1))))
	f.hooks.fail = errHook
	require.Contains(t, f.reveal(m, revealItem(m, task, rootOf(1))), errHook.Error())
	require.Zero(t, f.committee(task).Revealed)
	f.hooks.fail = nil
	require.Empty(t, f.reveal(m, revealItem(m, task, rootOf(1))))
	f.ok()
}

func TestCloseOverdueSeatsDrawsReplacements(t *testing.T) {
	f := newFixture(t)
	f.open(8, 3)
	seats := f.seatsOf(task)
	require.Empty(t, f.seal(seats[0].Participant, sealItem(seats[0].Participant, task, rootOf(1))))
	_, err := f.CloseOverdueSeats(f.ctx, task, []byte("t"), 20)
	require.ErrorIs(t, err, types.ErrBeforeDeadline)
	f.at(10)
	c, err := f.CloseOverdueSeats(f.ctx, task, []byte("t"), 20)
	require.NoError(t, err)
	require.Equal(t, types.COMMITTEE_PHASE_SEALING, c.Phase)
	require.EqualValues(t, 5, c.Seats)
	require.EqualValues(t, 2, c.Closed)
	require.EqualValues(t, 20, c.Deadline)
	require.Equal(t, c, f.committee(task))
	f.ok()
	seen := map[string]bool{addr(0): true}
	for _, s := range f.seatsOf(task) {
		require.False(t, seen[s.Participant], "one seat a participant and task, closed ones included")
		seen[s.Participant] = true
	}
	for _, s := range seats[1:] {
		p := f.get(s.Participant)
		require.True(t, p.Locked.IsZero(), "abstaining costs no bond")
		require.EqualValues(t, 5_000, p.Bond.Int64())
		require.Zero(t, p.Active)
		require.EqualValues(t, 490_000, p.ReliabilityPpm)
		require.Zero(t, p.Faults)
		require.Contains(t, f.seal(s.Participant, sealItem(s.Participant, task, rootOf(1))), types.ErrPastDeadline.Error())
	}
	f.sealAll(same)
	require.Equal(t, []uint64{task}, f.hooks.sealed)
	_, err = f.CloseOverdueSeats(f.ctx, task, []byte("t"), 20)
	require.ErrorIs(t, err, types.ErrWrongPhase)
	f.ok()
}

// TestExcusedAbstention: where inputs may not be available to everybody, not sealing costs no reliability.
func TestExcusedAbstention(t *testing.T) {
	f := newFixture(t)
	for i := range 4 {
		f.join(i, 5_000, digits)
	}
	_, err := f.OpenCommittee(f.ctx, types.CommitteeRequest{
		Task: task, Model: digits, Worker: addr(0), Seed: []byte("s"), Size: 2, LockPerSeat: math.NewInt(300), Deadline: 10, Excused: true,
	})
	require.NoError(t, err)
	f.at(10)
	_, err = f.CloseOverdueSeats(f.ctx, task, []byte("t"), 20)
	require.NoError(t, err)
	for _, s := range f.seatsOf(task) {
		require.EqualValues(t, 500_000, f.get(s.Participant).ReliabilityPpm)
	}
	f.ok()
}

func TestCloseOverdueSeatsWithoutReplacements(t *testing.T) {
	f := newFixture(t)
	f.open(3, 3)
	seats := f.seatsOf(task)
	f.at(10)
	require.Empty(t, f.seal(seats[0].Participant, sealItem(seats[0].Participant, task, rootOf(1))))
	f.hooks.revealDeadline = 44
	c, err := f.CloseOverdueSeats(f.ctx, task, []byte("t"), 20)
	require.NoError(t, err)
	require.Equal(t, types.COMMITTEE_PHASE_REVEALING, c.Phase, "everybody had a seat")
	require.EqualValues(t, 44, c.Deadline)
	require.Equal(t, []uint64{task}, f.hooks.sealed)
	require.Empty(t, f.reveal(seats[0].Participant, revealItem(seats[0].Participant, task, rootOf(1))))
	require.Equal(t, []uint64{task}, f.hooks.revealed)
	f.ok()
}

func TestReplacementsEndAtMaxSeats(t *testing.T) {
	f := newFixture(t)
	f.open(12, 4)
	f.at(10)
	c, err := f.CloseOverdueSeats(f.ctx, task, []byte("t"), 20)
	require.NoError(t, err)
	require.EqualValues(t, 6, c.Seats, "max_seats")
	f.at(20)
	c, err = f.CloseOverdueSeats(f.ctx, task, []byte("u"), 30)
	require.NoError(t, err)
	require.Equal(t, types.COMMITTEE_PHASE_REVEALING, c.Phase)
	require.EqualValues(t, 6, c.Closed)
	require.Equal(t, []uint64{task}, f.hooks.sealed)
	require.Empty(t, f.hooks.revealed)
	f.ok()
}

func TestSettleSlashesLiesOnly(t *testing.T) {
	f := newFixture(t)
	f.open(8, 5)
	require.NoError(t, f.EndBlock(f.ctx))
	f.hooks.revealDeadline = 20
	seats := f.seatsOf(task)
	abstainer, silent, wrong, right := seats[0].Participant, seats[1].Participant, seats[2].Participant, seats[3].Participant
	for _, p := range []string{silent, right} {
		require.Empty(t, f.seal(p, sealItem(p, task, rootOf(1))))
	}
	require.Empty(t, f.seal(wrong, sealItem(wrong, task, rootOf(2))))
	p := f.get(seats[4].Participant)
	require.NoError(t, f.Params.Set(f.ctx, func() types.Params { p := testParams(); p.MaxSeats = 5; return p }()))
	f.at(10)
	_, err := f.CloseOverdueSeats(f.ctx, task, nil, 15)
	require.NoError(t, err)
	require.Empty(t, f.reveal(wrong, revealItem(wrong, task, rootOf(2))))
	require.Empty(t, f.reveal(right, revealItem(right, task, rootOf(1))))

	f.at(20)
	root := rootOf(1)
	agreed, err := f.SettleCommittee(f.ctx, task, types.CommitteeOutcome{ValidRoot: root[:], Beneficiaries: []string{right, silent}})
	require.NoError(t, err)
	require.Equal(t, []string{right}, agreed)
	require.ElementsMatch(t, []string{silent, wrong}, f.hooks.lies)
	// The second liar of the epoch also loses 3 × 300 / 45,000 of its free bond, rounded down, of which half burns and half is the community's.
	require.Zero(t, f.lastFault(silent).Extra.Int64())
	extra := f.lastFault(wrong).Extra.Int64()
	require.EqualValues(t, 94, extra)
	for who, want := range map[string]int64{abstainer: 5_000, silent: 4_700, wrong: 4_700 - extra, right: 5_000, p.Address: 5_000} {
		got := f.get(who)
		require.Equal(t, want, got.Bond.Int64())
		require.True(t, got.Locked.IsZero())
		require.Zero(t, got.Active)
	}
	require.Equal(t, 300+(extra+1)/2, f.bank.burnt.Int64())
	require.Equal(t, extra/2, f.bank.balance("community").Int64())
	require.EqualValues(t, 150+75, f.bank.balance(right).Int64(), "all of the silent one's, half of the wrong one's")
	require.EqualValues(t, 75, f.bank.balance(silent).Int64())
	f.ok()
}

func TestSettleWithoutValidRootReleasesEveryRevealedSeat(t *testing.T) {
	f := newFixture(t)
	f.open(8, 3)
	f.sealAll(func(i int) byte { return byte(i) })
	for i, s := range f.seatsOf(task) {
		require.Empty(t, f.reveal(s.Participant, revealItem(s.Participant, task, rootOf(byte(i)))))
	}
	agreed, err := f.SettleCommittee(f.ctx, task, types.CommitteeOutcome{})
	require.NoError(t, err)
	require.Empty(t, agreed)
	require.Empty(t, f.hooks.lies)
	f.ok()
}

// Until the reveal deadline nobody is late: a committee that ends early slashes no sealed seat.
func TestSettleEarlySlashesNoUnrevealedSeat(t *testing.T) {
	for _, sealed := range []int{2, 3} { // of 3: still sealing, revealing
		t.Run(fmt.Sprint(sealed), func(t *testing.T) {
			f := newFixture(t)
			f.open(8, 3)
			seats := f.seatsOf(task)
			for _, s := range seats[:sealed] {
				require.Empty(t, f.seal(s.Participant, sealItem(s.Participant, task, rootOf(1))))
			}
			f.at(11)
			_, err := f.SettleCommittee(f.ctx, task, types.CommitteeOutcome{})
			require.NoError(t, err)
			require.Empty(t, f.hooks.lies)
			require.True(t, f.bank.burnt.IsZero())
			for _, s := range seats {
				require.Zero(t, f.get(s.Participant).Active)
				require.Contains(t, f.seal(s.Participant, sealItem(s.Participant, task, rootOf(1))), types.ErrWrongPhase.Error())
			}
			f.ok()
		})
	}
}

// A reassigned task gets a new committee, and a member of the old one may sit in it.
func TestNewCommitteeAfterSettlement(t *testing.T) {
	f := newFixture(t)
	f.open(3, 3)
	require.ErrorIs(t, f.PruneCommittee(f.ctx, task), types.ErrWrongPhase)
	_, err := f.SettleCommittee(f.ctx, task, types.CommitteeOutcome{})
	require.NoError(t, err)
	c := f.openFor(task, 2)
	require.EqualValues(t, 2, c.Seats)
	require.Len(t, f.seatsOf(task), 2)
	f.ok()
}

func TestHooksMayBeAbsentAndAreSetOnce(t *testing.T) {
	f := newFixture(t)
	require.Panics(t, func() { f.SetCommitteeHooks(f.hooks) })
	require.Panics(t, func() { f.SetEpochHooks(f.hooks) })
}
