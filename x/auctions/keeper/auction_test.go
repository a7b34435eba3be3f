package keeper_test

import (
	"encoding/hex"
	"testing"

	"cosmossdk.io/math"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/x/auctions/keeper"
	"poaid/x/auctions/types"
	poaitypes "poaid/x/poai/types"
)

const deposit = 1_000_000 // the least; a hundredth of the lock is less

func TestOpenBids(t *testing.T) {
	f := fixture(t, 6)
	f.opened(7, false)
	for _, c := range []struct {
		who   int
		price int64
		kept  bool
	}{{0, 500, true}, {1, 400, true}, {2, 400, true}, {3, 500, false}, {4, 300, true}, {0, 350, true}} {
		kept, err := f.bid(c.who, 7, c.price)
		require.NoError(t, err)
		require.Equal(t, c.kept, kept, "%d at %d", c.who, c.price)
	}
	require.EqualValues(t, funds-deposit, f.balance(0), "lowering a bid takes no second deposit")
	for _, price := range []int64{350, 351} {
		_, err := f.bid(0, 7, price)
		require.ErrorIs(t, err, types.ErrPrice, "no lower")
	}
	_, err := f.withdraw(3, 7)
	require.ErrorIs(t, err, types.ErrPhase)
	f.at(5)
	_, err = f.bid(5, 7, 900)
	require.NoError(t, err)
	f.at(6)
	_, err = f.bid(5, 7, 100)
	require.ErrorIs(t, err, types.ErrDeadline)

	who, price := f.next(7)
	require.Equal(t, 4, who)
	require.EqualValues(t, 300, price)
	_, err = f.bid(5, 7, 100)
	require.ErrorIs(t, err, types.ErrPhase)
	paid, err := f.withdraw(3, 7)
	require.NoError(t, err)
	require.EqualValues(t, deposit, paid.AmountOf("upoai").Int64())
	_, err = f.withdraw(3, 7)
	require.ErrorIs(t, err, types.ErrUnknownBid, "twice")
	for _, i := range []int{4, 0, 1} {
		_, err = f.withdraw(i, 7)
		require.ErrorIs(t, err, types.ErrReserved, "%d may have to run it", i)
	}
	who, price = f.next(7)
	require.Equal(t, 0, who)
	require.EqualValues(t, 350, price)
	who, _ = f.next(7)
	require.Equal(t, 1, who, "of equal prices the earliest")
	who, _ = f.next(7)
	require.Equal(t, -1, who, "three are kept")
	f.end(7)
	f.end(7)
	require.Empty(t, f.get(f.ctx).Locks)
	for _, i := range []int{0, 1, 2, 4, 5} {
		_, err := f.withdraw(i, 7)
		require.NoError(t, err)
	}
	for i := range 6 {
		require.EqualValues(t, funds, f.balance(i))
	}
	has, err := f.keeper.Terms.Has(f.ctx, 7)
	require.NoError(t, err)
	require.False(t, has, "dropped once nobody has a bid in it")
	who, _ = f.next(7)
	require.Equal(t, -1, who)
	f.end(7)
}

func TestSealedBids(t *testing.T) {
	f := fixture(t, 6)
	f.opened(7, true)
	for i, price := range []int64{300, 200, 250, 100} {
		require.NoError(t, f.seal(i, 7, price))
	}
	require.ErrorIs(t, f.seal(0, 7, 100), types.ErrBidExists)
	_, err := f.reveal(0, 7, 300)
	require.ErrorIs(t, err, types.ErrDeadline, "too early: others could see it")
	_, err = f.bid(5, 7, 100)
	require.ErrorIs(t, err, types.ErrKind)
	f.at(5)
	_, err = f.reveal(0, 7, 300)
	require.ErrorIs(t, err, types.ErrDeadline, "bids are taken in this block still")
	f.at(6)
	require.ErrorIs(t, f.seal(5, 7, 100), types.ErrDeadline)
	for _, c := range []struct {
		who   int
		price int64
		want  error
	}{{0, 299, types.ErrReveal}, {5, 100, types.ErrUnknownBid}, {0, 1_001, types.ErrPrice}, {0, 9, types.ErrPrice}} {
		_, err := f.reveal(c.who, 7, c.price)
		require.ErrorIs(t, err, c.want)
	}
	for _, i := range []int{0, 1, 2} {
		kept, err := f.reveal(i, 7, []int64{300, 200, 250}[i])
		require.NoError(t, err)
		require.True(t, kept)
	}
	_, err = f.reveal(0, 7, 300)
	require.ErrorIs(t, err, types.ErrReveal, "twice")
	f.at(9)
	_, err = f.reveal(3, 7, 100)
	require.ErrorIs(t, err, types.ErrDeadline)
	who, price := f.next(7)
	require.Equal(t, 1, who)
	require.EqualValues(t, 200, price)
	require.EqualValues(t, deposit, f.get(f.ctx).Pool.Int64(), "the unrevealed deposit")
	paid, err := f.withdraw(3, 7)
	require.NoError(t, err)
	require.True(t, paid.IsZero())
	f.end(7)
	for i := range 3 {
		paid, err := f.withdraw(i, 7)
		require.NoError(t, err)
		require.EqualValues(t, deposit, paid.AmountOf("upoai").Int64())
	}
}

