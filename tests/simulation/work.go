package simulation

import (
	"errors"
	"fmt"
	"slices"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"

	"poaid/commit"
	"poaid/engine"
	"poaid/game"
	"poaid/testutil"
	"poaid/testutil/adversary"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// character is how likely somebody fails at a task, in millionths each.
type character struct{ lies, mute, idle uint64 }

var (
	honest = character{2_000, 8_000, 10_000}
	sloppy = character{60_000, 60_000, 80_000}
	liar   = character{350_000, 30_000, 20_000}
)

// mood is what somebody does about one task.
type mood int

const (
	truthful mood = iota
	lying
	mute
	idle
)

// person is an account that has joined.
type person struct {
	*testutil.Participant
	character
	sprinter *testutil.Sprinter
}

// newPerson makes a participant of an account. Most are honest.
func (s *Sim) newPerson(a *testutil.Account) *person {
	p := &person{Participant: &testutil.Participant{Account: a, Races: s.chance(600_000, "races", a)}, character: honest}
	switch n := s.pick(10, "character", a); {
	case n == 0:
		p.character = liar
	case n < 3:
		p.character = sloppy
	}
	p.Result = func(task uint64) (testutil.Result, error) {
		r, err := s.runOf(task)
		if err != nil {
			return testutil.Result{}, err
		}
		return testutil.ResultOf(r.prog, s.answer(p, task, r)), nil
	}
	p.Ready = func(task uint64) bool {
		_, err := s.runOf(task)
		if errors.Is(err, errUnknownStates) {
			return false
		}
		s.must(err)
		return true
	}
	p.sprinter = testutil.NewSprinter(p.Participant)
	return p
}

// cursed tells tasks whose honest parties all find the same wrong result, as they would if a kernel were at fault.
func (s *Sim) cursed(task uint64) bool { return s.chance(25_000, "cursed", task) }

// mood of a person about a task.
func (s *Sim) mood(p *person, task uint64) mood {
	switch n := s.pick(1_000_000, "mood", p.Account, task); {
	case s.cursed(task):
		return lying
	case n < p.lies:
		return lying
	case n < p.lies+p.mute:
		return mute
	case n < p.lies+p.mute+p.idle:
		return idle
	}
	return truthful
}

// run is what a task comes to, and the lies that are told about it.
type run struct {
	prog    *engine.Program
	court   *testutil.Court
	lies    []*adversary.Answer
	parties map[string]*testutil.Party
}

// runOf computes a task once.
func (s *Sim) runOf(task uint64) (*run, error) {
	if r := s.runs[task]; r != nil {
		return r, nil
	}
	prog, computed, err := s.compute(task)
	if err != nil {
		return nil, fmt.Errorf("task %d: %w", task, err)
	}
	r := &run{prog: prog, parties: make(map[string]*testutil.Party)}
	if r.court, err = s.CourtOf(task, prog, computed); err != nil {
		return nil, fmt.Errorf("task %d: %w", task, err)
	}
	s.runs[task] = r
	// A flipped bit that changes nothing is no lie; the first that does is the one that people agree upon.
	t, err := s.App.Tasks.Tasks.Get(s.Ctx(), task)
	if err != nil {
		return nil, err
	}
	step := t.StartStep + s.pick(computed.Steps-t.StartStep, "step", task)
	nodes := computed.Machine.Nodes(step)
	for i := range 2 * nodes {
		a, err := adversary.Flipped(step, (i+int(s.pick(uint64(nodes), "node", task)))%nodes, 3, 0x40)(computed)
		if err == nil && a.Root != r.court.Truth.Root {
			r.lies = append(r.lies, a)
			break
		}
	}
	more := []adversary.Lie{adversary.WrongOutput(0), adversary.WrongState(step, 0), adversary.NoPreimage(task)}
	more = append(more, adversary.Garbled(more[s.pick(3, "garbled", task)], task, 3))
	for _, lie := range more {
		a, err := lie(computed)
		if err == nil && a.Root != r.court.Truth.Root && a.Outputs != nil {
			r.lies = append(r.lies, a)
		}
	}
	if len(r.lies) == 0 {
		return nil, fmt.Errorf("task %d: nothing to lie about", task)
	}
	if m := s.modelOf(t.Model); m != nil && m.kind.trains {
		for _, a := range append(r.lies, r.court.Truth) {
			s.learn(computed, a)
		}
	}
	return r, nil
}

// compute runs a task by the reference path.
func (s *Sim) compute(task uint64) (*engine.Program, *adversary.Run, error) {
	ctx := s.Ctx()
	t, err := s.App.Tasks.Tasks.Get(ctx, task)
	if err != nil {
		return nil, nil, err
	}
	if modelstypes.IsSeededID(t.Model) {
		r, err := s.Sprint.Run(task)
		return s.Prog, r, err
	}
	m := s.modelOf(t.Model)
	if m == nil {
		return nil, nil, fmt.Errorf("model %s is unknown", t.Model)
	}
	given, err := s.App.Tasks.GetInputs(ctx, task)
	if err != nil {
		return nil, nil, err
	}
	inputs := make(map[string]*engine.Tensor)
	for _, in := range given.Tensors {
		if in.Cid != "" {
			inputs[in.Name] = s.tensors[string(in.Root)]
			continue
		}
		if inputs[in.Name], err = engine.TensorFromBytes(in.Dtype, in.Shape, in.Data); err != nil {
			return nil, nil, err
		}
	}
	cost, err := s.App.Models.RunCost(ctx, t.Model)
	if err != nil {
		return nil, nil, err
	}
	if t.StartStep > 0 {
		from := game.Checkpoint{Step: t.StartStep, States: s.states[string(t.StartRoot)]}
		if from.States == nil {
			return nil, nil, errUnknownStates
		}
		r, err := adversary.NewSegment(m.kind.prog, cost, m.kind.weights, inputs, from, t.Steps)
		return m.kind.prog, r, err
	}
	r, err := adversary.NewRun(m.kind.prog, cost, m.kind.weights, inputs, t.Steps)
	return m.kind.prog, r, err
}

// answer is what a person says about a task. Most liars tell the same lie.
func (s *Sim) answer(p *person, task uint64, r *run) *adversary.Answer {
	if s.mood(p, task) != lying {
		return r.court.Truth
	}
	if s.cursed(task) || s.chance(700_000, "same lie", p.Account, task) {
		return r.lies[0]
	}
	return r.lies[s.pick(uint64(len(r.lies)), "lie", p.Account, task)]
}

// standing is a task that has not ended.
type standing struct {
	id uint64
	taskstypes.Status
}

// running are the tasks that have not ended, by id.
func (s *Sim) running() (out []standing) {
	s.must(s.App.Tasks.Statuses.Walk(s.Ctx(), nil, func(id uint64, st taskstypes.Status) (bool, error) {
		if !ended(st.State) {
			out = append(out, standing{id, st})
		}
		return false, nil
	}))
	return out
}

// forget drops runs of tasks that have ended.
func (s *Sim) forget() {
	live := make(map[uint64]*run)
	for _, t := range s.running() {
		if r := s.runs[t.id]; r != nil {
			live[t.id] = r
		}
	}
	s.runs = live
}

// work is what everybody has to seal and reveal: as the crew of testutil would, but for what each one's mood leaves out or spoils.
func work(s *Sim) (actions []Action) {
	for _, p := range s.people {
		msgs, err := s.Crew.Due(p.Participant)
		s.must(err)
		for _, msg := range msgs {
			if msg = s.spoil(p, msg); msg != nil {
				actions = append(actions, Action{Name: name(msg), From: p.Account, Msgs: []sdk.Msg{msg}, Gas: 20_000_000})
			}
		}
	}
	return actions
}

// name of a message in the table: module and type.
func name(msg sdk.Msg) string {
	url := sdk.MsgTypeURL(msg)
	var module, version, typ string
	if _, err := fmt.Sscanf(split(url), "%s %s %s", &module, &version, &typ); err != nil {
		return url
	}
	return module + " " + typ
}

// split "/poai.tasks.v1.MsgSealResults" into "tasks v1 SealResults".
func split(url string) string {
	b := []byte(url)
	for i := range b {
		if b[i] == '.' {
			b[i] = ' '
		}
	}
	var root, module, version, typ string
	if _, err := fmt.Sscanf(string(b), "%s %s %s %s", &root, &module, &version, &typ); err != nil || len(typ) < 4 {
		return url
	}
	return module + " " + version + " " + typ[3:]
}

// spoil leaves out items that the sender has no mood for, and damages a few.
func (s *Sim) spoil(p *person, msg sdk.Msg) sdk.Msg {
	silent := func(task uint64, reveal bool) bool {
		m := s.mood(p, task)
		// Now and then it takes a block longer.
		return m == idle || reveal && m == mute || s.chance(100_000, "late", p.Account, task, s.Height())
	}
	damage := func(b []byte, task uint64) []byte {
		if s.chance(5_000, "damage", p.Account, task, s.Height()) {
			return b[1:]
		}
		return b
	}
	left := 0
	switch m := msg.(type) {
	case *taskstypes.MsgSealResults:
		m.Items = slices.DeleteFunc(m.Items, func(i taskstypes.ResultSeal) bool { return silent(i.TaskId, false) || s.shuns(p, i.TaskId) })
		for i := range m.Items {
			m.Items[i].Seal = damage(m.Items[i].Seal, m.Items[i].TaskId)
		}
		left = len(m.Items)
	case *taskstypes.MsgRevealResults:
		m.Items = slices.DeleteFunc(m.Items, func(i taskstypes.ResultReveal) bool { return silent(i.TaskId, true) })
		for i := range m.Items {
			m.Items[i].Salt = damage(m.Items[i].Salt, m.Items[i].TaskId)
		}
		left = len(m.Items)
	case *poaitypes.MsgSealAttestations:
		m.Items = slices.DeleteFunc(m.Items, func(i poaitypes.AttestationSeal) bool { return silent(i.TaskId, false) })
		left = len(m.Items)
	case *poaitypes.MsgRevealAttestations:
		m.Items = slices.DeleteFunc(m.Items, func(i poaitypes.AttestationReveal) bool { return silent(i.TaskId, true) })
		left = len(m.Items)
	default:
		left = 1
	}
	if left == 0 {
		return nil
	}
	return msg
}

// shuns tells races that somebody does not come to.
func (s *Sim) shuns(p *person, id uint64) bool {
	task, err := s.App.Tasks.Tasks.Get(s.Ctx(), id)
	s.must(err)
	return task.Race() && (!slices.Contains(s.served(p), task.Model) || s.chance(500_000, "shuns", p.Account, id))
}

// items are the results of a batch: why each item was refused, empty where it was not. Other messages have none.
func (s *Sim) items(data []byte) (out []string) {
	var all sdk.TxMsgData
	s.must(proto.Unmarshal(data, &all))
	for _, any := range all.MsgResponses {
		switch any.TypeUrl {
		case sdk.MsgTypeURL(&taskstypes.MsgSealResultsResponse{}), sdk.MsgTypeURL(&taskstypes.MsgRevealResultsResponse{}):
			var res taskstypes.MsgSealResultsResponse // both look alike
			s.must(res.Unmarshal(any.Value))
			for _, r := range res.Results {
				out = append(out, short(r.Error))
			}
		case sdk.MsgTypeURL(&poaitypes.MsgSealAttestationsResponse{}), sdk.MsgTypeURL(&poaitypes.MsgRevealAttestationsResponse{}):
			var res poaitypes.MsgSealAttestationsResponse
			s.must(res.Unmarshal(any.Value))
			for _, r := range res.Results {
				out = append(out, short(r.Error))
			}
		}
	}
	return out
}

// short is the end of an error: the sentinel that it wraps.
func short(s string) string {
	for i := len(s) - 1; i > 0; i-- {
		if s[i] == ':' {
			return s[i+2:]
		}
	}
	return s
}

// tensorRoot of a tensor.
func (s *Sim) tensorRoot(x *engine.Tensor) commit.Hash {
	root, err := commit.TensorRoot(uint8(x.DType()), x.Shape(), x.Bytes())
	s.must(err)
	return root
}

// seatsOf are the seats that a participant holds now.
func (s *Sim) seatsOf(addr string) (tasks []uint64) {
	rng := collections.NewPrefixedPairRange[string, uint64](addr)
	s.must(s.App.Poai.Duties.Walk(s.Ctx(), rng, func(k collections.Pair[string, uint64], _ uint32) (bool, error) {
		tasks = append(tasks, k.K2())
		return false, nil
	}))
	return tasks
}

// free is the bond of a participant that nothing has locked.
func (s *Sim) free(p *person) math.Int {
	rec, err := s.App.Poai.GetParticipant(s.Ctx(), p.String())
	s.must(err)
	return rec.Bond.Sub(rec.Locked)
}
