package daemon

import (
	"context"
	"fmt"

	"poaid/daemon/bidder"
	"poaid/daemon/executor"
	auctionstypes "poaid/x/auctions/types"
	taskstypes "poaid/x/tasks/types"
)

// newBidder makes the part that asks for tasks that are auctioned; nil where it is not to, or where another shard does.
func (d *daemon) newBidder(ctx context.Context, secret []byte, exec *executor.Executor) (*bidder.Bidder, error) {
	if d.cfg.Bid == nil || d.cfg.Shard > 0 {
		return nil, nil
	}
	params, err := patiently(ctx, d.log, func() (auctionstypes.Params, error) { return d.client.AuctionsParams(ctx) })
	if err != nil {
		return nil, err
	}
	tasks, err := patiently(ctx, d.log, func() (taskstypes.Params, error) { return d.client.TasksParams(ctx) })
	if err != nil {
		return nil, err
	}
	if denom := d.cfg.Bid.Denom; denom != "" && denom != tasks.FeeDenom {
		return nil, fmt.Errorf("bid: the price is in %s, but this chain's fees are in %s", denom, tasks.FeeDenom)
	}
	return bidder.New(bidder.Config{
		Participant: d.signer.Operator(), Secret: secret, Price: *d.cfg.Bid, MaxBatch: int(params.MaxBatch),
		Check: func(ctx context.Context, task taskstypes.Task) error {
			_, release, err := exec.Open(ctx, task)
			if err == nil {
				release()
			}
			return err
		},
		Logger: d.log.With("part", "bidder"), Metrics: d.metrics,
	}, d.client, d.book, d.sender), nil
}
