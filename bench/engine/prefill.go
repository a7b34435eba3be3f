package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"poaid/engine"
	"poaid/engine/nn"
)

// prefillTokens is the length of the prompt.
const prefillTokens = 256

//go:embed peers/llama.mjs
var llamaScript []byte

// llamaPeer is a running node process over llama.cpp.
type llamaPeer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startLlama starts the peer over a model file. folder holds node_modules.
func startLlama(folder, dir string, threads int) (*llamaPeer, error) {
	script := filepath.Join(dir, "llama.mjs")
	if err := os.WriteFile(script, llamaScript, 0o600); err != nil {
		return nil, err
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("node", script, folder, filepath.Join(dir, "model.gguf"), strconv.Itoa(threads)) // #nosec G204 -- the flag's folder
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &llamaPeer{cmd: cmd, in: in, out: bufio.NewReader(out)}, nil
}

// prefill returns the time of a prompt of n tokens.
func (p *llamaPeer) prefill(n int) (spent, error) {
	if _, err := fmt.Fprintln(p.in, n); err != nil {
		return spent{}, err
	}
	var s spent
	_, err := fmt.Fscanln(p.out, &s.cpu, &s.wall)
	return s, err
}

func (p *llamaPeer) close() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

// prefill returns the time of the forced steps of a prompt of prefillTokens+1 tokens: like the peer, nothing is sampled.
func (m *bound) prefill(threads int) (spent, error) {
	prompt := make([]int64, prefillTokens+1)
	for i := range prompt {
		prompt[i] = int64(261 + i*7919%31000)
	}
	run, err := m.newRun(prompt, threads)
	if err != nil {
		return spent{}, err
	}
	w := start()
	err = advance(run, prefillTokens)
	return w.stop(), err
}

// benchPrefill compares the evaluation of a prompt.
func benchPrefill(cfg config) ([]row, error) {
	shape := benchShape()
	tensors, err := benchWeights(shape)
	if err != nil {
		return nil, err
	}
	prog, err := nn.Llama(shape, engine.DefaultLimits())
	if err != nil {
		return nil, err
	}
	m, err := bind(prog, tensors)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench-llama-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	missing := ""
	switch {
	case cfg.quick:
		missing = "not asked for"
	case cfg.llamacpp == "":
		missing = "-llamacpp was not given"
	default:
		if err := writeGGUF(filepath.Join(dir, "model.gguf"), shape, tensors); err != nil {
			return nil, err
		}
	}
	var rows []row
	for _, threads := range cfg.threads {
		r, err := m.prefillRow(cfg, dir, threads, missing)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (m *bound) prefillRow(cfg config, dir string, threads int, missing string) (row, error) {
	var peer *llamaPeer
	if missing == "" {
		var err error
		if peer, err = startLlama(cfg.llamacpp, dir, threads); err != nil {
			return row{}, fmt.Errorf("llama.cpp: %w", err)
		}
		defer peer.close()
	}
	ours, theirs := newBest(), newBest()
	for range cfg.rounds + 1 { // the first warms up both
		s, err := m.prefill(threads)
		if err != nil {
			return row{}, err
		}
		ours.add(s.by(threads))
		if peer == nil {
			continue
		}
		if s, err = peer.prefill(prefillTokens); err != nil {
			return row{}, fmt.Errorf("llama.cpp: %w", err)
		}
		theirs.add(s.by(threads))
	}
	return row{
		work: fmt.Sprintf("prefill of %d tokens, 15M llama shape, %s", prefillTokens, threadsText(threads)), unit: "tokens/s",
		ours: prefillTokens / float64(ours), peer: prefillTokens / float64(theirs), peerName: "llama.cpp f32 (node-llama-cpp)",
		goal: 0.8, missing: missing,
	}, nil
}
