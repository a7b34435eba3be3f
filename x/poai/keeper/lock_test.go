package keeper_test

import (
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/x/poai/types"
)

func taskLock(p string, task uint64, amount int64) types.Lock {
	return types.Lock{Participant: p, Kind: types.LOCK_KIND_TASK, Item: task, Amount: math.NewInt(amount)}
}

func TestLockLedger(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 2_000)
	require.NoError(t, f.LockBond(f.ctx, taskLock(a, 1, 1_200)))
	require.ErrorIs(t, f.LockBond(f.ctx, taskLock(a, 1, 1)), types.ErrLockExists)
	require.ErrorIs(t, f.LockBond(f.ctx, taskLock(a, 2, 801)), types.ErrInsufficientBond, "one coin backs one risk")
	seat := taskLock(a, 1, 800)
	seat.Kind = types.LOCK_KIND_SEAT
	require.NoError(t, f.LockBond(f.ctx, seat), "another kind is another lock")
	require.EqualValues(t, 2_000, f.get(a).Locked.Int64())
	f.ok()

	require.ErrorIs(t, f.ReleaseLock(f.ctx, a, types.LOCK_KIND_CLAIM, 1), types.ErrLockNotFound)
	require.NoError(t, f.ReleaseLock(f.ctx, a, types.LOCK_KIND_TASK, 1))
	require.ErrorIs(t, f.ReleaseLock(f.ctx, a, types.LOCK_KIND_TASK, 1), types.ErrLockNotFound)
	require.EqualValues(t, 800, f.get(a).Locked.Int64())
	f.ok()
}

func TestLockRefuses(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 2_000)
	for name, c := range map[string]struct {
		lock types.Lock
		want error
	}{
		"no kind":        {types.Lock{Participant: a, Item: 1, Amount: math.OneInt()}, types.ErrInvalidLock},
		"unknown kind":   {types.Lock{Participant: a, Kind: 9, Item: 1, Amount: math.OneInt()}, types.ErrInvalidLock},
		"negative":       {taskLock(a, 1, -1), types.ErrInvalidLock},
		"nil amount":     {types.Lock{Participant: a, Kind: types.LOCK_KIND_TASK}, types.ErrInvalidLock},
		"nobody":         {taskLock(addr(9), 1, 1), types.ErrUnknownParticipant},
		"above the bond": {taskLock(a, 1, 2_001), types.ErrInsufficientBond},
	} {
		require.ErrorIs(t, f.LockBond(f.ctx, c.lock), c.want, name)
	}
	require.NoError(t, f.LockBond(f.ctx, taskLock(a, 1, 0)), "a lock of nothing is a lock")
	require.NoError(t, f.Slash(f.ctx, types.SlashRequest{Participant: a, Kind: types.LOCK_KIND_TASK, Task: 1, Bps: 10_000}))
	f.ok()
}

func TestSlashSplit(t *testing.T) {
	for name, c := range map[string]struct {
		lock, bps              int64
		beneficiaries          []int // addresses; 1 is the slashed participant, 8 is blocked
		burn                   uint32
		burnt, community, bond int64
		paid                   map[int]int64
	}{
		"whole, nobody to pay":       {1_001, 10_000, nil, 5_000, 501, 500, 3_999, nil},
		"two share evenly":           {1_000, 10_000, []int{5, 6}, 5_000, 500, 0, 4_000, map[int]int64{5: 250, 6: 250}},
		"largest remainder":          {1_005, 10_000, []int{5, 6, 7}, 5_000, 503, 0, 3_995, map[int]int64{5: 168, 6: 167, 7: 167}},
		"fewer units than heads":     {3, 10_000, []int{5, 6, 7}, 5_000, 2, 0, 4_997, map[int]int64{5: 1, 6: 0, 7: 0}},
		"part":                       {1_000, 2_500, []int{5}, 5_000, 125, 0, 4_750, map[int]int64{5: 125}},
		"nothing":                    {1_000, 0, []int{5}, 5_000, 0, 0, 5_000, map[int]int64{5: 0}},
		"all burnt":                  {1_000, 10_000, []int{5}, 10_000, 1_000, 0, 4_000, map[int]int64{5: 0}},
		"not to the slashed itself":  {1_000, 10_000, []int{1, 5}, 5_000, 500, 0, 4_000, map[int]int64{1: 0, 5: 500}},
		"only the slashed":           {1_000, 10_000, []int{1}, 5_000, 500, 500, 4_000, map[int]int64{1: 0}},
		"blocked address":            {1_000, 10_000, []int{8}, 5_000, 500, 500, 4_000, map[int]int64{8: 0}},
		"burnt part is rounded up":   {1_000, 9, nil, 5_000, 0, 0, 5_000, nil},
		"burnt part of one is whole": {1_112, 9, nil, 5_000, 1, 0, 4_999, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			a := f.join(1, 5_000, digits)
			f.bank.blocked[addr(8)] = true
			params := testParams()
			params.SlashBurnBps = c.burn
			require.NoError(t, f.Params.Set(f.ctx, params))
			require.NoError(t, f.LockBond(f.ctx, taskLock(a, 1, c.lock)))
			req := types.SlashRequest{Participant: a, Kind: types.LOCK_KIND_TASK, Task: 1, Bps: uint32(c.bps), Reason: "test"}
			for _, b := range c.beneficiaries {
				req.Beneficiaries = append(req.Beneficiaries, addr(b))
			}
			require.NoError(t, f.Slash(f.ctx, req))
			require.Equal(t, c.burnt, f.bank.burnt.Int64(), "burnt")
			require.Equal(t, c.community, f.bank.balance("community").Int64(), "community")
			for b, want := range c.paid {
				require.Equal(t, want, f.bank.balance(addr(b)).Int64(), "beneficiary %d", b)
			}
			p := f.get(a)
			require.Equal(t, c.bond, p.Bond.Int64())
			require.True(t, p.Locked.IsZero(), "the rest is released")
			require.Zero(t, p.Faults, "no lie")
			f.ok()
		})
	}
}