// TestRevealOfTheUnfit: who cannot back its bid any more has its deposit back and no place.
func TestRevealOfTheUnfit(t *testing.T) {
	f := fixture(t, 2)
	f.opened(7, true)
	require.NoError(t, f.seal(0, 7, 300))
	require.NoError(t, f.seal(1, 7, 100))
	w := f.get(f.ctx)
	w.Unfit[f.who(1)] = true
	f.set(f.ctx, w)
	f.at(6)
	kept, err := f.reveal(1, 7, 100)
	require.NoError(t, err)
	require.False(t, kept)
	_, err = f.reveal(0, 7, 300)
	require.NoError(t, err)
	who, _ := f.next(7)
	require.Equal(t, 0, who)
	require.True(t, f.get(f.ctx).Pool.IsZero())
	_, err = f.withdraw(1, 7)
	require.NoError(t, err)
}

// TestCancelled: where an auction ends before it closed nobody loses a deposit.
func TestCancelled(t *testing.T) {
	f := fixture(t, 2)
	f.opened(7, true)
	require.NoError(t, f.seal(0, 7, 300))
	f.end(7)
	paid, err := f.withdraw(0, 7)
	require.NoError(t, err)
	require.EqualValues(t, deposit, paid.AmountOf("upoai").Int64())
}

func TestRefusals(t *testing.T) {
	f := fixture(t, 2)
	f.opened(7, false)
	f.opened(8, true)
	_, err := f.bid(0, 9, 100)
	require.ErrorIs(t, err, types.ErrUnknownAuction)
	_, err = f.bid(3, 7, 100)
	require.Error(t, err, "no funds, not joined")
	for _, price := range []math.Int{{}, math.NewInt(9), math.NewInt(-1), math.NewInt(1_001)} {
		_, err := deliver(f, f.msgs.Bid, &types.MsgBid{Bidder: f.who(0), TaskId: 7, Price: price})
		require.ErrorIs(t, err, types.ErrPrice)
	}
	for i, price := range []int64{10, 1_000} {
		_, err := f.bid(i, 7, price)
		require.NoError(t, err, "the limits themselves")
	}
	_, err = deliver(f, f.msgs.Bid, &types.MsgBid{Bidder: "x", TaskId: 7, Price: math.NewInt(10)})
	require.ErrorIs(t, err, types.ErrAddress)
	require.ErrorIs(t, f.seal(0, 7, 100), types.ErrKind)
	_, err = f.reveal(0, 7, 100)
	require.ErrorIs(t, err, types.ErrKind)
	_, err = deliver(f, f.msgs.SealBid, &types.MsgSealBid{Bidder: f.who(0), TaskId: 8, Commitment: []byte{1}})
	require.ErrorIs(t, err, types.ErrLength)
	_, err = f.withdraw(0)
	require.ErrorIs(t, err, types.ErrBatch)
	_, err = f.withdraw(0, make([]uint64, 101)...)
	require.ErrorIs(t, err, types.ErrBatch)
	_, err = f.withdraw(0, make([]uint64, 100)...)
	require.ErrorIs(t, err, types.ErrUnknownBid, "as many as there may be")
	_, err = f.withdraw(0, 8)
	require.ErrorIs(t, err, types.ErrUnknownBid)
	w := f.get(f.ctx)
	w.Unfit[f.who(0)] = true
	f.set(f.ctx, w)
	_, err = f.bid(0, 7, 9)
	require.ErrorIs(t, err, types.ErrPrice)
	f.opened(9, false)
	_, err = f.bid(0, 9, 100)
	require.ErrorIs(t, err, poaitypes.ErrUnfit)
	require.ErrorIs(t, f.seal(0, 8, 100), poaitypes.ErrUnfit)
	require.EqualValues(t, funds-deposit, f.balance(0), "what was refused cost nothing")
}

