package executor

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/commit"
	taskstypes "poaid/x/tasks/types"
)

// shelf keeps states in memory.
type shelf map[commit.Hash][]byte

func (s shelf) PutState(_ context.Context, root commit.Hash, data []byte) error {
	s[root] = data
	return nil
}

func (s shelf) GetState(_ context.Context, root commit.Hash, _ int64, check func([]byte) error) ([]byte, error) {
	data, ok := s[root]
	if !ok {
		return nil, errMissing
	}
	return data, check(data)
}

// TestSegments runs a task in segments by machines that pass states on by their root: the end is that of the whole run.
func TestSegments(t *testing.T) {
	w := newWorld(t)
	kept := shelf{}
	e := New(w, w, Options{Threads: 1, States: kept, Keeps: func(task taskstypes.Task) bool { return task.Submitter == "training" }})
	whole, err := e.Run(t.Context(), w.task)
	require.NoError(t, err)
	require.Empty(t, kept, "an ordinary task leaves nothing behind")

	first := w.task
	first.Submitter, first.Steps = "training", 1
	half, err := e.Run(t.Context(), first)
	require.NoError(t, err)
	require.Contains(t, kept, half.StateRoot)
	second := w.task
	second.Submitter, second.StartStep, second.StartRoot = "training", 1, half.StateRoot[:]
	end, err := e.Run(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, whole.ResultRoot, end.ResultRoot)
	require.Equal(t, whole.Outputs, end.Outputs)
	require.Contains(t, kept, end.StateRoot)

	// States that are others, or too few, are not what the chain holds the root of.
	for name, data := range map[string][]byte{
		"another bit": append([]byte{kept[half.StateRoot][0] ^ 1}, kept[half.StateRoot][1:]...),
		"cut short":   kept[half.StateRoot][1:],
		"too long":    append([]byte{0}, kept[half.StateRoot]...),
	} {
		_, err := New(w, w, Options{Threads: 1, States: shelf{half.StateRoot: data}}).Run(t.Context(), second)
		require.ErrorIs(t, err, ErrRoot, name)
	}
	for _, states := range []States{nil, shelf{}} {
		o := Options{Threads: 1}
		if states != nil {
			o.States = states
		}
		_, err = New(w, w, o).Run(t.Context(), second)
		var missing *MissingError
		require.True(t, errors.As(err, &missing) && missing.State, "it is demanded on the chain: %v", err)
	}
}
