package challenger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"poaid/commit"
	"poaid/daemon/executor"
	"poaid/engine"
	"poaid/game"
	disputestypes "poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

// ErrOtherRoot is returned when this machine computes another result than the claim that it should play for.
var ErrOtherRoot = errors.New("this machine computes another result than was claimed: software, memory or processor are at fault")

// solver makes moves by re-execution. What it derives is kept between the moves of a task and shared by its games, until memory is
// needed for others: then it is derived again.
type solver struct {
	facts Facts
	runs  Runs
	bound int64

	mu     sync.Mutex
	traces map[uint64]*trace
	clock  uint64
	freed  chan struct{}
}

// trace is one task's run, as a game asks for it. A failed one is not kept.
type trace struct {
	task    taskstypes.Task
	machine game.Machine
	weights commit.Hash
	rerun   game.Trace
	root    commit.Hash
	ctx     *jobContext

	bytes int64 // of the run; model says whose weights come on top
	model string
	wbyte int64
	users int
	used  uint64
	turn  chan struct{} // held by who plays: a trace is not safe for concurrent use
}

func newSolver(facts Facts, runs Runs, bound int64) *solver {
	return &solver{facts: facts, runs: runs, bound: bound, traces: map[uint64]*trace{}, freed: make(chan struct{})}
}

// jobContext lets a trace outlive the job that began it: re-execution is bound to the context of whoever asks now.
type jobContext struct {
	context.Context // the one of the challenger's life, for values and deadlines

	mu  sync.Mutex
	now context.Context
}

func (j *jobContext) set(ctx context.Context) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.now = ctx
}

func (j *jobContext) current() context.Context {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.now != nil {
		return j.now
	}
	return j.Context
}

// Done implements context.Context.
func (j *jobContext) Done() <-chan struct{} { return j.current().Done() }

// Err implements context.Context.
func (j *jobContext) Err() error { return j.current().Err() }

// move is this participant's move in a game whose turn is its.
func (s *solver) move(ctx context.Context, task taskstypes.Task, g *disputestypes.Game, mine []byte) (disputestypes.Move, error) {
	tr, done, err := s.acquire(ctx, task)
	if err != nil {
		return disputestypes.Move{}, err
	}
	defer done()
	if string(tr.root[:]) != string(mine) {
		return disputestypes.Move{}, fmt.Errorf("%w: have %s, claimed %X", ErrOtherRoot, tr.root, mine)
	}
	setup, err := disputestypes.NewSetup(*g, tr.machine, task, tr.weights)
	if err != nil {
		return disputestypes.Move{}, err
	}
	pos, err := disputestypes.DecodePosition(g.Position)
	if err != nil {
		return disputestypes.Move{}, err
	}
	at := game.Resume(setup, pos)
	next, err := (&game.Solver{Machine: tr.machine, Trace: tr.rerun}).Next(at)
	if err != nil {
		s.forget(task.Id) // a step that was cut short has lost its states
		return disputestypes.Move{}, fmt.Errorf("solve: %w", err)
	}
	if err := at.Legal(next); err != nil {
		// The chain would say the same, and take a fee for it.
		return disputestypes.Move{}, fmt.Errorf("own move: %w", err)
	}
	return disputestypes.EncodeMove(next)
}

// stake is what an attack in a task puts up: what its target's moves cost at most, and what burns besides.
func (s *solver) stake(ctx context.Context, task taskstypes.Task, p disputestypes.Params) (uint64, error) {
	tr, done, err := s.acquire(ctx, task)
	if err != nil {
		return 0, err
	}
	defer done()
	rounds := game.Game{Setup: game.Setup{Machine: tr.machine, Steps: task.Steps, Start: task.StartStep, Arity: uint64(p.Arity)}}.MaxRounds()
	whole := p.RulesOf(true).Stake(rounds)
	if !whole.IsUint64() {
		return 0, fmt.Errorf("stake: %s", whole)
	}
	return whole.Uint64(), nil
}

// acquire gives a task's trace to one caller at a time.
func (s *solver) acquire(ctx context.Context, task taskstypes.Task) (*trace, func(), error) {
	s.mu.Lock()
	s.clock++
	tr, ok := s.traces[task.Id]
	if !ok {
		tr = &trace{task: task, model: task.Model, turn: make(chan struct{}, 1)}
		s.traces[task.Id] = tr
	}
	tr.users++
	tr.used = s.clock
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		s.release(tr)
		return nil, nil, ctx.Err()
	case tr.turn <- struct{}{}:
	}
	done := func() {
		<-tr.turn
		s.release(tr)
	}
	if tr.rerun == nil {
		if err := s.build(ctx, tr); err != nil {
			done()
			s.forget(task.Id)
			return nil, nil, err
		}
	}
	tr.ctx.set(ctx)
	return tr, done, nil
}

func (s *solver) release(tr *trace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tr.users--
	close(s.freed)
	s.freed = make(chan struct{})
}

