package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"poaid/commit"
	"poaid/testutil"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// bench drives one chain.
type bench struct {
	cfg   config
	c     *testutil.Chain
	cast  cast
	input uint64
	kinds []string
	times map[string][]sample
}

// measure runs every kind of block cfg.rounds times. The first result is the bank send.
func measure(cfg config, executor string, size int) (results []result, err error) {
	t := new(tb)
	defer t.cleanup()
	defer func() {
		if r := recover(); r != nil {
			a, ok := r.(abort)
			if !ok {
				panic(r)
			}
			err = a.error
		}
	}()
	b := &bench{cfg: cfg, times: make(map[string][]sample)}
	b.c, b.cast = setUp(t, cfg, executor, size)
	for round := range cfg.rounds {
		fmt.Fprintf(os.Stderr, "%s, %d stored: round %d of %d\n", executor, size, round+1, cfg.rounds)
		if err := b.round(); err != nil {
			return nil, err
		}
	}
	for _, k := range b.kinds {
		results = append(results, result{k, b.times[k]})
	}
	return results, nil
}

func (b *bench) round() error {
	if err := b.sends(); err != nil {
		return err
	}
	single := life{bench: b, model: testutil.EchoModel, size: 1, txs: b.cfg.txs}
	if err := single.run(); err != nil {
		return err
	}
	batches := life{bench: b, model: batchModel, size: b.cfg.batch, txs: b.cfg.batchTxs, prefix: fmt.Sprintf("batches of %d: ", b.cfg.batch)}
	return batches.run()
}

// block measures one block and checks that all of it succeeded. items, unlike txs, may be what EndBlock did.
func (b *bench) block(kind string, txs [][]byte, items int) error {
	runtime.GC()
	from := time.Now()
	res := b.c.Block(txs...)
	took := time.Since(from)
	for i, r := range res.TxResults {
		if r.Code != 0 {
			return fmt.Errorf("%s: transaction %d: %s", kind, i, r.Log)
		}
	}
	if kind == "" {
		return nil
	}
	if _, ok := b.times[kind]; !ok {
		b.kinds = append(b.kinds, kind)
	}
	b.times[kind] = append(b.times[kind], sample{len(txs), items, took})
	return nil
}

func (b *bench) sends() error {
	txs := make([][]byte, b.cfg.txs)
	for i, from := range b.cast.senders {
		to := b.cast.senders[(i+1)%len(b.cast.senders)]
		txs[i] = b.c.Tx(from, banktypes.NewMsgSend(from.Addr, to.Addr, testutil.Coins(1)))
	}
	return b.block("bank send", txs, 0)
}

// life takes tasks of one model from submission to payment, with batches of size items.
type life struct {
	*bench
	model  string
	size   int
	txs    int // of a block
	prefix string
	ids    []uint64
}

