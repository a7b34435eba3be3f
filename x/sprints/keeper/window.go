package keeper

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"cosmossdk.io/collections"

	"poaid/internal/branch"
	"poaid/sprint"
	poaitypes "poaid/x/poai/types"
	"poaid/x/sprints/types"
)

// domainCoin separates the coin of a block from other uses of its randomness.
const domainCoin = "poai/sprints/coin/1"

// last reads the window that was opened last; found is false before the first.
func (k Keeper) last(ctx context.Context) (w types.Window, found bool, err error) {
	number, err := k.LastWindow.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return w, false, nil
	}
	if err != nil {
		return w, false, err
	}
	w, err = k.Windows.Get(ctx, number)
	if errors.Is(err, collections.ErrNotFound) { // dropped: it was settled long ago
		return types.Window{Number: number, Phase: types.PHASE_SETTLED}, true, nil
	}
	return w, err == nil, err
}

// tossCoin opens a window if this block's randomness says so. None opens before the one before it is settled, so that there is never more
// than one to settle, however many commit.
func (k Keeper) tossCoin(ctx context.Context, params types.Params) error {
	s, err := k.season(ctx)
	if err != nil || params.DutyPpm == 0 || s.Epoch == 0 {
		return err
	}
	w, _, err := k.last(ctx)
	if err != nil || w.Number > 0 && w.Phase != types.PHASE_SETTLED {
		return err
	}
	random, err := k.beacon.Randomness(ctx, height(ctx))
	if err != nil {
		return fmt.Errorf("randomness: %w", err)
	}
	if !heads(random, s.CoinPpm) {
		return nil
	}
	return k.openWindow(ctx, params, s, w.Number+1, random)
}

// heads tells whether a coin with a probability in millionths falls on its head.
func heads(random []byte, ppm uint32) bool {
	sum := sha256.Sum256(append([]byte(domainCoin), random...))
	lot, _ := bits.Mul64(binary.LittleEndian.Uint64(sum[:]), types.PpmOne)
	return lot < uint64(ppm)
}

// openWindow opens a window with the season's model, unless its program must not be used now: what nobody could judge is not asked for.
func (k Keeper) openWindow(ctx context.Context, params types.Params, s types.Season, number uint64, random []byte) error {
	if err := k.tasks.CheckModel(ctx, s.Model); err != nil {
		return err
	}
	l, err := k.layout(ctx, s.Model)
	if err != nil {
		return err
	}
	seeded, err := k.Seeded.Get(ctx, s.Epoch)
	if err != nil {
		return err
	}
	now := height(ctx)
	w := types.Window{
		Number: number, Phase: types.PHASE_OPEN, Epoch: s.Epoch, Model: s.Model, Pool: seeded.Base, Random: random,
		OpenHeight: now, CloseHeight: now + params.WindowBlocks, SettleHeight: now + params.WindowBlocks + params.Delay,
		// Params may have changed since the model was made, or fit a new base only.
		Tokens: min(max(s.Tokens, params.MinTokens), params.MaxTokens, uint32(l.MaxTokens)), // #nosec G115 -- at most 2^12
		Sample: min(params.Sample, uint32(l.Sample)),                                        // #nosec G115 -- at most 2^12
	}
	if w.LeafUnits, err = k.leafUnits(ctx, w.Model, w.Tokens, w.Sample); err != nil {
		return err
	}
	s.Windows++
	s.WindowBlocks += uint64(params.WindowBlocks) // #nosec G115 -- positive
	if err := k.Season.Set(ctx, s); err != nil {
		return err
	}
	if err := k.LastWindow.Set(ctx, number); err != nil {
		return err
	}
	if err := k.Windows.Set(ctx, number, w); err != nil {
		return err
	}
	return emit(ctx, &types.EventWindowOpened{Window: number, Model: w.Model, Tokens: w.Tokens, CloseHeight: w.CloseHeight})
}

// leafUnits are the units of a leaf: a part of those of an audit's run.
func (k Keeper) leafUnits(ctx context.Context, model string, tokens, sample uint32) (uint64, error) {
	units, _, err := k.models.RunUnits(ctx, model, uint64(tokens)*uint64(sample), 0)
	return max(units/uint64(sample), 1), err
}

// moveWindow closes the window, waits for the randomness that audits, and settles.
func (k Keeper) moveWindow(ctx context.Context, params types.Params) error {
	w, found, err := k.last(ctx)
	if err != nil || !found || w.Phase == types.PHASE_SETTLED {
		return err
	}
	now := height(ctx)
	if w.Phase == types.PHASE_OPEN && now >= w.CloseHeight {
		w.Phase = types.PHASE_WAITING
		if err := k.Windows.Set(ctx, w.Number, w); err != nil {
			return err
		}
	}
	if w.Phase == types.PHASE_WAITING && now >= w.SettleHeight {
		// Kept with the window: settling may take longer than the beacon remembers.
		if w.AuditRandom, err = k.beacon.Randomness(ctx, w.SettleHeight); err != nil {
			return fmt.Errorf("randomness of height %d: %w", w.SettleHeight, err)
		}
		w.Phase = types.PHASE_SETTLING
		if err := emit(ctx, &types.EventWindowClosed{Window: w.Number}); err != nil {
			return err
		}
	}
	if w.Phase != types.PHASE_SETTLING {
		return nil
	}
	return k.settle(ctx, params, w)
}

