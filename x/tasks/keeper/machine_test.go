package keeper_test

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/commit"
	poaitypes "poaid/x/poai/types"
	"poaid/x/tasks/types"
)

// machine plays the module with random moves. Every task's right result is variant 1; liars use others. A right reveal that comes
// in time is always accepted.
type machine struct {
	*fix
	ids  []uint64
	lies map[uint64]byte // the variant a worker sealed
	trap map[uint64]bool // it had to seal a wrong root, and did
	n    int
	// runs are what runners of a race sealed.
	runs map[uint64]map[string]byte
}

func newMachine(t tb) *machine {
	m := &machine{fix: fixture(t), lies: map[uint64]byte{}, trap: map[uint64]bool{}, runs: map[uint64]map[string]byte{}}
	m.keys(500_000)
	m.params(func(p *types.Params) {
		p.ForcedErrorPpm, p.JackpotBps = 500_000, 1_000
		p.AuditMinPpm, p.MaxAttempts, p.MaxTransitionsPerBlock, p.RetentionBlocks, p.OpenBlocks = 600_000, 2, 8, 10, 12
		p.SealBlocks, p.RevealBlocks, p.ChallengeBlocks = 8, 8, 8
		p.TargetUnitsPerBlock, p.PriceChangePpm = 4_000, 20_000
		p.FeeRates = []types.FeeRate{{Denom: other, Rate: math.NewInt(3_000_000)}}
	})
	for i := 6; i < 12; i++ {
		m.fundOther(m.who(i))
	}
	return m
}

// in returns the tasks in a state.
func (m *machine) in(state types.State) []uint64 {
	return slices.DeleteFunc(slices.Clone(m.ids), func(id uint64) bool { return m.state(id) != state })
}

// pick takes one of the tasks in a state.
func (m *machine) pick(state types.State, choice byte) (uint64, bool) {
	ids := m.in(state)
	if len(ids) == 0 {
		return 0, false
	}
	return ids[int(choice)%len(ids)], true
}

// move makes one of the moves with two bytes of choice.
func (m *machine) move(kind, a, b byte) {
	m.tb.Helper()
	switch kind % 16 {
	case 0, 1:
		m.submitOne(a, b)
	case 2:
		if id, ok := m.pick(types.STATE_OPEN, a); ok && b%2 == 0 {
			attempt := m.status(id).Attempt
			task, err := m.keeper.Tasks.Get(m.ctx, id)
			require.NoError(m.tb, err)
			_, err = deliver(m.fix, m.msgs.CancelTask, &types.MsgCancelTask{Submitter: task.Submitter, TaskId: id})
			require.Equal(m.tb, attempt == 0, err == nil, "%v", err)
		}
	case 3:
		m.comeOne(a, b)
		m.most(types.STATE_ASSIGNED, a, b, m.sealOne)
	case 4:
		m.most(types.STATE_ASSIGNED, a, b, m.sealOne)
	case 5, 6:
		m.most(types.STATE_AUDITED, a, b, m.sealSeatOf)
	case 7, 8:
		m.most(types.STATE_REVEALING, a, b, m.revealOne)
		m.most(types.STATE_REVEALING, b, a, m.runOne)
	case 9, 10:
		m.most(types.STATE_REVEALING, a, b, m.revealSeatOf)
	case 11:
		m.contestOne(a)
	case 12:
		if id, ok := m.pick(types.STATE_DISPUTED, a); ok && b%2 == 0 {
			m.resolveOne(id, b/2)
		} else if b%2 == 1 {
			m.voidOne(a, b/2)
		}
	default:
		m.block(int64(a%3) + 1)
	}
}

// most does something to about seven in eight of the tasks in a state; choice differs from task to task.
func (m *machine) most(state types.State, a, b byte, do func(id uint64, choice byte)) {
	for i, id := range m.in(state) {
		if choice := a + b*byte(2*i+1); choice%8 != 0 {
			do(id, choice/8)
		}
	}
}

