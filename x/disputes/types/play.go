package types

import (
	"math"

	errorsmod "cosmossdk.io/errors"

	"poaid/commit"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
	taskstypes "poaid/x/tasks/types"
)

// MaxMoveBytes bounds a whole encoded MsgMove. A judgement is planned to fit game.MaxEvidence, 4 KiB less.
const MaxMoveBytes = 64 << 10

// Limits of what is decoded. No game needs more: a move has at most MaxMoveBytes, a tree at most 16 levels of nodes.
const (
	maxHashes    = MaxMoveBytes / commit.Size
	maxValues    = game.FoldArity
	maxEntries   = 1 << 10 // operands or ranges of evidence
	maxSubtrees  = 1 << 12
	maxValueSize = engine.MaxAcc
)

// EncodeMove makes the message of a move of package game.
func EncodeMove(m game.Move) (Move, error) {
	switch m := m.(type) {
	case game.Open:
		return Move{Sum: &Move_Open{&Open{State: m.State[:], Output: m.Output[:]}}}, nil
	case game.Split:
		return Move{Sum: &Move_Split{&Split{Hashes: encodeHashes(m.Hashes)}}}, nil
	case game.Chunk:
		return Move{Sum: &Move_Chunk{&Chunk{Data: m.Data}}}, nil
	case game.Accumulators:
		return Move{Sum: &Move_Accumulators{&Accumulators{Values: m.Values}}}, nil
	case game.Stopped:
		return Move{Sum: &Move_Stopped{&Stopped{Proof: encodeEvidence(m.Proof)}}}, nil
	case game.Reject:
		return Move{Sum: &Move_Reject{&Reject{Index: m.Index}}}, nil
	case game.RejectUpdates:
		return Move{Sum: &Move_RejectUpdates{&RejectUpdates{}}}, nil
	case game.Judge:
		return Move{Sum: &Move_Judge{&Judge{Evidence: encodeEvidence(m.Evidence)}}}, nil
	default:
		return Move{}, errorsmod.Wrapf(ErrMove, "%T is not a move", m)
	}
}

