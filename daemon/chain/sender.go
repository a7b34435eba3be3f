package chain

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
)

// GasPolicy says how much gas a transaction gets.
type GasPolicy struct {
	// Simulate asks the node first; Base and PerItem are then used only where simulation fails.
	Simulate bool
	Base     uint64
	PerItem  uint64
	// Adjustment multiplies what simulation says.
	Adjustment float64
}

// DefaultGas simulates with half as much again, and otherwise assumes a generous amount an item.
var DefaultGas = GasPolicy{Simulate: true, Base: 150_000, PerItem: 120_000, Adjustment: 1.5}

// SenderConfig configures a Sender. Zero values take the defaults named.
type SenderConfig struct {
	GasPrices sdk.DecCoins
	Gas       GasPolicy
	// MaxBatch bounds the items of one kind in a transaction: the chain's max_batch. 100.
	MaxBatch int
	// MaxBytes bounds the items' encoded size in a transaction. 256 KiB.
	MaxBytes int
	// LaneBatch bounds the dispute messages, and the bids, of one transaction, LaneBytes their size. One that fails fails all, and then each is sent
	// on its own. 8, 56 KiB.
	LaneBatch, LaneBytes int
	// Linger is how long an item waits for company. 0: none.
	Linger time.Duration
	// MaxInFlight bounds transactions whose fate is not known yet. 8.
	MaxInFlight int
	// TimeoutBlocks is for how many blocks a transaction may be included; after that its fate is certain. 10.
	TimeoutBlocks int64
	// RebroadcastBlocks is how often a pending transaction is handed in again. 2.
	RebroadcastBlocks int64
	// MinBackoff and MaxBackoff bound the pause after a failure. 200 ms, 10 s.
	MinBackoff, MaxBackoff time.Duration
	Logger                 *slog.Logger
	// Observe, if set, is told the outcome of every item.
	Observe func(Outcome)
}

// Outcome is what became of an item.
type Outcome struct {
	ID       ID
	Status   OutcomeStatus
	Reason   string // why it was refused
	Height   int64
	Attempts int
}

// OutcomeStatus says how an item ended. In every case the state of the chain is what counts.
type OutcomeStatus string

// Outcomes.
const (
	Accepted OutcomeStatus = "accepted" // executed and accepted
	Refused  OutcomeStatus = "refused"  // executed or checked, and refused
	Unknown  OutcomeStatus = "unknown"  // executed, but the node does not tell the result
	Expired  OutcomeStatus = "expired"  // never included in time
	Late     OutcomeStatus = "late"     // not sent: its deadline had passed
)

// Sender batches items into transactions of one signer. Only one Sender may use a key at a time for sequences to be predicted;
// others merely slow it down. Enqueue and Advance may be called from anywhere, Run from one goroutine.
type Sender struct {
	node   Node
	signer *Signer
	cfg    SenderConfig
	log    *slog.Logger
	wake   chan struct{}

	mu     sync.Mutex
	queue  map[ID]queued
	held   map[ID]bool   // in a transaction whose fate is open
	last   map[ID]recent // how items ended that were sent lately
	height int64

	// Only Run's goroutine touches what follows.
	account   Account
	known     bool // account is up to date
	resync    bool // a transaction expired: wait for the others before the sequence is read again
	pending   []*pendingTx
	settled   int64
	gasBoost  float64
	pause     time.Duration
	notBefore time.Time
	maxBytes  int
}

type queued struct {
	item     Item
	since    time.Time
	attempts int
	alone    bool // it failed in company
}

type recent struct {
	height   int64 // where it ended; older views of the chain do not count
	resume   int64 // not enqueued again before this height
	refusals int
}

type pendingTx struct {
	bytes    []byte
	hash     []byte
	sequence uint64
	timeout  int64
	cast     int64 // height of the last broadcast
	items    []queued
	included int64 // height at which its sequence was seen committed; 0 while open
}

