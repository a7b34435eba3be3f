package simulation

import (
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app/params"
	"poaid/engine"
	"poaid/engine/nn"
	modelpkg "poaid/model"
	"poaid/testutil"
	"poaid/testutil/programs"
	modelstypes "poaid/x/models/types"
)

// kind is a program with weights, and how to make inputs of it.
type kind struct {
	name    string
	prog    *engine.Program
	weights *engine.Weights
	// trains: it is a training program.
	trains bool
	// inputs made of a number; no two numbers below 2^24 give the same.
	inputs func(n uint64) map[string]*engine.Tensor
}

// model is one registration of a kind.
type model struct {
	id      string
	owner   *testutil.Account
	kind    *kind
	retired bool
}

func (s *Sim) modelOf(id string) *model {
	for _, m := range s.models {
		if m.id == id {
			return m
		}
	}
	return nil
}

// alive are the models that take tasks.
func (s *Sim) alive() (out []*model) {
	for _, m := range s.models {
		if !m.retired {
			out = append(out, m)
		}
	}
	return out
}

// kinds are small, and have among them: an elementwise op, products with folds longer than one judgement, many steps, a stop state, a prompt,
// and trainings.
func (s *Sim) newKinds() []*kind {
	llama := programs.Llama(s.tb)
	return []*kind{s.rectifier(), s.counter(), s.trainer(7), s.linear(), s.trainer(8), {name: "llama", prog: llama.Prog, weights: llama.Weights, inputs: func(n uint64) map[string]*engine.Tensor {
		prompt := make([]int64, 1+n%4)
		for i := range prompt {
			prompt[i] = int64(2 + (n>>(8*i))%250)
		}
		in := map[string]*engine.Tensor{}
		for name, x := range llama.Inputs {
			in[name] = x
		}
		var err error
		in["prompt"], err = engine.FromI64(prompt, int64(len(prompt)))
		s.must(err)
		in["seed"], err = engine.FromI64([]int64{int64(n)}, 1)
		s.must(err)
		return in
	}}}
}

// rectifier is one node: max(x, 0).
func (s *Sim) rectifier() *kind {
	b := nn.NewBuilder(4)
	x, y := b.Input("x", engine.F32, 8), b.State("y", engine.F32, 8)
	b.Step().Update(y, b.Step().Relu(x))
	b.Output(y)
	return s.kind("rectifier", b, nil, 8)
}

// counter is a product with a weight, accumulated over many steps, which stops early.
func (s *Sim) counter() *kind {
	const width, steps, stopAt = 96, 12, 9
	b := nn.NewBuilder(steps)
	x, w := b.Input("x", engine.F32, 1, width), b.Weight("w", engine.F32, width, width)
	sum, count, stop := b.State("sum", engine.F32, 1, width), b.State("count", engine.I64, 1), b.State("stop", engine.I64, 1)
	g := b.Step()
	next := g.Add(count, g.I64(1))
	g.Update(sum, g.Tanh(g.MatMul(g.Add(sum, x), w, false, false, 0)))
	g.Update(count, next)
	g.Update(stop, g.Where(g.Eq(next, g.I64(stopAt)), next, g.I64(0)))
	b.Output(sum)
	b.Output(stop)
	b.StopState(stop)
	return s.kind("counter", b, map[string]*engine.Tensor{"w": s.ramp(7, width, width)}, 1, width)
}

func (s *Sim) kind(name string, b *nn.Builder, weights map[string]*engine.Tensor, input ...int64) *kind {
	prog, err := b.Build(engine.DefaultLimits())
	s.must(err)
	w, err := engine.WeightsByName(prog, weights)
	s.must(err)
	return &kind{name: name, prog: prog, weights: w, inputs: func(n uint64) map[string]*engine.Tensor {
		return map[string]*engine.Tensor{"x": s.ramp(uint32(n), input...)}
	}}
}

// ramp is a tensor of values that differ, the first of which tells the seed.
func (s *Sim) ramp(seed uint32, shape ...int64) *engine.Tensor {
	n, err := engine.Elements(shape)
	s.must(err)
	v, x := make([]float32, n), seed
	for i := range v {
		v[i] = float32(x>>8)/(1<<24) - 0.5
		x = x*1664525 + 1013904223
	}
	v[0] = float32(seed % (1 << 24))
	t, err := engine.FromF32(v, shape...)
	s.must(err)
	return t
}