// forget drops a task's trace. One that somebody plays with goes once they are done with it.
func (s *solver) forget(task uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.traces, task)
}

// build sets a trace up and computes its root, which is the whole run.
func (s *solver) build(ctx context.Context, tr *trace) error {
	model, err := s.facts.Model(ctx, tr.task.Model)
	if err != nil {
		return err
	}
	cost, err := s.facts.CostParams(ctx)
	if err != nil {
		return err
	}
	if len(model.WeightsRoot) != commit.Size {
		return fmt.Errorf("model %s: weights root of %d bytes", tr.task.Model, len(model.WeightsRoot))
	}
	m, release, err := s.runs.Open(ctx, tr.task)
	if err != nil {
		return err
	}
	// The executor may drop the model from now on, so that nobody waits for it as long as a game lasts; here it is counted too.
	defer release()
	machine, err := disputestypes.MachineOf(m.Program, m.Inputs.Rows(), cost)
	if err != nil {
		return err
	}
	run, weights, err := traceBytes(machine, m.Program, tr.task.StartStep, tr.task.Steps)
	if err != nil {
		return err
	}
	if err := s.reserve(ctx, tr, run, weights); err != nil {
		return err
	}
	tr.ctx = &jobContext{Context: context.WithoutCancel(ctx), now: ctx}
	rerun, err := s.trace(tr.ctx, machine, tr.task, m)
	if err != nil {
		return err
	}
	if tr.root, err = game.ResultRoot(rerun, tr.task.Steps); err != nil {
		return fmt.Errorf("task %d: execute again: %w", tr.task.Id, err)
	}
	tr.machine, tr.weights, tr.rerun = machine, commit.Hash(model.WeightsRoot), rerun
	return nil
}

func (s *solver) trace(ctx context.Context, machine game.Machine, task taskstypes.Task, m executor.Material) (game.Trace, error) {
	if t, ok := s.runs.(Tracer); ok {
		if own, err := t.Trace(ctx, machine, task, m); own != nil || err != nil {
			return own, err
		}
	}
	from := game.Checkpoint{Step: task.StartStep, States: m.Start}
	return game.NewSegmentTrace(ctx, machine, m.Program, m.Weights, m.Inputs, from, task.Steps, s.runs.RunOptions())
}

// reserve makes room for a trace: idle ones go, the longest unused first; then it waits for those in use. Alone it may exceed the bound:
// not to play is to lose.
func (s *solver) reserve(ctx context.Context, tr *trace, run, weights int64) error {
	for {
		s.mu.Lock()
		tr.bytes, tr.wbyte = run, weights
		for s.total() > s.bound {
			var oldest *trace
			for _, other := range s.traces {
				if other != tr && other.users == 0 && (oldest == nil || other.used < oldest.used) {
					oldest = other
				}
			}
			if oldest == nil {
				break
			}
			delete(s.traces, oldest.task.Id)
		}
		alone := true
		for _, other := range s.traces {
			alone = alone && (other == tr || other.bytes == 0)
		}
		fits, freed := s.total() <= s.bound, s.freed
		if !fits && !alone {
			tr.bytes, tr.wbyte = 0, 0 // whoever else waits must not wait for this one
		}
		s.mu.Unlock()
		if fits || alone {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-freed:
		}
	}
}

// total is what all traces take, the weights of each model once. The lock is held.
func (s *solver) total() int64 {
	var sum int64
	models := map[string]bool{}
	for _, tr := range s.traces {
		sum += tr.bytes
		if tr.bytes > 0 && !models[tr.model] {
			models[tr.model] = true
			sum += tr.wbyte
		}
	}
	return sum
}

// traceBytes bounds what a trace keeps: checkpoints of the states, the nodes of one step, trees of both, and besides that the weights
// with theirs (packed ones included).
func traceBytes(m game.Machine, prog *engine.Program, start, steps uint64) (run, weights int64, err error) {
	var states, nodes int64
	for _, st := range m.States() {
		n, err := engine.ByteSize(st.DType, st.Shape)
		if err != nil {
			return 0, 0, err
		}
		states += n
	}
	for _, t := range []uint64{start, steps - 1} {
		var sum int64
		for n := range m.Nodes(t) {
			view, _, err := m.Node(t, n)
			if err != nil {
				return 0, 0, err
			}
			size, err := engine.ByteSize(view.Out.DType, view.Out.Shape)
			if err != nil {
				return 0, 0, err
			}
			sum += size
		}
		nodes = max(nodes, sum)
	}
	for _, w := range prog.WeightSpecs() {
		n, err := engine.ByteSize(w.DType, w.Shape)
		if err != nil {
			return 0, 0, err
		}
		weights += 2 * n
	}
	kept := float64(states)*(math.Sqrt(float64(steps-start))+4) + float64(nodes) //detlint:allow an estimate
	kept += kept/16 + float64(weights)/32 + float64(prog.RunBytes())
	return int64(min(kept, math.MaxInt64/4)), weights, nil
}
