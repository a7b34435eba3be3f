package simulation

import (
	"errors"
	"fmt"

	"cosmossdk.io/collections"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/engine/nn"
	modelpkg "poaid/model"
	"poaid/testutil/adversary"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
	trainingtypes "poaid/x/training/types"
)

const (
	// trainSteps of the training programs, and of jobs.
	trainSteps = 8
	// jobs that run at the same time, at most.
	jobs = 5
)

// errUnknownStates: nobody has the states that a segment begins with, because whoever made them up lied about them.
var errUnknownStates = errors.New("nobody has the states")

func trainingModule() Module {
	return Module{
		Name: trainingtypes.ModuleName,
		Operations: []Operation{
			{Name: "training CreateJob", Weight: 10, Do: createJob},
			{Name: "training CreateJob other weights", Weight: 1, Refused: true, Do: createWrongJob},
			{Name: "training FundJob", Weight: 3, Do: fundJob},
			{Name: "training ResumeJob", Weight: 5, Do: resumeJob},
			{Name: "training ResumeJob that runs", Weight: 1, Refused: true, Do: resumeRunning},
			{Name: "training CancelJob", Weight: 1, Do: cancelJob},
			{Name: "training FinishJob", Weight: 8, Do: finishJob},
		},
		Proposals: []func(*Sim) sdk.Msg{registerRecipe, registerRecipe, removeRecipe, trainingParams},
		Milestones: []string{
			"training JobCreated", "training JobState STATE_RUNNING", "training JobState STATE_PAUSED", "training JobState STATE_TRAINED",
			"training JobState STATE_FINISHED", "training JobState STATE_CANCELLED", "training SegmentOpened", "training SegmentDone",
			"training SegmentFailed", "training JobFunded", "training JobRefunded", "training JobFinished", "training RecipeRegistered",
			"training ParamsUpdated",
		},
	}
}

// trainer is a training program with data of its own: a state p is moved by inputs and data, and is what the weight of a linear model is made of.
func (s *Sim) trainer(seed uint32) *kind {
	b := nn.NewBuilder(trainSteps)
	x, data := b.Input("x", engine.F32, 8), b.Weight("data", engine.F32, 8)
	p, loss := b.State("p", engine.F32, 8), b.State("loss", engine.F32, 8)
	g := b.Step()
	next := g.Tanh(g.Add(p, g.Mul(x, data)))
	g.Update(p, next)
	g.Update(loss, g.Mul(g.Mul(x, x), next)) // has infinities where x is large
	b.Output(loss)
	k := s.kind(fmt.Sprintf("trainer%d", seed), b, map[string]*engine.Tensor{"data": s.ramp(seed, 8)}, 8)
	ramp := k.inputs
	k.inputs = func(n uint64) map[string]*engine.Tensor {
		in := ramp(n)
		if n%6 == 0 {
			v := make([]float32, 8)
			v[0], v[1] = float32(n%(1<<24)), 3e38
			x, err := engine.FromF32(v, 8)
			s.must(err)
			in["x"] = x
		}
		return in
	}
	k.trains = true
	return k
}

// linear is what trainers make models of: y = x · p, element by element.
func (s *Sim) linear() *kind {
	b := nn.NewBuilder(2)
	x, p, y := b.Input("x", engine.F32, 8), b.Weight("p", engine.F32, 8), b.State("y", engine.F32, 8)
	g := b.Step()
	g.Update(y, g.Mul(x, p))
	b.Output(y)
	return s.kind("linear", b, map[string]*engine.Tensor{"p": s.ramp(3, 8)}, 8)
}

// learn keeps the states that an answer ends with, if whoever gave it has them.
func (s *Sim) learn(r *adversary.Run, a *adversary.Answer) {
	specs := r.Machine.States()
	names, states := make([]commit.Named, len(specs)), make([]*engine.Tensor, len(specs))
	for i, spec := range specs {
		x, err := a.Trace.Tensor(r.Steps, engine.OperandRef{Kind: graphpb.REF_KIND_STATE, Index: i})
		if err != nil || x.Data == nil {
			return
		}
		if states[i], err = engine.TensorFromBytes(spec.DType, spec.Shape, x.Data); err != nil {
			return
		}
		names[i] = commit.Named{Name: spec.Name, Root: s.tensorRoot(states[i])}
	}
	if root := commit.NamedRoot(names); root == a.StateRoot {
		s.states[string(root[:])] = states
	}
}

// job is a training and where it stands.
type job struct {
	trainingtypes.Job      `json:"job"`
	trainingtypes.Progress `json:"progress"`
}