func modelsModule() Module {
	return Module{
		Name: modelstypes.ModuleName,
		Operations: []Operation{
			{Name: "models RegisterModel", Weight: 6, Do: register},
			{Name: "models RegisterModel taken", Weight: 1, Refused: true, Do: registerTaken},
			{Name: "models RegisterModel bad", Weight: 1, Refused: true, Do: registerBad},
			{Name: "models SetRoyalty", Weight: 3, Do: setRoyalty},
			{Name: "models SetRoyalty another's", Weight: 1, Refused: true, Do: setAnothersRoyalty},
			{Name: "models SetWeightsCID", Weight: 1, Do: setWeightsCID},
			{Name: "models RetireModel", Weight: 1, Do: retire},
		},
		Proposals: []func(*Sim) sdk.Msg{setEligibility, setEligibility, setEligibility, modelsParams},
		Milestones: []string{
			"models ModelRegistered", "models ModelSeeded", "models ModelRemoved", "models ModelChanged", "models ParamsUpdated",
		},
	}
}

func (s *Sim) registration(owner *testutil.Account, id string, k *kind) *modelstypes.MsgRegisterModel {
	root, err := k.weights.Root(1)
	s.must(err)
	msg := &modelstypes.MsgRegisterModel{
		Owner: owner.String(), Id: id, Description: k.name, Class: modelstypes.CLASS_EXACT, Program: k.prog.Proto(), WeightsRoot: root[:],
		RoyaltyBps: uint32(s.r.Intn(1_000)),
	}
	if len(k.prog.WeightSpecs()) > 0 {
		msg.WeightsCid = modelpkg.CIDOf([]byte(k.name))
	}
	return msg
}

func register(s *Sim) *Action {
	if len(s.models) >= 40 {
		return nil
	}
	// The first are one of each kind; later ones are mostly small.
	k := s.kinds[len(s.models)%len(s.kinds)]
	if len(s.models) >= len(s.kinds) && s.r.Intn(3) > 0 {
		k = s.kinds[s.r.Intn(2)]
	}
	m := &model{id: fmt.Sprintf("m%d-%d", s.Height(), s.r.Intn(1_000)), owner: s.anybody(), kind: k}
	msg := s.registration(m.owner, m.id, k)
	msg.Parents = s.parents()
	a := one(m.owner, msg)
	a.Gas = params.BlockGas / 4
	a.Then = func(ok bool) {
		if ok {
			s.models = append(s.models, m)
		}
	}
	return a
}

func registerTaken(s *Sim) *Action {
	m, ok := any1(s, s.models)
	if !ok {
		return nil
	}
	a := one(s.anybody(), nil)
	a.Msgs[0], a.Gas = s.registration(a.From, m.id, m.kind), params.BlockGas/4
	return a
}

func registerBad(s *Sim) *Action {
	from := s.anybody()
	msg := s.registration(from, fmt.Sprintf("bad%d", s.Height()), s.kinds[0])
	switch s.r.Intn(5) {
	case 0:
		msg.RoyaltyBps = 10_001
	case 1:
		msg.WeightsRoot = msg.WeightsRoot[1:]
	case 2:
		msg.Id = "sprint-99"
	case 3:
		msg.Class = modelstypes.CLASS_UNSPECIFIED
	case 4:
		bad := *msg.Program
		bad.Outputs = []string{"nothing"}
		msg.Program = &bad
	}
	a := one(from, msg)
	a.Gas = params.BlockGas / 4
	return a
}

func setRoyalty(s *Sim) *Action {
	m, ok := any1(s, s.alive())
	if !ok {
		return nil
	}
	return one(m.owner, &modelstypes.MsgSetRoyalty{Owner: m.owner.String(), Id: m.id, RoyaltyBps: uint32(s.r.Intn(1_000))})
}

func setAnothersRoyalty(s *Sim) *Action {
	m, ok := any1(s, s.alive())
	other := s.anybody()
	if !ok || other == m.owner {
		return nil
	}
	return one(other, &modelstypes.MsgSetRoyalty{Owner: other.String(), Id: m.id})
}

func retire(s *Sim) *Action {
	alive := s.alive()
	if len(alive) < 6 {
		return nil
	}
	m := alive[s.r.Intn(len(alive))]
	a := one(m.owner, &modelstypes.MsgRetireModel{Owner: m.owner.String(), Id: m.id})
	a.Then = func(ok bool) { m.retired = m.retired || ok }
	return a
}

// setEligibility makes models eligible, and now and then not.
func setEligibility(s *Sim) sdk.Msg {
	m, ok := any1(s, s.alive())
	if !ok {
		return nil
	}
	return &modelstypes.MsgSetEligibility{Authority: s.authority(), Id: m.id, Eligible: s.r.Intn(10) > 0}
}

func modelsParams(s *Sim) sdk.Msg {
	p, err := s.App.Models.Params.Get(s.Ctx())
	s.must(err)
	switch s.r.Intn(3) {
	case 0:
		p.MaxRoyaltyBps = uint32(1_000 + s.r.Intn(2_000))
	case 1:
		p.MacsPerUnit = uint64(5_000 + s.r.Intn(10_000))
	case 2:
		p.BytesPerUnit = uint64(500 + s.r.Intn(1_000))
	}
	return &modelstypes.MsgUpdateParams{Authority: s.authority(), Params: p}
}
