package keeper_test

import (
	"fmt"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/stretchr/testify/require"

	"poaid/x/lineage/types"
)

// family is base <- mid <- leaf, where leaf also descends from a dataset and from base: a diamond.
func family(t *testing.T) *fix {
	t.Helper()
	f := fixture(t)
	f.mustRegister("base", 1)
	f.reg.datasets["mnist"] = who(2)
	f.mustRegister("mid", 3, model("base", 3000))
	f.mustRegister("leaf", 4, model("mid", 2500), dataset("mnist", 1000), model("base", 333))
	return f
}

func TestRoyaltiesFlowUp(t *testing.T) {
	f := family(t)
	require.True(t, f.use("base", denom, 1000), "a model without parents: its owner is paid by who asked")
	require.False(t, f.use("leaf", denom, 1001))
	f.check()

	// leaf received 1001: mid is due 250, mnist 100, base 33; the owner leaves each rounded up: 251 + 101 + 34.
	paid, err := f.claim("model/leaf", denom)
	require.NoError(t, err)
	require.Equal(t, "615upoai", paid.String())
	amounts, err := f.settle(denom, "model/leaf", "model/mid", "model/leaf", "dataset/mnist", "model/mid", "model/base", "model/leaf", "model/base")
	require.NoError(t, err)
	require.Equal(t, "[250 100 75 33]", str(amounts))
	f.check()
	for _, c := range []struct {
		node string
		who  int
		want int64
	}{{"model/mid", 3, 175}, {"dataset/mnist", 2, 100}, {"model/base", 1, 108}} {
		paid, err := f.claim(c.node, denom)
		require.NoError(t, err, c.node)
		require.Equal(t, c.want, paid.AmountOf(denom).Int64(), c.node)
		require.Equal(t, c.want, f.balance(c.who, denom), c.node)
		_, err = f.claim(c.node, denom)
		require.ErrorIs(t, err, types.ErrNothingDue, "twice")
	}
	_, err = f.claim("model/leaf", denom)
	require.ErrorIs(t, err, types.ErrNothingDue)
	_, err = f.settle(denom, "model/leaf", "model/mid")
	require.ErrorIs(t, err, types.ErrNothingDue)
	f.check()
	require.Equal(t, "3upoai", f.bank.GetAllBalances(f.ctx, authtypes.NewModuleAddress(types.ModuleName)).String(), "dust: less than a unit an edge")
}

// TestWorkedExample is the example of docs/lineage.md.
func TestWorkedExample(t *testing.T) {
	f := fixture(t)
	f.mustRegister("digits", 1)
	f.reg.datasets["mnist"] = who(2)
	f.mustRegister("digits-tuned", 3, model("digits", 3000), dataset("mnist", 500))
	for _, want := range []struct {
		tom, digits, mnist, left int64
		amounts                  string
	}{{640, 296, 49, 2, "[296 49]"}, {1282, 592, 98, 2, "[296 49]"}} {
		f.use("digits-tuned", denom, 987)
		for _, node := range []string{"model/digits-tuned", "model/digits", "dataset/mnist"} {
			if node == "model/digits" {
				amounts, err := f.settle(denom, "model/digits-tuned", "model/digits", "model/digits-tuned", "dataset/mnist")
				require.NoError(t, err)
				require.Equal(t, want.amounts, str(amounts))
			}
			_, err := f.claim(node, denom)
			require.NoError(t, err)
		}
		require.Equal(t, want.tom, f.balance(3, denom))
		require.Equal(t, want.digits, f.balance(1, denom))
		require.Equal(t, want.mnist, f.balance(2, denom))
		held := f.bank.GetAllBalances(f.ctx, authtypes.NewModuleAddress(types.ModuleName)).AmountOf(denom)
		require.Equal(t, want.left, held.Int64())
		f.check()
	}
}

func TestDustAddsUp(t *testing.T) {
	f := family(t)
	for range 30 {
		require.False(t, f.use("leaf", denom, 1)) // a third of a unit each
		f.check()
	}
	amounts, err := f.settle(denom, "model/leaf", "model/base", "model/leaf", "dataset/mnist")
	require.NoError(t, err)
	require.Equal(t, "[0 3]", str(amounts), "0.99 of 30 is nothing yet")
	f.use("leaf", denom, 1)
	amounts, err = f.settle(denom, "model/leaf", "model/base")
	require.NoError(t, err)
	require.Equal(t, "[1]", str(amounts))
	f.check()
}

func TestOwnerNeverTakesWhatParentsAreDue(t *testing.T) {
	f := fixture(t)
	f.mustRegister("base", 1)
	f.mustRegister("other", 2)
	f.mustRegister("leaf", 3, model("base", 4500), model("other", 4500))
	for range 50 {
		f.use("leaf", denom, 1)
		if _, err := f.claim("model/leaf", denom); err != nil {
			require.ErrorIs(t, err, types.ErrNothingDue)
		}
		f.check()
	}
	amounts, err := f.settle(denom, "model/leaf", "model/base", "model/leaf", "model/other")
	require.NoError(t, err)
	require.Equal(t, "[22 22]", str(amounts))
	require.LessOrEqual(t, f.balance(3, denom), int64(6))
	f.check()
}

