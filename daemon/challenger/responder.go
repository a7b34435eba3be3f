package challenger

import (
	"cmp"
	"fmt"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/daemon/chain"
)

// repeatAfter is after how many blocks a restarted process sends again what the one before it had handed over: most is in a block by
// then, and a move made for an older position is refused anyway.
const repeatAfter = 2

// send hands a message to the sender, unless it is on its way. What the process before this one sent is left alone for a moment. deadline
// 0: none. It reports whether the message was handed over.
func (c *Challenger) send(msg sdk.Msg, deadline, asOf int64) (bool, error) {
	it, err := chain.Dispute(msg, deadline)
	if err != nil {
		return false, err
	}
	id := it.ID()
	what := fmt.Sprintf("%s/%s", id.Kind, id.Of)
	c.mu.Lock()
	ours := c.handed[id]
	c.mu.Unlock()
	if !ours {
		at, err := c.book.Sent(id.Task, what)
		if err != nil {
			return false, err
		}
		if at > 0 && asOf < at+repeatAfter && (deadline == 0 || asOf+repeatAfter < deadline) {
			return false, nil
		}
		if err := c.book.PutSent(id.Task, what, asOf); err != nil {
			return false, err
		}
		c.mu.Lock()
		c.handed[id] = true
		c.mu.Unlock()
	}
	if !c.out.Enqueue(it, asOf) {
		return false, nil
	}
	c.cfg.Metrics.Acted(id.Kind.String())
	return true, nil
}

// attack is an attack that somebody may want to make, with what it would put up.
type attack struct {
	msg   sdk.Msg
	task  uint64
	who   string
	stake uint64
}

// attackCheapest makes the attacks that were found worthwhile since the last block, the cheapest first, as far as the bound allows. What
// is left over is found again.
func (c *Challenger) attackCheapest(h int64) {
	c.mu.Lock()
	found := c.attacks
	c.attacks = nil
	left := c.cfg.MaxAttacks
	for _, a := range c.affairs {
		left -= a.attacking
	}
	c.mu.Unlock()
	slices.SortStableFunc(found, func(a, b attack) int {
		return cmp.Or(cmp.Compare(a.stake, b.stake), cmp.Compare(a.task, b.task))
	})
	for _, a := range found {
		if left <= 0 {
			c.log.Warn("more claims to attack than max-attacks allows", "left", len(found))
			return
		}
		sent, err := c.send(a.msg, 0, h)
		if err != nil {
			c.log.Warn(fmt.Sprintf("task %d: attack", a.task), "error", err)
		}
		if sent {
			left--
			c.log.Info(fmt.Sprintf("task %d: attacking the claim of %s", a.task, a.who), "stake", a.stake)
		}
	}
}