// NewSender returns a sender; Run makes it work.
func NewSender(node Node, signer *Signer, cfg SenderConfig) *Sender {
	setDefault(&cfg.MaxBatch, 100)
	setDefault(&cfg.MaxBytes, 256<<10)
	setDefault(&cfg.LaneBatch, 8)
	setDefault(&cfg.LaneBytes, 56<<10)
	setDefault(&cfg.MaxInFlight, 8)
	setDefault(&cfg.TimeoutBlocks, 10)
	setDefault(&cfg.RebroadcastBlocks, 2)
	setDefault(&cfg.MinBackoff, 200*time.Millisecond)
	setDefault(&cfg.MaxBackoff, 10*time.Second)
	if cfg.Gas == (GasPolicy{}) {
		cfg.Gas = DefaultGas
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Sender{
		node: node, signer: signer, cfg: cfg, log: cfg.Logger, wake: make(chan struct{}, 1), gasBoost: 1, maxBytes: cfg.MaxBytes,
		queue: map[ID]queued{}, held: map[ID]bool{}, last: map[ID]recent{},
	}
}

func setDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Enqueue takes an item that is missing on the chain as seen at height asOf. It reports false when there is nothing to do: the item
// is on its way, or ended at a later height than the caller has seen, or was refused just now.
func (s *Sender) Enqueue(it Item, asOf int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := it.ID()
	if _, ok := s.queue[id]; ok || s.held[id] {
		return false
	}
	if r, ok := s.last[id]; ok && (asOf <= r.height || asOf < r.resume) {
		return false
	}
	s.queue[id] = queued{item: it, since: time.Now(), alone: it.Kind == KindSetVRFKey}
	s.signal()
	return true
}

// Advance tells of a new height.
func (s *Sender) Advance(height int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.height = max(s.height, height)
	s.signal()
}

// Busy returns how many items wait or are on their way.
func (s *Sender) Busy() (waiting, inFlight int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue), len(s.held)
}

func (s *Sender) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends and settles until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	for {
		timer := time.NewTimer(s.sleep())
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
		s.Step(ctx)
	}
}

// Step does what can be done now; Run calls it whenever something may have changed.
func (s *Sender) Step(ctx context.Context) {
	s.mu.Lock()
	height := s.height
	s.mu.Unlock()
	if height > s.settled || s.awaitsResult() {
		s.settle(ctx, height)
	}
	for height > 0 && !s.resync && len(s.pending) < s.cfg.MaxInFlight && !time.Now().Before(s.notBefore) {
		batch := s.take(height)
		if len(batch) == 0 || ctx.Err() != nil {
			s.giveBack(batch)
			return
		}
		if !s.send(ctx, batch, height) {
			return
		}
	}
}

// sleep is how long Run may wait for a signal.
func (s *Sender) sleep() time.Duration {
	waiting, _ := s.Busy()
	switch {
	case s.awaitsResult():
		return 100 * time.Millisecond
	case waiting > 0:
		return max(time.Until(s.notBefore), s.cfg.Linger/2, 10*time.Millisecond)
	}
	return time.Second
}

// take moves the most urgent items from the queue into a batch, if they have waited long enough or fill one. Items of disputes do not
// mix with others, nor do bids, those of sprints with none at all, and none of them waits for company.
func (s *Sender) take(height int64) []queued {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]queued, 0, len(s.queue))
	var counts [numKinds]int
	ripe := map[company]bool{}
	for id, q := range s.queue {
		if q.item.Deadline > 0 && q.item.Deadline <= height { // the next block is too late already
			delete(s.queue, id)
			s.end(q, Outcome{Status: Late, Height: height})
			continue
		}
		all = append(all, q)
		counts[id.Kind]++
		if id.Kind.company() != withSeals || counts[id.Kind] >= s.cfg.MaxBatch || time.Since(q.since) >= s.cfg.Linger {
			ripe[id.Kind.company()] = true
		}
	}
	all = slices.DeleteFunc(all, func(q queued) bool { return !ripe[q.item.Kind.company()] })
	slices.SortFunc(all, func(a, b queued) int {
		return cmp.Or(cmp.Compare(a.item.Kind, b.item.Kind), cmp.Compare(a.item.Deadline, b.item.Deadline), cmp.Compare(a.item.Task, b.item.Task),
			cmp.Compare(a.item.Of, b.item.Of))
	})
	if len(all) == 0 {
		return nil
	}
	with := all[0].item.Kind.company()
	maxItems, maxBytes := math.MaxInt, s.maxBytes
	if with.together() {
		maxItems, maxBytes = s.cfg.LaneBatch, min(s.maxBytes, s.cfg.LaneBytes)
	}
	if all[0].alone || with == withNone {
		maxItems = 1
	}
	var batch []queued
	counts = [numKinds]int{}
	size := 0
	for _, q := range all {
		k := q.item.Kind
		joins := len(batch) > 0
		if k.company() != with || counts[k] == s.cfg.MaxBatch || len(batch) == maxItems || joins && (q.alone || size+q.item.size > maxBytes) {
			continue
		}
		counts[k]++
		size += q.item.size
		q.attempts++
		batch = append(batch, q)
		delete(s.queue, q.item.ID())
		s.held[q.item.ID()] = true
	}
	return batch
}

