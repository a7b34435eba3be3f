package testutil

import (
	"errors"
	"fmt"
	"slices"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	abci "github.com/cometbft/cometbft/abci/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app/params"
	"poaid/commit"
	"poaid/engine"
	"poaid/game"
	"poaid/model"
	"poaid/testutil/adversary"
	disputestypes "poaid/x/disputes/types"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// CourtModel is the id of the model that a Court argues about.
const CourtModel = "model"

const (
	// courtGas is the gas limit of a move.
	courtGas = 5_000_000
	// inlineBytes is what the outputs may have together to be revealed inline: the default of x/tasks' param.
	inlineBytes = 16 << 10
)

// Court is a chain on which one task is worked on and argued about by honest and lying parties.
type Court struct {
	*Chain
	Crew *Crew
	// Run is the task's computation, Truth what it comes to.
	Run   *adversary.Run
	Truth *adversary.Answer
	Task  uint64

	owner, user *Account
	program     *engine.Program
	inputs      []taskstypes.NamedTensor
	parties     []*Party
	free        []*Account
}

// Case is what a Court is made for.
type Case struct {
	Program *engine.Program
	Weights *engine.Weights
	Inputs  map[string]*engine.Tensor
	Steps   uint64
	// Parties is how many participants there may be.
	Parties int
	// ByCID: inputs are given by content id, so that they may be withheld.
	ByCID bool
	// Committee is how many members audit the task; 0: it is not audited.
	Committee uint32
	// Genesis changes the genesis further.
	Genesis func(*Genesis)
	Shadows []Shadow
}

// NewCourt starts the chain and registers the model.
func NewCourt(tb TB, cs Case) *Court {
	tb.Helper()
	c := &Court{program: cs.Program}
	c.Chain = NewApp(tb, Options{Accounts: cs.Parties + 3, Shadows: cs.Shadows, Genesis: func(g *Genesis) {
		var t taskstypes.GenesisState
		g.Get(taskstypes.ModuleName, &t)
		t.Params.AuditAllBelowPpm, t.Params.CommitteeSize = 0, max(cs.Committee, 1)
		if cs.Committee > 0 {
			t.Params.AuditMinPpm = 1_000_000
		} else {
			t.Params.AuditMinPpm, t.Params.ReferenceCost = 0, math.ZeroInt()
		}
		g.Set(taskstypes.ModuleName, &t)
		// A party may lie again and again: it is out of jail in no time, and what it pays is its lock.
		var p poaitypes.GenesisState
		g.Get(poaitypes.ModuleName, &p)
		p.Params.Fault.JailBlocks, p.Params.Fault.TimeoutJailBlocks, p.Params.Fault.MaxJailBlocks = 1, 1, 1
		p.Params.Fault.CorrelationPpm, p.Params.Fault.RepeatPpm = 0, 0
		g.Set(poaitypes.ModuleName, &p)
		if cs.Genesis != nil {
			cs.Genesis(g)
		}
	}})
	c.owner, c.user, c.free = c.Accounts[1], c.Accounts[2], c.Accounts[3:]
	c.Crew = &Crew{chain: c.Chain, Batch: 100}
	cost := engine.CostParams{MacsPerUnit: modelstypes.DefaultParams().MacsPerUnit, BytesPerUnit: modelstypes.DefaultParams().BytesPerUnit}
	var err error
	if c.Run, err = adversary.NewRun(cs.Program, cost, cs.Weights, cs.Inputs, cs.Steps); err != nil {
		tb.Fatalf("run: %v", err)
	}
	if c.Truth, err = adversary.Honest(c.Run); err != nil {
		tb.Fatalf("truth: %v", err)
	}
	for _, in := range cs.Program.InputSpecs() {
		if x, given := cs.Inputs[in.Name]; given {
			t := namedTensor(in.Name, x)
			if cs.ByCID {
				t.Root, t.Cid, t.Data = c.tensorRoot(t), model.CIDOf(t.Data), nil
			}
			c.inputs = append(c.inputs, t)
		}
	}
	c.register(cs)
	return c
}

// Follow turns to a task that somebody else opened: a run of the model's steps from a checkpoint on. Every party knows the truth about it.
func (c *Court) Follow(task uint64, run *adversary.Run) {
	c.tb.Helper()
	truth, err := adversary.Honest(run)
	if err != nil {
		c.tb.Fatalf("truth: %v", err)
	}
	c.Task, c.Run, c.Truth = task, run, truth
	for _, p := range c.parties {
		p.Answer = truth
	}
}

// Servers has these parties serve the model, and nobody else, all in one block.
func (c *Court) Servers(serving ...*Party) {
	c.tb.Helper()
	var txs [][]byte
	for _, p := range c.parties {
		switch serves := slices.Contains(serving, p); {
		case serves && !p.serves:
			txs = append(txs, c.Tx(p.Account, &poaitypes.MsgServe{Participant: p.String(), Models: []string{CourtModel}}))
		case !serves && p.serves:
			txs = append(txs, c.Tx(p.Account, &poaitypes.MsgStopServing{Participant: p.String(), Models: []string{CourtModel}}))
		}
		p.serves = slices.Contains(serving, p)
	}
	for i, r := range c.Block(txs...).TxResults {
		if r.Code != 0 {
			c.tb.Fatalf("serve of party %d: %s", i, r.Log)
		}
	}
}

// CourtOf lets parties argue about any task of the chain, of which they know the run. The chain goes on by its own blocks.
func (c *Chain) CourtOf(task uint64, prog *engine.Program, run *adversary.Run) (*Court, error) {
	truth, err := adversary.Honest(run)
	if err != nil {
		return nil, err
	}
	return &Court{Chain: c, Run: run, Truth: truth, Task: task, program: prog}, nil
}

func (c *Court) register(cs Case) {
	c.tb.Helper()
	root, err := cs.Weights.Root(1)
	if err != nil {
		c.tb.Fatalf("weights: %v", err)
	}
	res := c.Block(c.TxWith(c.owner, TxOptions{Gas: params.BlockGas / 2}, &modelstypes.MsgRegisterModel{
		Owner: c.owner.String(), Id: CourtModel, Description: "to be argued about", Class: modelstypes.CLASS_EXACT, Program: cs.Program.Proto(),
		WeightsRoot: root[:], WeightsCid: model.CIDOf([]byte("weights")),
	}))
	if r := res.TxResults[0]; r.Code != 0 {
		c.tb.Fatalf("register: %s", r.Log)
	}
}

func (c *Court) tensorRoot(t taskstypes.NamedTensor) []byte {
	c.tb.Helper()
	root, err := commit.TensorRoot(uint8(t.Dtype), t.Shape, t.Data)
	if err != nil {
		c.tb.Fatalf("%s: %v", t.Name, err)
	}
	return root[:]
}

func namedTensor(name string, x *engine.Tensor) taskstypes.NamedTensor {
	return taskstypes.NamedTensor{Name: name, Dtype: x.DType(), Shape: x.Shape(), Data: x.Bytes()}
}

// Party is a participant with an opinion about the task.
type Party struct {
	*Participant
	Answer *adversary.Answer
	// Watches: it claims its root where the worker revealed another, or supports it where others argue about it.
	Watches bool
	// Attacks: it attacks every living claim of another root by itself.
	Attacks bool
	// Guards: it takes the chair of silent defenders of its root.
	Guards bool
	// Silent says whether it stays silent at its turn; nil: never.
	Silent func(disputestypes.Game) bool
	serves bool
	// Errors counts refused transactions, Moves those it made.
	Errors, Moves int
}

// Join adds a participant that answers so. It does not serve the model yet.
func (c *Court) Join(answer *adversary.Answer) *Party {
	c.tb.Helper()
	if len(c.free) == 0 {
		c.tb.Fatalf("too many parties for this court")
	}
	a := c.free[0]
	c.free = c.free[1:]
	join := Join(a)
	join.Models = nil
	c.Deliver(a, join)
	p := &Party{Participant: &Participant{Account: a}, Answer: answer}
	p.Result = func(uint64) (Result, error) { return c.result(p.Answer), nil }
	c.parties = append(c.parties, p)
	c.Crew.Members = append(c.Crew.Members, p.Participant)
	return p
}

// Lying adds a participant with a lie.
func (c *Court) Lying(lie adversary.Lie) *Party {
	c.tb.Helper()
	a, err := lie(c.Run)
	if err != nil {
		c.tb.Fatalf("lie: %v", err)
	}
	if a.Root == c.Truth.Root {
		c.tb.Fatalf("the lie changes nothing")
	}
	return c.Join(a)
}

// Honest adds a participant that tells the truth, watches, attacks and guards.
func (c *Court) Honest() *Party {
	p := c.Join(c.Truth)
	p.Watches, p.Attacks, p.Guards = true, true, true
	return p
}

func (c *Court) result(a *adversary.Answer) Result {
	res, inline := Result{StateRoot: a.StateRoot, Root: a.Root}, 0
	for i, name := range c.program.OutputNames() {
		out := namedTensor(name, a.Outputs[i])
		if inline += len(out.Data); inline > inlineBytes {
			inline -= len(out.Data)
			out.Root, out.Cid, out.Data = c.tensorRoot(out), "elsewhere", nil
		}
		res.Outputs = append(res.Outputs, out)
	}
	return res
}

// Assign submits the task and has the worker drawn, then lets the members serve the model, so that the committee is drawn from them.
func (c *Court) Assign(worker *Party, members ...*Party) {
	c.tb.Helper()
	c.serve(worker)
	c.Unjail(worker)
	c.Deliver(c.user, c.submit())
	ids := TaskIDs(c.Chain, c.user)
	c.Task = ids[len(ids)-1]
	for range 10 {
		if c.Status().State == taskstypes.STATE_ASSIGNED {
			break
		}
		c.Block()
	}
	if st := c.Status(); st.Worker != worker.String() {
		c.tb.Fatalf("task is %s, worker %q", st.State, st.Worker)
	}
	for _, m := range members {
		c.serve(m)
	}
}

func (c *Court) serve(p *Party) {
	c.tb.Helper()
	if !p.serves {
		c.Deliver(p.Account, &poaitypes.MsgServe{Participant: p.String(), Models: []string{CourtModel}})
		p.serves = true
	}
}

// Unjail lets a party out of jail that was there for a lie before.
func (c *Court) Unjail(p *Party) {
	c.tb.Helper()
	rec, err := c.App.Poai.GetParticipant(c.Ctx(), p.String())
	if err != nil {
		c.tb.Fatalf("%s: %v", p.Name, err)
	}
	if rec.Jailed() {
		c.Deliver(p.Account, &poaitypes.MsgUnjail{Participant: p.String()})
	}
}

// Refused tells why a task of the model would not be taken; nil where it would.
func (c *Court) Refused() error {
	c.tb.Helper()
	res := c.Try(c.user, c.submit())
	if res.Code != 0 {
		return errors.New(res.Log)
	}
	ids := TaskIDs(c.Chain, c.user)
	c.Deliver(c.user, &taskstypes.MsgCancelTask{Submitter: c.user.String(), TaskId: ids[len(ids)-1]})
	return nil
}

func (c *Court) submit() sdk.Msg {
	return &taskstypes.MsgSubmitTask{
		Submitter: c.user.String(), Model: CourtModel, Inputs: c.inputs, Steps: c.Run.Steps, Allocation: taskstypes.ALLOCATION_DRAW, MaxFee: Poai(100)[0],
	}
}

// Left is how many ticks the mover of a game still has for its move.
func (c *Court) Left(g disputestypes.Game) uint64 {
	c.tb.Helper()
	tick, err := c.App.Disputes.Tick.Get(c.Ctx())
	if err != nil {
		c.tb.Fatalf("tick: %v", err)
	}
	return g.Due - min(tick, g.Due)
}

// Status is where the task stands.
func (c *Court) Status() taskstypes.Status {
	c.tb.Helper()
	st, err := c.App.Tasks.Statuses.Get(c.Ctx(), c.Task)
	if err != nil {
		c.tb.Fatalf("task %d: %v", c.Task, err)
	}
	return st
}

// Step makes a block of what everybody has to do.
func (c *Court) Step() {
	c.tb.Helper()
	var txs [][]byte
	type sent struct {
		p    *Party
		move bool
		msg  sdk.Msg
	}
	var who []sent
	for _, p := range c.parties {
		work, err := c.Crew.Due(p.Participant)
		if err != nil {
			c.tb.Fatalf("work of %s: %v", p.Name, err)
		}
		moves, err := c.Due(p)
		if err != nil {
			c.tb.Fatalf("disputes of %s: %v", p.Name, err)
		}
		for i, msg := range append(work, moves...) {
			txs = append(txs, c.TxWith(p.Account, TxOptions{Gas: courtGas}, msg))
			who = append(who, sent{p, i >= len(work), msg})
		}
	}
	for i, r := range c.Block(txs...).TxResults {
		switch {
		case r.Code != 0 && !who[i].move:
			c.tb.Fatalf("height %d: work of %s: %s", c.Height(), who[i].p.Name, r.Log)
		case r.Code != 0:
			who[i].p.Errors++
			_, isMove := who[i].msg.(*disputestypes.MsgMove)
			if isMove && who[i].p.Answer == c.Truth && who[i].p.Silent == nil && !c.stale(r) {
				c.tb.Fatalf("height %d: an honest move of %s was refused: %s", c.Height(), who[i].p.Name, r.Log)
			}
		case who[i].move:
			who[i].p.Moves++
		}
	}
}

// stale tells that a game was over, or was replaced, in the block of a move.
func (c *Court) stale(r *abci.ExecTxResult) bool {
	return r.Codespace == disputestypes.ModuleName && r.Code == disputestypes.ErrOver.ABCICode()
}

// Until makes blocks until f holds, at most n.
func (c *Court) Until(n int, f func() bool) {
	c.tb.Helper()
	for range n {
		if f() {
			return
		}
		c.Step()
	}
	st := c.Status()
	c.tb.Fatalf("not reached in %d blocks: task is %s; %s", n, st.State, c.describe())
}

// Settled tells that the dispute is over.
func (c *Court) Settled() bool {
	cs, err := c.LastCase()
	return err == nil && cs.State == disputestypes.CASE_STATE_CLOSED
}

// LastCase is the case of the last attempt at the task that has one.
func (c *Court) LastCase() (disputestypes.Case, error) {
	for attempt := c.Status().Attempt; attempt > 1; attempt-- {
		if cs, err := c.caseOf(attempt); !errors.Is(err, collections.ErrNotFound) {
			return cs, err
		}
	}
	return c.caseOf(1)
}

func (c *Court) caseOf(attempt uint32) (disputestypes.Case, error) {
	return c.App.Disputes.Cases.Get(c.Ctx(), collections.Join(c.Task, attempt))
}

// Games are all games about the task.
func (c *Court) Games() (games []disputestypes.Game) {
	c.tb.Helper()
	err := c.App.Disputes.Games.Walk(c.Ctx(), collections.NewPrefixedPairRange[uint64, uint32](c.Task),
		func(_ collections.Pair[uint64, uint32], g disputestypes.Game) (bool, error) {
			games = append(games, g)
			return false, nil
		})
	if err != nil {
		c.tb.Fatalf("games: %v", err)
	}
	return games
}

// claims are those of an attempt.
func (c *Court) claims(attempt uint32) (claims []disputestypes.Claim, err error) {
	rng := collections.NewSuperPrefixedTripleRange[uint64, uint32, uint32](c.Task, attempt)
	err = c.App.Disputes.Claims.Walk(c.Ctx(), rng, func(_ collections.Triple[uint64, uint32, uint32], cl disputestypes.Claim) (bool, error) {
		claims = append(claims, cl)
		return false, nil
	})
	return claims, err
}

func (c *Court) describe() string {
	cs, err := c.LastCase()
	if err != nil {
		return "no case"
	}
	claims, err := c.claims(cs.Attempt)
	if err != nil {
		return err.Error()
	}
	s := fmt.Sprintf("case %s, %d roots, %d running;", cs.State, cs.Roots, cs.Running)
	for _, cl := range claims {
		s += fmt.Sprintf(" %s %X beaten %t;", cl.Participant[:10], cl.ResultRoot[:3], cl.Beaten)
	}
	for _, g := range c.Games() {
		s += fmt.Sprintf(" game %d %s: %s, %d moves;", g.Index, g.Result, g.LastMove, g.Moves)
	}
	return s
}

// Due are the dispute messages that a party sends now.
func (c *Court) Due(p *Party) ([]sdk.Msg, error) {
	st := c.Status()
	if st.State != taskstypes.STATE_REVEALED && st.State != taskstypes.STATE_DISPUTED {
		return nil, nil
	}
	cs, err := c.caseOf(st.Attempt)
	if errors.Is(err, collections.ErrNotFound) {
		if p.Watches && string(st.ResultRoot) != string(p.Answer.Root[:]) && c.Height() < st.Deadline {
			return []sdk.Msg{c.claim(p)}, nil
		}
		return nil, nil
	}
	if err != nil || cs.State != disputestypes.CASE_STATE_OPEN {
		return nil, err
	}
	claims, err := c.claims(cs.Attempt)
	if err != nil {
		return nil, err
	}
	var mine *disputestypes.Claim
	for i := range claims {
		if claims[i].Participant == p.String() {
			mine = &claims[i]
		}
	}
	if mine == nil {
		if p.Watches && c.Height() < cs.ClaimUntil {
			return []sdk.Msg{c.claim(p)}, nil
		}
		return nil, nil
	}
	if mine.Beaten {
		return nil, nil
	}
	return c.argue(p, claims, mine)
}

func (c *Court) claim(p *Party) sdk.Msg {
	return &disputestypes.MsgClaim{Participant: p.String(), TaskId: c.Task, ResultRoot: p.Answer.Root[:]}
}

// argue makes the moves that are due, and opens games.
func (c *Court) argue(p *Party, claims []disputestypes.Claim, mine *disputestypes.Claim) (msgs []sdk.Msg, err error) {
	tick, err := c.App.Disputes.Tick.Get(c.Ctx())
	if err != nil {
		return nil, err
	}
	against := map[string]bool{}
	for _, g := range c.Games() {
		if g.Result != disputestypes.GAME_RESULT_UNSPECIFIED {
			continue
		}
		var side game.Side
		switch p.String() {
		case g.Defender:
			side, against[g.Challenger] = game.Defender, true
		case g.Challenger:
			side, against[g.Defender] = game.Challenger, true
		default:
			// Half of the clock is gone.
			late := game.Side(g.Position.Mover) == game.Defender && 2*(tick-g.Tick) > g.Position.MoveLeft
			if p.Guards && late && string(g.Root) == string(p.Answer.Root[:]) {
				msgs = append(msgs, &disputestypes.MsgDefend{Participant: p.String(), TaskId: c.Task, Game: g.Index})
			}
			continue
		}
		if game.Side(g.Position.Mover) != side || p.Silent != nil && p.Silent(g) {
			continue
		}
		m, err := c.move(p, g)
		if err != nil {
			continue // a liar that has nothing to say
		}
		msgs = append(msgs, m)
	}
	for _, cl := range claims {
		if p.Attacks && !cl.Beaten && !against[cl.Participant] && string(cl.ResultRoot) != string(mine.ResultRoot) {
			msgs = append(msgs, &disputestypes.MsgAttack{Participant: p.String(), TaskId: c.Task, Target: cl.Participant})
		}
	}
	return msgs, nil
}

func (c *Court) move(p *Party, g disputestypes.Game) (sdk.Msg, error) {
	task, err := c.App.Tasks.Tasks.Get(c.Ctx(), c.Task)
	if err != nil {
		return nil, err
	}
	m, err := c.App.Models.GetModel(c.Ctx(), task.Model)
	if err != nil {
		return nil, err
	}
	setup, err := disputestypes.NewSetup(g, c.Run.Machine, task, [32]byte(m.WeightsRoot))
	if err != nil {
		return nil, err
	}
	pos, err := disputestypes.DecodePosition(g.Position)
	if err != nil {
		return nil, err
	}
	next, err := (&game.Solver{Machine: c.Run.Machine, Trace: p.Answer.Trace}).Next(game.Resume(setup, pos))
	if err != nil {
		return nil, err
	}
	move, err := disputestypes.EncodeMove(next)
	return &disputestypes.MsgMove{Participant: p.String(), TaskId: c.Task, Game: g.Index, Moves: g.Moves, Move: move}, err
}
