package testutil

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	"poaid/engine"
	"poaid/sprint"
	"poaid/testutil/adversary"
	poaitypes "poaid/x/poai/types"
	sprintstypes "poaid/x/sprints/types"
)

// sprintGas is the gas limit of a commit or an opening.
const sprintGas = 5_000_000

// Sprint is a chain whose participants prove capacity with a tiny transformer.
type Sprint struct {
	*Chain
	Crew *Crew
	Prog *engine.Program

	answers map[answerKey]*adversary.Answer
}

// answerKey is a task and whether its answer is a lie.
type answerKey struct {
	task uint64
	lie  bool
}

// Sprinter is a participant that commits leaves.
type Sprinter struct {
	*Participant
	// Fakes says which leaves it makes up; nil: none.
	Fakes func(leaf uint64) bool
	// Key replaces the key of its leaves, as somebody does who computes another's; nil: its own.
	Key *[32]byte

	values map[uint64][][]byte
}

// SprintParams are those of a test chain: short windows, no wait, everybody audited unless changed.
func SprintParams() sprintstypes.Params {
	p := sprintstypes.DefaultParams()
	p.DutyPpm, p.WindowBlocks, p.Delay, p.Sample = 500_000, 4, 2, 8
	p.MinTokens, p.FirstTokens, p.MaxTokens = 2, 4, 8
	p.OpenBlocks, p.VerifyPpm, p.TargetLeaves, p.KeepWindows = 6, sprintstypes.PpmOne, 20, 50
	return p
}

// NewSprint starts a chain with sprints. change may change the params of x/sprints, genesis the rest.
func NewSprint(tb TB, opts Options, change func(*sprintstypes.Params)) *Sprint {
	tb.Helper()
	more := opts.Genesis
	opts.Genesis = func(g *Genesis) {
		s := sprintstypes.GenesisState{Params: SprintParams()}
		program := sprintstypes.ProgramOf(sprint.Tiny())
		s.Program = &program
		if change != nil {
			change(&s.Params)
		}
		g.Set(sprintstypes.ModuleName, &s)
		if more != nil {
			more(g)
		}
	}
	prog, err := sprint.Program(sprint.Tiny())
	if err != nil {
		tb.Fatalf("program: %v", err)
	}
	c := NewApp(tb, opts)
	return &Sprint{Chain: c, Crew: &Crew{chain: c, Batch: 100}, Prog: prog, answers: make(map[answerKey]*adversary.Answer)}
}

// Join makes an account a participant that serves the base model.
func (s *Sprint) Join(a *Account) *Sprinter {
	s.tb.Helper()
	msg := Join(a)
	msg.Models = []string{sprintstypes.DefaultBaseModel}
	s.Deliver(a, msg)
	p := NewSprinter(&Participant{Account: a})
	p.Result = func(task uint64) (Result, error) { return s.result(p, task) }
	s.Crew.Members = append(s.Crew.Members, p.Participant)
	return p
}

// NewSprinter lets a participant of any kind commit leaves.
func NewSprinter(p *Participant) *Sprinter {
	return &Sprinter{Participant: p, values: make(map[uint64][][]byte)}
}

// Knows tells whether a participant has computed a window's leaves.
func (p *Sprinter) Knows(window uint64) bool { return p.values[window] != nil }

// result runs a task with the weights that its model's seed gives.
func (s *Sprint) result(p *Sprinter, task uint64) (Result, error) {
	key := answerKey{task, p.Behaviour == Liar}
	if a, ok := s.answers[key]; ok {
		return ResultOf(s.Prog, a), nil
	}
	run, err := s.Run(task)
	if err != nil {
		return Result{}, err
	}
	lie := adversary.Honest
	if key.lie {
		lie = adversary.WrongOutput(0)
	}
	a, err := lie(run)
	if err != nil {
		return Result{}, err
	}
	s.answers[key] = a
	return ResultOf(s.Prog, a), nil
}

// ResultOf is what is revealed of an answer.
func ResultOf(prog *engine.Program, a *adversary.Answer) Result {
	res := Result{StateRoot: a.StateRoot, Root: a.Root}
	for i, name := range prog.OutputNames() {
		res.Outputs = append(res.Outputs, namedTensor(name, a.Outputs[i]))
	}
	return res
}

