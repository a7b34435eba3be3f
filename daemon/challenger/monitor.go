package challenger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"poaid/daemon/chain"
)

// monitor looks at every block for results that were revealed, and picks those that will be computed again.
type monitor struct {
	chain  Chain
	book   *Book
	secret []byte
	rate   float64
	// back is how far it looks back when it starts without a book.
	back int64
	// perTick bounds the blocks of one scan, so that catching up does not keep games waiting.
	perTick int64
}

// scan looks at the blocks up to height that it has not seen, and reports how many results it saw, and in which tasks bytes are
// demanded.
func (m *monitor) scan(ctx context.Context, height int64) (seen int, demanded []uint64, err error) {
	at, err := m.book.Height()
	if err != nil {
		return 0, nil, err
	}
	if at == 0 {
		at = max(height-m.back, 0)
	}
	for to := min(height, at+m.perTick); at < to; {
		at++
		news, err := m.chain.News(ctx, at)
		if errors.Is(err, chain.ErrNotFound) && at < height {
			// The node has dropped it. Cases are listed in any case; what nobody contests there is out of sight.
			news, err = chain.News{}, nil
		}
		if err != nil {
			return seen, demanded, fmt.Errorf("events of block %d: %w", at, err)
		}
		var picked []uint64
		for _, task := range news.Revealed {
			if m.picks(task) {
				picked = append(picked, task)
			}
		}
		if err := m.book.Advance(at, picked); err != nil {
			return seen, demanded, err
		}
		seen += len(news.Revealed)
		demanded = append(demanded, news.Demanded...)
	}
	return seen, demanded, nil
}

// picks tells whether a task is among those that are watched: by a secret, so that nobody can tell which, and the same after a restart.
func (m *monitor) picks(task uint64) bool {
	if m.rate >= 1 {
		return true
	}
	return float64(m.draw("poai/watch/1", task)>>11)/math.Exp2(53) < m.rate
}

// draw is a number that nobody without the secret can foresee.
func (m *monitor) draw(purpose string, task uint64) uint64 {
	mac := hmac.New(sha256.New, m.secret)
	mac.Write([]byte(purpose))
	mac.Write(binary.LittleEndian.AppendUint64(nil, task))
	return binary.LittleEndian.Uint64(mac.Sum(nil))
}
