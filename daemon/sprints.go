package daemon

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"cosmossdk.io/math"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/daemon/chain"
	"poaid/daemon/executor"
	"poaid/daemon/sprinter"
	sprintstypes "poaid/x/sprints/types"
)

// newSprinter makes the part that proves capacity; nil where the chain has no sprints. threads are those of one execution.
func (d *daemon) newSprinter(ctx context.Context, exec *executor.Executor, threads, concurrency int) (*sprinter.Sprinter, error) {
	if !d.cfg.Sprints || !d.cfg.Work || d.cfg.Shard > 0 {
		return nil, nil
	}
	p, err := patiently(ctx, d.log, func() (*sprintstypes.Params, error) {
		p, err := d.client.SprintsParams(ctx)
		if unimplemented(err) {
			return nil, nil
		}
		return &p, err
	})
	if err != nil || p == nil {
		return nil, err
	}
	book, err := sprinter.OpenBook(filepath.Join(d.cfg.Home, "daemon", "sprints"), d.client.ChainID(), d.signer.Operator())
	if err != nil {
		return nil, err
	}
	all := d.cfg.SprintThreads
	if all <= 0 {
		all = min(threads*concurrency, runtime.GOMAXPROCS(0))
	}
	wire := sprintsOf{d.client, d.sender}
	return sprinter.New(sprinter.Config{
		Participant: d.signer.Operator(), Threads: all, Lie: d.cfg.LieInSprints,
		Spare: func() int {
			if d.agent == nil {
				return all
			}
			return all - d.agent.Health().Running*threads
		},
		Logger: d.log.With("part", "sprinter"), Metrics: d.metrics.Sprints(),
	}, wire, exec, book, wire)
}

// unimplemented recognises what a chain says that has no such module.
func unimplemented(err error) bool {
	return status.Code(err) == codes.Unimplemented || err != nil && strings.Contains(err.Error(), "unknown query path")
}

// sprintsOf puts the chain's types in place of the sprinter's.
type sprintsOf struct {
	*chain.Client
	sender *chain.Sender
}

var (
	_ sprinter.Chain  = sprintsOf{}
	_ sprinter.Outbox = sprintsOf{}
)

// known turns the chain's ErrNotFound into the sprinter's.
func known(err error) error {
	if errors.Is(err, chain.ErrNotFound) {
		return fmt.Errorf("%w: %w", sprinter.ErrNotFound, err)
	}
	return err
}

// SprintWindow implements sprinter.Chain.
func (s sprintsOf) SprintWindow(ctx context.Context) (sprinter.Window, error) {
	w, open, err := s.CurrentWindow(ctx)
	if err != nil || !open {
		return sprinter.Window{Number: w.Number, Close: w.CloseHeight}, known(err)
	}
	return s.windowOf(ctx, w, true)
}

// SprintWindowAt implements sprinter.Chain.
func (s sprintsOf) SprintWindowAt(ctx context.Context, number uint64) (sprinter.Window, error) {
	w, err := s.Window(ctx, number)
	if err != nil {
		return sprinter.Window{}, known(err)
	}
	return s.windowOf(ctx, w, false)
}

func (s sprintsOf) windowOf(ctx context.Context, w sprintstypes.Window, open bool) (sprinter.Window, error) {
	p, err := s.SprintsParams(ctx)
	return sprinter.Window{
		Number: w.Number, Open: open, Opened: w.OpenHeight, Close: w.CloseHeight, Model: w.Model, Pool: w.Pool, Random: w.Random,
		Period: uint64(w.Tokens), MaxCount: p.MaxCount,
	}, err
}

// SprintCommit implements sprinter.Chain.
func (s sprintsOf) SprintCommit(ctx context.Context, window uint64, participant string) (sprinter.Commit, error) {
	c, err := s.Client.SprintCommit(ctx, window, participant)
	if err != nil {
		return sprinter.Commit{}, known(err)
	}
	return sprinter.Commit{
		Root: c.Root, Count: c.Count, State: strings.ToLower(strings.TrimPrefix(c.State.String(), "COMMIT_STATE_")),
		Over: c.State != sprintstypes.COMMIT_STATE_PENDING && c.State != sprintstypes.COMMIT_STATE_AUDITED,
	}, nil
}

// SprintAudits implements sprinter.Chain.
func (s sprintsOf) SprintAudits(ctx context.Context, participant string) (out []sprinter.Audit, err error) {
	err = s.EachSprintAudit(ctx, participant, func(a sprintstypes.AuditView) error {
		out = append(out, sprinter.Audit{
			Window: a.Audit.Window, Task: a.Audit.Task, Leaves: a.Leaves, Deadline: a.Audit.Deadline,
			Opened: len(a.Audit.Opened) > 0 || a.Audit.Decided,
		})
		return nil
	})
	return out, err
}

// SprintLock implements sprinter.Chain.
func (s sprintsOf) SprintLock(ctx context.Context, count uint64) (math.Int, error) {
	return s.Client.SprintLock(ctx, count)
}

// Standing implements sprinter.Chain.
func (s sprintsOf) Standing(ctx context.Context, participant string) (sprinter.Standing, error) {
	p, models, err := s.Serves(ctx, participant)
	if err != nil {
		return sprinter.Standing{}, known(err)
	}
	return sprinter.Standing{Free: p.Bond.Sub(p.Locked), Models: models}, nil
}

// CommitSprint implements sprinter.Outbox.
func (s sprintsOf) CommitSprint(window uint64, root []byte, count uint64, deadline, asOf int64) {
	s.sender.Enqueue(chain.CommitSprint(window, root, count, deadline), asOf)
}

// OpenSprint implements sprinter.Outbox.
func (s sprintsOf) OpenSprint(window uint64, leaves []sprinter.Opening, deadline, asOf int64) {
	opened := make([]sprintstypes.OpenedLeaf, len(leaves))
	for i, l := range leaves {
		opened[i] = sprintstypes.OpenedLeaf{Number: l.Number, Value: l.Value, Proof: l.Proof}
	}
	s.sender.Enqueue(chain.OpenSprint(window, opened, deadline), asOf)
}
