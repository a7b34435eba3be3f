package submit

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"poaid/engine/graphpb"
	taskstypes "poaid/x/tasks/types"
)

func TestBuild(t *testing.T) {
	prog := &graphpb.Program{
		MaxSteps: 100, ForcedInput: "prompt",
		Inputs: []*graphpb.InputSpec{
			{Name: "prompt", Dtype: graphpb.DTYPE_I64, Shape: []int64{20}, VariableRows: true},
			{Name: "seed", Dtype: graphpb.DTYPE_I64, Shape: []int64{1}, DefaultData: make([]byte, 8)},
		},
	}
	got, err := Build(prog, nil, Wants{Inputs: []string{"prompt=[7,8]"}, MaxTokens: 3})
	require.NoError(t, err)
	require.Equal(t, Built{
		Steps: 4, PromptRows: 2,
		Tensors: []taskstypes.NamedTensor{{
			Name: "prompt", Dtype: graphpb.DTYPE_I64, Shape: []int64{2},
			Data: binary.LittleEndian.AppendUint64([]byte{7, 0, 0, 0, 0, 0, 0, 0}, 8),
		}},
	}, got)
	_, err = Build(prog, nil, Wants{})
	require.ErrorIs(t, err, ErrInput)
}

func TestWatch(t *testing.T) {
	for _, c := range []struct {
		name   string
		states []taskstypes.State // STATE_UNSPECIFIED: the query fails
		want   error
		seen   int
	}{
		{"to the end", []taskstypes.State{1, 1, 2, 0, 3, 8}, nil, 4},
		{"expired", []taskstypes.State{1, taskstypes.STATE_EXPIRED}, ErrNotFinal, 2},
		{"disputed", []taskstypes.State{taskstypes.STATE_DISPUTED}, ErrNotFinal, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			i, seen := 0, 0
			query := func(context.Context, uint64) (*taskstypes.QueryTaskResponse, error) {
				i++
				if c.states[i-1] == 0 {
					return nil, errors.New("no answer")
				}
				return &taskstypes.QueryTaskResponse{Status: taskstypes.Status{State: c.states[i-1]}}, nil
			}
			_, err := Watch(t.Context(), query, 1, time.Nanosecond, func(*taskstypes.QueryTaskResponse) { seen++ })
			require.ErrorIs(t, err, c.want)
			require.Equal(t, c.seen, seen)
		})
	}
}
