package engine_test

import (
	"context"
	"testing"

	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/engine/nn"
)

// tiny is a valid program: y' = x·wᵀ over a growing slice, with an input and a stop state.
func tiny(tb testing.TB) *graphpb.Program {
	tb.Helper()
	b := nn.NewBuilder(8)
	w := b.Weight("w", engine.F32, 3, 4)
	x := b.RowsInput("x", engine.F32, 8, 4)
	y, s := b.State("y", engine.F32, 1, 3), b.State("s", engine.I64, 1)
	g := b.Step()
	g.Scope("row")
	row := g.Gather(x, g.StepNumber())
	used := g.Slice(g.Broadcast(row, engine.Const(8), engine.Const(4)), []int64{0, 0}, engine.Shape{{A: 1, B: 1}, engine.Const(4)})
	g.Update(y, g.Linear(g.Sum(used, 0, true, false), w))
	g.Update(s, g.Where(g.Eq(g.StepNumber(), g.I64(5)), g.I64(6), g.I64(0)))
	b.Forced(x).Update(y, b.Forced(x).Broadcast(b.Forced(x).F32(1), y.Shape()...))
	b.StopState(s)
	b.Output(y)
	prog, err := b.Build(engine.DefaultLimits())
	require.NoError(tb, err)
	return prog.Proto()
}

func TestHashAndEncoding(t *testing.T) {
	prog, err := engine.New(tiny(t), engine.DefaultLimits())
	require.NoError(t, err)
	again, err := engine.Decode(prog.Bytes(), engine.DefaultLimits())
	require.NoError(t, err)
	require.Equal(t, prog.Hash(), again.Hash())
	require.Equal(t, [32]byte(commit.ProgramHash(prog.Bytes())), prog.Hash())

	unknown := append(append([]byte(nil), prog.Bytes()...), 0xa0, 0x06, 0x01) // field 100
	_, err = engine.Decode(unknown, engine.DefaultLimits())
	require.ErrorIs(t, err, engine.ErrProgram)
	require.ErrorContains(t, err, "not canonical")
	defaults := append(append([]byte(nil), prog.Bytes()...), 0x32, 0x00) // forced_input once more
	_, err = engine.Decode(defaults, engine.DefaultLimits())
	require.Error(t, err)
	_, err = engine.Decode(prog.Bytes()[:len(prog.Bytes())-1], engine.DefaultLimits())
	require.Error(t, err)
	_, err = engine.Decode(nil, engine.DefaultLimits())
	require.ErrorContains(t, err, "max_steps")
}