// Run is the computation that a task of a seeded model asks for.
func (s *Sprint) Run(task uint64) (*adversary.Run, error) {
	ctx := s.Ctx()
	t, err := s.App.Tasks.Tasks.Get(ctx, task)
	if err != nil {
		return nil, err
	}
	weights, err := s.weights(t.Model)
	if err != nil {
		return nil, err
	}
	cost, err := s.App.Models.RunCost(ctx, t.Model)
	if err != nil {
		return nil, err
	}
	given, err := s.App.Tasks.GetInputs(ctx, task)
	if err != nil {
		return nil, err
	}
	inputs := make(map[string]*engine.Tensor, len(given.Tensors))
	for _, in := range given.Tensors {
		if inputs[in.Name], err = engine.TensorFromBytes(in.Dtype, in.Shape, in.Data); err != nil {
			return nil, err
		}
	}
	return adversary.NewRun(s.Prog, cost, weights, inputs, t.Steps)
}

func (s *Sprint) weights(model string) (*engine.Weights, error) {
	m, err := s.App.Models.GetModel(s.Ctx(), model)
	if err != nil {
		return nil, err
	}
	if len(m.Seed) != commit.Size {
		return nil, fmt.Errorf("model %s has no seed", model)
	}
	return sprint.Weights(s.Prog, [sprint.SeedSize]byte(m.Seed))
}

// Current is the window that was opened last; the zero one before.
func (s *Sprint) Current() sprintstypes.Window {
	s.tb.Helper()
	number, err := s.App.Sprints.LastWindow.Get(s.Ctx())
	if err != nil {
		return sprintstypes.Window{}
	}
	return s.WindowOf(number)
}

// WindowOf is one window; the zero one when it is not kept.
func (s *Sprint) WindowOf(number uint64) sprintstypes.Window {
	w, err := s.App.Sprints.Windows.Get(s.Ctx(), number)
	if err != nil {
		return sprintstypes.Window{}
	}
	return w
}

// Open makes blocks until a window has opened just now.
func (s *Sprint) Open() sprintstypes.Window {
	s.tb.Helper()
	before := s.Current().Number
	for range 400 {
		if w := s.Current(); w.Number > before {
			return w
		}
		s.Crew.Work()
	}
	s.tb.Fatalf("no window opened after %d", before)
	return sprintstypes.Window{}
}

// Settled makes blocks until a window's commits are all decided or being audited.
func (s *Sprint) Settled(number uint64) sprintstypes.Window {
	s.tb.Helper()
	for range 400 {
		if w := s.WindowOf(number); w.Phase == sprintstypes.PHASE_SETTLED {
			return w
		}
		s.Crew.Work()
	}
	s.tb.Fatalf("window %d is not settled: %+v", number, s.WindowOf(number))
	return sprintstypes.Window{}
}

// Commit is what a participant has committed in a window.
func (s *Sprint) Commit(window uint64, p *Sprinter) sprintstypes.Commit {
	s.tb.Helper()
	res, err := s.App.Sprints.Commits.Get(s.Ctx(), collections.Join(window, p.String()))
	if err != nil {
		s.tb.Fatalf("commit of %s in window %d: %v", p.Name, window, err)
	}
	return res
}

// Leaves computes the first count leaves of a window, making up those it fakes.
func (s *Sprint) Leaves(p *Sprinter, w sprintstypes.Window, count uint64) [][]byte {
	s.tb.Helper()
	if v, ok := p.values[w.Number]; ok {
		return v
	}
	weights, err := s.weights(w.Model)
	if err != nil {
		s.tb.Fatalf("weights: %v", err)
	}
	key := sprint.Key(s.ChainID, w.Random, w.Number, p.String())
	if p.Key != nil {
		key = *p.Key
	}
	values := make([][]byte, count)
	var todo []uint64
	for n := range count {
		if p.Fakes != nil && p.Fakes(n) {
			values[n] = make([]byte, sprint.ValueSize)
			values[n][0] = byte(n)
			continue
		}
		todo = append(todo, n)
	}
	computed, err := sprint.Compute(context.Background(), s.Prog, weights, key, todo, uint64(w.Tokens), 1)
	if err != nil {
		s.tb.Fatalf("leaves: %v", err)
	}
	for i, n := range todo {
		values[n] = computed[i]
	}
	p.values[w.Number] = values
	return values
}

