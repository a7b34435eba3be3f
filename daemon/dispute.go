package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"poaid/commit"
	"poaid/daemon/agent"
	"poaid/daemon/challenger"
	"poaid/daemon/executor"
	"poaid/daemon/journal"
	taskstypes "poaid/x/tasks/types"
)

// newChallenger makes the part that argues. It shares the executor's models, the sender and what the journal says of own results.
func (d *daemon) newChallenger(runs challenger.Runs, secret []byte) (*challenger.Challenger, error) {
	return challenger.New(challenger.Config{
		Participant: d.signer.Operator(), Secret: secret, WatchRate: d.cfg.WatchRate, Models: d.cfg.WatchModels, MaxAttacks: d.cfg.MaxAttacks,
		MemoryBytes: d.cfg.DisputeBytes, Produce: d.cfg.Produce, Known: d.known,
		Logger: d.log.With("part", "challenger"), Metrics: d.metrics.Disputes(),
	}, d.client, d.client, runs, d.notes, d.sender)
}

// known is a root that this participant has computed as a worker or as a member.
func (d *daemon) known(task uint64) (commit.Hash, bool) {
	for _, role := range []journal.Role{journal.Worker, journal.Verifier} {
		if rec, err := d.book.Get(role, task); err == nil {
			return rec.ResultRoot, true
		}
	}
	return commit.Hash{}, false
}

// lacking tells the challenger of runs that failed, so that missing bytes are demanded in time.
type lacking struct {
	executor.Runner
	dispute *challenger.Challenger
}

// Run implements executor.Runner.
func (l lacking) Run(ctx context.Context, task taskstypes.Task) (executor.Result, error) {
	res, err := l.Runner.Run(ctx, task)
	if err != nil && ctx.Err() == nil {
		l.dispute.Lacks(task.Id, err)
	}
	return res, err
}

// disputes tells whether to dispute: an older chain may have no such module, and its workers go on without.
func (d *daemon) disputes(ctx context.Context) (bool, error) {
	if !d.cfg.Dispute {
		return false, nil
	}
	type answer struct{ err error }
	a, err := patiently(ctx, d.log, func() (answer, error) {
		_, _, err := d.client.DisputesParams(ctx)
		if unimplemented(err) {
			return answer{err}, nil
		}
		return answer{}, err
	})
	switch {
	case err != nil:
		return false, err
	case a.err == nil:
		return true, nil
	case !d.cfg.Work && !d.cfg.Verify:
		return false, fmt.Errorf("this chain has no disputes: %w", a.err)
	}
	d.log.Warn("this chain has no disputes: results are not defended")
	return false, nil
}

// work runs the agent, the challenger, the sprinter and so on, those that there are, until the first of them ends.
func (d *daemon) work(ctx context.Context, heights <-chan int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var parts []chan int64
	ended := make(chan error, 8)
	start := func(run func(context.Context, <-chan int64) error) {
		part := make(chan int64, 1)
		parts = append(parts, part)
		wg.Go(func() {
			defer cancel()
			ended <- run(ctx, part)
		})
	}
	if d.agent != nil {
		start(d.agent.Run)
	}
	if d.dispute != nil {
		start(d.dispute.Run)
	}
	if d.sprints != nil {
		start(d.sprints.Run)
	}
	if d.finish != nil {
		start(d.finish.Run)
	}
	if d.key != nil {
		start(d.ensureKey)
	}
	if d.bids != nil {
		start(d.bids.Run)
	}
	start(d.warden.Run)
	ended <- d.relay(ctx, heights, parts)
	cancel()
	wg.Wait()
	close(ended)
	for err := range ended {
		if !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return context.Canceled
}

// ensureKey sees to it that the chain has the worker's VRF key. Failing to is no reason to stop: no error is forced until then.
func (d *daemon) ensureKey(ctx context.Context, heights <-chan int64) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case h := <-heights:
			if err := d.key.Ensure(ctx, h); err != nil && ctx.Err() == nil {
				d.log.Warn("looking for the VRF key failed", "error", err)
			}
		}
	}
}

// relay hands every part the newest height; one that is busy misses heights in between.
func (d *daemon) relay(ctx context.Context, heights <-chan int64, parts []chan int64) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case h, ok := <-heights:
			if !ok {
				return context.Canceled
			}
			d.sender.Advance(h)
			for _, part := range parts {
				select {
				case <-part: // an older one that nobody has taken
				default:
				}
				part <- h
			}
		}
	}
}

// health is the agent's, or the challenger's where there is no agent; an error of either counts.
func (d *daemon) health() agent.Health {
	var h agent.Health
	if d.agent != nil {
		h = d.agent.Health()
	}
	if d.sprints != nil {
		if s := d.sprints.Health(); h.Error == "" && s.Error != "" {
			h.Error = "sprints: " + s.Error
		}
	}
	if d.dispute == nil {
		return h
	}
	c := d.dispute.Health()
	if d.agent == nil {
		h.Height, h.LastBlock = c.Height, c.LastBlock
		h.ItemsQueued, h.ItemsSent = d.sender.Busy()
	}
	if h.Error == "" && c.Error != "" {
		h.Error = "disputes: " + c.Error
	}
	return h
}