// TestValidation breaks one thing at a time; every error must name it.
func TestValidation(t *testing.T) {
	node := func(p *graphpb.Program, op string) *graphpb.Node {
		for _, n := range p.Step.Nodes {
			if n.Op == op {
				return n
			}
		}
		return nil
	}
	for name, tc := range map[string]struct {
		breakIt func(p *graphpb.Program)
		want    string
	}{
		"no steps":         {func(p *graphpb.Program) { p.MaxSteps = 0 }, "max_steps: 0"},
		"many steps":       {func(p *graphpb.Program) { p.MaxSteps = 1 << 60 }, "max_steps"},
		"grows past table": {func(p *graphpb.Program) { p.MaxSteps = 9 }, "does not fit"},
		"no step graph":    {func(p *graphpb.Program) { p.Step = nil }, "step: missing"},
		"no outputs":       {func(p *graphpb.Program) { p.Outputs = nil }, "outputs: empty"},
		"unknown output":   {func(p *graphpb.Program) { p.Outputs[0] = "q" }, `outputs[0]: "q"`},
		"output twice":     {func(p *graphpb.Program) { p.Outputs = []string{"y", "y"} }, "outputs[1]"},
		"stop state":       {func(p *graphpb.Program) { p.StopState = "y" }, "stop_state"},
		"no stop state":    {func(p *graphpb.Program) { p.StopState = "q" }, "stop_state"},
		"forced alone":     {func(p *graphpb.Program) { p.ForcedInput = "" }, "forced"},
		"forced input":     {func(p *graphpb.Program) { p.ForcedInput = "y" }, "forced_input"},
		"state name":       {func(p *graphpb.Program) { p.States[1].Name = "y" }, "states[1]: name"},
		"empty name":       {func(p *graphpb.Program) { p.Weights[0].Name = "" }, "weights[0]: name"},
		"ugly name":        {func(p *graphpb.Program) { p.Inputs[0].Name = "a b" }, "inputs[0]: name"},
		"long name":        {func(p *graphpb.Program) { p.Weights[0].Name = string(make([]byte, 200)) }, "limit 128"},
		"spec dtype":       {func(p *graphpb.Program) { p.Weights[0].Dtype = 9 }, "dtype: 9"},
		"zero dimension":   {func(p *graphpb.Program) { p.Weights[0].Shape[0] = 0 }, "shape[0]"},
		"huge dimension":   {func(p *graphpb.Program) { p.Weights[0].Shape[0] = 1 << 60 }, "exceeds the limit"},
		"huge product":     {func(p *graphpb.Program) { p.Weights[0].Shape = []int64{1 << 32, 1 << 32} }, "elements"},
		"overflow":         {func(p *graphpb.Program) { p.Weights[0].Shape = []int64{1 << 33, 1 << 33, 1 << 33} }, "2^56"},
		"rank":             {func(p *graphpb.Program) { p.Weights[0].Shape = make([]int64, 9) }, "rank 9"},
		"rank 0":           {func(p *graphpb.Program) { p.Weights[0].Shape = nil }, "rank 0"},
		"default size":     {func(p *graphpb.Program) { p.Inputs[0].DefaultData = make([]byte, 15) }, "default_data"},
		"init weight":      {func(p *graphpb.Program) { p.States[0].InitWeight = "q" }, "init_weight"},
		"init shape":       {func(p *graphpb.Program) { p.States[0].InitWeight = "w" }, "init_weight"},
		"unknown op":       {func(p *graphpb.Program) { p.Step.Nodes[0].Op = "magic@1" }, "op: unknown"},
		"forward ref":      {func(p *graphpb.Program) { node(p, "gather@1").Inputs[1].Index = 99 }, "inputs[1]: index"},
		"ref kind":         {func(p *graphpb.Program) { node(p, "gather@1").Inputs[1].Kind = 9 }, "inputs[1]: kind"},
		"operand count":    {func(p *graphpb.Program) { node(p, "gather@1").Inputs = nil }, "0 operands, want 2"},
		"variable input": {func(p *graphpb.Program) {
			node(p, "broadcast@1").Inputs[0] = &graphpb.Ref{Kind: graphpb.REF_KIND_INPUT}
		}, "variable rows"},
		"attr missing":  {func(p *graphpb.Program) { node(p, "matmul@1").Attrs = nil }, "want exactly [ta tb tri]"},
		"attr order":    {func(p *graphpb.Program) { a := node(p, "matmul@1").Attrs; a[0], a[1] = a[1], a[0] }, "in this order"},
		"attr field":    {func(p *graphpb.Program) { node(p, "matmul@1").Attrs[0].Text = "x" }, "does not use"},
		"attr value":    {func(p *graphpb.Program) { node(p, "matmul@1").Attrs[2].Ints[0] = 3 }, "tri 3"},
		"attr mode":     {func(p *graphpb.Program) { node(p, "gather@1").Attrs[0].Text = "" }, "attr mode"},
		"node dtype":    {func(p *graphpb.Program) { node(p, "matmul@1").Dtype = engine.I32 }, "dtype: declared"},
		"node shape":    {func(p *graphpb.Program) { node(p, "matmul@1").Shape[1].A = 4 }, "shape: declared"},
		"grows too far": {func(p *graphpb.Program) { node(p, "slice@1").Shape[0].B = 2 }, "does not fit"},
		"dim not canonical": {func(p *graphpb.Program) {
			node(p, "matmul@1").Shape[0] = &graphpb.Dim{A: 1, C: 5}
		}, "canonical"},
		"shrinking dim": {func(p *graphpb.Program) { node(p, "slice@1").Shape[0].B = -1 }, "b ≥ 0"},
		"update state":  {func(p *graphpb.Program) { p.Step.Updates[0].State = 7 }, "updates[0]"},
		"update node":   {func(p *graphpb.Program) { p.Step.Updates[0].Node = 700 }, "updates[0]"},
		"update twice":  {func(p *graphpb.Program) { p.Step.Updates[1].State = 0 }, "out of order"},
		"update dtype":  {func(p *graphpb.Program) { p.Step.Updates[0].Node = 0 }, "state \"y\""},
		"nil node":      {func(p *graphpb.Program) { p.Step.Nodes[0] = nil }, "nil entry"},
	} {
		t.Run(name, func(t *testing.T) {
			p := proto.Clone(tiny(t)).(*graphpb.Program)
			tc.breakIt(p)
			_, err := engine.New(p, engine.DefaultLimits())
			require.ErrorIs(t, err, engine.ErrProgram)
			require.ErrorContains(t, err, tc.want)
		})
	}
	_, err := engine.New(nil, engine.DefaultLimits())
	require.ErrorIs(t, err, engine.ErrProgram)
}

