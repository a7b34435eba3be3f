package keeper_test

import (
	"testing"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"

	"poaid/x/tasks/price"
	"poaid/x/tasks/types"
)

const least = 1_000_000 // unit_price of the fixture

// moving lets the floor move by a tenth a block around a target of 10,000 units.
func moving(t tb) *fix {
	t.Helper()
	f := fixture(t)
	f.audits(false)
	f.params(func(p *types.Params) {
		p.TargetUnitsPerBlock, p.PriceChangePpm = 10_000, 100_000
		p.FeeRates = []types.FeeRate{{Denom: other, Rate: math.NewInt(3_000_000)}} // one is worth three of ours
	})
	for i := 6; i < 12; i++ {
		f.fundOther(f.who(i))
	}
	return f
}

func (f *fix) fundOther(addr string) {
	s := f.bank.state(f.ctx)
	c := sdk.NewInt64Coin(other, funds)
	s.credit(f.acc(addr), sdk.Coins{c})
	f.bank.save(f.ctx, "bank", s)
	f.total = f.total.Add(c)
}

func (f *fix) price() *types.QueryPriceResponse {
	f.tb.Helper()
	res, err := f.query().Price(f.ctx, &types.QueryPriceRequest{})
	require.NoError(f.tb, err)
	return res
}

func (f *fix) floor() int64 { return f.price().Floor.Amount.Int64() }

func (f *fix) places(n int) {
	s := f.poai.state(f.ctx)
	for i := range s.Participants {
		s.Participants[i].Places = n
	}
	f.poai.save(f.ctx, "poai", s)
}

// TestFloorFollowsDemand: demand is counted in the block that draws, not when it is submitted.
func TestFloorFollowsDemand(t *testing.T) {
	f := moving(t)
	f.submit(storyMsg(f.who(9), 16, 3)) // 16,000 units
	has, err := f.keeper.Price.Has(f.ctx)
	require.NoError(t, err)
	require.False(t, has, "a submission writes nothing that others write")
	f.block(2)
	require.Equal(t, int64(least), f.floor())
	f.block(1)
	require.Equal(t, int64(1_060_000), f.floor(), "6,000 of 10,000 units too many, a tenth at most")
	require.Equal(t, uint64(16_000), f.price().Demand)
	f.block(1)
	require.Equal(t, int64(least), f.floor(), "and down again, not below the least")
	has, err = f.keeper.Price.Has(f.ctx)
	require.NoError(t, err)
	require.False(t, has)
}

// TestNextFloorIsThePackages: whatever was drawn, the floor moves as package price says, and a task costs what it cost when it was submitted.
func TestNextFloorIsThePackages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := moving(t)
		f.places(1_000)
		want := map[uint64]int64{}
		var ids []uint64
		for n := range rapid.IntRange(2, 8).Draw(t, "blocks") {
			for i := range rapid.IntRange(0, 4).Draw(t, "tasks") {
				id := f.submit(storyMsg(f.who(9), 16, byte(n), byte(i)))
				ids, want[id] = append(ids, id), f.floor()
			}
			before := f.floor()
			f.block(1)
			demand := f.price().Demand
			floor := price.Next(math.NewInt(before), math.NewInt(least), demand, 10_000, 100_000).Int64()
			require.Equal(t, floor, f.floor())
		}
		for _, id := range ids {
			task, err := f.keeper.Tasks.Get(f.ctx, id)
			require.NoError(t, err)
			require.Equal(t, want[id], task.UnitPrice.Int64())
			require.Equal(t, (16_000*want[id]+999_999)/1_000_000, task.Fee.Int64())
		}
	})
}

