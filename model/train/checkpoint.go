package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"poaid/commit"
	"poaid/engine"
	"poaid/model"
)

// ErrCheckpoint is wrapped by every error about a checkpoint's contents.
var ErrCheckpoint = errors.New("invalid checkpoint")

// Names of checkpoints: step-NNNNNNNNN.safetensors in the folder checkpoints of a training.
const (
	checkpointFolder = "checkpoints"
	checkpointPrefix = "step-"
	checkpointEnding = ".safetensors"
	checkpointKey    = "poai.checkpoint"
	checkpointFormat = 1
	maxCheckpoint    = model.MaxWeightsBytes
)

// Checkpoint is a training between two steps.
type Checkpoint struct {
	Head
	// States are all states of the program, in declaration order.
	States []*engine.Tensor
}

// Head is what a checkpoint says besides the states: the value of poai.checkpoint in the file's metadata.
type Head struct {
	Format int `json:"format"`
	// Step is the number of steps done, Steps how many the training has.
	Step  uint64 `json:"step"`
	Steps uint64 `json:"steps"`
	// StateRoot is the root of the states, as package commit defines it and a task on a chain seals it.
	StateRoot   commit.Hash `json:"state_root"`
	ProgramHash commit.Hash `json:"program_hash"`
	WeightsRoot commit.Hash `json:"weights_root"`
	InputRoot   commit.Hash `json:"input_root"`
	// Weights are the roots of the program's weights, so that one that differs can be named.
	Weights []NamedRoot `json:"weights"`
	// States are the names of the states in declaration order.
	StateNames []string `json:"states"`
	// Spec is the flattened spec, as far as it decides the result.
	Spec map[string]string `json:"spec"`
	// Measures so far.
	Measures []Measure `json:"measures"`
}

// NamedRoot is a tensor root under a name.
type NamedRoot struct {
	Name string      `json:"name"`
	Root commit.Hash `json:"root"`
}

// Format gives the checkpoint's file.
func (c *Checkpoint) Format() ([]byte, error) {
	head, err := json.Marshal(c.Head)
	if err != nil {
		return nil, err
	}
	named := make([]model.NamedTensor, len(c.States))
	for i, t := range c.States {
		named[i] = model.NamedTensor{Name: c.StateNames[i], Tensor: t}
	}
	return model.FormatSafetensors(named, map[string]string{checkpointKey: string(head)})
}

// ParseCheckpoint reads a file and recomputes the state root.
func ParseCheckpoint(data []byte) (*Checkpoint, error) {
	named, meta, err := model.ParseSafetensors(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	text, ok := meta[checkpointKey]
	if !ok || len(meta) != 1 {
		return nil, fmt.Errorf("%w: metadata: want %s alone", ErrCheckpoint, checkpointKey)
	}
	c := &Checkpoint{}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c.Head); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCheckpoint, checkpointKey, err)
	}
	if c.Head.Format != checkpointFormat {
		return nil, fmt.Errorf("%w: format: %d, want %d", ErrCheckpoint, c.Head.Format, checkpointFormat)
	}
	if c.Step > c.Steps || c.Steps > maxSteps {
		return nil, fmt.Errorf("%w: step: %d of %d, limit %d", ErrCheckpoint, c.Step, c.Steps, maxSteps)
	}
	byName := make(map[string]*engine.Tensor, len(named))
	for _, n := range named {
		byName[n.Name] = n.Tensor
	}
	if len(c.StateNames) != len(named) {
		return nil, fmt.Errorf("%w: states: %d names for %d tensors", ErrCheckpoint, len(c.StateNames), len(named))
	}
	for _, name := range c.StateNames {
		t := byName[name]
		if t == nil {
			return nil, fmt.Errorf("%w: states: %.80q is not there, or named twice", ErrCheckpoint, name)
		}
		delete(byName, name)
		c.States = append(c.States, t)
	}
	root, err := stateRoot(c.StateNames, c.States)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	if root != c.StateRoot {
		return nil, fmt.Errorf("%w: state_root: the states have %s, the file says %s", ErrCheckpoint, root, c.StateRoot)
	}
	return c, nil
}

// stateRoot is the named root of states in declaration order.
func stateRoot(names []string, states []*engine.Tensor) (commit.Hash, error) {
	entries := make([]commit.Named, len(names))
	for i, t := range states {
		root, err := commit.TensorRoot(uint8(t.DType()), t.Shape(), t.Bytes())
		if err != nil {
			return commit.Hash{}, fmt.Errorf("state %q: %w", names[i], err)
		}
		entries[i] = commit.Named{Name: names[i], Root: root}
	}
	return commit.NamedRoot(entries), nil
}

// CheckpointPath names the checkpoint of a step in the folder of a training.
func CheckpointPath(dir string, step uint64) string {
	return filepath.Join(dir, checkpointFolder, fmt.Sprintf("%s%09d%s", checkpointPrefix, step, checkpointEnding))
}

// WriteCheckpoint writes a checkpoint into the folder of a training and removes all but the newest keep. The file is there whole or
// not at all, even where the power fails.
func WriteCheckpoint(dir string, c *Checkpoint, keep int) (string, error) {
	raw, err := c.Format()
	if err != nil {
		return "", err
	}
	path := CheckpointPath(dir, c.Step)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if err := writeAtomic(path, raw); err != nil {
		return "", err
	}
	steps, err := Checkpoints(dir)
	if err != nil {
		return "", err
	}
	for _, old := range steps[:max(len(steps)-keep, 0)] {
		if old == c.Step {
			continue
		}
		if err := os.Remove(CheckpointPath(dir, old)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	return path, nil
}

// ReadCheckpoint reads the checkpoint of a step.
func ReadCheckpoint(dir string, step uint64) (*Checkpoint, error) {
	path := CheckpointPath(dir, step)
	raw, err := readFile(path, maxCheckpoint)
	if err != nil {
		return nil, err
	}
	c, err := ParseCheckpoint(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if c.Step != step {
		return nil, fmt.Errorf("%s: %w: step: it is of step %d", path, ErrCheckpoint, c.Step)
	}
	return c, nil
}

// Checkpoints lists the steps that a training's folder has checkpoints of, ascending.
func Checkpoints(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(filepath.Join(dir, checkpointFolder))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var steps []uint64
	for _, e := range entries {
		number := strings.TrimSuffix(strings.TrimPrefix(e.Name(), checkpointPrefix), checkpointEnding)
		step, err := strconv.ParseUint(number, 10, 64)
		if err == nil && filepath.Base(CheckpointPath(dir, step)) == e.Name() {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps, nil
}

// writeAtomic writes a file under another name, waits until it is on the disk, and renames it.
func writeAtomic(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	if _, err = bytes.NewReader(data).WriteTo(f); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a rename last.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// removeTemporary removes what a killed process left half-written.
func removeTemporary(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, checkpointFolder, checkpointPrefix+"*.tmp"))
	if err != nil {
		return err
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