// TestCommitment: a fixed value, and each part of it counts, so that nobody can reveal another's bid, or one on another task or chain.
func TestCommitment(t *testing.T) {
	base := types.Commitment("chain", 7, "bidder", math.NewInt(100), salt(1))
	require.Equal(t, "066a227dc54d5354d9997a6e010bce3e50995e68aa917e8aad3eedf962faf902", hex.EncodeToString(base[:]))
	for name, other := range map[string][32]byte{
		"chain":  types.Commitment("chai", 7, "bidder", math.NewInt(100), salt(1)),
		"task":   types.Commitment("chain", 8, "bidder", math.NewInt(100), salt(1)),
		"bidder": types.Commitment("chain", 7, "bidde", math.NewInt(100), salt(1)),
		"price":  types.Commitment("chain", 7, "bidder", math.NewInt(101), salt(1)),
		"salt":   types.Commitment("chain", 7, "bidder", math.NewInt(100), salt(2)),
	} {
		require.NotEqual(t, base, other, name)
	}
}

// TestTiesOfOneBlock: of equal prices the one whose transaction came first, whatever the addresses.
func TestTiesOfOneBlock(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}} {
		f := fixture(t, 3)
		f.opened(7, false)
		for _, i := range order {
			_, err := f.bid(i, 7, 100)
			require.NoError(t, err)
		}
		for _, i := range order {
			who, _ := f.next(7)
			require.Equal(t, i, who)
		}
	}
}

// TestFailBid: who was to run the task and did not loses its deposit, once; nobody else does.
func TestFailBid(t *testing.T) {
	f := fixture(t, 4)
	f.opened(7, false)
	for i := range 4 {
		_, err := f.bid(i, 7, int64(100+i))
		require.NoError(t, err)
	}
	fail := func() {
		require.NoError(t, f.keeper.FailBid(f.ctx, 7))
		f.check()
	}
	fail()
	require.True(t, f.get(f.ctx).Pool.IsZero(), "bidding: nobody was to run it")
	f.at(6)
	who, _ := f.next(7)
	require.Zero(t, who)
	fail()
	require.EqualValues(t, deposit, f.get(f.ctx).Pool.Int64())
	_, err := f.withdraw(0, 7)
	require.ErrorIs(t, err, types.ErrUnknownBid)
	fail()
	require.EqualValues(t, deposit, f.get(f.ctx).Pool.Int64(), "once")
	who, _ = f.next(7)
	require.Equal(t, 1, who)
	f.end(7) // it delivers
	fail()
	require.EqualValues(t, deposit, f.get(f.ctx).Pool.Int64(), "over")
	for i := 1; i < 4; i++ {
		_, err := f.withdraw(i, 7)
		require.NoError(t, err)
		require.EqualValues(t, funds, f.balance(i))
	}
	fail()
	require.EqualValues(t, funds-deposit, f.balance(0))
	require.Empty(t, f.get(f.ctx).Locks)
}

// TestKillingAnAuctionCosts: three cheap bids of one owner that never deliver keep everybody else out. It costs a deposit each, whether it is silent or
// stops serving in time, beside what x/tasks takes for a timeout.
func TestKillingAnAuctionCosts(t *testing.T) {
	f := fixture(t, 4)
	f.opened(7, false)
	_, err := f.bid(3, 7, 500)
	require.NoError(t, err)
	for i := range 3 {
		_, err := f.bid(i, 7, 10)
		require.NoError(t, err)
	}
	f.at(6)
	for range 3 {
		f.next(7)
		require.NoError(t, f.keeper.FailBid(f.ctx, 7))
	}
	who, _ := f.next(7)
	require.Equal(t, -1, who)
	f.end(7)
	require.EqualValues(t, 3*deposit, f.get(f.ctx).Pool.Int64())
	_, err = f.withdraw(3, 7)
	require.NoError(t, err)
	require.EqualValues(t, funds, f.balance(3), "who was kept out has all back")
}

