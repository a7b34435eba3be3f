package main

import (
	"fmt"
	"os"

	"gonum.org/v1/gonum/blas"
	gonum "gonum.org/v1/gonum/blas/gonum"

	"poaid/engine/kernel"
)

// repsFor makes a measurement long enough for the clock: about 4 GFLOP.
func repsFor(m, n, k int) int { return int(4e9/(2*float64(m)*float64(n)*float64(k))) + 1 }

// timeOf runs f once to warm up, then reps times.
func timeOf(reps int, f func()) spent {
	f()
	w := start()
	for range reps {
		f()
	}
	s := w.stop()
	return spent{cpu: s.cpu / float64(reps), wall: s.wall / float64(reps)}
}

func randomF32(n int, seed uint32) []float32 {
	out := make([]float32, n)
	for i := range out {
		seed = seed*1664525 + 1013904223
		out[i] = float32(seed>>8)/float32(1<<24) - 0.5
	}
	return out
}

func randomI8(n int, seed uint32) []int8 {
	out := make([]int8, n)
	for i := range out {
		seed = seed*1664525 + 1013904223
		out[i] = int8(seed >> 24)
	}
	return out
}

// withBLAS runs fn with a peer process, nil and the reason where there is none.
func withBLAS(cfg config, threads int, fn func(peer *blasPeer, missing string) error) error {
	if cfg.quick {
		return fn(nil, "not asked for")
	}
	dir, err := os.MkdirTemp("", "bench-blas-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bin, err := buildBLAS(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return fn(nil, "no gcc or no libopenblas-dev")
	}
	peer, err := startBLAS(bin, threads)
	if err != nil {
		return err
	}
	defer peer.close()
	return fn(peer, "")
}

// benchSgemm compares square float32 products.
func benchSgemm(cfg config) ([]row, error) {
	var rows []row
	for _, threads := range cfg.threads {
		err := withBLAS(cfg, threads, func(peer *blasPeer, missing string) error {
			for _, n := range cfg.sizes {
				r, err := squareProduct(cfg, peer, n, threads)
				if err != nil {
					return err
				}
				r.missing = missing
				rows = append(rows, r)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if cfg.quick {
		return rows, nil
	}
	for _, n := range cfg.sizes {
		rows = append(rows, gonumProduct(n))
	}
	return rows, nil
}

func squareProduct(cfg config, peer *blasPeer, n, threads int) (row, error) {
	a, b, c := randomF32(n*n, 1), randomF32(n*n, 2), make([]float32, n*n)
	ours, theirs := newBest(), newBest()
	for range cfg.rounds {
		ours.add(timeOf(repsFor(n, n, n), func() {
			kernel.Gemm(c, a, b, n, n, n, false, false, kernel.None, threads)
		}).by(threads))
		if peer == nil {
			continue
		}
		s, err := peer.sgemm(n, n, n)
		if err != nil {
			return row{}, fmt.Errorf("OpenBLAS: %w", err)
		}
		theirs.add(s.by(threads))
	}
	work := 2 * float64(n) * float64(n) * float64(n) / 1e9
	return row{
		work: fmt.Sprintf("sgemm %d, %s", n, threadsText(threads)), unit: "GFLOP/s", ours: work / float64(ours),
		peer: work / float64(theirs), peerName: "OpenBLAS", goal: 0.95,
	}, nil
}

func threadsText(n int) string {
	if n == 1 {
		return "1 thread"
	}
	return fmt.Sprintf("%d threads", n)
}

// gonumProduct compares with gonum, which gorgonia's products run on, by processor time: gonum has no single thread. One
// round, it is far slower.
func gonumProduct(n int) row {
	a, b, c := randomF32(n*n, 1), randomF32(n*n, 2), make([]float32, n*n)
	ours := timeOf(repsFor(n, n, n), func() { kernel.Gemm(c, a, b, n, n, n, false, false, kernel.None, 1) })
	w := start()
	gonum.Implementation{}.Sgemm(blas.NoTrans, blas.NoTrans, n, n, n, 1, a, n, b, n, 0, c, n)
	theirs := w.stop()
	work := 2 * float64(n) * float64(n) * float64(n) / 1e9
	return row{
		work: fmt.Sprintf("sgemm %d, a core", n), unit: "GFLOP/s", ours: work / ours.cpu,
		peer: work / theirs.cpu, peerName: "gonum (gorgonia)", goal: 10,
	}
}

// benchInt8 compares int8 products with float32 products of OpenBLAS.
func benchInt8(cfg config) ([]row, error) {
	var rows []row
	for _, threads := range cfg.threads {
		err := withBLAS(cfg, threads, func(peer *blasPeer, missing string) error {
			for _, n := range cfg.sizes {
				a, b, c := randomI8(n*n, 1), randomI8(n*n, 2), make([]int32, n*n)
				ours, theirs := newBest(), newBest()
				for range cfg.rounds {
					ours.add(timeOf(repsFor(n, n, n), func() { kernel.GemmI8(c, a, b, n, n, n, false, true, threads) }).by(threads))
					if peer == nil {
						continue
					}
					s, err := peer.sgemm(n, n, n)
					if err != nil {
						return fmt.Errorf("OpenBLAS: %w", err)
					}
					theirs.add(s.by(threads))
				}
				work := 2 * float64(n) * float64(n) * float64(n) / 1e9
				rows = append(rows, row{
					work: fmt.Sprintf("int8 product %d, %s", n, threadsText(threads)), unit: "GOP/s", ours: work / float64(ours),
					peer: work / float64(theirs), peerName: "OpenBLAS sgemm", goal: 2, missing: missing,
				})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}