// giveBack returns items to the queue, to be sent again as they are.
func (s *Sender) giveBack(batch []queued) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range batch {
		delete(s.held, q.item.ID())
		s.queue[q.item.ID()] = q
	}
}

// separate returns items of disputes, or bids, that failed together to the queue, to be sent one by one; false: there is nothing to separate.
func (s *Sender) separate(batch []queued) bool {
	if len(batch) < 2 || !batch[0].item.Kind.company().together() {
		return false
	}
	for i := range batch {
		batch[i].alone = true
	}
	s.giveBack(batch)
	return true
}

// release ends items: from now on they are only sent again if the state of the chain says that they are missing.
func (s *Sender) release(batch []queued, o Outcome, verdicts map[ID]verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range batch {
		id := q.item.ID()
		delete(s.held, id)
		out := o
		if v, ok := verdicts[id]; ok && v.accepted {
			out.Status = Accepted
		} else if ok {
			out.Status, out.Reason = Refused, v.reason
		}
		r := recent{height: out.Height}
		if out.Status == Refused {
			r.refusals = min(s.last[id].refusals+1, 5)
			r.resume = out.Height + 1<<r.refusals                                                 // 2, 4 … 32 blocks
			if c := id.Kind.company(); c == withMoves || c == withNone && id.Kind != KindUnjail { // clocks and windows run
				r.resume = out.Height + 1
			}
		}
		s.last[id] = r
		s.end(q, out)
	}
}

// end reports an outcome; the lock is held.
func (s *Sender) end(q queued, o Outcome) {
	o.ID, o.Attempts = q.item.ID(), q.attempts
	if o.Status == Accepted {
		s.log.Debug("item accepted", "kind", o.ID.Kind, "task", o.ID.Task, "height", o.Height)
	} else {
		s.log.Warn("item not accepted", "kind", o.ID.Kind, "task", o.ID.Task, "status", string(o.Status), "reason", o.Reason, "height", o.Height)
	}
	if s.cfg.Observe != nil {
		s.cfg.Observe(o)
	}
}

func (s *Sender) backoff(why string, err error) {
	s.pause = min(max(2*s.pause, s.cfg.MinBackoff), s.cfg.MaxBackoff)
	s.notBefore = time.Now().Add(s.pause)
	s.log.Warn("sending is held back", "why", why, "error", err, "pause", s.pause)
}

// send signs and broadcasts one batch; it reports whether the next one may follow at once.
func (s *Sender) send(ctx context.Context, batch []queued, height int64) bool {
	if !s.known {
		acc, err := s.node.Account(ctx, s.signer.Address())
		if err != nil {
			s.giveBack(batch)
			s.backoff("account", err)
			return false
		}
		s.account, s.known = acc, true
	}
	items := make([]Item, len(batch))
	for i, q := range batch {
		items[i] = q.item
	}
	msgs := messages(s.signer.Operator(), items)
	opt := TxOptions{Account: s.account, GasPrices: s.cfg.GasPrices, ChainID: s.node.ChainID(), TimeoutHeight: uint64(height + s.cfg.TimeoutBlocks)}
	var err error
	if opt.Gas, err = s.gas(ctx, msgs, items, opt); err != nil {
		var refused *refusedError
		if errors.As(err, &refused) {
			if !s.separate(batch) {
				s.release(batch, Outcome{Status: Refused, Reason: refused.reason, Height: height}, nil)
			}
			return true
		}
		s.giveBack(batch)
		if !s.wrongSequence(ctx, err.Error(), height) {
			s.backoff("simulate", err)
		}
		return false
	}
	raw, err := s.signer.Sign(ctx, msgs, opt)
	if err != nil {
		s.giveBack(batch)
		s.backoff("sign", err)
		return false
	}
	hash := sha256.Sum256(raw)
	tx := &pendingTx{bytes: raw, hash: hash[:], sequence: s.account.Sequence, timeout: int64(opt.TimeoutHeight), cast: height, items: batch}
	res, err := s.node.Broadcast(ctx, raw)
	if err != nil {
		// It may or may not have arrived. Until that is known it holds its place in the sequence.
		s.track(tx)
		s.backoff("broadcast", err)
		return false
	}
	return s.judge(ctx, tx, res, height)
}

