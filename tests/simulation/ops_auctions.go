package simulation

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app/params"
	"poaid/testutil"
	auctionstypes "poaid/x/auctions/types"
	taskstypes "poaid/x/tasks/types"
)

func auctionsModule() Module {
	return Module{
		Name: auctionstypes.ModuleName,
		Operations: []Operation{
			{Name: "auctions Bid", Weight: 14, Do: bid},
			{Name: "auctions Bid above the ceiling", Weight: 1, Refused: true, Do: bidHigh},
			{Name: "auctions SealBid", Weight: 12, Do: sealBid},
			{Name: "auctions RevealBid another price", Weight: 8, Refused: true, Do: revealWrong},
			{Name: "auctions WithdrawBids", Weight: 6, Do: withdrawBids},
			{Name: "auctions WithdrawBids early", Weight: 1, Refused: true, Do: withdrawEarly},
		},
		Duties:    revealBids,
		Proposals: []func(*Sim) sdk.Msg{auctionsParams},
		Milestones: []string{
			"auctions AuctionOpened", "auctions Bid", "auctions AuctionClosed", "auctions BidTaken", "auctions AuctionOver", "auctions BidWithdrawn",
			"auctions ParamsUpdated",
		},
	}
}

// auctions that take bids in the next block: open ones, or sealed ones, and then those whose bids are revealed in it.
func (s *Sim) auctions(sealed, reveal bool) (out []auctionstypes.Terms) {
	next := s.Height() + 1
	s.must(s.App.Auctions.Terms.Walk(s.Ctx(), nil, func(id uint64, t auctionstypes.Terms) (bool, error) {
		standing, err := s.App.Auctions.Standings.Get(s.Ctx(), id)
		if err != nil || standing.Phase != auctionstypes.PHASE_BIDDING || t.Sealed != sealed {
			return err != nil, err
		}
		if !reveal && next <= t.BidUntil || reveal && next > t.BidUntil && next <= t.RevealUntil {
			out = append(out, t)
		}
		return false, nil
	}))
	return out
}

// bidderOn draws who may bid.
func (s *Sim) bidderOn(t auctionstypes.Terms) *person {
	var fit []*person
	for _, p := range s.people {
		if slices.Contains(s.served(p), t.Model) {
			fit = append(fit, p)
		}
	}
	p, _ := any1(s, fit)
	return p
}

// priceOf is what somebody asks, the same whenever it is asked.
func (s *Sim) priceOf(p *person, t auctionstypes.Terms) math.Int {
	room := t.Ceiling.Amount.Sub(t.Least).AddRaw(1)
	return t.Least.Add(math.NewInt(int64(s.pick(1<<40, "price", p.Account, t.Task))).Mod(room))
}

func (s *Sim) bidSalt(p *person, task uint64) [32]byte {
	return sha256.Sum256(fmt.Append(nil, "bid/", s.Seed, p, task))
}

func bid(s *Sim) *Action {
	t, ok := any1(s, s.auctions(false, false))
	if !ok {
		return nil
	}
	p := s.bidderOn(t)
	if p == nil {
		return nil
	}
	price := s.priceOf(p, t)
	b, err := s.App.Auctions.Bids.Get(s.Ctx(), collections.Join(t.Task, p.Addr))
	if s.found(err) {
		price = math.MaxInt(t.Least, b.Price.MulRaw(9).QuoRaw(10)) // who bids again goes lower, while it can
	}
	return one(p.Account, &auctionstypes.MsgBid{Bidder: p.String(), TaskId: t.Task, Price: price})
}

func bidHigh(s *Sim) *Action {
	t, ok := any1(s, s.auctions(false, false))
	p, found := any1(s, s.people)
	if !ok || !found {
		return nil
	}
	return one(p.Account, &auctionstypes.MsgBid{Bidder: p.String(), TaskId: t.Task, Price: t.Ceiling.Amount.AddRaw(1)})
}

func sealBid(s *Sim) *Action {
	t, ok := any1(s, s.auctions(true, false))
	if !ok {
		return nil
	}
	p := s.bidderOn(t)
	if p == nil {
		return nil
	}
	seal := auctionstypes.Commitment(s.ChainID, t.Task, p.String(), s.priceOf(p, t), s.bidSalt(p, t.Task))
	return one(p.Account, &auctionstypes.MsgSealBid{Bidder: p.String(), TaskId: t.Task, Commitment: seal[:]})
}

