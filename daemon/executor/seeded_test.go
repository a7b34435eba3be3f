package executor

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/sprint"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
)

// TestSeededModel makes the weights of a model that the chain made, fetches nothing, and believes no other root.
func TestSeededModel(t *testing.T) {
	prog, err := sprint.Program(sprint.Tiny())
	require.NoError(t, err)
	seed := [sprint.SeedSize]byte{3}
	root, err := sprint.WeightsRoot(prog, seed)
	require.NoError(t, err)
	hash := prog.Hash()
	leaves := []uint64{5, 9}
	key := sprint.Key("chain", []byte("r"), 1, "a")
	inputs, err := sprint.Inputs(prog, key, leaves, 3)
	require.NoError(t, err)
	bound, err := prog.BindInputs(inputs)
	require.NoError(t, err)
	inputRoot, err := bound.Root(1)
	require.NoError(t, err)
	w := &world{
		program: prog, model: modelstypes.Model{Id: "sprint-1", ProgramHash: hash[:], WeightsRoot: root[:], Seed: seed[:]},
		task: taskstypes.Task{Id: 7, Model: "sprint-1", Steps: 6, InputRoot: inputRoot[:]},
	}
	for _, spec := range prog.InputSpecs() {
		x := inputs[spec.Name]
		w.inputs = append(w.inputs, taskstypes.NamedTensor{Name: spec.Name, Dtype: x.DType(), Shape: x.Shape(), Data: x.Bytes()})
	}
	e := New(w, w, Options{Threads: 1})
	res, err := e.Run(t.Context(), w.task)
	require.NoError(t, err)
	loadedProg, weights, release, err := e.Load(t.Context(), "sprint-1")
	require.NoError(t, err)
	defer release()
	values, err := sprint.Run(t.Context(), loadedProg, weights, key, leaves, 3)
	require.NoError(t, err)
	want, err := sprint.OutputRoot(prog, values)
	require.NoError(t, err)
	require.Equal(t, want, res.OutputRoot)

	w.model.Seed = append([]byte{4}, seed[1:]...)
	_, err = New(w, w, Options{Threads: 1}).Run(t.Context(), w.task)
	require.ErrorIs(t, err, ErrRoot)
	w.model.Seed = seed[:31]
	_, err = New(w, w, Options{Threads: 1}).Run(t.Context(), w.task)
	require.ErrorContains(t, err, "seed: 31 bytes")
}