func TestSlashOncePerLock(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 5_000)
	require.NoError(t, f.LockBond(f.ctx, taskLock(a, 1, 1_000)))
	req := types.SlashRequest{Participant: a, Kind: types.LOCK_KIND_TASK, Task: 1, Bps: 5_000}
	require.NoError(t, f.Slash(f.ctx, req))
	require.ErrorIs(t, f.Slash(f.ctx, req), types.ErrLockNotFound)
	require.EqualValues(t, 4_500, f.get(a).Bond.Int64())
	req.Bps = 10_001
	require.ErrorIs(t, f.Slash(f.ctx, req), types.ErrInvalidSlash)
	req.Participant = addr(9)
	require.ErrorIs(t, f.Slash(f.ctx, req), types.ErrUnknownParticipant)
	f.ok()
}

func TestLieIsAFault(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 5_000)
	require.NoError(t, f.LockBond(f.ctx, taskLock(a, 1, 1_000)))
	require.NoError(t, f.Slash(f.ctx, types.SlashRequest{Participant: a, Kind: types.LOCK_KIND_TASK, Task: 1, Bps: 10_000, Lie: true}))
	p := f.get(a)
	require.EqualValues(t, 1, p.Faults)
	require.EqualValues(t, 250_000, p.ReliabilityPpm)
	require.Equal(t, []string{a}, f.hooks.lies)
}

// Below min_bond a participant is not drawn until it adds bond.
func TestSlashBelowMinBondLeavesTheTrees(t *testing.T) {
	f := newFixture(t)
	a := f.join(1, 1_500, digits, story)
	require.NoError(t, f.LockBond(f.ctx, taskLock(a, 1, 600)))
	require.NoError(t, f.Slash(f.ctx, types.SlashRequest{Participant: a, Kind: types.LOCK_KIND_TASK, Task: 1, Bps: 10_000}))
	require.Positive(t, f.total(digits), "weighed anew at the end of the block")
	_, found, err := f.DrawWorker(f.ctx, types.DrawRequest{Task: 2, Model: digits, Lock: math.NewInt(1)})
	require.NoError(t, err)
	require.False(t, found, "not drawn even before")
	f.ok()
	require.NoError(t, f.EndBlock(f.ctx))
	require.Zero(t, f.total(digits))
	require.Zero(t, f.total(story))
	_, found, err = f.DrawWorker(f.ctx, types.DrawRequest{Task: 2, Model: digits, Lock: math.NewInt(1)})
	require.NoError(t, err)
	require.False(t, found)
	_, err = f.msgs.Serve(f.ctx, &types.MsgServe{Participant: a, Models: []string{"third"}})
	require.ErrorIs(t, err, types.ErrBondTooLow)
	f.ok()

	f.fund(a, 100)
	_, err = f.msgs.AddBond(f.ctx, &types.MsgAddBond{Participant: a, Amount: coin(100)})
	require.NoError(t, err)
	require.EqualValues(t, 490, f.total(digits), "1,000 by reliability: .5 times .98 for the slash")
	_, found, err = f.DrawWorker(f.ctx, types.DrawRequest{Task: 2, Model: digits, Lock: math.NewInt(1)})
	require.NoError(t, err)
	require.True(t, found)
	f.ok()
}