func TestLimits(t *testing.T) {
	pb := tiny(t)
	for name, tc := range map[string]struct {
		set  func(l *engine.Limits)
		want string
	}{
		"program": {func(l *engine.Limits) { l.ProgramBytes = 10 }, "limit 10"},
		"nodes":   {func(l *engine.Limits) { l.Nodes = 3 }, "limit 3"},
		"states":  {func(l *engine.Limits) { l.StateBytes = 4 }, "more than 4 bytes"},
		"weights": {func(l *engine.Limits) { l.WeightBytes = 4 }, "more than 4 bytes"},
		"tensor":  {func(l *engine.Limits) { l.TensorBytes = 16 }, "limit 16"},
		"const":   {func(l *engine.Limits) { l.ConstBytes = 3 }, "limit 3"},
		"limits":  {func(l *engine.Limits) { l.Rank = 99 }, "rank 99"},
	} {
		t.Run(name, func(t *testing.T) {
			lim := engine.DefaultLimits()
			tc.set(&lim)
			_, err := engine.New(pb, lim)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// FuzzDecode feeds arbitrary bytes; whatever is accepted must be canonical, have a price, and run if it is small.
func FuzzDecode(f *testing.F) {
	bz, err := tiny(f).Marshal()
	require.NoError(f, err)
	f.Add(bz)
	for _, fx := range fixtures(f) {
		f.Add(fx.prog.Bytes())
	}
	for _, prog := range importSeeds(f) {
		f.Add(prog.Bytes())
	}
	lim := engine.DefaultLimits()
	lim.Elements, lim.TensorBytes, lim.StateBytes, lim.WeightBytes = 1<<12, 1<<14, 1<<16, 1<<16
	cost := engine.CostParams{MacsPerUnit: 1, BytesPerUnit: 1}
	f.Fuzz(func(t *testing.T, bz []byte) {
		prog, err := engine.Decode(bz, lim)
		if err != nil {
			return
		}
		again, err := engine.New(prog.Proto(), lim)
		require.NoError(t, err)
		require.Equal(t, bz, again.Bytes())
		units, err := prog.Units(cost, prog.MaxSteps()-1, false)
		if err != nil || units > 1<<22 {
			return
		}
		var tensors []*engine.Tensor
		for _, w := range prog.WeightSpecs() {
			x, err := engine.NewTensor(w.DType, w.Shape, 1<<20)
			require.NoError(t, err)
			tensors = append(tensors, x)
		}
		weights, err := engine.NewWeights(prog, tensors)
		require.NoError(t, err)
		inputs := make(map[string]*engine.Tensor)
		for _, in := range prog.InputSpecs() {
			if inputs[in.Name], err = engine.NewTensor(in.DType, in.Shape, 1<<20); err != nil {
				t.Fatal(err)
			}
		}
		bound, err := prog.BindInputs(inputs)
		require.NoError(t, err)
		run, err := engine.NewRun(prog, weights, bound, engine.RunOptions{Threads: 1})
		require.NoError(t, err)
		for range min(prog.MaxSteps(), 2) {
			before := clones(run.States())
			require.NoError(t, run.Step(context.Background()))
			if units < 1<<14 {
				want, err := engine.ReferenceStep(prog, weights, bound, run.T()-1, before, nil)
				require.NoError(t, err)
				for i := range want {
					require.True(t, want[i].Equal(run.States()[i]), "state %d", i)
				}
			}
		}
	})
}