// TestWaitingTasksHoldThePrice: tasks that nobody serves cost their submitter nothing, so they keep the price from falling and do not raise it.
func TestWaitingTasksHoldThePrice(t *testing.T) {
	f := moving(t)
	require.NoError(t, f.keeper.Price.Set(f.ctx, types.Price{Floor: math.NewInt(4 * least)}))
	f.places(0)
	for n := range 20 {
		f.submit(storyMsg2(f.who(9), 16, byte(n), 4*16_000))
	}
	f.block(3)
	require.Equal(t, uint64(5_000), f.price().Demand, "half of the target at most")
	require.Less(t, f.floor(), int64(4*least))
	f.places(4)
	f.block(1)
	require.Greater(t, f.price().Demand, uint64(10_000), "once they are drawn they count in full")
}

func storyMsg2(submitter string, steps uint64, token byte, fee int64) *types.MsgSubmitTask {
	msg := storyMsg(submitter, steps, token)
	msg.MaxFee = coin(fee)
	return msg
}

// TestSecondWorkerIsNoDemand: a task that failed once is drawn for again, and counted once.
func TestSecondWorkerIsNoDemand(t *testing.T) {
	f := moving(t)
	id := f.assigned(storyMsg(f.who(9), 16, 3))
	f.until(id, types.STATE_OPEN)
	f.until(id, types.STATE_ASSIGNED)
	require.Zero(t, f.price().Demand)
	require.Equal(t, uint32(2), f.status(id).Attempt)
}

// TestAuctionsAndRacesAreDemand: what finds its first worker by bids or by a race counts when it does, what finds nobody counts as waiting; of an auction so many units
// as its price pays for at the floor. A second worker is no demand there either.
func TestAuctionsAndRacesAreDemand(t *testing.T) {
	auction := func(m *types.MsgSubmitTask) {
		m.Allocation, m.Auction = types.ALLOCATION_AUCTION, &types.AuctionOptions{BidBlocks: 5}
	}
	race := func(m *types.MsgSubmitTask) { m.Allocation = types.ALLOCATION_RACE }
	for name, c := range map[string]struct {
		mode   func(*types.MsgSubmitTask)
		max    int64
		bids   []int64
		comes  bool
		state  types.State // when it counts
		demand uint64
	}{
		"auction at the floor":                        {auction, 64_000, []int64{16_000}, false, types.STATE_ASSIGNED, 16_000},
		"auction above the floor":                     {auction, 64_000, []int64{50_000}, false, types.STATE_ASSIGNED, 16_000},
		"auction below the floor":                     {auction, 64_000, []int64{4_000, 5_000}, false, types.STATE_ASSIGNED, 4_000},
		"auction without bids":                        {auction, 64_000, nil, false, types.STATE_EXPIRED, 5_000},
		"auction without bids that offers too little": {auction, 1_000, nil, false, types.STATE_EXPIRED, 1_000},
		"race":                {race, 64_000, nil, true, types.STATE_REVEALING, 16_000},
		"race without comers": {race, 64_000, nil, false, types.STATE_EXPIRED, 5_000},
	} {
		t.Run(name, func(t *testing.T) {
			f := moving(t)
			msg := storyMsg2(f.who(9), 16, 3, c.max)
			c.mode(msg)
			id := f.submit(msg)
			for i, price := range c.bids {
				f.auctions.bid(f.ctx, id, f.who(i), price)
			}
			if c.comes {
				require.Empty(t, f.come(id, f.who(1), f.result(id, 0, 1)))
			}
			for f.state(id) != c.state {
				require.Zero(t, f.price().Demand, "%s", f.state(id))
				f.block(1)
			}
			require.Equal(t, c.demand, f.price().Demand)
			f.block(1)
			require.Zero(t, f.price().Demand, "once")
			if len(c.bids) > 1 {
				f.until(id, types.STATE_OPEN)
				f.until(id, types.STATE_ASSIGNED)
				require.EqualValues(t, 2, f.status(id).Attempt)
				require.Zero(t, f.price().Demand)
			}
		})
	}
}

