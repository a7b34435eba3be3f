package types_test

import (
	"bytes"
	"context"
	"math"
	"testing"

	sdkmath "cosmossdk.io/math"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
	"poaid/x/disputes/types"
	taskstypes "poaid/x/tasks/types"
)

func drawHash(t *rapid.T) commit.Hash {
	return commit.Hash(rapid.SliceOfN(rapid.Byte(), commit.Size, commit.Size).Draw(t, "hash"))
}

func drawHashes(t *rapid.T, most int) []commit.Hash {
	var out []commit.Hash
	for range rapid.IntRange(0, most).Draw(t, "hashes") {
		out = append(out, drawHash(t))
	}
	return out
}

func drawBytes(t *rapid.T, most int) []byte {
	b := rapid.SliceOfN(rapid.Byte(), 0, most).Draw(t, "bytes")
	if len(b) == 0 {
		return nil // an encoding does not tell empty from missing
	}
	return b
}

func drawEvidence(t *rapid.T) game.Evidence {
	var e game.Evidence
	for i := range rapid.IntRange(0, 3).Draw(t, "operands") {
		p := game.OperandProof{Operand: i, Root: drawHash(t), Member: drawHashes(t, 3)}
		for range rapid.IntRange(0, 2).Draw(t, "ranges") {
			p.Ranges = append(p.Ranges, game.RangeProof{First: rapid.Uint64Max(1<<50).Draw(t, "first"), Data: drawBytes(t, 40), Siblings: drawHashes(t, 3)})
		}
		e.Operands = append(e.Operands, p)
	}
	return e
}

func drawMove(t *rapid.T) game.Move {
	switch rapid.IntRange(0, 7).Draw(t, "move") {
	case 0:
		return game.Open{State: drawHash(t), Output: drawHash(t)}
	case 1:
		return game.Split{Hashes: drawHashes(t, 5)}
	case 2:
		return game.Chunk{Data: drawBytes(t, commit.ChunkSize)}
	case 3:
		var values [][]byte
		for range rapid.IntRange(0, 4).Draw(t, "values") {
			values = append(values, rapid.SliceOfN(rapid.Byte(), 1, engine.MaxAcc).Draw(t, "value"))
		}
		return game.Accumulators{Values: values}
	case 4:
		return game.Stopped{Proof: drawEvidence(t)}
	case 5:
		return game.Reject{Index: rapid.Uint64().Draw(t, "index")}
	case 6:
		return game.RejectUpdates{}
	default:
		return game.Judge{Evidence: drawEvidence(t)}
	}
}

// A move survives the way over the wire.
func TestMovesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMove(t)
		msg, err := types.EncodeMove(m)
		require.NoError(t, err)
		bz, err := msg.Marshal()
		require.NoError(t, err)
		var back types.Move
		require.NoError(t, back.Unmarshal(bz))
		got, err := types.DecodeMove(&back)
		require.NoError(t, err)
		require.Equal(t, m, got)
	})
}

func drawPosition(t *rapid.T) game.Position {
	u64 := func(name string) uint64 { return rapid.Uint64().Draw(t, name) }
	i64 := func(name string) int64 { return rapid.Int64Range(0, math.MaxInt64).Draw(t, name) }
	lo := rapid.Uint64Max(1<<39).Draw(t, "lo")
	p := game.Position{
		Phase: game.Phase(rapid.IntRange(1, 5).Draw(t, "phase")), Mover: game.Side(rapid.IntRange(1, 2).Draw(t, "mover")),
		State: drawHash(t), From: lo, To: lo + 1 + rapid.Uint64Max(1<<38).Draw(t, "steps"), ToState: drawHash(t), Posted: drawHashes(t, 4),
		Tree: game.Tree(rapid.IntRange(0, 6).Draw(t, "tree")), Span: commit.Span{Lo: lo, Hi: lo + 3}, Hash: drawHash(t), Rooted: rapid.Bool().Draw(t, "rooted"),
		Node: rapid.IntRange(0, math.MaxInt32).Draw(t, "node"), Leaf: drawHash(t), Chunk: drawBytes(t, commit.ChunkSize), Elem: i64("elem"),
		FoldTo: i64("fold"), Acc: drawBytes(t, engine.MaxAcc), Claim: drawBytes(t, engine.MaxAcc),
		Rounds: u64("rounds"), MoveLeft: u64("left"), TotalLeft: [2]uint64{u64("defender"), u64("challenger")},
		StepUnits: u64("units"), Elapsed: u64("elapsed"), Value: drawBytes(t, 32),
	}
	if rapid.Bool().Draw(t, "over") {
		p.Phase, p.Mover, p.Won, p.Reason = game.PhaseOver, game.Nobody, game.Challenger, game.ReasonRefuted
	}
	p.FoldFrom = rapid.Int64Range(0, p.FoldTo).Draw(t, "from")
	for i := range rapid.IntRange(0, 3).Draw(t, "agreed") {
		p.Agreed = append(p.Agreed, game.Subtree{Span: commit.Span{Lo: uint64(i), Hi: uint64(i) + 1}, Hash: drawHash(t)})
	}
	return p
}