func TestDenomsAreApart(t *testing.T) {
	f := family(t)
	f.use("mid", denom, 100)
	f.use("mid", "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2", 1000)
	const foreign = "ibc/27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2"
	amounts, err := f.settle(foreign, "model/mid", "model/base")
	require.NoError(t, err)
	require.Equal(t, "[300]", str(amounts))
	paid, err := f.claim("model/mid", denom, foreign)
	require.NoError(t, err)
	require.Equal(t, sdk.NewCoins(sdk.NewInt64Coin(denom, 70), sdk.NewInt64Coin(foreign, 700)), paid)
	require.Zero(t, f.balance(1, foreign))
	_, err = f.claim("model/base", denom)
	require.ErrorIs(t, err, types.ErrNothingDue, "not settled in that denom")
	f.check()
	list, err := f.q.Accounts(f.ctx, &types.QueryAccountsRequest{Node: "model/mid"})
	require.NoError(t, err)
	require.Len(t, list.Accounts, 2)
	require.Equal(t, foreign, list.Accounts[0].Denom)
	require.Equal(t, "300", list.Accounts[0].Passed.String())
	require.Equal(t, "0", list.Accounts[1].Claimable.String())
}

func TestCollect(t *testing.T) {
	f := family(t)
	f.use("leaf", denom, 10_000)
	resp, err := f.msg.Collect(f.ctx, &types.MsgCollect{Sender: who(99), Denom: denom, Path: []string{"model/leaf", "model/mid", "model/base"}})
	require.NoError(t, err)
	require.Equal(t, []string{"750upoai", "750upoai"}, []string{resp.Settled.String(), resp.Claimed.String()})
	require.Equal(t, int64(750), f.balance(1, denom))
	require.Zero(t, f.balance(3, denom), "only the last node is claimed")
	f.check()
	collect := func(path ...string) error {
		_, err := f.msg.Collect(f.ctx, &types.MsgCollect{Sender: who(99), Denom: denom, Path: path})
		return err
	}
	require.ErrorIs(t, collect("model/leaf", "model/mid", "model/base"), types.ErrNothingDue)
	require.ErrorIs(t, collect("model/mid", "model/leaf"), types.ErrNoEdge)
	require.ErrorIs(t, collect("model/leaf"), types.ErrInvalidRequest)
	require.ErrorIs(t, collect(make([]string, 101)...), types.ErrInvalidRequest)
	require.ErrorIs(t, collect(make([]string, 100)...), types.ErrNoEdge, "as many as there may be")
	require.NoError(t, collect("model/leaf", "model/base"))
	f.check()
}

// TestCollectSettlesDust: what is settled counts, even where nothing can be claimed of it yet.
func TestCollectSettlesDust(t *testing.T) {
	f := family(t)
	f.use("leaf", denom, 4) // a quarter is mid's, of which a part is base's
	resp, err := f.msg.Collect(f.ctx, &types.MsgCollect{Sender: who(99), Denom: denom, Path: []string{"model/leaf", "model/mid"}})
	require.NoError(t, err)
	require.Equal(t, []string{"1upoai", "0upoai"}, []string{resp.Settled.String(), resp.Claimed.String()})
	f.check()
}

func TestPendingTellsWhatToSettle(t *testing.T) {
	f := family(t)
	f.use("leaf", denom, 10_000)
	f.use("mid", denom, 1_000)
	p, err := f.q.Pending(f.ctx, &types.QueryPendingRequest{Node: "model/base", Denom: denom})
	require.NoError(t, err)
	require.Equal(t, "0", p.Claimable.String())
	require.Equal(t, "1383", p.ClaimableAfter.String())
	require.False(t, p.Truncated)
	var edges []string
	for _, s := range p.Steps {
		edges = append(edges, s.Child, s.Parent)
	}
	amounts, err := f.settle(denom, edges...)
	require.NoError(t, err)
	for i, s := range p.Steps {
		require.Equal(t, s.Amount, amounts[i], "each step brings what was said")
	}
	paid, err := f.claim("model/base", denom)
	require.NoError(t, err)
	require.Equal(t, p.ClaimableAfter, paid.AmountOf(denom))
	p, err = f.q.Pending(f.ctx, &types.QueryPendingRequest{Node: "model/base", Denom: denom, MaxEdges: 1})
	require.NoError(t, err)
	require.True(t, p.Truncated)
	require.Empty(t, p.Steps)
	f.use("leaf", denom, 10_000)
	for most, steps := range map[uint32]int{1: 1, 2: 1, 3: 3, 4: 3} { // leaf to base; mid to base, which owes nothing yet; leaf to mid
		p, err = f.q.Pending(f.ctx, &types.QueryPendingRequest{Node: "model/base", Denom: denom, MaxEdges: most})
		require.NoError(t, err)
		require.Equal(t, most < 3, p.Truncated, "%d of 3 edges", most)
		require.Len(t, p.Steps, steps)
	}
	_, err = f.q.Pending(f.ctx, &types.QueryPendingRequest{Node: "model/base", Denom: denom, MaxEdges: 1001})
	require.ErrorContains(t, err, "limit 1000")
	_, err = f.q.Pending(f.ctx, &types.QueryPendingRequest{Node: "model/base"})
	require.ErrorContains(t, err, "denom")
}