// TestNoTarget: without a target the price is unit_price, whatever it was before.
func TestNoTarget(t *testing.T) {
	f := moving(t)
	require.NoError(t, f.keeper.Price.Set(f.ctx, types.Price{Floor: math.NewInt(7 * least), Demand: 5}))
	require.Equal(t, int64(7*least), f.floor())
	f.params(func(p *types.Params) { p.TargetUnitsPerBlock = 0 })
	require.Equal(t, int64(least), f.floor())
	f.block(1)
	has, err := f.keeper.Price.Has(f.ctx)
	require.NoError(t, err)
	require.False(t, has)
}

// TestFloorStopsAtItsLimit instead of growing out of every type.
func TestFloorStopsAtItsLimit(t *testing.T) {
	p := types.DefaultParams()
	p.PriceChangePpm = types.PpmOne
	floor := math.NewInt(1)
	for range 400 {
		floor = p.NextFloor(floor, ^uint64(0))
	}
	require.LessOrEqual(t, floor.BigInt().BitLen(), types.MaxPriceBits)
	require.Greater(t, floor.BigInt().BitLen(), types.MaxPriceBits-2)
}

// TestEstimateIsWhatItCosts: at the floor of now, and never more than the worst fee later; with tip, in every denom.
func TestEstimateIsWhatItCosts(t *testing.T) {
	f := moving(t)
	f.places(1_000)
	for _, denom := range []string{denom, other} {
		req := &types.QueryEstimateRequest{Model: "story", Steps: 16, PromptRows: 1, Tip: "70001", Denom: denom, Blocks: 6}
		est, err := f.query().Estimate(f.ctx, req)
		require.NoError(t, err)
		msg := storyMsg(f.who(9), 16, 3)
		msg.Tip, msg.MaxFee = math.NewInt(70_001), est.Fee
		id := f.submit(msg)
		task, err := f.keeper.Tasks.Get(f.ctx, id)
		require.NoError(t, err)
		require.Equal(t, est.Fee.Amount.String(), task.Fee.String())
		require.Equal(t, est.Lock.Amount.String(), task.Lock.String())
		require.Equal(t, est.AuditPpm, task.AuditPpm)
		for n := range 4 { // demand of four blocks
			for range 3 {
				f.submit(storyMsg2(f.who(8), 16, byte(n), 100_000))
			}
			f.block(1)
		}
		f.block(2)
		require.Greater(t, f.floor(), est.Floor.Amount.Int64())
		require.LessOrEqual(t, f.floor(), est.WorstFloor.Amount.Int64())
		_, err = deliver(f, f.msgs.SubmitTask, msg)
		require.ErrorIs(t, err, types.ErrFee)
		msg.MaxFee = est.WorstFee
		f.submit(msg)
		f.block(40)
	}
	for name, spoil := range map[string]func(*types.QueryEstimateRequest){
		"blocks": func(r *types.QueryEstimateRequest) { r.Blocks = 1_001 },
		"tip":    func(r *types.QueryEstimateRequest) { r.Tip = "1.5" },
		"denom":  func(r *types.QueryEstimateRequest) { r.Denom = "uatom" },
	} {
		req := &types.QueryEstimateRequest{Model: "story", Steps: 16}
		spoil(req)
		_, err := f.query().Estimate(f.ctx, req)
		require.Equal(t, codes.InvalidArgument, status.Code(err), name)
		require.ErrorContains(t, err, name)
	}
}

func TestTipRefused(t *testing.T) {
	f := moving(t)
	f.params(func(p *types.Params) { p.MaxTip = math.NewInt(50) })
	for tip, want := range map[int64]error{-1: types.ErrTip, 51: types.ErrTip, 50: nil} {
		msg := storyMsg(f.who(9), 16, 3)
		msg.Tip = math.NewInt(tip)
		_, err := deliver(f, f.msgs.SubmitTask, msg)
		require.ErrorIs(t, err, want)
	}
}

