package challenger_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/daemon/chain/chaintest"
	"poaid/daemon/challenger"
	"poaid/daemon/executor"
	"poaid/engine"
	"poaid/engine/nn"
	"poaid/game"
	"poaid/model"
	disputestypes "poaid/x/disputes/types"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
)

// fataler is *testing.T or *rapid.T.
type fataler interface {
	require.TestingT
	Helper()
}

// Keys are slow to make, and models to load, so that all tests share them.
var (
	once   sync.Once
	enc    chain.Encoding
	rings  []keyring.Keyring
	story  *registered
	blobs  map[string][]byte
	truths sync.Map // of the task's seed: commit.Hash
)

const machines = 4

func setUp(t fataler) {
	t.Helper()
	once.Do(func() {
		var err error
		enc, err = chaintest.Encoding()
		require.NoError(t, err)
		for range machines {
			ring, err := chaintest.Key(enc, "hot")
			require.NoError(t, err)
			rings = append(rings, ring)
		}
		blobs = map[string][]byte{}
		story = register(t, "story", nn.LlamaConfig{Dim: 16, HiddenDim: 24, Layers: 1, Heads: 4, KVHeads: 2, Vocab: 300, Ctx: 9, EOS: []int64{1}})
	})
}

// register makes a model with random weights.
func register(t fataler, id string, cfg nn.LlamaConfig) *registered {
	t.Helper()
	prog, err := nn.Llama(cfg, engine.DefaultLimits())
	require.NoError(t, err)
	params := slices.Clone(cfg.Params())
	for i := range params {
		if len(params[i].Shape) == 2 {
			params[i].Init = nn.Normal(0.6)
		}
	}
	tensors, err := nn.InitParams(params, 3)
	require.NoError(t, err)
	cos, sin, err := nn.RopeTables(cfg.Ctx, cfg.HeadDim(), 10000)
	require.NoError(t, err)
	tensors["rope.cos"], tensors["rope.sin"] = cos, sin
	weights, err := engine.WeightsByName(prog, tensors)
	require.NoError(t, err)
	var named []model.NamedTensor
	for i, spec := range prog.WeightSpecs() {
		named = append(named, model.NamedTensor{Name: spec.Name, Tensor: weights.Tensors()[i]})
	}
	file, err := model.FormatSafetensors(named, nil)
	require.NoError(t, err)
	root, err := weights.Root(1)
	require.NoError(t, err)
	hash := prog.Hash()
	blobs[model.CIDOf(file)] = file
	return &registered{prog: prog, weights: weights, model: modelstypes.Model{
		Id: id, ProgramHash: hash[:], WeightsRoot: root[:], WeightsCid: model.CIDOf(file),
	}}
}

func newCourt(t fataler) *court {
	t.Helper()
	setUp(t)
	p := disputestypes.DefaultParams()
	p.ClockUnitsPerTick = 1000
	c := &court{
		chain: chaintest.New("court-1", enc), params: p, matters: map[uint64]*matter{}, news: map[int64]chain.News{},
		models: map[string]*registered{"story": story}, blobs: blobs,
	}
	c.chain.Module = c
	return c
}

const runSteps = 7

// inputsOf are the inputs of task id: another seed and another prompt each.
func inputsOf(t fataler, id uint64) map[string]*engine.Tensor {
	t.Helper()
	i64 := func(v ...int64) *engine.Tensor {
		x, err := engine.FromI64(v, int64(len(v)))
		require.NoError(t, err)
		return x
	}
	i32 := func(v int32) *engine.Tensor {
		x, err := engine.FromI32([]int32{v}, 1)
		require.NoError(t, err)
		return x
	}
	return map[string]*engine.Tensor{
		"prompt": i64(2, int64(3+id), 4), "seed": i64(int64(70 + id)), "temperature": i32(900_000), "top_k": i32(20),
	}
}

// submit adds a task. Nothing is revealed yet.
func (c *court) submit(t fataler, id uint64) *matter {
	t.Helper()
	given := inputsOf(t, id)
	bound, err := story.prog.BindInputs(given)
	require.NoError(t, err)
	root, err := bound.Root(1)
	require.NoError(t, err)
	machine, err := disputestypes.MachineOf(story.prog, bound.Rows(), courtCost)
	require.NoError(t, err)
	m := &matter{
		task: taskstypes.Task{Id: id, Model: "story", Steps: runSteps, InputRoot: root[:], Lock: math.NewInt(1000)}, bound: bound, machine: machine,
		weights: commit.Hash(story.model.WeightsRoot),
	}
	for i, spec := range story.prog.InputSpecs() {
		x := bound.Tensors()[i]
		m.inputs = append(m.inputs, taskstypes.NamedTensor{Name: spec.Name, Dtype: x.DType(), Shape: x.Shape(), Data: x.Bytes()})
	}
	truth, ok := truths.Load(id)
	if !ok {
		res, err := engine.Execute(context.Background(), story.prog, story.weights, given, runSteps, engine.RunOptions{Threads: 1})
		require.NoError(t, err)
		truth = res.ResultRoot
		truths.Store(id, truth)
	}
	m.truth = truth.(commit.Hash)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.matters[id] = m
	return m
}