// trainings that a condition holds for.
func (s *Sim) trainings(holds func(job) bool) (out []job) {
	s.must(s.App.Training.Jobs.Walk(s.Ctx(), nil, func(id uint64, j trainingtypes.Job) (bool, error) {
		p, err := s.App.Training.Progress.Get(s.Ctx(), id)
		if all := (job{j, p}); err == nil && holds(all) {
			out = append(out, all)
		}
		return false, err
	}))
	return out
}

func underWay(j job) bool { return !j.State.Ended() && j.State != trainingtypes.STATE_TRAINED }

// registered draws a model that takes tasks and whose kind a condition holds for.
func (s *Sim) registered(holds func(*kind) bool) (*model, bool) {
	var all []*model
	for _, m := range s.alive() {
		if holds(m.kind) {
			all = append(all, m)
		}
	}
	return any1(s, all)
}

func (s *Sim) weightRoots(k *kind) (roots [][]byte) {
	for _, w := range k.weights.Tensors() {
		root := s.tensorRoot(w)
		roots = append(roots, root[:])
	}
	return roots
}

// enrolment is a new training, by a recipe where there is one for its model.
func (s *Sim) enrolment() *trainingtypes.MsgCreateJob {
	m, ok := s.registered(func(k *kind) bool { return k.trains })
	if !ok || len(s.trainings(underWay)) >= jobs {
		return nil
	}
	owner := s.anybody()
	// Data that is somebody's may be trained on by its owner, and by those it lets.
	if id, err := s.App.Datasets.Roots.Get(s.Ctx(), s.weightRoots(m.kind)[0]); s.found(err) && s.r.Intn(2) == 0 {
		d, err := s.App.Datasets.GetDataset(s.Ctx(), id)
		s.must(err)
		owner = s.byAddr[d.Owner]
	}
	msg := &trainingtypes.MsgCreateJob{
		Owner: owner.String(), Model: m.id, Steps: trainSteps, SegmentSteps: 2 + uint64(s.r.Intn(3)), WeightRoots: s.weightRoots(m.kind), FiniteOutput: "loss",
		Budget: s.coins(2_000_000, 60_000_000),
	}
	if s.r.Intn(4) == 0 {
		msg.Budget = sdk.NewCoin(second, s.coins(2_000_000, 60_000_000).Amount)
	}
	if s.r.Intn(8) == 0 {
		msg.Budget.Amount = msg.Budget.Amount.QuoRaw(1_000) // will not do for all
	}
	for name, x := range m.kind.inputs(uint64(s.r.Intn(1 << 20))) {
		msg.Inputs = append(msg.Inputs, taskstypes.NamedTensor{Name: name, Dtype: x.DType(), Shape: x.Shape(), Data: x.Bytes()})
	}
	s.follow(msg)
	if base, ok := s.registered(func(k *kind) bool { return k.name == "linear" }); ok && s.r.Intn(6) > 0 {
		msg.Result = &trainingtypes.Plan{
			Id: fmt.Sprintf("trained-%d-%d", s.Height(), s.r.Intn(1_000)), Description: "trained", RoyaltyBps: uint32(s.r.Intn(500)), Base: base.id,
			BaseShareBps: uint32(1_000 + s.r.Intn(1_000)), Mappings: []trainingtypes.Mapping{{Weight: "p", State: "p"}},
		}
	}
	return msg
}

// follow makes a training one of a recipe, if there is one for its model.
func (s *Sim) follow(msg *trainingtypes.MsgCreateJob) {
	s.must(s.App.Training.Recipes.Walk(s.Ctx(), nil, func(id string, r trainingtypes.Recipe) (bool, error) {
		if r.Model != msg.Model {
			return false, nil
		}
		for _, j := range s.trainings(func(j job) bool { return string(j.InputRoot) == string(r.InputRoot) }) {
			msg.Recipe, msg.Inputs, msg.FiniteOutput = id, j.Inputs, r.FiniteOutput
		}
		return true, nil
	}))
}

func createJob(s *Sim) *Action {
	msg := s.enrolment()
	if msg == nil {
		return nil
	}
	return one(s.byAddr[msg.Owner], msg)
}

func createWrongJob(s *Sim) *Action {
	msg := s.enrolment()
	if msg == nil {
		return nil
	}
	msg.WeightRoots[0] = make([]byte, commit.Size)
	return one(s.byAddr[msg.Owner], msg)
}

func fundJob(s *Sim) *Action {
	j, ok := any1(s, s.trainings(underWay))
	if !ok {
		return nil
	}
	from := s.anybody()
	return one(from, &trainingtypes.MsgFundJob{Sender: from.String(), JobId: j.Id, Amount: sdk.NewCoin(j.Denom, s.coins(1, 20_000_000).Amount)})
}