func (l *life) run() error {
	for _, step := range []func() error{l.submit, l.draw, l.seal, l.audit, l.sealAttestations, l.reveal, l.revealAttestations, l.settle} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// submit opens as many tasks as the blocks have items; only single submissions are measured, a batch has one submission a
// transaction too.
func (l *life) submit() error {
	kind := "submit"
	if l.size > 1 {
		kind = ""
	}
	tasks := l.txs
	if l.size > 1 {
		tasks = l.txs * l.size * 13 / 10 // so that almost everybody is drawn for a full batch
	}
	for left := tasks; left > 0; left -= l.bench.cfg.txs {
		n := min(left, l.bench.cfg.txs)
		txs := make([][]byte, n)
		for i, from := range l.cast.senders[:n] {
			l.input++
			msg := testutil.SubmitEcho(from, 1<<40+l.input)
			msg.Model = l.model
			txs[i] = l.c.Tx(from, msg)
		}
		if err := l.block(kind, txs, 0); err != nil {
			return err
		}
		height := uint64(l.c.Height())
		rng := new(collections.Range[uint64]).StartInclusive(height << 24).EndExclusive((height + 1) << 24)
		if err := l.c.App.Tasks.Tasks.Walk(l.c.Ctx(), rng, func(id uint64, _ taskstypes.Task) (bool, error) {
			l.ids = append(l.ids, id)
			return false, nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// until makes empty blocks until every task is in the state, and measures the one in which most of them got there.
func (l *life) until(kind string, state taskstypes.State) error {
	for range 60 {
		var before, after int
		var err error
		if before, err = l.in(state); err != nil {
			return err
		}
		if before == len(l.ids) {
			return nil
		}
		from := time.Now()
		l.c.Block()
		took := time.Since(from)
		if after, err = l.in(state); err != nil {
			return err
		}
		if moved := after - before; moved > len(l.ids)/2 {
			name := l.prefix + kind
			if _, ok := l.times[name]; !ok {
				l.kinds = append(l.kinds, name)
			}
			l.times[name] = append(l.times[name], sample{0, moved, took})
		}
	}
	return fmt.Errorf("%s: not all tasks became %s", kind, state)
}

// in counts the tasks in a state.
func (l *life) in(state taskstypes.State) (int, error) {
	n, ctx := 0, l.c.Ctx()
	for _, id := range l.ids {
		st, err := l.c.App.Tasks.Statuses.Get(ctx, id)
		if err != nil {
			return 0, err
		}
		if st.State == state {
			n++
		}
	}
	return n, nil
}

func (l *life) draw() error { return l.until("EndBlock: draw workers", taskstypes.STATE_ASSIGNED) }

func (l *life) audit() error  { return l.until("EndBlock: draw committees", taskstypes.STATE_AUDITED) }
func (l *life) settle() error { return l.until("EndBlock: pay and score", taskstypes.STATE_FINAL) }

// job is one item of one participant.
type job struct {
	id     uint64
	result testutil.Result
	salt   [32]byte
	seal   commit.Hash
}

// jobs are the items each participant has to do, by the account that does them, in the order of tasks.
func (l *life) jobs(worker bool) (order []*testutil.Account, todo map[*testutil.Account][]job, err error) {
	todo = make(map[*testutil.Account][]job)
	ctx := l.c.Ctx()
	for _, id := range l.ids {
		who, err := l.who(ctx, id, worker)
		if err != nil {
			return nil, nil, err
		}
		in, err := l.c.App.Tasks.Inputs.Get(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		r, err := testutil.RunEcho(in.Tensors, 1, false)
		if err != nil {
			return nil, nil, err
		}
		j := job{id: id, result: r, salt: commit.Salt(who.Key.Bytes(), "", id, fmt.Sprint(worker))}
		j.seal = commit.Seal(l.c.ChainID, id, who.String(), r.Root, j.salt)
		if len(todo[who]) == 0 {
			order = append(order, who)
		}
		todo[who] = append(todo[who], j)
	}
	return order, todo, nil
}

// who is a task's worker, or the only member of its committee.
func (l *life) who(ctx sdk.Context, id uint64, worker bool) (*testutil.Account, error) {
	address := ""
	if worker {
		st, err := l.c.App.Tasks.Statuses.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		address = st.Worker
	} else {
		seat, err := l.c.App.Poai.Seats.Get(ctx, collections.Join(id, uint32(0)))
		if err != nil {
			return nil, err
		}
		address = seat.Participant
	}
	acc, ok := l.cast.byAddress[address]
	if !ok {
		return nil, errors.New("a stranger was drawn: " + address)
	}
	return acc, nil
}

// deliver puts all items into transactions of at most size items and measures a block of them; what does not fill a block goes
// into another one that is not measured.
func (l *life) deliver(kind string, worker bool, message func(who *testutil.Account, jobs []job) sdk.Msg) error {
	order, todo, err := l.jobs(worker)
	if err != nil {
		return err
	}
	var full, rest [][]byte
	for _, who := range order {
		jobs := todo[who]
		for len(jobs) > 0 {
			n := min(l.size, len(jobs))
			bz := l.c.TxWith(who, testutil.TxOptions{Gas: 1_000_000 + uint64(n)*500_000}, message(who, jobs[:n]))
			jobs = jobs[n:]
			if n == l.size && len(full) < l.txs {
				full = append(full, bz)
			} else {
				rest = append(rest, bz)
			}
		}
	}
	if len(full) == 0 {
		return fmt.Errorf("%s: no participant has %d items", kind, l.size)
	}
	items := 0
	if l.size > 1 {
		items = len(full) * l.size
	}
	if err := l.block(l.prefix+kind, full, items); err != nil {
		return err
	}
	if len(rest) == 0 {
		return nil
	}
	return l.block("", rest, 0)
}

func (l *life) seal() error {
	return l.deliver("seal", true, func(who *testutil.Account, jobs []job) sdk.Msg {
		m := &taskstypes.MsgSealResults{Worker: who.String()}
		for _, j := range jobs {
			m.Items = append(m.Items, taskstypes.ResultSeal{TaskId: j.id, Seal: j.seal[:]})
		}
		return m
	})
}

func (l *life) reveal() error {
	return l.deliver("reveal", true, func(who *testutil.Account, jobs []job) sdk.Msg {
		m := &taskstypes.MsgRevealResults{Worker: who.String()}
		for _, j := range jobs {
			m.Items = append(m.Items, taskstypes.ResultReveal{
				TaskId: j.id, StateRoot: j.result.StateRoot[:], Outputs: j.result.Outputs, Salt: j.salt[:],
			})
		}
		return m
	})
}

func (l *life) sealAttestations() error {
	return l.deliver("attest: seal", false, func(who *testutil.Account, jobs []job) sdk.Msg {
		m := &poaitypes.MsgSealAttestations{Participant: who.String()}
		for _, j := range jobs {
			m.Items = append(m.Items, poaitypes.AttestationSeal{TaskId: j.id, Seal: j.seal[:]})
		}
		return m
	})
}

func (l *life) revealAttestations() error {
	return l.deliver("attest: reveal", false, func(who *testutil.Account, jobs []job) sdk.Msg {
		m := &poaitypes.MsgRevealAttestations{Participant: who.String()}
		for _, j := range jobs {
			m.Items = append(m.Items, poaitypes.AttestationReveal{TaskId: j.id, ResultRoot: j.result.Root[:], Salt: j.salt[:]})
		}
		return m
	})
}