// flowsOf are the flows of a task, by purpose.
func (f *fix) flowsOf(id uint64) map[string]string {
	f.tb.Helper()
	res, err := f.query().Coins(f.ctx, &types.QueryCoinsRequest{Id: id})
	require.NoError(f.tb, err)
	require.True(f.tb, res.Held.IsZero())
	out := map[string]string{}
	for _, x := range res.Flows {
		out[x.Purpose.String()] += x.Amount.String() + " "
	}
	return out
}

// TestTipIsTheWorkers: half of the steps, half of the tip; royalty and shares are of the fee alone.
func TestTipIsTheWorkers(t *testing.T) {
	f := moving(t)
	msg := storyMsg(f.who(9), 16, 3)
	msg.Tip = math.NewInt(500_000)
	id := f.assigned(msg)
	a := f.result(id, 8, 1) // 8,000 units: fee 8,000, tip 4,000
	f.seal(id, a)
	f.until(id, types.STATE_REVEALING)
	f.reveal(id, a)
	worker := f.status(id).Worker
	f.until(id, types.STATE_FINAL)
	require.Equal(t, map[string]string{
		"PURPOSE_ROYALTY": "400 ", "PURPOSE_WORKER": "7220 ", "PURPOSE_TIP": "4000 ", "PURPOSE_BURN": "380 ", "PURPOSE_REFUND": "38000 ",
	}, f.flowsOf(id))
	require.Equal(t, int64(funds+7_220+4_000), f.balance(worker).Int64())
}

// TestOtherDenom: fee, shares, refund and jackpot are in the denom that was paid; what would burn goes to the community; locks are in ours.
func TestOtherDenom(t *testing.T) {
	f := moving(t)
	f.audits(true)
	f.keys(1)
	f.params(func(p *types.Params) { p.JackpotBps = 1_000 })
	msg := storyMsg(f.who(9), 16, 3)
	msg.MaxFee, msg.Tip = sdk.NewInt64Coin(other, 10_000), math.NewInt(300_000)
	id, a := f.revealing(msg)
	task, err := f.keeper.Tasks.Get(f.ctx, id)
	require.NoError(t, err)
	require.Equal(t, "6934", task.Fee.String(), "16,000 and 4,800 of ours, each a third, rounded up")
	f.reveal(id, a)
	for _, m := range f.members(id) {
		require.NoError(t, f.poai.revealSeat(f.ctx, id, m, a.root[:]))
	}
	f.until(id, types.STATE_FINAL)
	// 5,334 of fee: royalty 266, jackpot 506, of 4,562: 228 burn, a quarter of 4,334 the worker
	require.Equal(t, map[string]string{
		"PURPOSE_ROYALTY": "266 ", "PURPOSE_WORKER": "1084 ", "PURPOSE_TIP": "1600 ", "PURPOSE_AUDITS": "3250 ", "PURPOSE_VERIFIER": "1084 1083 1083 ", "PURPOSE_JACKPOT": "506 ",
		"PURPOSE_COMMUNITY": "228 ", "PURPOSE_REFUND": "3066 ",
	}, f.flowsOf(id))
	bank := f.bank.state(f.ctx)
	require.Equal(t, "228"+other, bank.Pool.String())
	require.True(t, bank.Burnt.IsZero())
	require.Equal(t, int64(funds-10_000+3_066), bank.in(f.acc(f.who(9)), other).Int64())
	require.Equal(t, int64(funds), f.balance(f.status(id).Worker).Int64(), "nothing of ours moved")
}

// TestVoidInOtherDenom: min_fee is converted before it goes to the community.
func TestVoidInOtherDenom(t *testing.T) {
	f := moving(t)
	msg := storyMsg(f.who(9), 16, 3)
	msg.MaxFee = sdk.NewInt64Coin(other, 10_000)
	id := f.assigned(msg)
	require.NoError(t, f.keeper.VoidTask(f.ctx, id, true))
	require.Equal(t, map[string]string{"PURPOSE_COMMUNITY": "334 ", "PURPOSE_REFUND": "9666 "}, f.flowsOf(id))
	f.block(1)
}