// TestBondBacksEachBid: a bond of five locks backs five kept bids, not six.
func TestBondBacksEachBid(t *testing.T) {
	f := fixture(t, 1)
	for task := range uint64(6) {
		f.opened(task+1, false)
		_, err := f.bid(0, task+1, 100)
		if task < 5 {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, poaitypes.ErrUnfit)
		}
	}
	_, err := f.withdraw(0, 1, 1)
	require.Error(t, err)
	f.next(1)
	f.next(2)
	f.end(1)
	_, err = f.withdraw(0, 1, 2)
	require.ErrorIs(t, err, types.ErrReserved, "all of a batch or none")
	_, err = f.withdraw(0, 1, 1)
	require.ErrorIs(t, err, types.ErrDuplicate)
	f.end(2)
	paid, err := f.withdraw(0, 1, 2)
	require.NoError(t, err)
	require.EqualValues(t, 2*deposit, paid.AmountOf("upoai").Int64())
}

func TestDeposit(t *testing.T) {
	p := types.DefaultParams()
	require.Equal(t, "1000000upoai", p.Deposit(math.ZeroInt()).String())
	require.Equal(t, "1000000upoai", p.Deposit(math.NewInt(100_000_000)).String())
	require.Equal(t, "1000001upoai", p.Deposit(math.NewInt(100_000_001)).String(), "rounded up")
	for _, change := range []func(*types.Params){
		func(p *types.Params) { p.MinDeposit = sdk.Coin{} },
		func(p *types.Params) { p.MinDeposit.Denom = "!" },
		func(p *types.Params) { p.MinDeposit.Amount = math.ZeroInt() },
		func(p *types.Params) { p.MinDeposit.Amount = math.NewInt(-1) },
		func(p *types.Params) { p.MinDeposit.Amount = math.NewIntWithDecimal(1, 31) },
		func(p *types.Params) { p.DepositBps = 10_001 },
		func(p *types.Params) { p.MaxBatch = 0 },
		func(p *types.Params) { p.MaxBatch = 1_001 },
	} {
		q := types.DefaultParams()
		change(&q)
		require.ErrorIs(t, q.Validate(), types.ErrParams)
	}
}

// TestCloseCostsTheSame: closing an auction of 1,000 bids costs the gas of one of four.
func TestCloseCostsTheSame(t *testing.T) {
	gas := func(bids int) uint64 {
		f := fixture(t, bids)
		lost := &free{fakes: f.fakes}
		f.keeper = f.keeperOf(lost)
		f.opened(7, true)
		msgs := keeper.NewMsgServerImpl(f.keeper)
		for i := range bids {
			c := types.Commitment(chainID, 7, f.who(i), math.NewInt(int64(100+i%7)), salt(i))
			_, err := msgs.SealBid(f.ctx, &types.MsgSealBid{Bidder: f.who(i), TaskId: 7, Commitment: c[:]})
			require.NoError(t, err)
		}
		f.at(6)
		for i := range bids / 2 {
			s := salt(i)
			_, err := msgs.RevealBid(f.ctx, &types.MsgRevealBid{Bidder: f.who(i), TaskId: 7, Price: math.NewInt(int64(100 + i%7)), Salt: s[:]})
			require.NoError(t, err)
		}
		meter := storetypes.NewInfiniteGasMeter()
		_, _, found, err := f.keeper.NextBid(f.ctx.WithGasMeter(meter), 7)
		require.NoError(t, err)
		require.True(t, found)
		require.EqualValues(t, bids/2*deposit, lost.lost.AmountOf("upoai").Int64())
		return meter.GasConsumed()
	}
	small, large := gas(6), gas(1_000)
	require.Less(t, large, small+small/20, "longer counts, nothing else")
	t.Logf("gas to close: %d with 6 bids, %d with 1,000", small, large)
}