// A position survives being stored.
func TestPositionsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPosition(t)
		stored := types.EncodePosition(p)
		bz, err := stored.Marshal()
		require.NoError(t, err)
		var back types.Position
		require.NoError(t, back.Unmarshal(bz))
		got, err := types.DecodePosition(back)
		require.NoError(t, err)
		require.Equal(t, p, got)
	})
}

func TestMalformedMoves(t *testing.T) {
	h := bytes.Repeat([]byte{1}, commit.Size)
	many := make([][]byte, types.MaxMoveBytes/commit.Size+1)
	for i := range many {
		many[i] = h
	}
	operand := func(p types.OperandProof) *types.Move {
		return &types.Move{Sum: &types.Move_Judge{Judge: &types.Judge{Evidence: types.Evidence{Operands: []types.OperandProof{p}}}}}
	}
	for name, c := range map[string]struct {
		move *types.Move
		want error
	}{
		"missing":              {nil, types.ErrMove},
		"none set":             {&types.Move{}, types.ErrMove},
		"nil open":             {&types.Move{Sum: &types.Move_Open{}}, types.ErrMove},
		"nil split":            {&types.Move{Sum: &types.Move_Split{}}, types.ErrMove},
		"nil chunk":            {&types.Move{Sum: &types.Move_Chunk{}}, types.ErrMove},
		"nil accumulators":     {&types.Move{Sum: &types.Move_Accumulators{}}, types.ErrMove},
		"nil stopped":          {&types.Move{Sum: &types.Move_Stopped{}}, types.ErrMove},
		"nil reject":           {&types.Move{Sum: &types.Move_Reject{}}, types.ErrMove},
		"nil judge":            {&types.Move{Sum: &types.Move_Judge{}}, types.ErrMove},
		"short state":          {&types.Move{Sum: &types.Move_Open{Open: &types.Open{State: h[1:], Output: h}}}, types.ErrLength},
		"short output":         {&types.Move{Sum: &types.Move_Open{Open: &types.Open{State: h}}}, types.ErrLength},
		"long hash":            {&types.Move{Sum: &types.Move_Split{Split: &types.Split{Hashes: [][]byte{append(h, 1)}}}}, types.ErrLength},
		"too many hashes":      {&types.Move{Sum: &types.Move_Split{Split: &types.Split{Hashes: many}}}, types.ErrLength},
		"long chunk":           {&types.Move{Sum: &types.Move_Chunk{Chunk: &types.Chunk{Data: make([]byte, commit.ChunkSize+1)}}}, types.ErrLength},
		"long accumulator":     {&types.Move{Sum: &types.Move_Accumulators{Accumulators: &types.Accumulators{Values: [][]byte{make([]byte, engine.MaxAcc+1)}}}}, types.ErrLength},
		"many accumulators":    {&types.Move{Sum: &types.Move_Accumulators{Accumulators: &types.Accumulators{Values: make([][]byte, game.FoldArity+1)}}}, types.ErrLength},
		"operand out of range": {operand(types.OperandProof{Operand: math.MaxUint32, Root: h}), types.ErrMove},
		"short root":           {operand(types.OperandProof{Root: h[1:]}), types.ErrLength},
		"short member":         {operand(types.OperandProof{Root: h, Member: [][]byte{nil}}), types.ErrLength},
		"chunk beyond bytes":   {operand(types.OperandProof{Root: h, Ranges: []types.RangeProof{{First: math.MaxUint64}}}), types.ErrLength},
		"short sibling":        {operand(types.OperandProof{Root: h, Ranges: []types.RangeProof{{Siblings: [][]byte{h[1:]}}}}), types.ErrLength},
		"long data":            {operand(types.OperandProof{Root: h, Ranges: []types.RangeProof{{Data: make([]byte, types.MaxMoveBytes+1)}}}), types.ErrLength},
		"many ranges":          {operand(types.OperandProof{Root: h, Ranges: make([]types.RangeProof, 1025)}), types.ErrLength},
		"many operands": {
			&types.Move{Sum: &types.Move_Stopped{Stopped: &types.Stopped{Proof: types.Evidence{Operands: make([]types.OperandProof, 1025)}}}},
			types.ErrLength,
		},
	} {
		_, err := types.DecodeMove(c.move)
		require.ErrorIs(t, err, c.want, name)
	}
	_, err := types.EncodeMove(nil)
	require.ErrorIs(t, err, types.ErrMove)
}

