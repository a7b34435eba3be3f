package sprint

import (
	"context"
	"fmt"
	"sync"

	"poaid/engine"
)

// Compute gives the values of leaves. They are done in runs of the program's sample, as many runs at once as threads, one thread each: a
// leaf is sequential, so this is what a machine can do at most. Once ctx is done no more runs start, and it fails with ctx's error.
func Compute(
	ctx context.Context, prog *engine.Program, weights *engine.Weights, key [32]byte, leaves []uint64, period uint64, threads int,
) ([][]byte, error) {
	l, err := LayoutOf(prog)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	values := make([][]byte, len(leaves))
	starts := make(chan int)
	var group sync.WaitGroup
	for range max(1, min(threads, (len(leaves)+l.Sample-1)/l.Sample)) {
		group.Add(1)
		go func() { //detlint:allow off the chain: blocks compute no leaves
			defer group.Done()
			for from := range starts {
				chunk := leaves[from:min(from+l.Sample, len(leaves))]
				got, err := Run(ctx, prog, weights, key, chunk, period)
				if err != nil {
					stop(fmt.Errorf("leaves from %d: %w", chunk[0], err))
					return
				}
				copy(values[from:], got)
			}
		}()
	}
	for from := 0; from < len(leaves) && ctx.Err() == nil; from += l.Sample {
		select {
		case starts <- from:
		case <-ctx.Done():
		}
	}
	close(starts)
	group.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return values, nil
}

// Run gives the values of at most the program's sample of leaves, on one thread.
func Run(ctx context.Context, prog *engine.Program, weights *engine.Weights, key [32]byte, leaves []uint64, period uint64) ([][]byte, error) {
	inputs, err := Inputs(prog, key, leaves, period)
	if err != nil {
		return nil, err
	}
	in, err := prog.BindInputs(inputs)
	if err != nil {
		return nil, err
	}
	run, err := engine.NewRun(prog, weights, in, engine.RunOptions{Threads: 1})
	if err != nil {
		return nil, err
	}
	for range uint64(len(leaves)) * period {
		if err := run.Step(ctx); err != nil {
			return nil, err
		}
	}
	return Values(run.State(outputLeaves), len(leaves))
}
