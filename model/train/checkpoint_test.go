package train

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/model"
)

// smallCheckpoint is a checkpoint of no training.
func smallCheckpoint(tb testing.TB) *Checkpoint {
	tb.Helper()
	w, err := engine.FromF32([]float32{1, 2, 3}, 3)
	require.NoError(tb, err)
	n, err := engine.FromI64([]int64{7}, 1)
	require.NoError(tb, err)
	c := &Checkpoint{Head: Head{Format: 1, Step: 2, Steps: 5, StateNames: []string{"w", "n"}, Spec: map[string]string{"seed": "1"}}}
	c.States = []*engine.Tensor{w, n}
	c.StateRoot, err = stateRoot(c.StateNames, c.States)
	require.NoError(tb, err)
	return c
}

func TestCheckpointRoundTrip(t *testing.T) {
	for _, c := range []*Checkpoint{smallCheckpoint(t), mustFirst(t)} {
		raw, err := c.Format()
		require.NoError(t, err)
		got, err := ParseCheckpoint(raw)
		require.NoError(t, err)
		require.Equal(t, c.Head, got.Head)
		require.Len(t, got.States, len(c.States))
		for i := range c.States {
			require.True(t, c.States[i].Equal(got.States[i]))
		}
	}
}

func mustFirst(t *testing.T) *Checkpoint {
	t.Helper()
	c, err := tinyJob(t, "tiny-cnn").First()
	require.NoError(t, err)
	return c
}

func TestCheckpointRefuses(t *testing.T) {
	for want, change := range map[string]func(c *Checkpoint){
		"format: 2":                        func(c *Checkpoint) { c.Head.Format = 2 },
		"step: 6 of 5":                     func(c *Checkpoint) { c.Step = 6 },
		"state_root: the states have":      func(c *Checkpoint) { c.StateRoot[0] ^= 1 },
		"states: 3 names for 2 tensors":    func(c *Checkpoint) { c.StateNames = []string{"w", "n", "n"} },
		`"x" is not there`:                 func(c *Checkpoint) { c.StateNames = []string{"w", "x"} },
		`"w" is not there, or named twice`: func(c *Checkpoint) { c.StateNames = []string{"w", "w"} },
		"state_root: the states":           func(c *Checkpoint) { c.StateNames = []string{"n", "w"} },
	} {
		c := smallCheckpoint(t)
		names := []string{"w", "n"}
		change(c)
		head := c.Head
		file := &Checkpoint{Head: head, States: c.States}
		file.StateNames = names
		raw := formatWith(t, file, head)
		_, err := ParseCheckpoint(raw)
		require.ErrorIs(t, err, ErrCheckpoint, want)
		require.ErrorContains(t, err, want)
	}
	_, err := ParseCheckpoint([]byte("short"))
	require.ErrorIs(t, err, ErrCheckpoint)
	raw, err := model.FormatSafetensors(nil, map[string]string{"other": "x"})
	require.NoError(t, err)
	_, err = ParseCheckpoint(raw)
	require.ErrorContains(t, err, "want poai.checkpoint alone")
	raw, err = model.FormatSafetensors(nil, map[string]string{checkpointKey: `{"format":1,"more":2}`})
	require.NoError(t, err)
	_, err = ParseCheckpoint(raw)
	require.ErrorContains(t, err, `unknown field "more"`)
}

// formatWith writes a file whose head says something else than its tensors.
func formatWith(t *testing.T, c *Checkpoint, head Head) []byte {
	t.Helper()
	text, err := json.Marshal(head)
	require.NoError(t, err)
	var named []model.NamedTensor
	for i, s := range c.States {
		named = append(named, model.NamedTensor{Name: c.StateNames[i], Tensor: s})
	}
	raw, err := model.FormatSafetensors(named, map[string]string{checkpointKey: string(text)})
	require.NoError(t, err)
	return raw
}

// TestEveryFlippedBit flips bits of a checkpoint's tensors: none goes unnoticed.
func TestEveryFlippedBit(t *testing.T) {
	raw, err := smallCheckpoint(t).Format()
	require.NoError(t, err)
	for i := len(raw) - 20; i < len(raw); i++ {
		bad := append([]byte(nil), raw...)
		bad[i] ^= 0x10
		_, err := ParseCheckpoint(bad)
		require.ErrorIs(t, err, ErrCheckpoint, "byte %d", i)
	}
	for _, n := range []int{1, 8, 20} {
		_, err := ParseCheckpoint(raw[:len(raw)-n])
		require.ErrorIs(t, err, ErrCheckpoint)
	}
}

func TestCheckpointFiles(t *testing.T) {
	dir := t.TempDir()
	steps, err := Checkpoints(dir)
	require.NoError(t, err)
	require.Empty(t, steps)
	for _, step := range []uint64{1, 2, 3, 5} {
		c := smallCheckpoint(t)
		c.Step = step
		path, err := WriteCheckpoint(dir, c, 2)
		require.NoError(t, err)
		require.FileExists(t, path)
	}
	folder := filepath.Join(dir, checkpointFolder)
	for _, stray := range []string{"step-9.safetensors", "step-000000009.safetensors.12.tmp", "notes.txt", "step-00000000x.safetensors"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, stray), nil, 0o600))
	}
	steps, err = Checkpoints(dir)
	require.NoError(t, err)
	require.Equal(t, []uint64{3, 5}, steps)
	require.NoError(t, removeTemporary(dir))
	require.NoFileExists(t, filepath.Join(folder, "step-000000009.safetensors.12.tmp"))
	require.FileExists(t, filepath.Join(folder, "notes.txt"))
	require.NoError(t, os.Rename(CheckpointPath(dir, 3), CheckpointPath(dir, 4)))
	_, err = ReadCheckpoint(dir, 4)
	require.ErrorContains(t, err, "it is of step 3")
	_, err = ReadCheckpoint(dir, 3)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestCheckpointOfAnotherShape has the right root and names but states of other shapes.
func TestCheckpointOfAnotherShape(t *testing.T) {
	job := tinyJob(t, "tiny-mlp")
	c, err := job.First()
	require.NoError(t, err)
	c.States[0], err = engine.FromF32([]float32{1}, 1)
	require.NoError(t, err)
	c.StateRoot, err = stateRoot(c.StateNames, c.States)
	require.NoError(t, err)
	_, err = job.Resume(c, Options{})
	require.ErrorIs(t, err, engine.ErrInput)
	require.ErrorContains(t, err, c.StateNames[0])
	_, _, err = job.Advance(context.Background(), c, 1, 1)
	require.ErrorIs(t, err, engine.ErrInput)
	require.NotErrorIs(t, err, ErrResume)
}

func FuzzParseCheckpoint(f *testing.F) {
	raw, err := smallCheckpoint(f).Format()
	require.NoError(f, err)
	f.Add(raw)
	f.Add(raw[:40])
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ParseCheckpoint(raw)
		if err != nil {
			require.ErrorIs(t, err, ErrCheckpoint)
			return
		}
		again, err := c.Format()
		require.NoError(t, err)
		back, err := ParseCheckpoint(again)
		require.NoError(t, err)
		require.Equal(t, c.Head, back.Head)
	})
}