func TestMalformedPositions(t *testing.T) {
	good := types.EncodePosition(game.Position{Phase: game.PhaseResult, Mover: game.Defender, To: 1})
	_, err := types.DecodePosition(good)
	require.NoError(t, err)
	change := func(f func(*types.Position)) types.Position {
		p := good
		f(&p)
		return p
	}
	for name, p := range map[string]types.Position{
		"no phase":      change(func(p *types.Position) { p.Phase = 0 }),
		"phase":         change(func(p *types.Position) { p.Phase = 7 }),
		"nobody moves":  change(func(p *types.Position) { p.Mover = 0 }),
		"mover":         change(func(p *types.Position) { p.Mover = 3 }),
		"over, a mover": change(func(p *types.Position) { p.Phase = 6 }),
		"winner":        change(func(p *types.Position) { p.Won = 1 }),
		"reason":        change(func(p *types.Position) { p.Reason = 4 }),
		"tree":          change(func(p *types.Position) { p.Tree = 7 }),
		"span":          change(func(p *types.Position) { p.Span = types.Span{Lo: 1} }),
		"no steps":      change(func(p *types.Position) { p.To = 0 }),
		"steps":         change(func(p *types.Position) { p.To = 1<<40 + 1 }),
		"node":          change(func(p *types.Position) { p.Node = -1 }),
		"elem":          change(func(p *types.Position) { p.Elem = -1 }),
		"fold":          change(func(p *types.Position) { p.FoldFrom = 1 }),
		"state":         change(func(p *types.Position) { p.State = []byte{1} }),
		"posted":        change(func(p *types.Position) { p.Posted = [][]byte{{1}} }),
		"agreed":        change(func(p *types.Position) { p.Agreed = []types.Subtree{{}} }),
		"agreed hash":   change(func(p *types.Position) { p.Agreed = []types.Subtree{{Span: types.Span{Hi: 1}, Hash: []byte{1}}} }),
		"chunk":         change(func(p *types.Position) { p.Chunk = make([]byte, commit.ChunkSize+1) }),
		"value":         change(func(p *types.Position) { p.Value = make([]byte, engine.MaxAcc+1) }),
		"accs":          change(func(p *types.Position) { p.Accs = make([][]byte, 65) }),
	} {
		_, err := types.DecodePosition(p)
		require.ErrorIs(t, err, types.ErrPosition, name)
	}
}

// FuzzMove feeds bytes as a message: whatever decodes can be encoded again, to the same, and given to a game.
func FuzzMove(f *testing.F) {
	hash := commit.Hash{1}
	for _, m := range []game.Move{
		game.Open{State: hash},
		game.Split{Hashes: []commit.Hash{hash}},
		game.Chunk{Data: []byte{1}},
		game.Accumulators{Values: [][]byte{{1}}},
		game.Reject{Index: 3},
		game.RejectUpdates{},
		game.Judge{Evidence: game.Evidence{Operands: []game.OperandProof{{Root: hash, Ranges: []game.RangeProof{{Data: []byte{1}}}}}}},
	} {
		msg, err := types.EncodeMove(m)
		require.NoError(f, err)
		bz, err := msg.Marshal()
		require.NoError(f, err)
		f.Add(bz)
	}
	f.Fuzz(func(t *testing.T, bz []byte) {
		var msg types.Move
		if msg.Unmarshal(bz) != nil {
			return
		}
		m, err := types.DecodeMove(&msg)
		if err != nil {
			return
		}
		again, err := types.EncodeMove(m)
		require.NoError(t, err)
		back, err := types.DecodeMove(&again)
		require.NoError(t, err)
		require.Equal(t, m, back)
		require.Error(t, game.Game{Position: game.Position{Phase: game.PhaseOver}}.Legal(m))
	})
}