// TestEqualBids: bids of one message (authz may carry many) have the same order; ties go by bidder, and the state is valid.
func TestEqualBids(t *testing.T) {
	f := fixture(t, 3)
	f.opened(7, false)
	for i := range 3 {
		_, err := f.msgs.Bid(f.ctx, &types.MsgBid{Bidder: f.who(i), TaskId: 7, Price: math.NewInt(100)})
		require.NoError(t, err)
		f.check()
	}
	last := ""
	for range 3 {
		who, _ := f.next(7)
		require.Greater(t, f.who(who), last)
		last = f.who(who)
	}
}

// TestMachine plays random messages; deposits and bonds are conserved after each, the best bid wins, and in the end everybody has everything back but
// what was forfeited.
func TestMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const people = 6
		f := fixture(t, people)
		tasks, ended := uint64(0), map[uint64]bool{}
		pick := func() uint64 { return rapid.Uint64Range(1, max(tasks, 1)).Draw(t, "task") }
		t.Repeat(map[string]func(*rapid.T){
			"open": func(t *rapid.T) {
				tasks++
				sealed, h := rapid.Bool().Draw(t, "sealed"), f.ctx.BlockHeight()
				terms := types.Terms{
					Task: tasks, Model: "m", Ceiling: sdk.NewInt64Coin("upoai", 1_000), Least: math.NewInt(10), Lock: math.NewInt(rapid.Int64Range(0, lock).Draw(t, "lock")),
					BidUntil: h + 4, RevealUntil: h + 4, Sealed: sealed,
				}
				if sealed {
					terms.RevealUntil += 4
				}
				require.NoError(t, f.keeper.OpenAuction(f.ctx, terms))
			},
			"bid": func(t *rapid.T) {
				_, _ = f.bid(rapid.IntRange(0, people-1).Draw(t, "who"), pick(), rapid.Int64Range(9, 60).Draw(t, "price"))
			},
			"seal": func(t *rapid.T) {
				i := rapid.IntRange(0, people-1).Draw(t, "who")
				_ = f.seal(i, pick(), int64(20+i%4))
			},
			"reveal": func(t *rapid.T) {
				i := rapid.IntRange(0, people-1).Draw(t, "who")
				_, _ = f.reveal(i, pick(), int64(20+i%4))
			},
			"withdraw": func(t *rapid.T) { _, _ = f.withdraw(rapid.IntRange(0, people-1).Draw(t, "who"), pick()) },
			"block":    func(*rapid.T) { f.at(f.ctx.BlockHeight() + 1) },
			"unfit": func(t *rapid.T) {
				w := f.get(f.ctx)
				who := f.who(rapid.IntRange(0, people-1).Draw(t, "who"))
				w.Unfit[who] = !w.Unfit[who]
				f.set(f.ctx, w)
			},
			"next": func(t *rapid.T) {
				task := pick()
				terms, err := f.keeper.Terms.Get(f.ctx, task)
				if err != nil || f.ctx.BlockHeight() <= terms.RevealUntil {
					return
				}
				s, err := f.keeper.Standings.Get(f.ctx, task)
				require.NoError(t, err)
				_, price := f.next(task)
				if len(s.Best) > 0 {
					for _, b := range s.Best {
						require.LessOrEqual(t, price, b.Price.Int64())
					}
				}
			},
			"fail": func(t *rapid.T) {
				if task := pick(); task <= tasks {
					require.NoError(t, f.keeper.FailBid(f.ctx, task))
					f.check()
				}
			},
			"end": func(t *rapid.T) {
				if task := pick(); task <= tasks && rapid.IntRange(0, 3).Draw(t, "rarely") == 0 {
					f.end(task)
					ended[task] = true
				}
			},
		})
		for task := uint64(1); task <= tasks; task++ {
			f.end(task)
			for i := range people {
				_, _ = f.withdraw(i, task)
			}
		}
		w := f.get(f.ctx)
		require.Empty(t, w.Locks)
		require.True(t, w.of(module()).IsZero())
		n := 0
		require.NoError(t, f.keeper.Terms.Walk(f.ctx, nil, func(uint64, types.Terms) (bool, error) { n++; return false, nil }))
		require.Zero(t, n)
	})
}