// TestRateOfSubmission: a rate that governance changes, or a denom that it takes off the list, does not touch tasks that are under way.
func TestRateOfSubmission(t *testing.T) {
	f := moving(t)
	msg := storyMsg(f.who(9), 16, 3)
	msg.MaxFee = sdk.NewInt64Coin(other, 10_000)
	id, _ := f.revealed(msg)
	f.params(func(p *types.Params) { p.FeeRates = nil })
	_, err := deliver(f, f.msgs.SubmitTask, storyIn(f.who(8), other))
	require.ErrorIs(t, err, types.ErrDenom)
	f.until(id, types.STATE_FINAL)
	require.Equal(t, "4815 ", f.flowsOf(id)["PURPOSE_WORKER"], "95 % of 5,334 less a royalty of 266")
}

func storyIn(submitter, d string) *types.MsgSubmitTask {
	msg := storyMsg(submitter, 16, 9)
	msg.MaxFee = sdk.NewInt64Coin(d, 10_000)
	return msg
}

// TestBooksSeeDamage: a payment, a flow or a receipt that says something else breaks an invariant.
func TestBooksSeeDamage(t *testing.T) {
	for name, damage := range map[string]func(f *fix, id uint64){
		"amount": func(f *fix, id uint64) {
			pay := f.payment(id)
			pay.Flows[0].Amount = pay.Flows[0].Amount.AddRaw(1)
			require.NoError(f.tb, f.keeper.Payments.Set(f.ctx, id, pay))
		},
		"purpose": func(f *fix, id uint64) {
			pay := f.payment(id)
			pay.Flows[0].Purpose = types.PURPOSE_TIP
			require.NoError(f.tb, f.keeper.Payments.Set(f.ctx, id, pay))
		},
		"lost flow": func(f *fix, id uint64) {
			pay := f.payment(id)
			pay.Flows = pay.Flows[1:]
			require.NoError(f.tb, f.keeper.Payments.Set(f.ctx, id, pay))
		},
		"invented prize": func(f *fix, id uint64) {
			pay := f.payment(id)
			pay.Book(types.PURPOSE_PRIZE, f.who(1), math.OneInt())
			require.NoError(f.tb, f.keeper.Payments.Set(f.ctx, id, pay))
		},
		"no receipt": func(f *fix, id uint64) { require.NoError(f.tb, f.keeper.Receipts.Remove(f.ctx, id)) },
		"other receipt": func(f *fix, id uint64) {
			r, err := f.keeper.Receipts.Get(f.ctx, id)
			require.NoError(f.tb, err)
			r.OutputRoot = r.InputRoot
			require.NoError(f.tb, f.keeper.Receipts.Set(f.ctx, id, r))
		},
		"receipt too many": func(f *fix, _ uint64) {
			id := f.submit(digitsMsg(f.who(9), 77))
			require.NoError(f.tb, f.keeper.Receipts.Set(f.ctx, id, types.Receipt{TaskId: id}))
		},
		"coins of another denom": func(f *fix, _ uint64) {
			f.params(func(p *types.Params) { p.FeeRates = []types.FeeRate{{Denom: other, Rate: math.OneInt()}} })
			s := f.bank.state(f.ctx)
			s.credit(fakeAccounts{}.GetModuleAddress(types.ModuleName), sdk.Coins{sdk.NewInt64Coin(other, 1)})
			f.bank.save(f.ctx, "bank", s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			f.audits(false)
			id, _ := f.revealed(digitsMsg(f.who(9), 1))
			f.until(id, types.STATE_FINAL)
			require.NoError(t, f.keeper.CheckInvariants(f.ctx))
			damage(f, id)
			require.Error(t, f.keeper.CheckInvariants(f.ctx))
		})
	}
}