func program(t *testing.T) *engine.Program {
	t.Helper()
	i64 := graphpb.DTYPE_I64
	prog, err := engine.New(&graphpb.Program{
		Inputs: []*graphpb.InputSpec{
			{Name: "prompt", Dtype: i64, Shape: []int64{5}, VariableRows: true},
			{Name: "seed", Dtype: i64, Shape: []int64{1}, DefaultData: make([]byte, 8)},
		},
		States: []*graphpb.StateSpec{{Name: "y", Dtype: i64, Shape: []int64{1}}},
		Step: &graphpb.Graph{
			Nodes:   []*graphpb.Node{{Name: "t", Op: "step@1", Dtype: i64, Shape: []*graphpb.Dim{{A: 1}}}},
			Updates: []*graphpb.Update{{State: 0, Node: 0}},
		},
		Outputs: []string{"y"}, MaxSteps: 9,
	}, engine.DefaultLimits())
	require.NoError(t, err)
	return prog
}

func TestRowsOf(t *testing.T) {
	prog := program(t)
	tensor := func(name string, shape ...int64) taskstypes.NamedTensor {
		return taskstypes.NamedTensor{Name: name, Shape: shape}
	}
	rows, err := types.RowsOf(prog, taskstypes.Task{}, taskstypes.Inputs{Tensors: []taskstypes.NamedTensor{tensor("prompt", 3)}})
	require.NoError(t, err)
	require.Equal(t, []int64{3, 1}, rows)
	for name, given := range map[string][]taskstypes.NamedTensor{
		"missing": nil, "rank": {tensor("prompt", 3, 1)}, "none": {tensor("prompt", 0)}, "too many": {tensor("prompt", 6)},
		"fixed rows": {tensor("prompt", 3), tensor("seed", 2)},
	} {
		_, err := types.RowsOf(prog, taskstypes.Task{}, taskstypes.Inputs{Tensors: given})
		require.ErrorIs(t, err, types.ErrInput, name)
	}
	require.Equal(t, []string{"step@1"}, types.OpsOf(prog))
}

// A setup is that of a game over the same run.
func TestNewSetup(t *testing.T) {
	prog := program(t)
	m, err := types.MachineOf(prog, []int64{3, 1}, engine.CostParams{MacsPerUnit: 1, BytesPerUnit: 1})
	require.NoError(t, err)
	_, err = types.MachineOf(prog, []int64{3}, engine.CostParams{MacsPerUnit: 1, BytesPerUnit: 1})
	require.ErrorIs(t, err, types.ErrInput)
	task := taskstypes.Task{Steps: 7, InputRoot: bytes.Repeat([]byte{3}, 32)}
	rules := types.DefaultParams().RulesOf(true)
	g := types.Game{Root: bytes.Repeat([]byte{1}, 32), Rival: bytes.Repeat([]byte{2}, 32), Rules: rules, Stake: sdkmath.ZeroInt()}
	s, err := types.NewSetup(g, m, task, commit.Hash{4})
	require.NoError(t, err)
	require.Equal(t, commit.Hash(task.InputRoot), s.Inputs)
	require.Equal(t, commit.Hash{4}, s.Weights)
	require.Equal(t, uint64(7), s.Steps)
	rounds := game.Game{Setup: s}.MaxRounds()
	g.Stake = rules.Stake(rounds)
	s, err = types.NewSetup(g, m, task, commit.Hash{4})
	require.NoError(t, err)
	_, err = game.New(s)
	require.NoError(t, err, "the stake prepays every move")
	g.Stake = g.Stake.SubRaw(1)
	s, err = types.NewSetup(g, m, task, commit.Hash{4})
	require.NoError(t, err)
	_, err = game.New(s)
	require.Error(t, err, "a coin less does not")

	for name, change := range map[string]func(*types.Game, *taskstypes.Task){
		"root":   func(g *types.Game, _ *taskstypes.Task) { g.Root = nil },
		"rival":  func(g *types.Game, _ *taskstypes.Task) { g.Rival = []byte{1} },
		"inputs": func(_ *types.Game, t *taskstypes.Task) { t.InputRoot = nil },
	} {
		g, task := g, task
		change(&g, &task)
		_, err := types.NewSetup(g, m, task, commit.Hash{})
		require.ErrorIs(t, err, types.ErrLength, name)
	}
	g.Stake = sdkmath.Int{}
	_, err = types.NewSetup(g, m, task, commit.Hash{})
	require.ErrorIs(t, err, types.ErrPosition)
}