// DecodeMove reads a move. It checks every length before use, so that what it returns can be given to game.Apply. ErrMove, ErrLength.
func DecodeMove(m *Move) (game.Move, error) {
	if m == nil {
		return nil, errorsmod.Wrap(ErrMove, "move: missing")
	}
	switch s := m.Sum.(type) {
	case *Move_Open:
		if s.Open == nil {
			break
		}
		var out game.Open
		err := firstError(decodeHash("open.state", s.Open.State, &out.State), decodeHash("open.output", s.Open.Output, &out.Output))
		return out, err
	case *Move_Split:
		if s.Split == nil {
			break
		}
		hashes, err := decodeHashes("split.hashes", s.Split.Hashes, maxHashes)
		return game.Split{Hashes: hashes}, err
	case *Move_Chunk:
		if s.Chunk == nil {
			break
		}
		if len(s.Chunk.Data) > commit.ChunkSize {
			return nil, errorsmod.Wrapf(ErrLength, "chunk.data: %d bytes, limit %d", len(s.Chunk.Data), commit.ChunkSize)
		}
		return game.Chunk{Data: s.Chunk.Data}, nil
	case *Move_Accumulators:
		if s.Accumulators == nil {
			break
		}
		return game.Accumulators{Values: s.Accumulators.Values}, checkValues("accumulators.values", s.Accumulators.Values)
	case *Move_Stopped:
		if s.Stopped == nil {
			break
		}
		ev, err := decodeEvidence("stopped.proof", s.Stopped.Proof)
		return game.Stopped{Proof: ev}, err
	case *Move_Reject:
		if s.Reject == nil {
			break
		}
		return game.Reject{Index: s.Reject.Index}, nil
	case *Move_RejectUpdates:
		return game.RejectUpdates{}, nil
	case *Move_Judge:
		if s.Judge == nil {
			break
		}
		ev, err := decodeEvidence("judge.evidence", s.Judge.Evidence)
		return game.Judge{Evidence: ev}, err
	}
	return nil, errorsmod.Wrap(ErrMove, "move: none is set")
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkValues checks accumulators: at most 64 of at most engine.MaxAcc bytes.
func checkValues(field string, values [][]byte) error {
	if len(values) > maxValues {
		return errorsmod.Wrapf(ErrLength, "%s: %d, limit %d", field, len(values), maxValues)
	}
	for i, v := range values {
		if len(v) > maxValueSize {
			return errorsmod.Wrapf(ErrLength, "%s[%d]: %d bytes, limit %d", field, i, len(v), maxValueSize)
		}
	}
	return nil
}

func encodeHashes(hashes []commit.Hash) [][]byte {
	if len(hashes) == 0 {
		return nil
	}
	out := make([][]byte, len(hashes))
	for i := range hashes {
		out[i] = hashes[i][:]
	}
	return out
}

func decodeHash(field string, b []byte, out *commit.Hash) error {
	if len(b) != commit.Size {
		return errorsmod.Wrapf(ErrLength, "%s: %d bytes, want %d", field, len(b), commit.Size)
	}
	*out = commit.Hash(b)
	return nil
}

func decodeHashes(field string, list [][]byte, limit int) ([]commit.Hash, error) {
	if len(list) > limit {
		return nil, errorsmod.Wrapf(ErrLength, "%s: %d hashes, limit %d", field, len(list), limit)
	}
	if len(list) == 0 {
		return nil, nil
	}
	out := make([]commit.Hash, len(list))
	for i, b := range list {
		if len(b) != commit.Size {
			return nil, errorsmod.Wrapf(ErrLength, "%s[%d]: %d bytes, want %d", field, i, len(b), commit.Size)
		}
		out[i] = commit.Hash(b)
	}
	return out, nil
}

func encodeEvidence(e game.Evidence) Evidence {
	var out Evidence
	for i := range e.Operands {
		p := &e.Operands[i]
		q := OperandProof{Operand: uint32(p.Operand), Root: p.Root[:], Member: encodeHashes(p.Member)}
		for j := range p.Ranges {
			q.Ranges = append(q.Ranges, EncodeRange(p.Ranges[j]))
		}
		out.Operands = append(out.Operands, q)
	}
	return out
}

// EncodeRange makes the message of an opened range of chunks.
func EncodeRange(r game.RangeProof) RangeProof {
	return RangeProof{First: r.First, Data: r.Data, Siblings: encodeHashes(r.Siblings)}
}

func decodeEvidence(field string, e Evidence) (game.Evidence, error) {
	var out game.Evidence
	if len(e.Operands) > maxEntries {
		return out, errorsmod.Wrapf(ErrLength, "%s.operands: %d, limit %d", field, len(e.Operands), maxEntries)
	}
	ranges := 0
	for i := range e.Operands {
		p := &e.Operands[i]
		if ranges += len(p.Ranges); ranges > maxEntries {
			return out, errorsmod.Wrapf(ErrLength, "%s.operands[%d].ranges: more than %d in all", field, i, maxEntries)
		}
		if p.Operand > math.MaxInt32 {
			return out, errorsmod.Wrapf(ErrMove, "%s.operands[%d].operand: %d", field, i, p.Operand)
		}
		q := game.OperandProof{Operand: int(p.Operand)}
		var err error
		if err = decodeHash(field+".root", p.Root, &q.Root); err != nil {
			return out, err
		}
		if q.Member, err = decodeHashes(field+".member", p.Member, maxHashes); err != nil {
			return out, err
		}
		for j := range p.Ranges {
			r, err := DecodeRange(field+".ranges", p.Ranges[j])
			if err != nil {
				return out, err
			}
			q.Ranges = append(q.Ranges, r)
		}
		out.Operands = append(out.Operands, q)
	}
	return out, nil
}

// DecodeRange reads an opened range of chunks; field names it in errors. ErrLength.
func DecodeRange(field string, r RangeProof) (game.RangeProof, error) {
	if len(r.Data) > MaxMoveBytes {
		return game.RangeProof{}, errorsmod.Wrapf(ErrLength, "%s.data: %d bytes, limit %d", field, len(r.Data), MaxMoveBytes)
	}
	if r.First > math.MaxUint64/(2*commit.ChunkSize) { // its bytes must be countable
		return game.RangeProof{}, errorsmod.Wrapf(ErrLength, "%s.first: %d", field, r.First)
	}
	siblings, err := decodeHashes(field+".siblings", r.Siblings, maxHashes)
	return game.RangeProof{First: r.First, Data: r.Data, Siblings: siblings}, err
}

// EncodePosition makes what is stored of a position. A hash that is not set is left out.
func EncodePosition(p game.Position) Position {
	out := Position{
		Phase: uint32(p.Phase), Mover: uint32(p.Mover), State: encodeSet(p.State), Output: encodeSet(p.Output),
		From: p.From, To: p.To, FromState: encodeSet(p.FromState), ToState: encodeSet(p.ToState), Posted: encodeHashes(p.Posted),
		Tree: uint32(p.Tree), Span: Span(p.Span), Hash: encodeSet(p.Hash), Rooted: p.Rooted,
		Node: int64(p.Node), Leaf: encodeSet(p.Leaf), Chunk: p.Chunk, Elem: p.Elem, FoldFrom: p.FoldFrom, FoldTo: p.FoldTo,
		Acc: p.Acc, Claim: p.Claim, Accs: p.Accs, Rounds: p.Rounds, MoveLeft: p.MoveLeft,
		TotalLeftDefender: p.TotalLeft[0], TotalLeftChallenger: p.TotalLeft[1], StepUnits: p.StepUnits, Elapsed: p.Elapsed,
		Won: uint32(p.Won), Reason: uint32(p.Reason), Value: p.Value,
	}
	for _, a := range p.Agreed {
		out.Agreed = append(out.Agreed, Subtree{Span: Span(a.Span), Hash: encodeSet(a.Hash)})
	}
	return out
}

func encodeSet(h commit.Hash) []byte {
	if h.IsZero() {
		return nil
	}
	return h[:]
}

// DecodePosition reads a stored position. ErrPosition for one that no game can be at.
func DecodePosition(p Position) (game.Position, error) {
	if err := p.check(); err != nil {
		return game.Position{}, err
	}
	out := game.Position{
		Phase: game.Phase(p.Phase), Mover: game.Side(p.Mover), From: p.From, To: p.To, Tree: game.Tree(p.Tree), Span: commit.Span(p.Span),
		Rooted: p.Rooted, Node: int(p.Node), Chunk: p.Chunk, Elem: p.Elem, FoldFrom: p.FoldFrom, FoldTo: p.FoldTo,
		Acc: p.Acc, Claim: p.Claim, Accs: p.Accs, Rounds: p.Rounds, MoveLeft: p.MoveLeft,
		TotalLeft: [2]uint64{p.TotalLeftDefender, p.TotalLeftChallenger}, StepUnits: p.StepUnits, Elapsed: p.Elapsed,
		Won: game.Side(p.Won), Reason: game.Reason(p.Reason), Value: p.Value,
	}
	for _, h := range []struct {
		name string
		from []byte
		to   *commit.Hash
	}{
		{"state", p.State, &out.State},
		{"output", p.Output, &out.Output},
		{"from_state", p.FromState, &out.FromState},
		{"to_state", p.ToState, &out.ToState},
		{"hash", p.Hash, &out.Hash},
		{"leaf", p.Leaf, &out.Leaf},
	} {
		if err := decodeSet(h.name, h.from, h.to); err != nil {
			return game.Position{}, err
		}
	}
	var err error
	if out.Posted, err = decodeHashes("posted", p.Posted, maxHashes); err != nil {
		return game.Position{}, errorsmod.Wrap(ErrPosition, err.Error())
	}
	for i, a := range p.Agreed {
		s := game.Subtree{Span: commit.Span(a.Span)}
		if err := decodeSet("agreed", a.Hash, &s.Hash); err != nil {
			return game.Position{}, err
		}
		if s.Span.Lo >= s.Span.Hi {
			return game.Position{}, errorsmod.Wrapf(ErrPosition, "agreed[%d]: leaves %d..%d", i, s.Span.Lo, s.Span.Hi)
		}
		out.Agreed = append(out.Agreed, s)
	}
	return out, nil
}

func decodeSet(field string, b []byte, out *commit.Hash) error {
	if len(b) == 0 {
		return nil
	}
	if len(b) != commit.Size {
		return errorsmod.Wrapf(ErrPosition, "%s: %d bytes, want %d or none", field, len(b), commit.Size)
	}
	*out = commit.Hash(b)
	return nil
}

// check checks numbers and lengths.
func (p *Position) check() error {
	over := p.Phase == uint32(game.PhaseOver)
	switch {
	case p.Phase < uint32(game.PhaseResult) || p.Phase > uint32(game.PhaseOver):
		return errorsmod.Wrapf(ErrPosition, "phase: %d", p.Phase)
	case p.Mover > uint32(game.Challenger) || over != (p.Mover == uint32(game.Nobody)):
		return errorsmod.Wrapf(ErrPosition, "mover: %d in phase %d", p.Mover, p.Phase)
	case p.Won > uint32(game.Challenger) || p.Reason > uint32(game.ReasonUpheld) || over != (p.Won != uint32(game.Nobody)):
		return errorsmod.Wrapf(ErrPosition, "won, reason: %d, %d in phase %d", p.Won, p.Reason, p.Phase)
	case p.Tree > uint32(game.TreeInputs) || p.Span.Lo > p.Span.Hi:
		return errorsmod.Wrapf(ErrPosition, "tree, span: %d, %d..%d", p.Tree, p.Span.Lo, p.Span.Hi)
	case p.From >= p.To || p.To > 1<<40:
		return errorsmod.Wrapf(ErrPosition, "from, to: %d, %d", p.From, p.To)
	case p.Node < 0 || p.Node > math.MaxInt32 || p.Elem < 0 || p.FoldFrom < 0 || p.FoldTo < p.FoldFrom:
		return errorsmod.Wrapf(ErrPosition, "node, elem, fold: %d, %d, %d..%d", p.Node, p.Elem, p.FoldFrom, p.FoldTo)
	case len(p.Agreed) > maxSubtrees || len(p.Chunk) > commit.ChunkSize:
		return errorsmod.Wrapf(ErrPosition, "agreed, chunk: %d, %d bytes", len(p.Agreed), len(p.Chunk))
	case len(p.Acc) > maxValueSize || len(p.Claim) > maxValueSize || len(p.Value) > maxValueSize:
		return errorsmod.Wrapf(ErrPosition, "acc, claim, value: more than %d bytes", maxValueSize)
	}
	if err := checkValues("accs", p.Accs); err != nil {
		return errorsmod.Wrap(ErrPosition, err.Error())
	}
	return nil
}

// NewSetup is what a game is played about: the run of a task between the roots of g. machine is that of the task's model with the
// rows of its inputs (RowsOf), weightsRoot the model's.
func NewSetup(g Game, machine game.Machine, task taskstypes.Task, weightsRoot commit.Hash) (game.Setup, error) {
	s := game.Setup{
		Machine: machine, Steps: task.Steps, Start: task.StartStep, Weights: weightsRoot, Arity: uint64(g.Rules.Arity),
		Clocks: game.Clocks{Base: g.Rules.ClockBase, Rate: g.Rules.ClockUnitsPerTick, Reserve: g.Rules.ClockReserve},
		Bonds:  game.Bonds{MoveFee: g.Rules.MoveFee, BurnBps: uint64(g.Rules.BurnBps)},
	}
	err := firstError(
		decodeHash("input_root", task.InputRoot, &s.Inputs), decodeHash("root", g.Root, &s.Root), decodeHash("rival", g.Rival, &s.Rival),
	)
	if err == nil && task.StartStep > 0 {
		err = decodeHash("start_root", task.StartRoot, &s.StartRoot)
	}
	if err != nil {
		return game.Setup{}, err
	}
	if g.Stake.IsNil() || !g.Stake.IsUint64() {
		return game.Setup{}, errorsmod.Wrapf(ErrPosition, "stake: %s, want 64 bits", g.Stake)
	}
	s.Bonds.Challenger = g.Stake.Uint64()
	return s, nil
}

// RowsOf are the rows of every input of a program, in its order: those of the tensors given with a task, the default's elsewhere.
// ErrInput where a tensor does not fit, or an input is missing.
func RowsOf(prog *engine.Program, task taskstypes.Task, inputs taskstypes.Inputs) ([]int64, error) {
	specs := prog.InputSpecs()
	rows := make([]int64, len(specs))
	given := make(map[string]*taskstypes.NamedTensor, len(inputs.Tensors))
	for i := range inputs.Tensors {
		given[inputs.Tensors[i].Name] = &inputs.Tensors[i]
	}
	for i, spec := range specs {
		t, ok := given[spec.Name]
		switch {
		case ok && (len(t.Shape) != len(spec.Shape) || len(t.Shape) == 0):
			return nil, errorsmod.Wrapf(ErrInput, "task %d: input %q has rank %d, want %d", task.Id, spec.Name, len(t.Shape), len(spec.Shape))
		case ok:
			rows[i] = t.Shape[0]
		case spec.Default != nil:
			rows[i] = spec.Default.Shape()[0]
		default:
			return nil, errorsmod.Wrapf(ErrInput, "task %d: input %q is missing", task.Id, spec.Name)
		}
		if rows[i] < 1 || rows[i] > spec.Shape[0] || !spec.VariableRows && rows[i] != spec.Shape[0] {
			return nil, errorsmod.Wrapf(ErrInput, "task %d: input %q has %d rows, want %v", task.Id, spec.Name, rows[i], spec.Shape[0])
		}
	}
	return rows, nil
}

// MachineOf is the machine that a task's games are played on.
func MachineOf(prog *engine.Program, rows []int64, cost engine.CostParams) (*game.ProgramMachine, error) {
	m, err := game.NewProgramMachine(prog, rows, cost)
	if err != nil {
		return nil, errorsmod.Wrap(ErrInput, err.Error())
	}
	return m, nil
}

// OpsOf lists the ops that a program uses, each once, in order of appearance.
func OpsOf(prog *engine.Program) []string {
	var out []string
	seen := make(map[string]bool)
	for _, g := range []*graphpb.Graph{prog.Proto().Step, prog.Proto().Forced} {
		for _, n := range g.GetNodes() {
			if !seen[n.Op] {
				seen[n.Op] = true
				out = append(out, n.Op)
			}
		}
	}
	return out
}
