package bidder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"cosmossdk.io/math"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/daemon/journal"
	auctionstypes "poaid/x/auctions/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

const (
	// withdrawEvery is how many blocks pass between two messages that take deposits back, so that many share one.
	withdrawEvery = 20
	// patience is how many blocks such a message is given.
	patience = 50
	// quiet is how many blocks pass before a warning is repeated.
	quiet = 500
	// Inputs of at most maxChecks tasks are fetched at a time, each for at most checkFor, and again after checkEvery blocks.
	maxChecks  = 4
	checkFor   = 2 * time.Minute
	checkEvery = 20
)

// Chain is what is read of the chain.
type Chain interface {
	ChainID() string
	// Serves returns a participant and the models it serves.
	Serves(ctx context.Context, address string) (poaitypes.Participant, []string, error)
	EachAssigned(ctx context.Context, worker string, fn func(taskstypes.TaskView) error) error
	// EachOpen calls fn for every race and auction of a model that participants may come for.
	EachOpen(ctx context.Context, model string, fn func(taskstypes.TaskView) error) error
	EachBid(ctx context.Context, bidder string, fn func(auctionstypes.BidView) error) error
	AuctionTerms(ctx context.Context, task uint64) (auctionstypes.Terms, error)
	Task(ctx context.Context, id uint64) (taskstypes.TaskView, error)
	Balance(ctx context.Context, address, denom string) (math.Int, error)
}

// Book keeps sealed bids; journal.Journal is one.
type Book interface {
	PutBid(b journal.Bid) (journal.Bid, error)
	Bid(task uint64) (journal.Bid, error)
	Delete(role journal.Role, task uint64) error
	Tasks(role journal.Role, after uint64, limit int) ([]uint64, error)
}

// Outbox sends items; chain.Sender is one.
type Outbox interface {
	Enqueue(it chain.Item, asOf int64) bool
}

// Metrics is told what happens. Methods must not block.
type Metrics interface {
	// Bids says how many bids may have to be run yet, and how many can be withdrawn.
	Bids(promised, over int)
}

// Config configures a Bidder.
type Config struct {
	Participant string
	// Secret derives salts.
	Secret []byte
	Price  Price
	// Check gets all that a task is computed from and checks it against the chain. It is called before a bid on a task whose inputs are not all on the chain, off
	// the bidder's goroutine. nil: no bids on such tasks.
	Check func(ctx context.Context, task taskstypes.Task) error
	// MaxBatch is how many bids one message withdraws at most.
	MaxBatch int
	Logger   *slog.Logger
	Metrics  Metrics
}

// Bidder bids for one participant. Only one goroutine may use it.
type Bidder struct {
	cfg   Config
	log   *slog.Logger
	chain Chain
	book  Book
	out   Outbox

	withdrawn int64           // height of the last message that takes deposits back
	swept     int64           // height at which records were dropped last
	poor      int64           // height until which nothing is said of missing coins
	warned    map[uint64]bool // sealed bids that cannot be opened
	checks    map[uint64]*check
}

// New returns a bidder.
func New(cfg Config, c Chain, book Book, out Outbox) *Bidder {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.MaxBatch = max(cfg.MaxBatch, 1)
	return &Bidder{cfg: cfg, log: cfg.Logger, chain: c, book: book, out: out, warned: map[uint64]bool{}, checks: map[uint64]*check{}}
}

// Run works until ctx ends or heights is closed. What fails is tried again at the next height.
func (b *Bidder) Run(ctx context.Context, heights <-chan int64) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case h, ok := <-heights:
			if !ok {
				return ctx.Err()
			}
			if err := b.Tick(ctx, h); err != nil && ctx.Err() == nil {
				b.log.Warn("bidding failed", "height", h, "error", err)
			}
		}
	}
}

// standing is what a participant has promised as of a height.
type standing struct {
	height int64
	p      poaitypes.Participant
	models []string
	// bids that are on the chain, by task.
	bids map[uint64]bool
	// places and bond that are free, but for what bids may still take, and coins for deposits by denom.
	places int
	bond   math.Int
	funds  map[string]math.Int
}

// Tick does what is due at a height.
func (b *Bidder) Tick(ctx context.Context, height int64) error {
	p, models, err := b.chain.Serves(ctx, b.cfg.Participant)
	if errors.Is(err, chain.ErrNotFound) {
		return nil // it has not joined yet
	}
	if err != nil {
		return err
	}
	s := &standing{
		height: height, p: p, models: models, bids: map[uint64]bool{}, funds: map[string]math.Int{},
		places: int(p.Concurrency) - int(p.Active), bond: p.Bond.Sub(p.Locked),
	}
	over, err := b.review(ctx, s)
	if err != nil {
		return err
	}
	b.withdraw(over, height)
	if err := b.sweep(ctx, s); err != nil {
		return err
	}
	if p.Jailed() {
		return nil
	}
	for _, model := range models {
		if err := b.look(ctx, s, model); err != nil {
			return err
		}
	}
	return nil
}

// review looks at the bids on the chain: it reveals, counts what they may still take of places and bond, and returns those that are over.
func (b *Bidder) review(ctx context.Context, s *standing) (over []uint64, err error) {
	ours := map[uint64]bool{}
	err = b.chain.EachAssigned(ctx, b.cfg.Participant, func(v taskstypes.TaskView) error {
		ours[v.Task.Id] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	promised := 0
	err = b.chain.EachBid(ctx, b.cfg.Participant, func(v auctionstypes.BidView) error {
		task := v.Bid.Task
		s.bids[task] = true
		switch {
		case v.Withdrawable:
			over = append(over, task)
			return nil
		case ours[task]:
			return nil // it has its place
		}
		promised++
		s.places--
		if v.Bid.Sealed() {
			return b.reveal(ctx, s, v.Bid)
		}
		return nil
	})
	if err == nil && b.cfg.Metrics != nil {
		b.cfg.Metrics.Bids(promised, len(over))
	}
	return over, err
}

// errEnough ends a listing.
var errEnough = errors.New("no place is left")

// look bids on auctions of a model.
func (b *Bidder) look(ctx context.Context, s *standing, model string) error {
	if s.places <= 0 {
		return nil
	}
	err := b.chain.EachOpen(ctx, model, func(v taskstypes.TaskView) error {
		if s.places <= 0 {
			return errEnough
		}
		if s.bids[v.Task.Id] || !s.fits(v) {
			return nil
		}
		return b.bid(ctx, s, v.Task)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// fits tells whether the participant may bid on a task, as far as it can tell.
func (s *standing) fits(v taskstypes.TaskView) bool {
	t := v.Task
	return t.Auctioned() && t.TakesComers(v.Status) && t.Auction != nil && s.height < t.Auction.BidUntil &&
		t.Requirements.Unmet(s.p) == nil && s.bond.GTE(t.Lock)
}

// check is whether all that a task is computed from can be had.
type check struct {
	done  chan struct{}
	err   error // once done
	again int64 // height from which it is tried again
	until int64 // height at which nobody bids any more
}

func (c *check) running() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// has tells whether all that a task is computed from is here. Where it is not it is being fetched, a few tasks at a time.
func (b *Bidder) has(ctx context.Context, height int64, task taskstypes.Task) bool {
	if !task.ByCid {
		return true
	}
	if b.cfg.Check == nil {
		return false
	}
	c := b.checks[task.Id]
	switch {
	case c != nil && c.running():
		return false
	case c != nil && c.err == nil:
		return true
	case c != nil && height < c.again:
		return false
	}
	running := 0
	for _, other := range b.checks {
		if other.running() {
			running++
		}
	}
	if running >= maxChecks {
		return false
	}
	if c != nil {
		b.log.Info("inputs cannot be had", "task", task.Id, "error", c.err)
	}
	c = &check{done: make(chan struct{}), again: height + checkEvery, until: task.Auction.BidUntil}
	b.checks[task.Id] = c
	go func() {
		defer close(c.done)
		ctx, cancel := context.WithTimeout(ctx, checkFor)
		defer cancel()
		c.err = b.cfg.Check(ctx, task)
	}()
	return false
}

// bid makes or seals a bid, where the task pays for it, the deposit is there, and so is all that it is computed from.
func (b *Bidder) bid(ctx context.Context, s *standing, task taskstypes.Task) error {
	terms, err := b.chain.AuctionTerms(ctx, task.Id)
	if errors.Is(err, chain.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	ask, pays := b.cfg.Price.Ask(task, terms)
	if !pays {
		return nil
	}
	funds, known := s.funds[terms.Deposit.Denom]
	if !known {
		if funds, err = b.chain.Balance(ctx, b.cfg.Participant, terms.Deposit.Denom); err != nil {
			return err
		}
	}
	s.funds[terms.Deposit.Denom] = funds
	if funds.LT(terms.Deposit.Amount) {
		if s.height >= b.poor {
			b.poor = s.height + quiet
			b.log.Warn("no coins for the deposit of a bid", "task", task.Id, "deposit", terms.Deposit, "balance", funds)
		}
		return errEnough
	}
	if !b.has(ctx, s.height, task) {
		return nil
	}
	it := chain.Bid(task.Id, ask, terms.BidUntil)
	if terms.Sealed {
		// On disk before it is sent: what was sealed is revealed, whatever this process asks after a restart.
		kept, err := b.book.PutBid(journal.Bid{Task: task.Id, Price: ask, Salt: b.salt(task.Id)})
		if err != nil {
			return fmt.Errorf("write down the bid on task %d: %w", task.Id, err)
		}
		ask = kept.Price
		commitment := b.commitment(kept)
		it = chain.SealBid(task.Id, commitment[:], terms.BidUntil)
	}
	s.funds[terms.Deposit.Denom] = funds.Sub(terms.Deposit.Amount)
	s.places--
	s.bond = s.bond.Sub(terms.Lock)
	if b.out.Enqueue(it, s.height) {
		b.log.Info("bidding", "task", task.Id, "model", task.Model, "units", task.Units, "price", ask, "ceiling", terms.Ceiling, "sealed", terms.Sealed)
	}
	return nil
}

func (b *Bidder) salt(task uint64) commit.Hash {
	return commit.Salt(b.cfg.Secret, b.chain.ChainID(), task, string(journal.Bidder))
}

func (b *Bidder) commitment(bid journal.Bid) [32]byte {
	return auctionstypes.Commitment(b.chain.ChainID(), bid.Task, b.cfg.Participant, bid.Price, bid.Salt)
}

// reveal opens a sealed bid once that is due, and sets aside the bond that a revealed one locks.
func (b *Bidder) reveal(ctx context.Context, s *standing, on auctionstypes.Bid) error {
	terms, err := b.chain.AuctionTerms(ctx, on.Task)
	if err != nil {
		return err
	}
	s.bond = s.bond.Sub(terms.Lock)
	if s.height <= terms.BidUntil || s.height >= terms.RevealUntil {
		return nil
	}
	bid, err := b.opening(ctx, on, terms)
	switch {
	case err != nil:
		return err
	case bid == nil:
		if !b.warned[on.Task] {
			b.warned[on.Task] = true
			b.log.Error("a sealed bid cannot be opened: the journal does not have it, and it is not this key's at today's price; its deposit will be lost", "task", on.Task)
		}
		return nil
	}
	if b.out.Enqueue(chain.RevealBid(on.Task, bid.Price, bid.Salt[:], terms.RevealUntil), s.height) {
		b.log.Info("revealing a bid", "task", on.Task, "price", bid.Price)
	}
	return nil
}

// opening is what opens a sealed bid: what the journal has, or today's price; nil where neither was committed.
func (b *Bidder) opening(ctx context.Context, on auctionstypes.Bid, terms auctionstypes.Terms) (*journal.Bid, error) {
	opens := func(bid journal.Bid) bool {
		c := b.commitment(bid)
		return bytes.Equal(c[:], on.Commitment)
	}
	bid, err := b.book.Bid(on.Task)
	if err == nil && opens(bid) {
		return &bid, nil
	}
	if err != nil && !errors.Is(err, journal.ErrNotFound) {
		return nil, err
	}
	v, err := b.chain.Task(ctx, on.Task)
	if err != nil {
		return nil, err
	}
	ask, _ := b.cfg.Price.Ask(v.Task, terms)
	if bid = (journal.Bid{Task: on.Task, Price: ask, Salt: b.salt(on.Task)}); opens(bid) {
		return &bid, nil
	}
	return nil, nil
}

// withdraw takes deposits back: every few blocks, or once a message is full.
func (b *Bidder) withdraw(over []uint64, height int64) {
	if len(over) == 0 || len(over) < b.cfg.MaxBatch && height < b.withdrawn+withdrawEvery {
		return
	}
	over = over[:min(len(over), b.cfg.MaxBatch)]
	if b.out.Enqueue(chain.WithdrawBids(over, height+patience), height) {
		b.withdrawn = height
		b.log.Info("taking deposits back", "bids", len(over))
	}
}

// sweepBids is how many records are looked at in a block at most.
const sweepBids = 100

// sweep drops the records of bids that need no opening any more.
func (b *Bidder) sweep(ctx context.Context, s *standing) error {
	if s.height < b.swept+withdrawEvery {
		return nil
	}
	b.swept = s.height
	maps.DeleteFunc(b.checks, func(_ uint64, c *check) bool { return s.height >= c.until && !c.running() })
	tasks, err := b.book.Tasks(journal.Bidder, 0, sweepBids)
	if err != nil {
		return err
	}
	for _, task := range tasks {
		terms, err := b.chain.AuctionTerms(ctx, task)
		if err != nil && !errors.Is(err, chain.ErrNotFound) {
			return err
		}
		if err == nil && s.height <= terms.RevealUntil {
			continue
		}
		if err := b.book.Delete(journal.Bidder, task); err != nil {
			return err
		}
		delete(b.warned, task)
	}
	return nil
}