func (m *machine) submitOne(a, b byte) {
	m.n++
	who := m.who(6 + int(a)%6)
	msg := storyMsg(who, uint64(b)%16+1, a%5)
	if a%3 == 0 {
		msg = digitsMsg(who, int(b)%20)
	}
	msg.MaxFee, msg.Tip = coin(30_000+int64(b)*7), math.NewInt(int64(a)*100)
	if b%4 == 1 {
		msg.MaxFee.Denom = other
	}
	// A price that rose beyond max_fee refuses the task.
	est, err := m.query().Estimate(m.ctx, &types.QueryEstimateRequest{
		Model: msg.Model, Steps: msg.Steps, Tip: msg.Tip.String(), Denom: msg.MaxFee.Denom,
	})
	require.NoError(m.tb, err)
	msg.MaxFee.Amount = math.MaxInt(msg.MaxFee.Amount, est.Fee.Amount)
	switch a % 4 {
	case 1:
		msg.Allocation, msg.Redundancy = types.ALLOCATION_RACE, uint32(b)%5
	case 2:
		msg.Allocation, msg.Auction = types.ALLOCATION_AUCTION, &types.AuctionOptions{BidBlocks: int64(b)%4 + 1, Sealed: a%8 == 2}
		msg.Tip = math.ZeroInt() // bids say what the worker wants
	}
	id := m.submit(msg)
	if msg.Auction != nil {
		for i := range int(b) % 4 {
			m.auctions.bid(m.ctx, id, m.who(i+int(a)%3), 1_000+int64(i)*500)
		}
	}
	m.ids = append(m.ids, id)
}

// comeOne lets participants come to races. Who qualifies, and comes in time to a race with room, is taken.
func (m *machine) comeOne(a, b byte) {
	for _, state := range []types.State{types.STATE_OPEN, types.STATE_SEALED} {
		for i, id := range m.in(state) {
			task, st, err := m.keeper.GetTask(m.ctx, id)
			require.NoError(m.tb, err)
			if !task.Race() || (int(a)+i)%5 == 0 {
				continue
			}
			who, variant := m.who((int(b)+i)%6), byte(1)
			if (a+b)%6 == 0 {
				variant = 2 + b%2
			}
			text := m.come(id, who, m.result(id, m.stop(id), variant))
			if text == "" && state == types.STATE_OPEN {
				m.lies[id], m.runs[id] = variant, map[string]byte{}
			} else if text == "" {
				m.runs[id][who] = variant
			} else {
				p := m.poai.state(m.ctx).participant(who)
				require.True(m.tb, m.ctx.BlockHeight() > st.Deadline || !task.TakesComers(st) || who == st.Worker || slices.Contains(st.Tried, who) ||
					p.Active >= p.Places || p.Bond.Sub(p.Locked).LT(task.Lock) || slices.ContainsFunc(m.runners(id), func(r types.Runner) bool { return r.Participant == who }), text)
			}
		}
	}
}

// runOne reveals as most runners of a race.
func (m *machine) runOne(id uint64, b byte) {
	st := m.status(id)
	for i, r := range m.runners(id) {
		if (int(b)+i)%4 == 0 || m.state(id) != types.STATE_REVEALING {
			continue
		}
		text := m.tryRevealAs(r.Participant, m.result(id, m.stop(id), m.runs[id][r.Participant]))
		require.Equal(m.tb, !r.Out && len(r.ResultRoot) == 0 && m.ctx.BlockHeight() <= st.Deadline, text == "", text)
	}
}

func (m *machine) sealOne(id uint64, b byte) {
	if m.ctx.BlockHeight() > m.status(id).Deadline {
		return
	}
	m.lies[id] = 1
	if b%8 == 0 {
		m.lies[id] = 2 + b%3
	}
	a := m.result(id, m.stop(id), m.lies[id])
	if m.trap[id] = m.forced(id) && b%2 == 0; m.trap[id] {
		m.sealForced(id, a)
	} else {
		m.seal(id, a)
	}
}

// stop varies the stop state with the task.
func (m *machine) stop(id uint64) int64 { return int64(id>>8) % 3 }

func (m *machine) sealSeatOf(id uint64, b byte) {
	for i, member := range m.members(id) {
		if int(b)%5 == i {
			continue
		}
		// Refused when the seat is sealed or late: all the same here.
		ctx, write := m.ctx.CacheContext()
		if m.poai.sealSeat(ctx, id, member) == nil {
			write()
		}
	}
}

func (m *machine) revealOne(id uint64, _ byte) {
	st := m.status(id)
	a := m.result(id, m.stop(id), m.lies[id])
	if m.trap[id] {
		a.reveal.ForcedProof = m.proof(id)
	}
	text := m.tryReveal(id, a)
	if len(st.ResultRoot) == 0 && m.ctx.BlockHeight() <= st.Deadline {
		require.Empty(m.tb, text)
	} else {
		require.NotEmpty(m.tb, text)
	}
}

func (m *machine) revealSeatOf(id uint64, b byte) {
	for i, member := range m.members(id) {
		if int(b)%7 == i {
			continue
		}
		claim := m.result(id, m.stop(id), 1).root
		if (int(b)+i)%11 == 0 {
			claim = m.result(id, m.stop(id), 2+b%3).root
		}
		if m.trap[id] && (int(b)+i)%5 == 0 { // told by the worker
			claim = commit.ForcedRoot(m.result(id, m.stop(id), m.lies[id]).root)
		}
		ctx, write := m.ctx.CacheContext()
		if m.poai.revealSeat(ctx, id, member, claim[:]) == nil {
			write()
		}
	}
}

func (m *machine) contestOne(a byte) {
	if id, ok := m.pick(types.STATE_REVEALED, a); ok {
		_, err := m.contest(id)
		require.NoError(m.tb, err)
	}
}

// voidOne voids a task that has a worker, whatever it has come to.
func (m *machine) voidOne(a, b byte) {
	for _, state := range []types.State{types.STATE_ASSIGNED, types.STATE_AUDITED, types.STATE_REVEALING, types.STATE_DISPUTED} {
		if id, ok := m.pick(state, a); ok && b%4 == byte(state)%4 {
			require.NoError(m.tb, m.void(id, b%8 < 4))
			return
		}
	}
}

func (m *machine) resolveOne(id uint64, b byte) {
	st := m.status(id)
	valid := st.ResultRoot
	switch b % 3 {
	case 1:
		valid = nil
	case 2:
		for _, r := range m.runners(id) {
			if len(r.ResultRoot) > 0 && !r.Out {
				valid = r.ResultRoot
			}
		}
		for _, s := range m.poai.state(m.ctx).Committees[id].Seats {
			if s.State == poaitypes.SEAT_STATE_REVEALED {
				valid = s.ResultRoot
			}
		}
	}
	require.NoError(m.tb, m.resolve(id, valid))
}

// end lets every task end and checks that nothing is left.
func (m *machine) end() {
	m.tb.Helper()
	for range 400 {
		for _, id := range m.in(types.STATE_DISPUTED) {
			m.resolveOne(id, byte(id))
		}
		m.block(1)
		if !slices.ContainsFunc(m.ids, func(id uint64) bool { return !m.status(id).Pruned }) {
			break
		}
	}
	for _, id := range m.ids {
		st := m.status(id)
		require.True(m.tb, st.State.Ended() && st.Pruned, "task %d is %s", id, st.State)
		m.payment(id)
	}
	res, err := m.query().Jackpot(m.ctx, &types.QueryJackpotRequest{})
	require.NoError(m.tb, err)
	for _, d := range []string{denom, other} {
		held := m.bank.state(m.ctx).in(m.acc(moduleAddress()), d)
		require.Equal(m.tb, sdk.Coins(res.Jackpot).Add(res.Audits...).AmountOf(d).String(), held.String(), "what is left are the pots")
	}
	state := m.poai.state(m.ctx)
	require.Empty(m.tb, state.Locks)
	require.Empty(m.tb, state.Committees)
	for _, p := range state.Participants {
		require.Zero(m.tb, p.Active)
		require.True(m.tb, p.Locked.IsZero())
	}
}

// play makes n moves that follow from a seed. (rapid's own integers lean to the small ones, which never get a task far.)
func (m *machine) play(seed uint64, n int) {
	m.tb.Helper()
	for i := range n {
		b := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, seed+uint64(i)<<32))
		m.move(b[0], b[1], b[2])
	}
}

func TestMachine(t *testing.T) {
	states := map[types.State]int{}
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		m.play(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 150).Draw(t, "moves"))
		m.end()
		for _, id := range m.ids {
			states[m.state(id)]++
		}
	})
	t.Log(states)
	for _, s := range []types.State{types.STATE_FINAL, types.STATE_CANCELLED, types.STATE_EXPIRED, types.STATE_REFUNDED} {
		require.NotZero(t, states[s], "no task ended in %s: %v", s, states)
	}
}

// FuzzEndBlock plays the moves that the bytes spell; no sequence may break an invariant, halt a block or leave a task behind.
func FuzzEndBlock(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x0b\x03\x00\x03\x00\x01\x0b\x03\x00\x06\x00\x00\x0b\x03\x00"))
	f.Add([]byte("\x00\x00\x05\x0b\x03\x00\x02\x00\x00\x03\x00\x00\x0b\x03\x00\x05\x00\x01\x05\x00\x02\x0b\x03\x00\x08\x00\x05\x09\x00\x01\x0a\x00\x01"))
	f.Fuzz(func(t *testing.T, moves []byte) {
		m := newMachine(t)
		for i := 0; i+3 <= len(moves) && i < 300; i += 3 {
			m.move(moves[i], moves[i+1], moves[i+2])
		}
		m.end()
	})
}
