package chain

import (
	"context"
	"slices"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
)

func (s *Sender) rebroadcast(ctx context.Context, height int64) {
	for _, tx := range s.pending {
		if tx.included > 0 {
			continue
		}
		tx.cast = height
		if _, err := s.node.Broadcast(ctx, tx.bytes); err != nil {
			s.log.Warn("broadcast again", "error", err)
			return
		}
	}
}

func (s *Sender) awaitsResult() bool {
	return slices.ContainsFunc(s.pending, func(tx *pendingTx) bool { return tx.included > 0 })
}

// resultBlocks is how long the result of an included transaction is asked for; indexing lags behind the block.
const resultBlocks = 2

// settle decides what became of pending transactions. The committed sequence tells whether one was included, whatever a mempool or
// an index says; once a block at its timeout height is committed without it, it never will be.
func (s *Sender) settle(ctx context.Context, height int64) {
	s.forget(height)
	if len(s.pending) == 0 {
		s.settled = height
		if s.resync {
			s.resync, s.known = false, false
		}
		return
	}
	acc, err := s.node.Account(ctx, s.signer.Address())
	if err != nil {
		s.log.Warn("account", "error", err)
		return
	}
	s.settled = height
	open := s.pending[:0]
	again := false
	for _, tx := range s.pending {
		if tx.included == 0 && tx.sequence < acc.Sequence {
			tx.included = max(acc.Height, height, 1)
		}
		switch {
		case tx.included > 0:
			if !s.result(ctx, tx, height) {
				open = append(open, tx)
			}
		case acc.Height >= tx.timeout:
			s.release(tx.items, Outcome{Status: Expired, Height: acc.Height}, nil)
			s.resync = true
		default:
			again = again || height-tx.cast >= s.cfg.RebroadcastBlocks
			open = append(open, tx)
		}
	}
	clear(s.pending[len(open):])
	s.pending = open
	if again {
		s.rebroadcast(ctx, height)
	}
	if s.resync && len(s.pending) == 0 {
		s.resync, s.known = false, false
	}
}

// result looks up what an included transaction did and releases its items; false: ask again.
func (s *Sender) result(ctx context.Context, tx *pendingTx, height int64) bool {
	res, err := s.node.Tx(ctx, tx.hash)
	if err != nil {
		if height-tx.included < resultBlocks {
			return false
		}
		s.release(tx.items, Outcome{Status: Unknown, Reason: err.Error(), Height: tx.included}, nil)
		return true
	}
	if res.Code != 0 {
		if is(res, sdkerrors.ErrOutOfGas.ABCICode()) {
			s.boostGas()
		}
		if s.separate(tx.items) {
			return true
		}
		s.log.Error("transaction failed", "code", res.Code, "codespace", res.Codespace, "log", res.Log, "gas_used", res.GasUsed)
		s.release(tx.items, Outcome{Status: Refused, Reason: res.Log, Height: res.Height}, nil)
		return true
	}
	if tx.items[0].item.Kind.company() != withSeals {
		s.release(tx.items, Outcome{Status: Accepted, Height: res.Height}, nil)
		return true
	}
	items := make([]Item, len(tx.items))
	for i, q := range tx.items {
		items[i] = q.item
	}
	v, err := verdicts(items, res.Data)
	if err != nil {
		s.log.Error("transaction result", "error", err)
	}
	s.release(tx.items, Outcome{Status: Unknown, Height: res.Height}, v)
	return true
}

// forget drops what is only needed against stale views and immediate repetition.
func (s *Sender) forget(height int64) {
	const keep = 64
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, r := range s.last {
		if height-max(r.height, r.resume) > keep {
			delete(s.last, id)
		}
	}
}
