package testutil

import (
	"crypto/sha256"
	"fmt"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app/params"
	"poaid/commit"
	"poaid/x/beacon/vrf"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// Behaviour is how a participant of a Crew works.
type Behaviour int

// Behaviours.
const (
	Honest Behaviour = iota
	// Liar seals and reveals a wrong result.
	Liar
	// Idle does nothing: neither seals nor attests.
	Idle
	// Mute seals, and never reveals.
	Mute
)

// Participant is a bonded account that works on tasks.
type Participant struct {
	*Account
	Behaviour Behaviour
	// Result is what it finds a task's result to be; nil: what a run of the echo model gives, wrong for a Liar.
	Result func(task uint64) (Result, error)
	// VRF is its key, once SetVRFKeys has set it: where its error is forced it seals a wrong root, as a daemon would.
	VRF *vrf.SecretKey
	// Races: it seals a result of every race that it is not in.
	Races bool
	// Pretends: it seals a wrong root as if its error were forced, and tries to prove it.
	Pretends bool
	// Ready tells whether its machine has computed a task: until then it seals nothing of it. Nil: at once.
	Ready func(task uint64) bool
}

// ForcedProof proves that m is to seal a wrong root for a task; nil where it is not.
func (m *Participant) ForcedProof(task taskstypes.Task, st taskstypes.Status) ([]byte, error) {
	if m.VRF == nil || string(st.VrfKey) != string(m.VRF.Public()) {
		return nil, nil
	}
	proof := m.VRF.Prove(st.VrfInput)
	output, err := vrf.Verify(st.VrfKey, st.VrfInput, proof)
	if err != nil || !m.Pretends && !taskstypes.IsForced(output, task.ForcedErrorPpm) {
		return nil, err
	}
	return proof, nil
}

// Result is what a worker reveals, and a member attests.
type Result struct {
	Outputs   []taskstypes.NamedTensor
	StateRoot commit.Hash
	Root      commit.Hash
}

// ready tells whether its machine has computed a task.
func (m *Participant) ready(task uint64) bool { return m.Ready == nil || m.Ready(task) }

// Crew are participants who do, block by block, what daemons would do.
type Crew struct {
	Members []*Participant
	chain   *Chain
	// Batch is the most items in one message.
	Batch int
	// Gas is the gas limit of a member's message; nil: 20,000,000.
	Gas func(m *Participant, msg sdk.Msg) uint64
}

// NewCrew joins the accounts as participants that serve the echo model.
func (c *Chain) NewCrew(accounts ...*Account) *Crew {
	c.tb.Helper()
	crew := &Crew{chain: c, Batch: 100}
	txs := make([][]byte, len(accounts))
	for i, a := range accounts {
		crew.Members = append(crew.Members, &Participant{Account: a})
		txs[i] = c.Tx(a, Join(a))
	}
	for i, r := range c.Block(txs...).TxResults {
		if r.Code != 0 {
			c.tb.Fatalf("join %s: %s", accounts[i].Name, r.Log)
		}
	}
	return crew
}

// SetVRFKeys gives every member a VRF key and waits until they act.
func (w *Crew) SetVRFKeys() {
	w.chain.tb.Helper()
	var active int64
	for _, m := range w.Members {
		seed := sha256.Sum256(append([]byte("poaid/testutil/vrf/"), m.Addr...))
		secret, err := vrf.NewSecretKey(seed[:])
		if err != nil {
			w.chain.tb.Fatalf("VRF key of %s: %v", m.Name, err)
		}
		m.VRF = &secret
		w.chain.Deliver(m.Account, &poaitypes.MsgSetVRFKey{
			Participant: m.String(), VrfPubKey: secret.Public(), Proof: secret.Prove(poaitypes.VRFPossessionInput(w.chain.ChainID, m.Addr)),
		})
		p, err := w.chain.App.Poai.GetParticipant(w.chain.Ctx(), m.String())
		if err != nil {
			w.chain.tb.Fatalf("%s: %v", m.Name, err)
		}
		active = p.VrfKeyHeight
	}
	for w.chain.Height() < active {
		w.chain.Block()
	}
}

// Join bonds 10,000 poai and serves the echo model.
func Join(a *Account) *poaitypes.MsgJoin {
	return &poaitypes.MsgJoin{
		Participant: a.String(), Bond: sdk.NewInt64Coin(params.Denom, 10_000_000_000), Moniker: a.Name, Concurrency: 1_000, Models: []string{EchoModel},
	}
}

// Work makes a block with the given transactions and whatever the members have to do.
func (w *Crew) Work(txs ...[]byte) {
	w.chain.tb.Helper()
	own := len(txs)
	for _, m := range w.Members {
		msgs, err := w.Due(m)
		if err != nil {
			w.chain.tb.Fatalf("work of %s: %v", m.Name, err)
		}
		for _, msg := range msgs {
			gas := uint64(20_000_000)
			if w.Gas != nil {
				gas = w.Gas(m, msg)
			}
			txs = append(txs, w.chain.TxWith(m.Account, TxOptions{Gas: gas}, msg))
		}
	}
	for i, r := range w.chain.Block(txs...).TxResults {
		if i >= own && r.Code != 0 {
			w.chain.tb.Fatalf("height %d: transaction %d of the crew: %s", w.chain.Height(), i, r.Log)
		}
	}
}

// WorkUntil makes blocks until a task is in the state, at most blocks of them.
func (w *Crew) WorkUntil(task uint64, state taskstypes.State, blocks int) taskstypes.Status {
	w.chain.tb.Helper()
	var st taskstypes.Status
	for range blocks {
		var err error
		if st, err = w.chain.App.Tasks.Statuses.Get(w.chain.Ctx(), task); err != nil {
			w.chain.tb.Fatalf("task %d: %v", task, err)
		}
		if st.State == state {
			return st
		}
		w.Work()
	}
	w.chain.tb.Fatalf("task %d is %s after %d blocks, want %s", task, st.State, blocks, state)
	return st
}

// Due are the messages that a member has to send now.
func (w *Crew) Due(m *Participant) ([]sdk.Msg, error) {
	if m.Behaviour == Idle {
		return nil, nil
	}
	var msgs []sdk.Msg
	ctx := w.chain.Ctx()
	seals, reveals, err := w.results(ctx, m)
	if err != nil {
		return nil, err
	}
	for part := range chunks(len(seals), w.Batch) {
		msgs = append(msgs, &taskstypes.MsgSealResults{Worker: m.String(), Items: seals[part.from:part.to]})
	}
	for part := range chunks(len(reveals), w.Batch) {
		msgs = append(msgs, &taskstypes.MsgRevealResults{Worker: m.String(), Items: reveals[part.from:part.to]})
	}
	aseals, areveals, err := w.attestations(ctx, m)
	if err != nil {
		return nil, err
	}
	for part := range chunks(len(aseals), w.Batch) {
		msgs = append(msgs, &poaitypes.MsgSealAttestations{Participant: m.String(), Items: aseals[part.from:part.to]})
	}
	for part := range chunks(len(areveals), w.Batch) {
		msgs = append(msgs, &poaitypes.MsgRevealAttestations{Participant: m.String(), Items: areveals[part.from:part.to]})
	}
	return msgs, nil
}

func (w *Crew) results(ctx sdk.Context, m *Participant) (seals []taskstypes.ResultSeal, reveals []taskstypes.ResultReveal, err error) {
	k := w.chain.App.Tasks
	rng := collections.NewPrefixedPairRange[sdk.AccAddress, uint64](m.Addr)
	err = k.ByWorker.Walk(ctx, rng, func(key collections.Pair[sdk.AccAddress, uint64]) (bool, error) {
		id := key.K2()
		st, err := k.Statuses.Get(ctx, id)
		if err != nil {
			return false, err
		}
		if mine, err := w.stand(ctx, m, id, &st); err != nil || !mine {
			return false, err
		}
		toSeal := st.State == taskstypes.STATE_ASSIGNED && m.ready(id)
		toReveal := st.State == taskstypes.STATE_REVEALING && len(st.ResultRoot) == 0 && m.Behaviour != Mute
		if !toSeal && !toReveal {
			return false, nil
		}
		result, err := w.result(ctx, m, id)
		if err != nil {
			return false, err
		}
		task, err := k.Tasks.Get(ctx, id)
		if err != nil {
			return false, err
		}
		proof, err := m.ForcedProof(task, st)
		if err != nil {
			return false, err
		}
		sealed := result.Root
		if proof != nil {
			sealed = commit.ForcedRoot(sealed)
		}
		salt := salt(m, id, "result")
		if toSeal {
			seal := commit.Seal(w.chain.ChainID, id, m.String(), sealed, salt)
			seals = append(seals, taskstypes.ResultSeal{TaskId: id, Seal: seal[:]})
		} else {
			reveals = append(reveals, taskstypes.ResultReveal{
				TaskId: id, StateRoot: result.StateRoot[:], Outputs: result.Outputs, Salt: salt[:], ForcedProof: proof,
			})
		}
		return false, nil
	})
	if err != nil || !m.Races {
		return seals, reveals, err
	}
	joined, err := w.races(ctx, m)
	return append(seals, joined...), reveals, err
}

func (w *Crew) attestations(ctx sdk.Context, m *Participant) (seals []poaitypes.AttestationSeal, reveals []poaitypes.AttestationReveal, err error) {
	k := w.chain.App.Poai
	rng := collections.NewPrefixedPairRange[string, uint64](m.String())
	err = k.Duties.Walk(ctx, rng, func(key collections.Pair[string, uint64], index uint32) (bool, error) {
		id := key.K2()
		seat, err := k.Seats.Get(ctx, collections.Join(id, index))
		if err != nil {
			return false, err
		}
		committee, err := k.Committees.Get(ctx, id)
		if err != nil {
			return false, err
		}
		toSeal := seat.State == poaitypes.SEAT_STATE_OPEN && m.ready(id)
		toReveal := seat.State == poaitypes.SEAT_STATE_SEALED && committee.Phase == poaitypes.COMMITTEE_PHASE_REVEALING && m.Behaviour != Mute
		if !toSeal && !toReveal {
			return false, nil
		}
		result, err := w.result(ctx, m, id)
		if err != nil {
			return false, err
		}
		salt := salt(m, id, "attestation")
		if toSeal {
			seal := commit.Seal(w.chain.ChainID, id, m.String(), result.Root, salt)
			seals = append(seals, poaitypes.AttestationSeal{TaskId: id, Seal: seal[:]})
		} else {
			reveals = append(reveals, poaitypes.AttestationReveal{TaskId: id, ResultRoot: result.Root[:], Salt: salt[:]})
		}
		return false, nil
	})
	return seals, reveals, err
}

func (w *Crew) result(ctx sdk.Context, m *Participant, id uint64) (Result, error) {
	if m.Result != nil {
		return m.Result(id)
	}
	task, err := w.chain.App.Tasks.Tasks.Get(ctx, id)
	if err != nil {
		return Result{}, fmt.Errorf("task %d: %w", id, err)
	}
	in, err := w.chain.App.Tasks.Inputs.Get(ctx, id)
	if err != nil {
		return Result{}, fmt.Errorf("inputs of task %d: %w", id, err)
	}
	return RunEcho(in.Tensors, task.Steps, m.Behaviour == Liar)
}

func salt(m *Participant, task uint64, purpose string) [32]byte {
	return commit.Salt(m.Key.Bytes(), "", task, purpose)
}

type part struct{ from, to int }

// chunks cuts 0..n into parts of at most size.
func chunks(n, size int) func(yield func(part) bool) {
	return func(yield func(part) bool) {
		for from := 0; from < n; from += size {
			if !yield(part{from, min(from+size, n)}) {
				return
			}
		}
	}
}

// TaskIDs are the ids that a block's transactions were given, in order.
func TaskIDs(c *Chain, submitter *Account) []uint64 {
	var ids []uint64
	rng := collections.NewPrefixedPairRange[sdk.AccAddress, uint64](submitter.Addr)
	err := c.App.Tasks.BySubmitter.Walk(c.Ctx(), rng, func(key collections.Pair[sdk.AccAddress, uint64]) (bool, error) {
		ids = append(ids, key.K2())
		return false, nil
	})
	if err != nil {
		c.tb.Fatalf("tasks of %s: %v", submitter.Name, err)
	}
	return ids
}