// reveal lets a worker reveal a root in the next block.
func (c *court) reveal(id uint64, worker string, root commit.Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.chain.Height() + 1
	m := c.matters[id]
	m.status = taskstypes.Status{State: taskstypes.STATE_REVEALED, Attempt: 1, Worker: worker, ResultRoot: root[:], Deadline: h + challengeBlocks}
	n := c.news[h]
	n.Revealed = append(slices.Clone(n.Revealed), id)
	c.news[h] = n
}

// lie is a trace of task id in which a node of a step is off by a bit.
func (c *court) lie(t fataler, id, step uint64) (game.Trace, commit.Hash) {
	t.Helper()
	m := c.matters[id]
	src, err := game.NewReferenceSource(m.machine, story.weights.Tensors(), m.bound.Tensors(), runSteps)
	require.NoError(t, err)
	for node := m.machine.Nodes(step) - 1; node >= 0; node-- {
		bent, err := src.Tampered(func(t uint64, n int, out *engine.Tensor) *engine.Tensor {
			if t != step || n != node {
				return out
			}
			x := out.Clone()
			x.Bytes()[len(x.Bytes())/2] ^= 0x40
			return x
		})
		require.NoError(t, err)
		tr := game.NewRerun(m.machine, bent, story.weights.Tensors(), m.bound.Tensors(), runSteps)
		root, err := game.ResultRoot(tr, runSteps)
		require.NoError(t, err)
		if root != m.truth {
			return tr, root
		}
	}
	require.Fail(t, "no lie changes the result")
	return nil, commit.Hash{}
}

// manner is how a rogue plays.
type manner int

const (
	plays   manner = iota // as well as one can with a lie
	silent                // not at all
	garbage               // moves that are malformed, illegal or not its turn
	slow                  // as late as it can
	loses                 // quickly, by rejecting what is right
)

// rogue is a liar: it has a trace of its own for each task and speaks to the court directly.
type rogue struct {
	name   string
	manner manner
	traces map[uint64]game.Trace
	rand   *rand.Rand
}

func newRogue(name string, how manner) *rogue {
	return &rogue{name: name, manner: how, traces: map[uint64]game.Trace{}, rand: rand.New(rand.NewPCG(1, 2))}
}

// act plays all games that wait for it.
func (r *rogue) act(t fataler, c *court) {
	t.Helper()
	if r.manner == silent {
		return
	}
	h := c.chain.Height()
	for id, tr := range r.traces {
		games := slices.Clone(c.matters[id].games)
		for i := range games {
			g := &games[i]
			turn := alive(g) && player(g, game.Side(g.Position.Mover)) == r.name
			switch {
			case r.manner == garbage && alive(g):
				msg := &disputestypes.MsgMove{Participant: r.name, TaskId: id, Game: g.Index, Moves: g.Moves + uint64(r.rand.IntN(2)), Move: r.junk()}
				_, _ = c.Handle(msg, h) // refused, mostly
			case turn && r.manner == loses:
				c.lose(t, r.name, g)
			case turn && (r.manner == plays || r.manner == slow && g.Due <= c.tick+1):
				c.answer(t, r.name, g, tr)
			}
		}
	}
}

// answer makes the move that a trace has.
func (c *court) answer(t fataler, who string, g *disputestypes.Game, tr game.Trace) {
	t.Helper()
	m := c.matters[g.TaskId]
	at, err := c.resume(m, g)
	require.NoError(t, err)
	mv, err := (&game.Solver{Machine: m.machine, Trace: tr}).Next(at)
	if err != nil {
		return // a lie has no answer to everything
	}
	enc, err := disputestypes.EncodeMove(mv)
	require.NoError(t, err)
	_, _ = c.Handle(&disputestypes.MsgMove{Participant: who, TaskId: g.TaskId, Game: g.Index, Moves: g.Moves, Move: enc}, c.chain.Height())
}