func TestRequestsThatAreRefused(t *testing.T) {
	f := family(t)
	f.use("leaf", denom, 1000)
	settle := func(sender, denom string, edges ...types.Edge) error {
		_, err := f.msg.Settle(f.ctx, &types.MsgSettle{Sender: sender, Denom: denom, Edges: edges})
		return err
	}
	e := types.Edge{Child: "model/leaf", Parent: "model/mid"}
	require.ErrorIs(t, settle("x", denom, e), types.ErrInvalidAddress)
	require.ErrorIs(t, settle(who(1), "!", e), types.ErrInvalidRequest)
	require.ErrorIs(t, settle(who(1), denom), types.ErrInvalidRequest)
	require.ErrorIs(t, settle(who(1), denom, make([]types.Edge, 101)...), types.ErrInvalidRequest)
	require.ErrorIs(t, settle(who(1), denom, types.Edge{Child: "model/mid", Parent: "model/leaf"}), types.ErrNoEdge)
	require.ErrorIs(t, settle(who(1), denom, types.Edge{}), types.ErrNoEdge)
	many := make([]types.Edge, types.MaxEdges)
	for i := range many {
		many[i] = e
	}
	require.NoError(t, settle(who(1), denom, many...), "as many as there may be; one of them is due")
	_, err := f.claim("model/leaf")
	require.ErrorIs(t, err, types.ErrInvalidRequest)
	_, err = f.claim("model/leaf", denom, denom)
	require.ErrorIs(t, err, types.ErrInvalidRequest)
	_, err = f.claim("model/leaf", make([]string, 17)...)
	require.ErrorIs(t, err, types.ErrInvalidRequest)
	denoms := make([]string, types.MaxDenoms)
	for i := range denoms {
		denoms[i] = fmt.Sprintf("denom%d", i)
	}
	_, err = f.claim("model/leaf", denoms...)
	require.ErrorIs(t, err, types.ErrNothingDue, "as many as there may be")
	_, err = f.claim("leaf", denom)
	require.ErrorIs(t, err, types.ErrInvalidNode)
	_, err = f.claim("model/nothing", denom)
	require.ErrorIs(t, err, types.ErrUnknownNode)
	_, err = f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: who(1), Params: types.DefaultParams()})
	require.Error(t, err)
	_, err = f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: authority})
	require.ErrorIs(t, err, types.ErrInvalidParams)
	f.check()
}

func TestBlockedOwnerLeavesTheCoins(t *testing.T) {
	f := family(t)
	f.use("leaf", denom, 1000)
	addr, err := addresses.StringToBytes(who(4))
	require.NoError(t, err)
	f.bank.blocked[sdk.AccAddress(addr).String()] = true
	_, err = f.claim("model/leaf", denom)
	require.ErrorIs(t, err, types.ErrInvalidAddress)
	f.check()
	_, err = f.settle(denom, "model/leaf", "model/mid")
	require.NoError(t, err, "others are not held up")
	f.bank.blocked = map[string]bool{}
	_, err = f.claim("model/leaf", denom)
	require.NoError(t, err)
	f.check()
}

func TestOverflowIsRefused(t *testing.T) {
	f := family(t)
	most := math.NewIntFromBigInt(math.OneInt().BigInt().Lsh(math.OneInt().BigInt(), types.MaxAmountBits)).SubRaw(1)
	tasks := authtypes.NewModuleAddress("tasks").String()
	f.bank.balances[tasks] = sdk.NewCoins(sdk.NewCoin(denom, most.AddRaw(1)))
	_, err := f.k.Royalty(f.ctx, "leaf", "tasks", sdk.NewCoin(denom, most))
	require.NoError(t, err)
	_, err = f.k.Royalty(f.ctx, "leaf", "tasks", sdk.NewInt64Coin(denom, 1))
	require.ErrorIs(t, err, types.ErrOverflow)
	_, err = f.settle(denom, "model/leaf", "model/mid", "model/mid", "model/base")
	require.NoError(t, err)
	_, err = f.claim("model/leaf", denom)
	require.NoError(t, err)
	f.check()
}

func str(amounts []math.Int) string {
	out := "["
	for i, a := range amounts {
		if i > 0 {
			out += " "
		}
		out += a.String()
	}
	return out + "]"
}