// CommitMsg commits the first count leaves of a window.
func (s *Sprint) CommitMsg(p *Sprinter, w sprintstypes.Window, count uint64) *sprintstypes.MsgCommitSprint {
	s.tb.Helper()
	tree, err := sprint.NewTree(s.Leaves(p, w, count))
	if err != nil {
		s.tb.Fatalf("tree: %v", err)
	}
	root := tree.Root()
	return &sprintstypes.MsgCommitSprint{Participant: p.String(), Window: w.Number, Root: root[:], Count: count}
}

// OpenMsg opens the leaves that a participant's audit in a window asks for.
func (s *Sprint) OpenMsg(p *Sprinter, window uint64) *sprintstypes.MsgOpenSprint {
	s.tb.Helper()
	c, w := s.Commit(window, p), s.WindowOf(window)
	tree, err := sprint.NewTree(p.values[window])
	if err != nil {
		s.tb.Fatalf("tree: %v", err)
	}
	leaves, err := sprint.Sample(w.AuditRandom, window, p.String(), c.Count, int(w.Sample))
	if err != nil {
		s.tb.Fatalf("sample: %v", err)
	}
	msg := &sprintstypes.MsgOpenSprint{Participant: p.String(), Window: window}
	for i, n := range leaves {
		if uint64(i) >= c.Count {
			break // each leaf once
		}
		proof, err := tree.Proof(n)
		if err != nil {
			s.tb.Fatalf("proof: %v", err)
		}
		msg.Leaves = append(msg.Leaves, sprintstypes.OpenedLeaf{Number: n, Value: p.values[window][n], Proof: proof})
	}
	return msg
}

// Send delivers a message of a participant and returns why it was refused, nil if it was not.
func (s *Sprint) Send(p *Sprinter, msg sdk.Msg) error {
	s.tb.Helper()
	r := s.Block(s.TxWith(p.Account, TxOptions{Gas: sprintGas}, msg)).TxResults[0]
	if r.Code != 0 {
		return fmt.Errorf("code %d of %s: %s", r.Code, r.Codespace, r.Log)
	}
	return nil
}

// Do is Send of what must succeed.
func (s *Sprint) Do(p *Sprinter, msg sdk.Msg) {
	s.tb.Helper()
	if err := s.Send(p, msg); err != nil {
		s.tb.Fatalf("%s: %v", p.Name, err)
	}
}

// Decided makes blocks until a commit is decided.
func (s *Sprint) Decided(window uint64, p *Sprinter) sprintstypes.Commit {
	s.tb.Helper()
	for range 300 {
		c := s.Commit(window, p)
		if c.State != sprintstypes.COMMIT_STATE_PENDING && c.State != sprintstypes.COMMIT_STATE_AUDITED {
			return c
		}
		s.Crew.Work()
	}
	s.tb.Fatalf("commit of %s in window %d is %s", p.Name, window, s.Commit(window, p).State)
	return sprintstypes.Commit{}
}

// Record is the participant's record in x/poai.
func (s *Sprint) Record(p *Sprinter) poaitypes.Participant {
	s.tb.Helper()
	rec, err := s.App.Poai.GetParticipant(s.Ctx(), p.String())
	if err != nil {
		s.tb.Fatalf("%s: %v", p.Name, err)
	}
	return rec
}

// Court lets parties argue about a task of a seeded model; the chain goes on by its Step.
func (s *Sprint) Court(task uint64) (*Court, error) {
	run, err := s.Run(task)
	if err != nil {
		return nil, err
	}
	truth, err := adversary.Honest(run)
	if err != nil {
		return nil, err
	}
	return &Court{Chain: s.Chain, Crew: s.Crew, Run: run, Truth: truth, Task: task, program: s.Prog}, nil
}

// Enter makes a participant a party with an answer.
func (c *Court) Enter(p *Participant, answer *adversary.Answer) *Party {
	party := &Party{Participant: p, Answer: answer, serves: true}
	p.Result = func(uint64) (Result, error) { return ResultOf(c.program, party.Answer), nil }
	c.parties = append(c.parties, party)
	return party
}