// sealedBids are the bids of an auction that wait to be revealed.
func (s *Sim) sealedBids(t auctionstypes.Terms) (out []*person) {
	rng := collections.NewPrefixedPairRange[uint64, sdk.AccAddress](t.Task)
	s.must(s.App.Auctions.Bids.Walk(s.Ctx(), rng, func(_ collections.Pair[uint64, sdk.AccAddress], b auctionstypes.Bid) (bool, error) {
		if b.Sealed() {
			out = append(out, s.byAddress(b.Bidder))
		}
		return false, nil
	}))
	return out
}

// revealBids reveals what was sealed; some keep theirs to themselves.
func revealBids(s *Sim) (actions []Action) {
	for _, t := range s.auctions(true, true) {
		for _, p := range s.sealedBids(t) {
			if s.chance(200_000, "keeps its bid", p.Account, t.Task) {
				continue
			}
			salt := s.bidSalt(p, t.Task)
			msg := &auctionstypes.MsgRevealBid{Bidder: p.String(), TaskId: t.Task, Price: s.priceOf(p, t), Salt: salt[:]}
			actions = append(actions, Action{Name: "auctions RevealBid", From: p.Account, Msgs: []sdk.Msg{msg}})
		}
	}
	return actions
}

func revealWrong(s *Sim) *Action {
	t, ok := any1(s, s.auctions(true, true))
	if !ok {
		return nil
	}
	p, ok := any1(s, s.sealedBids(t))
	if !ok {
		return nil
	}
	price, salt := s.priceOf(p, t), s.bidSalt(p, t.Task)
	if price = price.AddRaw(1); price.GT(t.Ceiling.Amount) {
		price = t.Least
	}
	return one(p.Account, &auctionstypes.MsgRevealBid{Bidder: p.String(), TaskId: t.Task, Price: price, Salt: salt[:]})
}

// bidsOf are the bids of somebody whose auctions a condition holds for.
func (s *Sim) bidsOf(a *testutil.Account, holds func(auctionstypes.Standing) bool) (tasks []uint64) {
	rng := collections.NewPrefixedPairRange[sdk.AccAddress, uint64](a.Addr)
	s.must(s.App.Auctions.ByBidder.Walk(s.Ctx(), rng, func(k collections.Pair[sdk.AccAddress, uint64]) (bool, error) {
		standing, err := s.App.Auctions.Standings.Get(s.Ctx(), k.K2())
		if err == nil && holds(standing) {
			tasks = append(tasks, k.K2())
		}
		return false, err
	}))
	return tasks
}

func withdrawBids(s *Sim) *Action {
	var all []*auctionstypes.MsgWithdrawBids
	for _, p := range s.people {
		over := func(st auctionstypes.Standing) bool {
			return st.Phase != auctionstypes.PHASE_BIDDING && !st.Reserved(p.String())
		}
		if tasks := s.bidsOf(p.Account, over); len(tasks) > 0 {
			all = append(all, &auctionstypes.MsgWithdrawBids{Bidder: p.String(), TaskIds: tasks[:1+s.r.Intn(len(tasks))]})
		}
	}
	msg, ok := any1(s, all)
	if !ok {
		return nil
	}
	return one(s.byAddr[msg.Bidder], msg)
}

func withdrawEarly(s *Sim) *Action {
	for _, p := range s.people {
		tasks := s.bidsOf(p.Account, func(st auctionstypes.Standing) bool { return st.Phase == auctionstypes.PHASE_BIDDING })
		if len(tasks) > 0 {
			return one(p.Account, &auctionstypes.MsgWithdrawBids{Bidder: p.String(), TaskIds: tasks})
		}
	}
	return nil
}

// auctioned puts a task up for auction.
func auctioned(s *Sim) *Action {
	msg := s.submission()
	if msg == nil {
		return nil
	}
	msg.Allocation, msg.Tip = taskstypes.ALLOCATION_AUCTION, math.Int{}
	msg.Auction = &taskstypes.AuctionOptions{BidBlocks: 4 + s.r.Int63n(5), Sealed: s.r.Intn(2) == 0}
	return one(s.byAddr[msg.Submitter], msg)
}

func auctionsParams(s *Sim) sdk.Msg {
	p, err := s.App.Auctions.Params.Get(s.Ctx())
	s.must(err)
	switch s.r.Intn(2) {
	case 0:
		p.MinDeposit = sdk.NewInt64Coin(params.Denom, 1+s.r.Int63n(3_000_000))
	case 1:
		p.DepositBps = uint32(s.r.Intn(1_000))
	}
	return &auctionstypes.MsgUpdateParams{Authority: s.authority(), Params: p}
}
