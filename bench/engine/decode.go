package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/model"
	"poaid/model/quantise"
)

// decodeSteps is the length of a generation; what the prompt's steps cost is taken off on both sides.
const decodeSteps = 256

// bound is a program and its weights.
type bound struct {
	prog    *engine.Program
	weights *engine.Weights
}

// bind makes a model of the weights that the program declares.
func bind(prog *engine.Program, tensors map[string]*engine.Tensor) (*bound, error) {
	w, err := engine.WeightsByName(prog, tensors)
	return &bound{prog: prog, weights: w}, err
}

// newRun starts a greedy run over a prompt.
func (m *bound) newRun(prompt []int64, threads int) (*engine.Run, error) {
	p, err := engine.FromI64(prompt, int64(len(prompt)))
	if err != nil {
		return nil, err
	}
	in, err := m.prog.BindInputs(map[string]*engine.Tensor{"prompt": p})
	if err != nil {
		return nil, err
	}
	return engine.NewRun(m.prog, m.weights, in, engine.RunOptions{Threads: threads})
}

// advance runs to step n.
func advance(run *engine.Run, n uint64) error {
	for run.T() < n {
		if _, err := run.Advance(context.Background(), n-run.T()); err != nil {
			return err
		}
	}
	return nil
}

// decode returns the processor time of the steps after the prompt, of one thread.
func (m *bound) decode() (float64, error) {
	run, err := m.newRun(promptTokens, 1)
	if err != nil {
		return 0, err
	}
	if err := advance(run, uint64(len(promptTokens))); err != nil {
		return 0, err
	}
	w := start()
	err = advance(run, decodeSteps)
	return w.stop().cpu, err
}

// llama2c returns the processor time of a generation of n tokens by llama2.c.
func llama2c(bin, dir string, n int) (float64, error) {
	cmd := exec.Command(bin, filepath.Join(dir, "model.bin"), "-z", filepath.Join(dir, "tokenizer.bin"), // #nosec G204 -- the flag's program
		"-t", "0", "-n", strconv.Itoa(n), "-i", "a")
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("llama2.c: %w: %.200s", err, out)
	}
	return cmd.ProcessState.UserTime().Seconds() + cmd.ProcessState.SystemTime().Seconds(), nil
}

// benchDecode compares generation of one token at a time, float32 with llama2.c and int8 with float32.
func benchDecode(cfg config) ([]row, error) {
	shape := benchShape()
	tensors, err := benchWeights(shape)
	if err != nil {
		return nil, err
	}
	f32, i8, err := bothPrecisions(shape, tensors)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench-llama2c-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	peer, missing := cfg.llama2c, ""
	switch {
	case cfg.quick:
		peer, missing = "", "not asked for"
	case peer == "":
		missing = "-llama2c was not given"
	default:
		if err := writeLlama2c(dir, shape, tensors); err != nil {
			return nil, err
		}
	}
	ours, small, theirs := newBest(), newBest(), newBest()
	for range cfg.rounds {
		for to, m := range map[*best]*bound{&ours: f32, &small: i8} { // in any order
			t, err := m.decode()
			if err != nil {
				return nil, err
			}
			to.add(t)
		}
		if peer == "" {
			continue
		}
		t, err := llama2cDecode(peer, dir)
		if err != nil {
			return nil, err
		}
		theirs.add(t)
	}
	n := float64(decodeSteps - len(promptTokens))
	return []row{{
		work: "decode, 15M llama shape, 1 thread", unit: "tokens/s", ours: n / float64(ours), peer: n / float64(theirs),
		peerName: "llama2.c -Ofast", goal: 1, missing: missing,
	}, {
		work: "decode, the same in int8, 1 thread", unit: "tokens/s", ours: n / float64(small), peer: n / float64(ours),
		peerName: "ours in float32", goal: 2,
	}}, nil
}

// bothPrecisions binds a llama and what `poaid model quantise` makes of it.
func bothPrecisions(shape nn.LlamaConfig, tensors map[string]*engine.Tensor) (f32, i8 *bound, err error) {
	prog, err := nn.Llama(shape, engine.DefaultLimits())
	if err != nil {
		return nil, nil, err
	}
	pkg, err := model.New(model.Meta{Name: "bench"}, prog, tensors, nil)
	if err != nil {
		return nil, nil, err
	}
	small, _, err := quantise.Dynamic(pkg)
	if err != nil {
		return nil, nil, err
	}
	return &bound{prog: prog, weights: pkg.Weights}, &bound{prog: small.Program, weights: small.Weights}, nil
}

// llama2cDecode returns the processor time of the steps after the prompt by llama2.c.
func llama2cDecode(bin, dir string) (float64, error) {
	long, err := llama2c(bin, dir, decodeSteps)
	if err != nil {
		return 0, err
	}
	short, err := llama2c(bin, dir, len(promptTokens))
	return long - short, err
}
