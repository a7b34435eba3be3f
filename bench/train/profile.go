package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"poaid/engine"
)

// profile prints what the nodes of a traced step take on one thread, best of some steps, in processor time. A trace shows every node, so that nodes that a
// step computes together are timed apart; the last line is an ordinary step.
func profile(w io.Writer, k work) error {
	r, prog, err := newRun(k, 1)
	if err != nil {
		return err
	}
	nodes := prog.Proto().Step.Nodes
	best, order := make([]time.Duration, len(nodes)), make([]int, len(nodes))
	for round := range 16 {
		last := cpuTime()
		err := r.Trace(context.Background(), func(i int, _ *engine.Tensor) error {
			if d := time.Duration((cpuTime() - last) * 1e9); round == 0 || d < best[i] {
				best[i] = d
			}
			last = cpuTime()
			return nil
		})
		if err != nil {
			return err
		}
	}
	byOp, total := map[string]time.Duration{}, time.Duration(0)
	for i, d := range best {
		byOp[nodes[i].Op] += d
		total += d
		order[i] = i
	}
	s, err := steps(r, k.steps)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s: traced %.2f ms, a step %.2f ms\n", k.name, ms(total), s.cpu*1e3/float64(k.steps))
	ops := make([]string, 0, len(byOp))
	for op := range byOp {
		ops = append(ops, op)
	}
	slices.SortFunc(ops, func(a, b string) int { return int(byOp[b] - byOp[a]) })
	for _, op := range ops {
		fmt.Fprintf(w, "  %-14s %8.3f ms %5.1f%%\n", op, ms(byOp[op]), 100*float64(byOp[op])/float64(total))
	}
	slices.SortFunc(order, func(a, b int) int { return int(best[b] - best[a]) })
	for _, i := range order[:min(24, len(order))] {
		var dims []int64
		for _, d := range nodes[i].Shape {
			dims = append(dims, d.A)
		}
		fmt.Fprintf(w, "  #%-4d %-14s %-22s %8.3f ms  %s\n", i, nodes[i].Op, fmt.Sprint(dims), ms(best[i]), nodes[i].Name)
	}
	return nil
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }
