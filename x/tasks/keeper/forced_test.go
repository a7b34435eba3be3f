package keeper_test

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/commit"
	"poaid/x/beacon/vrf"
	"poaid/x/tasks/types"
)

// secretOf is the VRF key of an address.
func secretOf(addr string) vrf.SecretKey {
	seed := sha256.Sum256([]byte("vrf " + addr))
	secret, err := vrf.NewSecretKey(seed[:])
	if err != nil {
		panic(err)
	}
	return secret
}

// keys gives every participant its VRF key and sets the rate of forced errors.
func (f *fix) keys(ppm uint32) {
	f.tb.Helper()
	s := f.poai.state(f.ctx)
	for i := range s.Participants {
		s.Participants[i].VRFKey = secretOf(s.Participants[i].Address).Public()
	}
	f.poai.save(f.ctx, "poai", s)
	f.params(func(p *types.Params) { p.ForcedErrorPpm, p.JackpotBps = ppm, 100 })
}

// proof is what the task's worker proves.
func (f *fix) proof(id uint64) []byte {
	st := f.status(id)
	return secretOf(st.Worker).Prove(st.VrfInput)
}

// forced tells whether the worker's error is forced.
func (f *fix) forced(id uint64) bool {
	f.tb.Helper()
	task, err := f.keeper.Tasks.Get(f.ctx, id)
	require.NoError(f.tb, err)
	st := f.status(id)
	output, err := vrf.Verify(st.VrfKey, st.VrfInput, f.proof(id))
	require.NoError(f.tb, err)
	return types.IsForced(output, task.ForcedErrorPpm)
}

// sealForced seals the wrong root and returns the answer with the proof.
func (f *fix) sealForced(id uint64, a answer) answer {
	f.tb.Helper()
	f.seal(id, answer{a.reveal, commit.ForcedRoot(a.root)})
	a.reveal.ForcedProof = f.proof(id)
	return a
}

// trapping brings an audited task with a forced error to its reveals.
func (f *fix) trapping(n int) (uint64, answer) {
	f.tb.Helper()
	id := f.assigned(storyMsg(f.who(9), 16, byte(n)))
	require.True(f.tb, f.forced(id))
	a := f.sealForced(id, f.result(id, 0, 1))
	f.until(id, types.STATE_AUDITED)
	f.sealSeats(id)
	return id, a
}

func prizes(p types.Payment) string {
	return p.Jackpot.String() + " " + p.WorkerPrize.String() + " " + p.MemberPrizes.String()
}

func (f *fix) jackpot() string {
	f.tb.Helper()
	res, err := f.query().Jackpot(f.ctx, &types.QueryJackpotRequest{})
	require.NoError(f.tb, err)
	if len(res.Jackpot) == 0 {
		return "0"
	}
	require.Len(f.tb, res.Jackpot, 1)
	return res.Jackpot[0].Amount.String()
}

// TestForcedError: the worker sealed a wrong root because it had to. It is paid, what it reveals stands, the member that attested what was sealed
// loses its lock to those who computed, and they share the jackpot.
func TestForcedError(t *testing.T) {
	f := fixture(t)
	f.audits(true)
	f.keys(types.PpmOne)
	id, a := f.trapping(1)
	wrong := commit.ForcedRoot(a.root)
	members := f.members(id)
	require.NoError(t, f.poai.revealSeat(f.ctx, id, members[0], wrong[:]))
	require.NoError(t, f.poai.revealSeat(f.ctx, id, members[1], a.root[:]))
	require.NoError(t, f.poai.revealSeat(f.ctx, id, members[2], a.root[:]))
	f.reveal(id, a)
	require.Equal(t, types.STATE_REVEALED, f.state(id), "what nobody can open is no opinion")
	worker := f.status(id).Worker
	f.until(id, types.STATE_FINAL)
	require.Equal(t, []string{members[0] + "/2/10000/true"}, f.slashes(id))
	slash := f.poai.state(f.ctx).Slashes[0]
	require.Equal(t, []string{worker, members[1], members[2]}, slash.Beneficiaries)
	// 16,000: 800 royalty, 152 jackpot, of 15,048 752 burn, and a quarter of the rest for the worker and each seat. At a rate of one the jackpot pays what just came in: 10 % and 90 %.
	require.Equal(t, "3574 7148 800 752 34000", payment(f.payment(id)))
	require.Equal(t, "152 15 137", prizes(f.payment(id)))
	require.Equal(t, "0", f.jackpot())
	require.Equal(t, int64(funds+3_574+15), f.balance(worker).Int64())
	require.Equal(t, int64(funds), f.balance(members[0]).Int64())
	require.Equal(t, int64(2*funds+2*3_574+137), f.balance(members[1]).Add(f.balance(members[2])).Int64())
	require.Equal(t, a.root[:], f.status(id).ResultRoot)
	require.Len(t, f.credits(id), 3)
}

// TestJackpotGrowsAndIsNeverOverdrawn: without a forced error the part of the fee stays; a prize is at most what there is.
func TestJackpotGrowsAndIsNeverOverdrawn(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	f.keys(types.PpmOne)
	for i, want := range []string{"152", "304"} {
		id, _ := f.revealed(storyMsg(f.who(9), 16, byte(i))) // it may always seal what is true
		f.until(id, types.STATE_FINAL)
		require.Equal(t, "152 0 0", prizes(f.payment(id)))
		require.Equal(t, want, f.jackpot())
	}
	f.params(func(p *types.Params) { p.ForcedErrorPpm = 100_000 })
	for n := byte(10); ; n++ {
		id := f.assigned(storyMsg(f.who(9), 16, n))
		if !f.forced(id) {
			a := f.result(id, 0, 1)
			a.reveal.ForcedProof = f.proof(id)
			f.seal(id, answer{a.reveal, commit.ForcedRoot(a.root)})
			f.until(id, types.STATE_REVEALING)
			require.Contains(t, f.tryReveal(id, a), types.ErrForced.Error())
			continue // it cannot open what it sealed: silence, the whole lock
		}
		a := f.sealForced(id, f.result(id, 0, 1))
		f.until(id, types.STATE_REVEALING)
		f.reveal(id, a)
		f.until(id, types.STATE_FINAL)
		require.Equal(t, "152 152 0", prizes(f.payment(id)), "without an audit the members' part stays: a tenth of 1520")
		break
	}
	pot := f.jackpot()
	require.NotEqual(t, "0", pot)
	f.audits(true)
	for n := byte(100); ; n++ {
		id := f.assigned(storyMsg(f.who(9), 16, n))
		if !f.forced(id) {
			continue
		}
		a := f.sealForced(id, f.result(id, 0, 1))
		f.until(id, types.STATE_AUDITED)
		f.sealSeats(id)
		f.reveal(id, a)
		for _, m := range f.members(id) {
			require.NoError(t, f.poai.revealSeat(f.ctx, id, m, a.root[:]))
		}
		f.until(id, types.STATE_FINAL)
		before, ok := math.NewIntFromString(pot)
		require.True(t, ok)
		pay := f.payment(id)
		require.Equal(t, before.AddRaw(152).SubRaw(152).String(), pay.MemberPrizes.String(), "1368 would be due, there is less")
		require.Equal(t, "0", f.jackpot())
		return
	}
}

// TestPrizeIsOverTheRateOfTheAudit: the members' part is due only where there is an audit, so it is as much more as audits are rare.
func TestPrizeIsOverTheRateOfTheAudit(t *testing.T) {
	f := fixture(t)
	f.keys(types.PpmOne)
	f.audits(false)
	for n := range byte(4) { // something to pay from
		id, _ := f.revealed(storyMsg(f.who(9), 16, n))
		f.until(id, types.STATE_FINAL)
	}
	f.params(func(p *types.Params) { p.AuditMinPpm = types.PpmOne / 4 })
	paid := 0
	for n := byte(10); n < 50 && paid == 0; n++ {
		id := f.assigned(storyMsg(f.who(9), 16, n))
		a := f.sealForced(id, f.result(id, 0, 1))
		f.block(3)
		if f.state(id) == types.STATE_AUDITED {
			f.sealSeats(id)
			for _, m := range f.members(id) {
				require.NoError(t, f.poai.revealSeat(f.ctx, id, m, a.root[:]))
			}
		}
		f.reveal(id, a)
		f.until(id, types.STATE_FINAL)
		if !f.status(id).Audited {
			require.Equal(t, "152 15 0", prizes(f.payment(id)))
			continue
		}
		require.Equal(t, "152 15 548", prizes(f.payment(id)), "four times 137")
		paid++
	}
	require.NotZero(t, paid)
}

// TestForcedRefused: what a worker may not say of its error.
func TestForcedRefused(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	f.keys(types.PpmOne)
	id := f.assigned(storyMsg(f.who(9), 16, 1))
	a := f.sealForced(id, f.result(id, 0, 1))
	f.until(id, types.STATE_REVEALING)
	good := a.reveal.ForcedProof
	st := f.status(id)
	for name, proof := range map[string][]byte{
		"none":               nil,
		"short":              good[1:],
		"of another input":   secretOf(st.Worker).Prove([]byte("x")),
		"of another's key":   secretOf("y").Prove(st.VrfInput),
		"with one bit wrong": append(bytes.Clone(good[:79]), good[79]^1),
	} {
		a.reveal.ForcedProof = proof
		require.NotEmpty(t, f.tryReveal(id, a), name)
	}
	a.reveal.ForcedProof = nil
	require.Contains(t, f.tryReveal(id, a), types.ErrSeal.Error(), "what is sealed is wrong")
	a.reveal.ForcedProof = good
	f.reveal(id, a)

	id = f.assigned(storyMsg(f.who(9), 16, 2))
	a = f.result(id, 0, 1)
	f.seal(id, a)
	f.until(id, types.STATE_REVEALING)
	a.reveal.ForcedProof = f.proof(id)
	require.Contains(t, f.tryReveal(id, a), types.ErrSeal.Error(), "it sealed the true root and cannot claim to have been forced")

	s := f.poai.state(f.ctx)
	for i := range s.Participants {
		s.Participants[i].VRFKey = nil
	}
	f.poai.save(f.ctx, "poai", s)
	id = f.assigned(storyMsg(f.who(9), 16, 3))
	require.Empty(t, f.status(id).VrfKey)
	a = f.result(id, 0, 1)
	f.seal(id, answer{a.reveal, commit.ForcedRoot(a.root)})
	f.until(id, types.STATE_REVEALING)
	a.reveal.ForcedProof = secretOf(f.status(id).Worker).Prove(f.status(id).VrfInput)
	require.Contains(t, f.tryReveal(id, a), types.ErrForced.Error(), "it had no key when it was drawn")
}

// TestTrapsInDisputes: a third root opens a dispute; who attested the forced root is no party of it, and loses its lock however it ends.
func TestTrapsInDisputes(t *testing.T) {
	third := bytes.Repeat([]byte{9}, 32)
	for name, c := range map[string]struct {
		valid        func(a answer) []byte
		state        types.State
		trap, worker bool // who loses its lock
		liar         bool
	}{
		"upheld":     {func(a answer) []byte { return a.root[:] }, types.STATE_FINAL, true, false, true},
		"overturned": {func(answer) []byte { return third }, types.STATE_OPEN, true, true, false},
		"void":       {func(answer) []byte { return nil }, types.STATE_REFUNDED, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			f.audits(true)
			f.keys(types.PpmOne)
			id, a := f.trapping(1)
			wrong, worker, members := commit.ForcedRoot(a.root), f.status(id).Worker, f.members(id)
			require.NoError(t, f.poai.revealSeat(f.ctx, id, members[0], wrong[:]))
			require.NoError(t, f.poai.revealSeat(f.ctx, id, members[1], third))
			require.NoError(t, f.poai.revealSeat(f.ctx, id, members[2], a.root[:]))
			f.reveal(id, a)
			require.Equal(t, types.STATE_DISPUTED, f.state(id))
			var parties []string
			for _, p := range f.disputes.state(f.ctx).Opened[0].Members {
				parties = append(parties, p.Participant)
			}
			require.Equal(t, []string{members[1], members[2]}, parties)
			require.NoError(t, f.keeper.ResolveDispute(f.ctx, id, types.Resolution{ValidRoot: c.valid(a)}))
			require.Equal(t, c.state, f.state(id))
			lost := map[string]bool{}
			for _, s := range f.poai.state(f.ctx).Slashes {
				lost[s.Participant] = s.Lie
			}
			require.Equal(t, c.trap, lost[members[0]], "attested the forced root")
			require.Equal(t, c.liar, lost[members[1]], "attested a third root")
			require.Equal(t, c.worker, lost[worker], "worker")
			f.block(1)
		})
	}
}

// TestPrizesAreFundedByFees: over many tasks, whatever is audited and forced, the jackpot pays out no more than fees brought in, nothing is lost, and
// tasks by content id pay none.
func TestPrizesAreFundedByFees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fixture(t)
		f.audits(true)
		f.keys(rapid.SampledFrom([]uint32{100_000, 300_000, types.PpmOne}).Draw(t, "rate"))
		in, out := math.ZeroInt(), math.ZeroInt()
		for n := range rapid.IntRange(1, 4).Draw(t, "tasks") {
			msg := storyMsg(f.who(9), rapid.Uint64Range(1, 16).Draw(t, "steps"), byte(n))
			byCid := rapid.Bool().Draw(t, "by cid")
			if byCid {
				root, err := commit.TensorRoot(uint8(msg.Inputs[0].Dtype), msg.Inputs[0].Shape, msg.Inputs[0].Data)
				require.NoError(t, err)
				msg.Inputs[0].Data, msg.Inputs[0].Root, msg.Inputs[0].Cid = nil, root[:], "cid"
			}
			id := f.assigned(msg)
			a := f.result(id, 0, 1)
			if f.forced(id) {
				a = f.sealForced(id, a)
			} else {
				f.seal(id, a)
			}
			f.until(id, types.STATE_AUDITED)
			f.sealSeats(id)
			f.reveal(id, a)
			for _, m := range f.members(id) {
				require.NoError(t, f.poai.revealSeat(f.ctx, id, m, a.root[:]))
			}
			f.until(id, types.STATE_FINAL)
			pay := f.payment(id)
			in, out = in.Add(pay.Jackpot), out.Add(pay.WorkerPrize).Add(pay.MemberPrizes)
			require.True(t, !byCid || pay.WorkerPrize.IsZero() && pay.MemberPrizes.IsZero())
			require.Equal(t, in.Sub(out).String(), f.jackpot())
		}
		// The jackpot survives an export.
		g, err := f.keeper.ExportGenesis(f.ctx)
		require.NoError(t, err)
		require.NoError(t, g.Validate())
		require.Equal(t, in.Sub(out).IsZero(), len(g.Jackpot) == 0)
	})
}

// TestVRFInputIsOfTheDraw: task, attempt, chain and randomness each change it.
func TestVRFInputIsOfTheDraw(t *testing.T) {
	random := bytes.Repeat([]byte{1}, 32)
	base := types.ForcedInput("chain", 1, 1, random)
	for name, other := range map[string][32]byte{
		"chain": types.ForcedInput("chair", 1, 1, random), "task": types.ForcedInput("chain", 2, 1, random),
		"attempt": types.ForcedInput("chain", 1, 2, random), "randomness": types.ForcedInput("chain", 1, 1, bytes.Repeat([]byte{2}, 32)),
	} {
		require.NotEqual(t, base, other, name)
	}
	f := fixture(t)
	f.keys(types.PpmOne)
	id := f.submit(storyMsg(f.who(9), 16, 1))
	due := f.status(id).Due
	f.until(id, types.STATE_ASSIGNED)
	random, err := f.beacon.Randomness(f.ctx, due)
	require.NoError(t, err)
	want := types.ForcedInput(chainID, id, 1, random)
	require.Equal(t, want[:], f.status(id).VrfInput)
	require.Equal(t, secretOf(f.status(id).Worker).Public(), f.status(id).VrfKey)
}