func TestGenesisRoundTrip(t *testing.T) {
	f := fixture(t, 6)
	f.opened(7, false)
	f.opened(8, true)
	for i := range 5 {
		_, err := f.bid(i, 7, int64(500-i))
		require.NoError(t, err)
		require.NoError(t, f.seal(i, 8, 100))
	}
	f.at(6)
	_, err := f.reveal(2, 8, 100)
	require.NoError(t, err)
	f.next(7)
	f.at(9)
	f.next(8)
	f.openedUntil(9, true, 20)
	require.NoError(t, f.seal(0, 9, 100))
	g, err := f.keeper.ExportGenesis(f.ctx)
	require.NoError(t, err)
	h := fixture(t, 6)
	h.at(9)
	h.set(h.ctx, f.get(f.ctx))
	require.NoError(t, h.keeper.InitGenesis(h.ctx, *g))
	again, err := h.keeper.ExportGenesis(h.ctx)
	require.NoError(t, err)
	require.Equal(t, g, again)
	who, _ := h.next(7)
	require.Equal(t, 3, who)

	for _, change := range []func(*types.GenesisState){
		func(g *types.GenesisState) { g.Auctions[0].Standing.Held++ },
		func(g *types.GenesisState) { g.Auctions[0].Standing.Stored-- },
		func(g *types.GenesisState) { g.Auctions[0].Standing.Phase = 0 },
		func(g *types.GenesisState) { g.Auctions[0].Standing.Best[0].Price = math.NewInt(1) },
		func(g *types.GenesisState) { g.Auctions[0].Bids[0].Price = nil },
		func(g *types.GenesisState) { g.Auctions[0].Terms.Deposit.Amount = math.ZeroInt() },
		func(g *types.GenesisState) { g.Auctions[1].Terms.Task = 7 },
		func(g *types.GenesisState) { g.Auctions[1].Standing.Forfeited = false },
		func(g *types.GenesisState) { g.Auctions[2].Standing.Bids += 3 },
		func(g *types.GenesisState) { g.Auctions[2].Standing.Revealed = 1 },
		func(g *types.GenesisState) { g.Auctions[2].Standing.Winner = f.who(0) },
	} {
		g, err := f.keeper.ExportGenesis(f.ctx)
		require.NoError(t, err)
		change(g)
		require.ErrorIs(t, g.Validate(), types.ErrGenesis)
	}
}

func TestQueries(t *testing.T) {
	f := fixture(t, 5)
	f.opened(7, true)
	f.opened(8, false)
	for i := range 4 {
		require.NoError(t, f.seal(i, 7, 100))
	}
	_, err := f.bid(0, 8, 100)
	require.NoError(t, err)
	q := keeper.NewQueryServerImpl(f.keeper)
	bids, err := q.Bids(f.ctx, &types.QueryBidsRequest{Task: 7})
	require.NoError(t, err)
	require.Len(t, bids.Bids, 4)
	f.at(6)
	_, err = f.reveal(1, 7, 100)
	require.NoError(t, err)
	f.next(7)
	of, err := q.BidsOf(f.ctx, &types.QueryBidsOfRequest{Bidder: f.who(0)})
	require.NoError(t, err)
	require.Len(t, of.Bids, 2)
	require.True(t, of.Bids[0].Forfeited)
	require.True(t, of.Bids[0].Withdrawable)
	require.True(t, of.Bids[1].Kept)
	require.False(t, of.Bids[1].Withdrawable)
	a, err := q.Auction(f.ctx, &types.QueryAuctionRequest{Task: 7})
	require.NoError(t, err)
	require.Equal(t, f.who(1), a.Standing.Winner)
	_, err = q.Auction(f.ctx, &types.QueryAuctionRequest{Task: 9})
	require.Error(t, err)
	_, err = q.BidsOf(f.ctx, &types.QueryBidsOfRequest{Bidder: "x"})
	require.Error(t, err)
}

func TestUpdateParams(t *testing.T) {
	f := fixture(t, 1)
	p := types.DefaultParams()
	p.DepositBps = 7
	_, err := deliver(f, f.msgs.UpdateParams, &types.MsgUpdateParams{Authority: f.who(0), Params: p})
	require.Error(t, err)
	_, err = deliver(f, f.msgs.UpdateParams, &types.MsgUpdateParams{Authority: "authority", Params: p})
	require.NoError(t, err)
	p.MaxBatch = 0
	_, err = deliver(f, f.msgs.UpdateParams, &types.MsgUpdateParams{Authority: "authority", Params: p})
	require.ErrorIs(t, err, types.ErrParams)
}
