package keeper_test

import (
	"errors"
	"fmt"
	"math/big"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/grades/types"
)

func maxInt() *big.Int { return new(big.Int).Lsh(big.NewInt(1), 101) }

// TestMachine lets accounts do at random what they can in two contests. No coin is lost or made, invariants hold after every block, locks are let go
// with the round, nobody is slashed who did its part, and what is exported goes on as it was.
func TestMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fixture(t)
		total := f.total()
		ids := []string{"poems", "novels"}
		for i, id := range ids {
			msg := poems()
			msg.Id, msg.Owner, msg.MaxEntries, msg.PauseBlocks = id, who(i), 3, int64(i)
			msg.GraderBps = rapid.Uint32Range(0, types.BpsOne).Draw(t, "grader_bps")
			f.create(msg, 3+i, 0, 0)
		}
		graded := map[string][]uint32{}
		honest := map[string]bool{}
		actor := rapid.IntRange(0, 29)
		contest := rapid.SampledFrom(ids)
		some := func() (int, string) { return actor.Draw(t, "who"), contest.Draw(t, "contest") }
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { require.Equal(t, total, f.total()) },
			"enter": func(t *rapid.T) {
				i, id := some()
				_, err := f.msg.Enter(f.ctx, &types.MsgEnter{Owner: who(i), Contest: id, Hash: make([]byte, 32)})
				allow(t, err, types.ErrFull, types.ErrClosed)
			},
			"leave": func(t *rapid.T) {
				i, id := some()
				_, err := f.msg.Leave(f.ctx, &types.MsgLeave{Owner: who(i), Contest: id})
				allow(t, err, types.ErrNotFound)
			},
			"fund": func(t *rapid.T) {
				i, id := some()
				amount := rapid.Int64Range(1, 3_000_000).Draw(t, "amount")
				_, err := f.msg.FundContest(f.ctx, &types.MsgFundContest{Sponsor: who(i), Contest: id, Amount: sdk.NewInt64Coin(denom, amount)})
				allow(t, err, types.ErrClosed)
			},
			"close": func(t *rapid.T) {
				i, id := some()
				_, err := f.msg.CloseContest(f.ctx, &types.MsgCloseContest{Owner: who(i), Contest: id})
				allow(t, err, types.ErrClosed, types.ErrNotOwner)
			},
			"grade": func(t *rapid.T) {
				id := contest.Draw(t, "contest")
				c := f.contest(id)
				for i := range 4 {
					key := fmt.Sprint(id, c.Round, who(20+i))
					switch {
					case c.Phase == types.PHASE_SEALING && rapid.Bool().Draw(t, "seal"):
						grades := rapid.SliceOfN(rapid.Uint32Range(0, 9), 0, 3).Draw(t, "grades")
						if err := f.seal(c, 20+i, grades...); err == nil {
							graded[key], honest[key], honest[id+who(20+i)] = grades, true, true
						} else {
							allow(t, err, types.ErrNotGrader, types.ErrTwice, types.ErrPhase)
						}
					case c.Phase == types.PHASE_REVEALING && honest[key] && rapid.IntRange(0, 9).Draw(t, "reveal") > 0:
						allow(t, f.reveal(c, 20+i, graded[key]...), types.ErrTwice, types.ErrPhase)
					}
				}
			},
			"block": func(t *rapid.T) {
				phases := [2]types.Phase{f.contest("poems").Phase, f.contest("novels").Phase}
				f.block(rapid.IntRange(1, 4).Draw(t, "blocks"))
				for i, id := range ids {
					if c := f.contest(id); c.Phase != phases[i] && !c.Running() {
						for _, s := range f.w.slashed {
							require.False(t, s.Lie && !honest[id+s.Participant] && s.Task == c.Number, "slashed without having sealed")
						}
					}
				}
				if !f.contest("poems").Running() && !f.contest("novels").Running() {
					require.Empty(t, f.w.locks)
				}
			},
			"rebirth": func(t *rapid.T) {
				g, err := f.k.ExportGenesis(f.ctx)
				require.NoError(t, err)
				old := f.w
				again := fixture(t)
				*again.w = *old
				require.NoError(t, again.k.InitGenesis(again.ctx, *g))
				g2, err := again.k.ExportGenesis(again.ctx)
				require.NoError(t, err)
				require.Equal(t, g, g2)
				again.ctx = again.ctx.WithBlockHeight(f.ctx.BlockHeight())
				*f = *again
			},
		})
	})
}

func (f *fix) total() math.Int {
	sum := math.ZeroInt()
	for _, b := range f.w.balances {
		sum = sum.Add(b)
	}
	return sum
}

func allow(t *rapid.T, err error, refusals ...error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, r := range refusals {
		if errors.Is(err, r) {
			return
		}
	}
	t.Fatalf("refused: %v", err)
}