// settle decides commits, or opens their audits, in the order of their addresses: at most settles_per_block and audits_per_block.
func (k Keeper) settle(ctx context.Context, params types.Params, w types.Window) error {
	batch, err := k.commitsAfter(ctx, w, int(params.SettlesPerBlock))
	if err != nil {
		return err
	}
	audits := uint32(0)
	for _, c := range batch {
		audited, err := sprint.Audited(w.AuditRandom, w.Number, c.Participant, uint64(c.AuditPpm))
		if err != nil {
			return err
		}
		if audited && audits == params.AuditsPerBlock {
			return k.Windows.Set(ctx, w.Number, w)
		}
		if audited {
			audits++
		}
		if err := k.settleCommit(ctx, params, &w, c, audited); err != nil {
			return err
		}
		w.Cursor = c.Participant
		w.Commits++
		w.Leaves += c.Count
	}
	if len(batch) < int(params.SettlesPerBlock) {
		w.Phase = types.PHASE_SETTLED
		if err := emit(ctx, &types.EventWindowSettled{Window: w.Number, Commits: w.Commits, Leaves: w.Leaves, Audits: w.OpenAudits}); err != nil {
			return err
		}
	}
	return k.Windows.Set(ctx, w.Number, w)
}

// commitsAfter reads the next commits of a window behind its cursor.
func (k Keeper) commitsAfter(ctx context.Context, w types.Window, limit int) (batch []types.Commit, err error) {
	rng := collections.NewPrefixedPairRange[uint64, string](w.Number).StartExclusive(w.Cursor)
	err = k.Commits.Walk(ctx, rng, func(_ CommitKey, c types.Commit) (bool, error) {
		batch = append(batch, c)
		return len(batch) == limit, nil
	})
	return batch, err
}

// settleCommit lets a commit count, or opens its audit. If that fails it is nobody's fault: the commit is void, so that one commit can never
// hold up the others.
func (k Keeper) settleCommit(ctx context.Context, params types.Params, w *types.Window, c types.Commit, audited bool) error {
	next := *w
	cause := branch.Run(ctx, func(ctx context.Context) error {
		if audited {
			return k.openAudit(ctx, params, &next, c)
		}
		return k.decide(ctx, &next, c, verdict{state: types.COMMIT_STATE_CLEAR})
	})
	if cause != nil {
		next = *w
		if err := k.decide(ctx, &next, c, verdict{state: types.COMMIT_STATE_VOID, reason: reason(cause)}); err != nil {
			return err
		}
	}
	*w = next
	return nil
}

// prune drops the oldest window once it is settled, its audits are over and keep_windows later ones were opened: its commits first, a bounded
// number a block. Then the oldest season's model that no window needs goes too.
func (k Keeper) prune(ctx context.Context, params types.Params) error {
	last, err := k.LastWindow.Get(ctx)
	if errors.Is(err, collections.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	oldest, found, err := k.oldest(ctx)
	if err != nil {
		return err
	}
	if !found {
		s, err := k.season(ctx)
		if err != nil {
			return err
		}
		return k.dropSeeded(ctx, s.Epoch)
	}
	if err := k.dropSeeded(ctx, oldest.Epoch); err != nil {
		return err
	}
	if oldest.Phase != types.PHASE_SETTLED || oldest.OpenAudits > 0 || last < oldest.Number+uint64(params.KeepWindows) {
		return nil
	}
	batch, err := k.commitsAfter(ctx, types.Window{Number: oldest.Number}, int(params.SettlesPerBlock))
	if err != nil {
		return err
	}
	for _, c := range batch {
		if err := k.Commits.Remove(ctx, collections.Join(c.Window, c.Participant)); err != nil {
			return err
		}
	}
	oldest.Commits -= uint64(len(batch))
	oldest.Decided -= uint64(len(batch))
	if oldest.Commits > 0 {
		return k.Windows.Set(ctx, oldest.Number, oldest)
	}
	if err := k.Windows.Remove(ctx, oldest.Number); err != nil {
		return err
	}
	return emit(ctx, &types.EventWindowPruned{Window: oldest.Number})
}

// oldest is the oldest window that is kept.
func (k Keeper) oldest(ctx context.Context) (w types.Window, found bool, err error) {
	err = k.Windows.Walk(ctx, nil, func(_ uint64, v types.Window) (bool, error) {
		w, found = v, true
		return true, nil
	})
	return w, found, err
}

// lockKind is what commits lock; the item is the window's number.
const lockKind = poaitypes.LOCK_KIND_SPRINT