// Any stake prepays exactly the moves that it is for.
func TestStake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := types.Rules{BurnBps: uint32(rapid.IntRange(5000, types.MaxBurnBps).Draw(t, "burn")), MoveFee: rapid.Uint64Range(0, 1<<40).Draw(t, "fee")}
		rounds := rapid.Uint64Range(1, 100).Draw(t, "rounds")
		rest := func(s sdkmath.Int) sdkmath.Int { return s.MulRaw(int64(types.BpsOne - r.BurnBps)).QuoRaw(types.BpsOne) }
		s, fees := r.Stake(rounds), sdkmath.NewIntFromUint64(r.MoveFee*rounds)
		require.True(t, s.IsUint64())
		require.True(t, rest(s).GTE(fees))
		if s.IsPositive() {
			require.True(t, rest(s.SubRaw(1)).LT(fees))
		}
	})
}

// TestRealGame plays a whole game through messages and stored positions.
func TestRealGame(t *testing.T) {
	prog := program(t)
	m, err := types.MachineOf(prog, []int64{3, 1}, engine.CostParams{MacsPerUnit: 1, BytesPerUnit: 1})
	require.NoError(t, err)
	weights, err := engine.NewWeights(prog, nil)
	require.NoError(t, err)
	prompt, err := engine.FromI64([]int64{1, 2, 3}, 3)
	require.NoError(t, err)
	in, err := prog.BindInputs(map[string]*engine.Tensor{"prompt": prompt})
	require.NoError(t, err)
	root, err := in.Root(1)
	require.NoError(t, err)
	truth, err := game.NewEngineTrace(context.Background(), m, prog, weights, in, 7, engine.RunOptions{Threads: 1})
	require.NoError(t, err)
	right, err := game.ResultRoot(truth, 7)
	require.NoError(t, err)
	source, err := game.NewReferenceSource(m, nil, in.Tensors(), 7)
	require.NoError(t, err)
	lied, err := source.Tampered(func(t uint64, _ int, out *engine.Tensor) *engine.Tensor {
		if t != 6 {
			return out
		}
		out = out.Clone()
		out.Bytes()[0] ^= 1
		return out
	})
	require.NoError(t, err)
	liar := game.NewRerun(m, lied, nil, in.Tensors(), 7)
	wrong, err := game.ResultRoot(liar, 7)
	require.NoError(t, err)
	require.NotEqual(t, right, wrong)
	wRoot, err := weights.Root(1)
	require.NoError(t, err)

	rec := types.Game{Root: wrong[:], Rival: right[:], Rules: types.DefaultParams().RulesOf(false), Stake: sdkmath.ZeroInt()}
	s, err := types.NewSetup(rec, m, taskstypes.Task{Steps: 7, InputRoot: root[:]}, wRoot)
	require.NoError(t, err)
	g, err := game.New(s)
	require.NoError(t, err)
	for g.Phase != game.PhaseOver {
		solver := game.Solver{Machine: m, Trace: liar}
		if g.Turn() == game.Challenger {
			solver.Trace = truth
		}
		move, err := solver.Next(g)
		require.NoError(t, err)
		msg, err := types.EncodeMove(move)
		require.NoError(t, err)
		decoded, err := types.DecodeMove(&msg)
		require.NoError(t, err)
		next, err := g.Apply(decoded)
		require.NoError(t, err)
		p, err := types.DecodePosition(types.EncodePosition(next.Position))
		require.NoError(t, err)
		g = game.Resume(s, p)
	}
	require.Equal(t, game.Challenger, g.Winner())
}
