package verifier_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/daemon/agent"
	"poaid/daemon/executor"
	"poaid/daemon/verifier"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

func TestClassify(t *testing.T) {
	const sealing, revealing, done = poaitypes.COMMITTEE_PHASE_SEALING, poaitypes.COMMITTEE_PHASE_REVEALING, poaitypes.COMMITTEE_PHASE_DONE
	for _, c := range []struct {
		name   string
		seat   poaitypes.SeatState
		phase  poaitypes.CommitteePhase
		holder string
		want   agent.Need // 0: nothing now or later
	}{
		{"drawn", poaitypes.SEAT_STATE_OPEN, sealing, "me", agent.NeedSeal},
		{"another's seat", poaitypes.SEAT_STATE_OPEN, sealing, "you", 0},
		{"sealed before the others", poaitypes.SEAT_STATE_SEALED, sealing, "me", agent.NeedNothing},
		{"all are sealed", poaitypes.SEAT_STATE_SEALED, revealing, "me", agent.NeedReveal},
		{"too late to seal", poaitypes.SEAT_STATE_OPEN, revealing, "me", 0},
		{"closed", poaitypes.SEAT_STATE_CLOSED, sealing, "me", 0},
		{"revealed", poaitypes.SEAT_STATE_REVEALED, revealing, "me", 0},
		{"settled", poaitypes.SEAT_STATE_SEALED, done, "me", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := verifier.Classify(poaitypes.Duty{
				Seat:      poaitypes.Seat{TaskId: 7, Participant: c.holder, State: c.seat},
				Committee: poaitypes.Committee{Phase: c.phase, Deadline: 9},
			}, "me")
			require.Equal(t, c.want != 0, ok)
			require.Equal(t, c.want, got.Need)
			if ok {
				require.EqualValues(t, 7, got.Task)
				require.EqualValues(t, 9, got.Deadline)
			}
		})
	}
}

func TestRecordHasNoOutputs(t *testing.T) {
	rec, err := verifier.New(nil, "me").Record(t.Context(), taskstypes.TaskView{}, executor.Result{Outputs: make([]taskstypes.NamedTensor, 3)})
	require.NoError(t, err)
	require.Empty(t, rec.Outputs)
}