// resumeJob goes on with a paused training, sometimes from an earlier checkpoint.
func resumeJob(s *Sim) *Action {
	j, ok := any1(s, s.trainings(func(j job) bool { return j.State == trainingtypes.STATE_PAUSED }))
	if !ok {
		return nil
	}
	msg := &trainingtypes.MsgResumeJob{Owner: j.Owner, JobId: j.Id}
	known := j.Step == 0 || s.states[string(j.StateRoot)] != nil
	if !known || s.r.Intn(3) == 0 {
		msg.Rewind = true
		rng := collections.NewPrefixedPairRange[uint64, uint64](j.Id)
		s.must(s.App.Training.Checkpoints.Walk(s.Ctx(), rng, func(_ collections.Pair[uint64, uint64], c trainingtypes.Checkpoint) (bool, error) {
			if !c.Lost && c.Step < j.Step && s.states[string(c.StateRoot)] != nil && s.r.Intn(2) == 0 {
				msg.FromStep = c.Step
			}
			return false, nil
		}))
	}
	return one(s.byAddr[j.Owner], msg)
}

func resumeRunning(s *Sim) *Action {
	j, ok := any1(s, s.trainings(func(j job) bool { return j.State == trainingtypes.STATE_RUNNING }))
	if !ok {
		return nil
	}
	return one(s.byAddr[j.Owner], &trainingtypes.MsgResumeJob{Owner: j.Owner, JobId: j.Id})
}

func cancelJob(s *Sim) *Action {
	j, ok := any1(s, s.trainings(underWay))
	if !ok {
		return nil
	}
	return one(s.byAddr[j.Owner], &trainingtypes.MsgCancelJob{Owner: j.Owner, JobId: j.Id})
}

// finishJob registers what came out of a training, and lets it be used.
func finishJob(s *Sim) *Action {
	j, ok := any1(s, s.trainings(func(j job) bool {
		return j.State == trainingtypes.STATE_TRAINED && s.states[string(j.StateRoot)] != nil
	}))
	if !ok {
		return nil
	}
	from, states := s.anybody(), s.states[string(j.StateRoot)]
	msg := &trainingtypes.MsgFinishJob{Sender: from.String(), JobId: j.Id, WeightsCid: modelpkg.CIDOf([]byte(j.Result.Id))}
	for _, x := range states {
		root := s.tensorRoot(x)
		msg.StateRoots = append(msg.StateRoots, root[:])
	}
	a := one(from, msg)
	a.Then = func(ok bool) {
		if !ok {
			return
		}
		base := s.modelOf(j.Result.Base).kind
		trained := *base
		var err error
		trained.weights, err = engine.WeightsByName(base.prog, map[string]*engine.Tensor{"p": states[0]})
		s.must(err)
		s.models = append(s.models, &model{id: j.Result.Id, owner: s.byAddr[j.Owner], kind: &trained})
	}
	return a
}

// setWeightsCID corrects where weights are.
func setWeightsCID(s *Sim) *Action {
	m, ok := s.registered(func(k *kind) bool { return len(k.prog.WeightSpecs()) > 0 })
	if !ok {
		return nil
	}
	return one(m.owner, &modelstypes.MsgSetWeightsCID{Owner: m.owner.String(), Id: m.id, WeightsCid: modelpkg.CIDOf(fmt.Append(nil, m.id, s.Height()))})
}

// registerRecipe lets trainings like one that there was earn score.
func registerRecipe(s *Sim) sdk.Msg {
	j, ok := any1(s, s.trainings(func(j job) bool {
		m := s.modelOf(j.Job.Model)
		return m != nil && !m.retired
	}))
	if !ok {
		return nil
	}
	return &trainingtypes.MsgRegisterRecipe{Authority: s.authority(), Recipe: trainingtypes.Recipe{
		Id: fmt.Sprintf("recipe-%d", s.Height()), Model: j.Job.Model, InputRoot: j.InputRoot, Steps: j.Steps, FiniteOutput: j.FiniteOutput,
	}}
}

func removeRecipe(s *Sim) (msg sdk.Msg) {
	s.must(s.App.Training.Recipes.Walk(s.Ctx(), nil, func(id string, _ trainingtypes.Recipe) (bool, error) {
		msg = &trainingtypes.MsgRemoveRecipe{Authority: s.authority(), Id: id}
		return s.r.Intn(2) == 0, nil
	}))
	return msg
}

func trainingParams(s *Sim) sdk.Msg {
	p, err := s.App.Training.Params.Get(s.Ctx())
	s.must(err)
	switch s.r.Intn(3) {
	case 0:
		p.MaxFailures = uint32(1 + s.r.Intn(4))
	case 1:
		p.RetryBlocks = 1 + s.r.Int63n(10)
	case 2:
		p.MinBaseShareBps = uint32(s.r.Intn(1_000))
	}
	return &trainingtypes.MsgUpdateParams{Authority: s.authority(), Params: p}
}