// lose rejects the first thing, whatever it is, and proves the truth in the end.
func (c *court) lose(t fataler, who string, g *disputestypes.Game) {
	t.Helper()
	at, err := c.resume(c.matters[g.TaskId], g)
	require.NoError(t, err)
	if at.Legal(game.Reject{}) != nil {
		src, err := game.NewReferenceSource(c.matters[g.TaskId].machine, story.weights.Tensors(), c.matters[g.TaskId].bound.Tensors(), runSteps)
		require.NoError(t, err)
		c.answer(t, who, g, game.NewRerun(c.matters[g.TaskId].machine, src, story.weights.Tensors(), c.matters[g.TaskId].bound.Tensors(), runSteps))
		return
	}
	mv, err := disputestypes.EncodeMove(game.Reject{})
	require.NoError(t, err)
	_, err = c.Handle(&disputestypes.MsgMove{Participant: who, TaskId: g.TaskId, Game: g.Index, Moves: g.Moves, Move: mv}, c.chain.Height())
	require.NoError(t, err)
}

func (r *rogue) junk() disputestypes.Move {
	hash := func() commit.Hash { return commit.Hash{byte(r.rand.IntN(256)), 7} }
	moves := []game.Move{
		game.Open{State: hash(), Output: hash()},
		game.Split{Hashes: []commit.Hash{hash(), hash()}},
		game.Chunk{Data: []byte{1, 2, 3}},
		game.Accumulators{Values: [][]byte{{1}}},
		game.Reject{Index: r.rand.Uint64N(20)},
		game.RejectUpdates{},
		game.Judge{},
		game.Stopped{},
	}
	mv, err := disputestypes.EncodeMove(moves[r.rand.IntN(len(moves))])
	if err != nil || r.rand.IntN(5) == 0 {
		return disputestypes.Move{}
	}
	return mv
}

var errKilled = errors.New("killed")

// machine is an honest participant's: its disk and key outlive its processes.
type machine struct {
	t    fataler
	c    *court
	dir  string
	ring keyring.Keyring
	life []int64 // after how many effects and reads its processes die; then they live
	rate float64
	max  int64 // memory
	log  *slog.Logger

	left   atomic.Int64
	ctx    context.Context
	cancel func()
	book   *challenger.Book
	ch     *challenger.Challenger
	sender *chain.Sender
	name   string
	deaths int
	runs   atomic.Int32
	tell   *tally
}

// tally counts what a challenger reports.
type tally struct {
	challenger.NoMetrics
	mu    sync.Mutex
	games map[string]int
}

func (y *tally) GameOver(how string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.games[how]++
}

func (c *court) machine(t fataler, dir string, n int, life ...int64) *machine {
	t.Helper()
	d, err := os.MkdirTemp(dir, "machine")
	require.NoError(t, err)
	m := &machine{t: t, c: c, dir: d, ring: rings[n], life: life, rate: 1, tell: &tally{games: map[string]int{}}}
	m.boot()
	return m
}

// alive counts a moment at which the process may be killed.
func (m *machine) alive() error {
	if m.left.Add(-1) >= 0 {
		return nil
	}
	m.cancel()
	return errKilled
}

// gate is the chain as one process sees it: every call is a moment to be killed at.
type gate struct {
	*court
	m *machine
}

func (g gate) Task(ctx context.Context, id uint64) (taskstypes.TaskView, error) {
	if err := g.m.alive(); err != nil {
		return taskstypes.TaskView{}, err
	}
	return g.court.Task(ctx, id)
}

func (g gate) Games(ctx context.Context, id uint64) ([]disputestypes.Game, error) {
	if err := g.m.alive(); err != nil {
		return nil, err
	}
	return g.court.Games(ctx, id)
}

func (g gate) Inputs(ctx context.Context, id uint64) ([]taskstypes.NamedTensor, error) {
	g.m.runs.Add(1)
	if err := g.m.alive(); err != nil {
		return nil, err
	}
	return g.court.Inputs(ctx, id)
}

// GetBytes implements executor.Blobs.
func (g gate) GetBytes(_ context.Context, cid string, _ int64) ([]byte, error) {
	data, ok := g.court.blobs[cid]
	if !ok {
		return nil, errors.New("nobody has it")
	}
	return data, nil
}

type node struct {
	*chaintest.Chain
	m *machine
}

func (n node) Broadcast(ctx context.Context, raw []byte) (chain.TxResult, error) {
	if err := n.m.alive(); err != nil {
		return chain.TxResult{}, err
	}
	res, err := n.Chain.Broadcast(ctx, raw)
	if dead := n.m.alive(); dead != nil {
		return chain.TxResult{}, dead
	}
	return res, err
}

