package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"poaid/engine"
	"poaid/engine/nn"
	"poaid/model"
)

// memoryChild is the argument that makes this program the process whose memory is measured.
const memoryChild = "memory-child"

// memoryShapes are the 15M and 42M shapes of the tinyllamas: what does not depend on the weights weighs less in the second.
var memoryShapes = map[string]nn.LlamaConfig{
	"15M": benchShape(),
	"42M": {Dim: 512, HiddenDim: 1376, Layers: 8, Heads: 8, KVHeads: 8, Vocab: 32000, Ctx: 512, TiedOutput: true},
}

// benchMemory compares the resident memory of a process that generates with the size of the weight file that it read.
func benchMemory(config) ([]row, error) {
	var rows []row
	for _, name := range []string{"15M", "42M"} {
		r, err := memoryRow(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func memoryRow(name string) (row, error) {
	tensors, err := benchWeights(memoryShapes[name])
	if err != nil {
		return row{}, err
	}
	var list []model.NamedTensor
	for name, t := range tensors { // sorted below
		list = append(list, model.NamedTensor{Name: name, Tensor: t})
	}
	slices.SortFunc(list, func(a, b model.NamedTensor) int { return strings.Compare(a.Name, b.Name) })
	data, err := model.FormatSafetensors(list, nil)
	if err != nil {
		return row{}, err
	}
	dir, err := os.MkdirTemp("", "bench-memory-")
	if err != nil {
		return row{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "weights.safetensors")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return row{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return row{}, err
	}
	out, err := exec.Command(self, memoryChild, name, file).Output() // #nosec G204 -- this program
	if err != nil {
		return row{}, fmt.Errorf("child: %w", err)
	}
	var peak float64
	if _, err := fmt.Sscan(string(out), &peak); err != nil {
		return row{}, fmt.Errorf("child: %w", err)
	}
	return row{
		work: fmt.Sprintf("peak memory of 256 tokens, %s llama shape", name), unit: "MB", ours: peak / 1e6, peer: float64(len(data)) / 1e6,
		peerName: "weight file", goal: 1.3, less: true,
	}, nil
}

// runMemoryChild reads a weight file, generates from it and prints its peak memory in bytes.
func runMemoryChild(args []string) error {
	if len(args) != 2 {
		return errors.New("want a shape and a file")
	}
	data, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	list, _, err := model.ParseSafetensors(data)
	if err != nil {
		return err
	}
	tensors := make(map[string]*engine.Tensor)
	for _, t := range list {
		tensors[t.Name] = t.Tensor
	}
	prog, err := nn.Llama(memoryShapes[args[0]], engine.DefaultLimits())
	if err != nil {
		return err
	}
	m, err := bind(prog, tensors)
	if err != nil {
		return err
	}
	prompt := make([]int64, 64)
	for i := range prompt {
		prompt[i] = int64(i)
	}
	run, err := m.newRun(prompt, 1)
	if err != nil {
		return err
	}
	if err := advance(run, decodeSteps); err != nil {
		return err
	}
	kib, err := statusKiB("VmHWM:")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(os.Stdout, kib*1024)
	return err
}

// statusKiB reads a field of /proc/self/status.
func statusKiB(field string) (int64, error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		var name, unit string
		var v int64
		if _, err := fmt.Sscan(s.Text(), &name, &v, &unit); err == nil && name == field {
			return v, nil
		}
	}
	return 0, fmt.Errorf("no %s", field)
}