func (s *Sender) track(tx *pendingTx) {
	s.pending = append(s.pending, tx)
	s.account.Sequence++
}

// judge acts on what the mempool says to a new transaction, and reports whether the next batch may follow at once.
func (s *Sender) judge(ctx context.Context, tx *pendingTx, res TxResult, height int64) bool {
	refusal := fmt.Errorf("%s %d: %s", res.Codespace, res.Code, res.Log)
	switch {
	case res.Code == 0 || is(res, sdkerrors.ErrTxInMempoolCache.ABCICode()):
		s.track(tx)
		s.pause = 0
		return true
	case is(res, sdkerrors.ErrWrongSequence.ABCICode()):
		s.giveBack(tx.items)
		s.wrongSequence(ctx, res.Log, height)
		return time.Now().After(s.notBefore)
	case is(res, sdkerrors.ErrMempoolIsFull.ABCICode()):
		s.giveBack(tx.items)
		s.backoff("mempool is full", refusal)
	case is(res, sdkerrors.ErrTxTooLarge.ABCICode()) && len(tx.items) > 1:
		s.giveBack(tx.items)
		s.maxBytes = max(len(tx.bytes)/2, 1024)
		s.log.Warn("batches are made smaller", "bytes", s.maxBytes)
		return true
	case is(res, sdkerrors.ErrOutOfGas.ABCICode()):
		s.giveBack(tx.items)
		s.boostGas()
		s.backoff("gas", refusal)
	case s.separate(tx.items):
		s.known = len(s.pending) > 0 && s.known
		s.backoff("transaction refused", refusal)
	default:
		// Fees, funds, grants: nothing a retry within the block would change.
		s.release(tx.items, Outcome{Status: Refused, Reason: refusal.Error(), Height: height}, nil)
		s.known = len(s.pending) > 0 && s.known
		s.backoff("transaction refused", refusal)
	}
	return false
}

func is(res TxResult, code uint32) bool {
	return res.Code == code && res.Codespace == sdkerrors.RootCodespace
}

func (s *Sender) boostGas() { s.gasBoost = min(s.gasBoost*1.5, 5) }

// refusedError is what the chain says of messages that it would not execute.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return e.reason }

// gas decides on the gas limit. An error means that the node could not be asked, refuses the transaction's sequence, or (refusedError)
// refuses a message of disputes, sprints or auctions. Those depend on nothing that is still on its way, so a refusal is final, and saves the fee.
func (s *Sender) gas(ctx context.Context, msgs []sdk.Msg, items []Item, opt TxOptions) (uint64, error) {
	fixed := uint64(float64(s.cfg.Gas.Base+s.cfg.Gas.PerItem*uint64(len(items))) * s.gasBoost)
	if !s.cfg.Gas.Simulate {
		return fixed, nil
	}
	opt.Gas = 0
	raw, err := s.signer.ForSimulation(msgs, opt)
	if err != nil {
		return 0, err
	}
	used, err := s.node.Simulate(ctx, raw)
	switch {
	case err == nil:
		return uint64(math.Ceil(float64(used) * s.cfg.Gas.Adjustment * s.gasBoost)), nil
	case sequencePattern.MatchString(err.Error()) || unreachable(err):
		return 0, err
	case items[0].Kind.company() != withSeals:
		return 0, &refusedError{err.Error()}
	}
	s.log.Warn("simulation failed, gas is assumed", "error", err, "gas", fixed)
	return fixed, nil
}

var sequencePattern = regexp.MustCompile(`account sequence mismatch, expected (\d+), got (\d+)`)

// wrongSequence corrects the sequence from what the node expects; it reports false when text is about something else.
func (s *Sender) wrongSequence(ctx context.Context, text string, height int64) bool {
	m := sequencePattern.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	expected, err := strconv.ParseUint(m[1], 10, 64)
	if err != nil {
		return false
	}
	s.log.Info("sequence corrected", "expected", expected, "had", s.account.Sequence, "pending", len(s.pending))
	if expected < s.account.Sequence && len(s.pending) > 0 {
		// The mempool has lost what we sent (or another node does not have it yet): hand it in again, in order.
		s.rebroadcast(ctx, height)
		s.backoff("sequence", errors.New(m[0]))
		return true
	}
	s.account.Sequence = expected
	if s.pause > 0 { // the second correction in a row waits
		s.backoff("sequence", errors.New(m[0]))
	}
	s.pause = max(s.pause, time.Nanosecond)
	return true
}
