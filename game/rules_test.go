package game_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	"poaid/engine"
	"poaid/game"
	"poaid/testutil/adversary"
)

// TestRules breaks every rule once.
func TestRules(t *testing.T) {
	w := alphabets(t, small, 9, 4)
	liar := w.lie(adversary.Flip(4, 4, 777, 1))
	broken := map[game.Rule]bool{}
	refuse := func(s *sequence, m game.Move, rule game.Rule) *sequence {
		broken[rule] = true
		return s.Refused(m, rule)
	}
	s := seq(t, w, liar, w.truth)
	refuse(s, game.Reject{}, game.RuleTurn)
	refuse(s, game.Split{}, game.RulePhase)
	refuse(s, game.Open{State: commit.Hash{1}}, game.RuleResult)
	refuse(s, game.Split{Hashes: make([]commit.Hash, 1+game.MaxMessage/commit.Size)}, game.RuleSize)
	s.Defend()
	refuse(s, game.Reject{Index: 2}, game.RuleChoice)
	refuse(s, game.Judge{}, game.RulePhase)
	s.Attack()
	refuse(s, game.Split{Hashes: make([]commit.Hash, 2)}, game.RuleCount)
	refuse(s, game.Chunk{}, game.RulePhase)
	s.Defend()
	refuse(s, game.Reject{Index: 4}, game.RuleChoice)
	refuse(s, game.RejectUpdates{}, game.RulePhase)
	s.Until(game.PhaseDescent, game.TreeNodes, game.Defender)
	refuse(s, game.Stopped{}, game.RuleEvidence)
	s.Defend()
	refuse(s, game.Reject{Index: 4}, game.RuleChoice)
	s.Attack()
	refuse(s, game.Stopped{}, game.RulePhase)
	refuse(s, game.Split{Hashes: make([]commit.Hash, 2)}, game.RuleHash)
	s.Until(game.PhaseDescent, game.TreeTensor, game.Defender)
	refuse(s, game.Split{Hashes: make([]commit.Hash, 3)}, game.RuleHash)
	s.Defend().Attack()
	refuse(s, game.Chunk{Data: make([]byte, commit.ChunkSize-1)}, game.RuleChunk)
	refuse(s, game.Chunk{Data: make([]byte, commit.ChunkSize)}, game.RuleHash)
	s.Defend()
	refuse(s, game.Reject{Index: commit.ChunkSize}, game.RuleChoice)
	s.Attack().In(game.PhaseFold)
	values := make([][]byte, game.FoldArity)
	refuse(s, game.Accumulators{Values: values[1:]}, game.RuleCount)
	values[3] = make([]byte, engine.MaxAcc+1)
	refuse(s, game.Accumulators{Values: values}, game.RuleAccumulator)
	s.Defend()
	refuse(s, game.Reject{Index: game.FoldArity + 1}, game.RuleChoice)
	s.Attack()
	refuse(s, game.Judge{}, game.RuleEvidence)
	for i := range 3 { // root, siblings, data
		m, ok := s.next().(game.Judge)
		require.True(t, ok)
		p := &m.Evidence.Operands[0]
		switch i {
		case 0:
			p.Root[0] ^= 1
		case 1:
			p.Ranges[0].Siblings = p.Ranges[0].Siblings[1:]
		case 2:
			p.Ranges[0].Data = make([]byte, len(p.Ranges[0].Data))
		}
		refuse(s, m, game.RuleEvidence)
	}
	crowd := game.Judge{Evidence: game.Evidence{Operands: make([]game.OperandProof, 200)}}
	refuse(s, crowd, game.RuleEvidence)
	require.ErrorContains(t, s.g.Legal(crowd), "limit 128")
	s.Wins(game.Challenger, game.ReasonRefuted)
	refuse(s, game.Judge{}, game.RuleOver)

	w = alphabets(t, small, 9, 4)
	s = seq(t, w, &adversary.StateTrace{Trace: w.truth, From: 4, State: 2}, w.truth).Until(game.PhaseDescent, game.TreeNodes, game.Defender)
	stop, err := w.solver(w.truth).Trace.Tree(game.TreeStates, 3)
	require.NoError(t, err)
	member, err := stop.Prove(0, 1)
	require.NoError(t, err)
	root, err := commit.TensorRoot(uint8(engine.I64), []int64{1}, make([]byte, 8))
	require.NoError(t, err)
	refuse(s, game.Stopped{Proof: game.Evidence{Operands: []game.OperandProof{
		{Root: root, Member: member, Ranges: []game.RangeProof{{Data: make([]byte, 8)}}},
	}}}, game.RuleStop)

	for _, rule := range rules(t) {
		require.True(t, broken[game.Rule(rule)], "no test breaks %q", rule)
	}
}

// rules reads the rules out of rules.go, and asks for a rationale with each.
func rules(t *testing.T) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "rules.go", nil, parser.ParseComments)
	require.NoError(t, err)
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Rule") {
			require.Contains(t, v.Doc.Text(), "Rationale: ", v.Names[0].Name)
			lit, ok := v.Values[0].(*ast.BasicLit)
			require.True(t, ok)
			out = append(out, strings.Trim(lit.Value, `"`))
		}
		return true
	})
	require.Greater(t, len(out), 10)
	return out
}
