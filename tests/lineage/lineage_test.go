// Package lineage_test lets royalties of real tasks flow up a lineage on the whole chain, every invariant after each block.
package lineage_test

import (
	"bytes"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/commit"
	"poaid/model"
	"poaid/testutil"
	datasetstypes "poaid/x/datasets/types"
	lineagetypes "poaid/x/lineage/types"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

const child = "echo-tuned"

// world is a chain on which account 4's model descends from those of accounts 1 and 2 and from account 3's dataset.
type world struct {
	*testutil.Chain
	t    *testing.T
	crew *testutil.Crew
}

func (w *world) balance(i int) math.Int {
	return w.App.Bank.GetBalance(w.Ctx(), w.Accounts[i].Addr, params.Denom).Amount
}

// register puts a model with echo's program on the chain.
func (w *world) register(owner *testutil.Account, id string, parents ...modelstypes.Parent) *modelstypes.MsgRegisterModel {
	w.t.Helper()
	program, err := w.App.Models.GetProgram(w.Ctx(), testutil.EchoModel)
	require.NoError(w.t, err)
	weights := commit.NamedRoot(nil)
	return &modelstypes.MsgRegisterModel{
		Owner: owner.String(), Id: id, Class: modelstypes.CLASS_EXACT, Program: program, WeightsRoot: weights[:], RoyaltyBps: 2_000, Parents: parents,
	}
}

func newWorld(t *testing.T, o testutil.Options) *world {
	t.Helper()
	o.Accounts = 8
	w := &world{Chain: testutil.NewApp(t, o), t: t}
	a := w.Accounts
	w.RegisterEcho(a[1])
	w.Deliver(a[2], w.register(a[2], "other"))
	w.Deliver(a[3], &datasetstypes.MsgRegisterDataset{
		Owner: a[3].String(), Id: "numbers", Cid: model.CIDOf([]byte("numbers")), Licence: "CC-BY-4.0", Roots: [][]byte{bytes.Repeat([]byte{1}, 32)},
		Terms: datasetstypes.Terms{Price: testutil.Poai(5)[0], GrantBlocks: 20, ShareBps: 500},
	})
	w.Deliver(a[4], w.register(a[4], child,
		modelstypes.Parent{Kind: modelstypes.PARENT_KIND_MODEL, Id: testutil.EchoModel, ShareBps: 3_000},
		modelstypes.Parent{Kind: modelstypes.PARENT_KIND_MODEL, Id: "other", ShareBps: 1_111},
		modelstypes.Parent{Kind: modelstypes.PARENT_KIND_DATASET, Id: "numbers", ShareBps: 500},
	))
	w.crew = w.NewCrew(a[5:]...)
	for _, m := range w.crew.Members {
		w.Deliver(m.Account, &poaitypes.MsgServe{Participant: m.String(), Models: []string{child}})
	}
	return w
}

// run has a task of the model done and paid, and returns its payment.
func (w *world) run(id string, input uint64) taskstypes.Payment {
	w.t.Helper()
	from := w.Accounts[0]
	msg := testutil.SubmitEcho(from, input)
	msg.Model = id
	w.Deliver(from, msg)
	ids := testutil.TaskIDs(w.Chain, from)
	task := ids[len(ids)-1]
	w.crew.WorkUntil(task, taskstypes.STATE_FINAL, 60)
	pay, err := w.App.Tasks.Payments.Get(w.Ctx(), task)
	require.NoError(w.t, err)
	return pay
}

// TestRoyaltiesOfATask: a model with two parents and a dataset, real tasks, settled, claimed, to the last unit; the
// chain is exported and goes on elsewhere in the middle.
func TestRoyaltiesOfATask(t *testing.T) {
	w := newWorld(t, testutil.Options{Shadows: testutil.AllShadows()[:1]})
	module := w.App.Auth.GetModuleAddress(lineagetypes.ModuleName)
	held := func() math.Int { return w.App.Bank.GetBalance(w.Ctx(), module, params.Denom).Amount }

	before := w.balance(1)
	pay := w.run(testutil.EchoModel, 1)
	require.True(t, pay.Royalty.IsPositive())
	require.Equal(t, pay.Royalty, w.balance(1).Sub(before), "no parents: paid at once")
	require.True(t, held().IsZero())

	start := make([]math.Int, 5)
	for i := range start {
		start[i] = w.balance(i)
	}
	royalty := math.ZeroInt()
	for n := range uint64(3) {
		pay := w.run(child, 10+n)
		royalty = royalty.Add(pay.Royalty)
		holder := ""
		for _, f := range pay.Flows {
			if f.Purpose == taskstypes.PURPOSE_ROYALTY {
				holder = f.Recipient
			}
		}
		require.Equal(t, module.String(), holder, "the books say where it is")
	}
	require.Equal(t, royalty, held())
	require.Equal(t, start[4], w.balance(4), "nothing is paid before somebody claims")

	w.Rebirth()
	require.Equal(t, royalty, held())
	sender := w.Accounts[0]
	name := lineagetypes.ModelNode(child)
	w.Deliver(sender, &lineagetypes.MsgSettle{Sender: sender.String(), Denom: params.Denom, Edges: []lineagetypes.Edge{
		{Child: name, Parent: lineagetypes.ModelNode(testutil.EchoModel)}, {Child: name, Parent: lineagetypes.DatasetNode("numbers")},
	}})
	w.Rebirth()
	w.Deliver(sender, &lineagetypes.MsgCollect{Sender: sender.String(), Denom: params.Denom, Path: []string{name, lineagetypes.ModelNode("other")}})
	for _, node := range []string{lineagetypes.ModelNode(testutil.EchoModel), lineagetypes.DatasetNode("numbers"), name} {
		w.Deliver(sender, &lineagetypes.MsgClaim{Sender: sender.String(), Node: node, Denoms: []string{params.Denom}})
		require.NotZero(t, w.Try(sender, &lineagetypes.MsgClaim{Sender: sender.String(), Node: node, Denoms: []string{params.Denom}}).Code, "twice")
	}
	down := func(bps int64) math.Int { return royalty.MulRaw(bps).QuoRaw(10_000) }
	up := func(bps int64) math.Int { return royalty.MulRaw(bps).AddRaw(9_999).QuoRaw(10_000) }
	own := royalty.Sub(up(3_000)).Sub(up(1_111)).Sub(up(500))
	for i, want := range []math.Int{down(3_000), down(1_111), down(500), own} {
		require.Equal(t, want.String(), w.balance(i+1).Sub(start[i+1]).String(), "account %d", i+1)
	}
	require.Equal(t, up(3_000).Sub(down(3_000)).Add(up(1_111)).Sub(down(1_111)).Add(up(500)).Sub(down(500)).String(), held().String(), "dust")
}

// TestGrantsOnTheChain: a grant is bought with real coins, the community has its part, and it expires.
func TestGrantsOnTheChain(t *testing.T) {
	w := newWorld(t, testutil.Options{})
	buyer, owner := w.Accounts[0], w.Accounts[3]
	program := bytes.Repeat([]byte{7}, 32)
	use := func() error {
		_, err := w.App.Datasets.Use(w.Ctx(), buyer.String(), program, [][]byte{bytes.Repeat([]byte{1}, 32)})
		return err
	}
	require.ErrorIs(t, use(), datasetstypes.ErrNoGrant)
	pool, err := w.App.Distribution.FeePool.Get(w.Ctx())
	require.NoError(t, err)
	before := w.App.Bank.GetBalance(w.Ctx(), owner.Addr, params.Denom)
	buy := &datasetstypes.MsgBuyAccess{Buyer: buyer.String(), Id: "numbers", MaxPrice: testutil.Poai(5)[0]}
	w.Deliver(buyer, buy)
	require.Equal(t, sdk.NewInt64Coin(params.Denom, 4_750_000), w.App.Bank.GetBalance(w.Ctx(), owner.Addr, params.Denom).Sub(before))
	now, err := w.App.Distribution.FeePool.Get(w.Ctx())
	require.NoError(t, err)
	got := now.CommunityPool.Sub(pool.CommunityPool).AmountOf(params.Denom)
	require.True(t, got.GTE(math.LegacyNewDec(250_000)), "the community has its part, beside its share of gas: %s", got)
	require.NoError(t, use())
	w.Blocks(19)
	require.NoError(t, use())
	w.Block()
	require.ErrorIs(t, use(), datasetstypes.ErrNoGrant)
	w.Rebirth()
	require.ErrorIs(t, use(), datasetstypes.ErrNoGrant)
	w.Deliver(buyer, buy)
	require.NoError(t, use())
}