// TestReceipt stays when all else is pruned, and is what the task was.
func TestReceipt(t *testing.T) {
	f := fixture(t)
	f.audits(false)
	id, a := f.revealed(digitsMsg(f.who(9), 1))
	_, err := f.query().Receipt(f.ctx, &types.QueryReceiptRequest{Id: id})
	require.Equal(t, codes.NotFound, status.Code(err))
	f.until(id, types.STATE_FINAL)
	final := f.status(id).FinalHeight
	f.block(40)
	res, err := f.query().Receipt(f.ctx, &types.QueryReceiptRequest{Id: id})
	require.NoError(t, err)
	model, task := f.models.models["digits"], f.taskOf(id)
	require.Equal(t, types.Receipt{
		TaskId: id, Model: "digits", ProgramHash: model.ProgramHash, WeightsRoot: model.WeightsRoot, InputRoot: task.InputRoot,
		OutputRoot: outputRoot(t, f, id), ResultRoot: a.root[:], Steps: 1, Worker: f.status(id).Worker, Height: final,
	}, res.Receipt)
	bz, err := res.Receipt.Marshal()
	require.NoError(t, err)
	require.Less(t, len(bz), 300)
	_, err = f.query().Coins(f.ctx, &types.QueryCoinsRequest{Id: 5})
	require.Equal(t, codes.NotFound, status.Code(err))
}

func (f *fix) taskOf(id uint64) types.Task {
	f.tb.Helper()
	task, err := f.keeper.Tasks.Get(f.ctx, id)
	require.NoError(f.tb, err)
	return task
}

func outputRoot(t *testing.T, f *fix, id uint64) []byte {
	t.Helper()
	result, err := f.keeper.Results.Get(f.ctx, id)
	require.NoError(t, err)
	return result.OutputRoot
}

// TestKeysOfProofs: the keys that proofs are checked against are those under which the records lie.
func TestKeysOfProofs(t *testing.T) {
	f := fixture(t)
	const id = 0x0102030405060708
	for _, x := range []struct {
		key  []byte
		coll interface {
			GetPrefix() []byte
		}
	}{{types.ReceiptKey(id), f.keeper.Receipts}, {types.ResultKey(id), f.keeper.Results}} {
		want, err := collections.EncodeKeyWithPrefix(x.coll.GetPrefix(), collections.Uint64Key, uint64(id))
		require.NoError(t, err)
		require.Equal(t, want, x.key)
	}
}

// TestGenesisRefusesBooks: a payment that does not add up, receipts where none belong, a price of nothing.
func TestGenesisRefusesBooks(t *testing.T) {
	f := moving(t)
	id, _ := f.revealed(digitsMsg(f.who(9), 1))
	f.until(id, types.STATE_FINAL)
	f.submit(digitsMsg(f.who(9), 2))
	for name, spoil := range map[string]func(*types.GenesisState){
		"payment":   func(g *types.GenesisState) { g.Tasks[0].Payment.Flows = nil },
		"receipt":   func(g *types.GenesisState) { g.Tasks[0].Receipt = nil },
		"receipt ":  func(g *types.GenesisState) { g.Tasks[1].Receipt = g.Tasks[0].Receipt },
		"root":      func(g *types.GenesisState) { g.Tasks[0].Receipt.WeightsRoot = []byte{1} },
		"tip":       func(g *types.GenesisState) { g.Tasks[0].Task.Tip = math.Int{} },
		"fee_rate":  func(g *types.GenesisState) { g.Tasks[0].Task.FeeRate = math.ZeroInt() },
		"price":     func(g *types.GenesisState) { g.Price = &types.Price{} },
		"low price": func(g *types.GenesisState) { g.Price = &types.Price{Floor: math.NewInt(-1)} },
	} {
		g, err := f.keeper.ExportGenesis(f.ctx)
		require.NoError(t, err)
		require.NoError(t, g.Validate())
		spoil(g)
		require.Error(t, g.Validate(), name)
	}
}