func (m *machine) boot() {
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.left.Store(1 << 40)
	if m.deaths < len(m.life) {
		m.left.Store(m.life[m.deaths])
	}
	signer, err := chain.NewSigner(m.ring, "hot", "", "", enc)
	require.NoError(m.t, err)
	m.name = signer.Operator()
	secret, err := signer.SaltSecret()
	require.NoError(m.t, err)
	m.book, err = challenger.OpenBook(filepath.Join(m.dir, "book.db"), m.c.chain.ID, m.name)
	require.NoError(m.t, err)
	m.book.NoSync()
	m.sender = chain.NewSender(node{m.c.chain, m}, signer, chain.SenderConfig{
		TimeoutBlocks: 5, MinBackoff: time.Nanosecond, MaxBackoff: time.Nanosecond, Gas: chain.GasPolicy{Simulate: true, Base: 1, PerItem: 1, Adjustment: 1},
	})
	g := gate{m.c, m}
	exec := executor.New(g, g, executor.Options{Threads: 1})
	m.ch, err = challenger.New(challenger.Config{
		Participant: m.name, Secret: secret, WatchRate: m.rate, Concurrency: 2, MemoryBytes: m.max, Produce: true,
		MinRetry: time.Nanosecond, MaxRetry: time.Nanosecond, Logger: m.log, Metrics: m.tell,
	}, g, g, exec, m.book, m.sender)
	require.NoError(m.t, err)
}

// reboot kills the process and starts another.
func (m *machine) reboot() {
	m.cancel()
	m.ch.Wait()
	m.deaths++
	require.NoError(m.t, m.book.Close())
	m.boot()
}

func (m *machine) tick(h int64) {
	_ = m.ch.Tick(m.ctx, h) // what failed is repeated at the next height
	m.ch.Wait()
	m.sender.Advance(h)
	m.sender.Step(m.ctx)
	if m.left.Load() < 0 {
		m.reboot()
	}
}

// run moves everybody on until every task is over, and requires that each ended as its true root says.
func (c *court) run(t fataler, ms []*machine, rogues ...*rogue) {
	t.Helper()
	for range 600 {
		h := c.chain.Commit()
		for _, r := range rogues {
			r.act(t, c)
		}
		for _, m := range ms {
			m.tick(h)
		}
		if c.over() {
			// Everybody sees the end.
			for range 3 {
				h = c.chain.Commit()
				for _, m := range ms {
					m.tick(h)
				}
			}
			c.requireTruth(t)
			return
		}
	}
	require.Fail(t, "no end", "%s", c.describe())
}

func (c *court) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.matters {
		if m.status.State == taskstypes.STATE_REVEALED || m.status.State == taskstypes.STATE_DISPUTED {
			return false
		}
	}
	return true
}

func (c *court) describe() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := ""
	for id, m := range c.matters {
		out += fmt.Sprintf("task %d: %s", id, m.status.State)
		for _, cl := range m.claims {
			out += fmt.Sprintf("\n  claim of %s, right %t, beaten %t", cl.Participant, commit.Hash(cl.ResultRoot) == m.truth, cl.Beaten)
		}
		for _, g := range m.games {
			out += fmt.Sprintf("\n  game %d: %s against %s, moves %d, %s, winner %s", g.Index, g.Challenger, g.Defender, g.Moves, g.Result, g.Winner)
		}
		out += "\n"
	}
	return out
}

// requireTruth: no right claim was beaten but by its own silence before anybody honest had it, and the right root is left.
func (c *court) requireTruth(t fataler) {
	t.Helper()
	require.Empty(t, c.broken)
	for id, m := range c.matters {
		right := commit.Hash(m.status.ResultRoot) == m.truth
		want := taskstypes.STATE_REFUNDED
		if right {
			want = taskstypes.STATE_FINAL
		}
		require.Equal(t, want, m.status.State, "task %d\n%s", id, c.describe())
		if m.cs != nil {
			require.Equal(t, m.truth[:], m.cs.ValidRoot, "task %d", id)
		}
	}
}

// requireUnbeaten: a machine lost no game.
func (c *court) requireUnbeaten(t fataler, ms ...*machine) {
	t.Helper()
	for id, m := range c.matters {
		for _, x := range ms {
			if cl := m.claimOf(x.name); cl != nil {
				require.False(t, cl.Beaten, "task %d\n%s", id, c.describe())
			}
		}
	}
}
