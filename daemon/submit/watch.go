package submit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	taskstypes "poaid/x/tasks/types"
)

// TaskQuery asks for a task.
type TaskQuery func(ctx context.Context, id uint64) (*taskstypes.QueryTaskResponse, error)

// StateName is a state as people read it: lower case, without prefix.
func StateName(s taskstypes.State) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "STATE_"))
}

// Ended tells whether a state is final, one way or the other.
func Ended(s taskstypes.State) bool {
	switch s {
	case taskstypes.STATE_FINAL, taskstypes.STATE_CANCELLED, taskstypes.STATE_EXPIRED, taskstypes.STATE_REFUNDED:
		return true
	}
	return false
}

// ErrNotFinal is returned by Watch for a task that ended without an answer, or is disputed.
var ErrNotFinal = errors.New("task has no final answer")

// maxFailures is how many queries in a row may fail.
const maxFailures = 20

// Watch follows a task until it ends, reporting each change of state, worker or attempt. A disputed task is not waited for: only
// governance ends it.
func Watch(ctx context.Context, query TaskQuery, id uint64, interval time.Duration, report func(*taskstypes.QueryTaskResponse)) (*taskstypes.QueryTaskResponse, error) {
	var last taskstypes.Status
	failures := 0
	for {
		res, err := query(ctx, id)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			if failures++; failures == maxFailures {
				return nil, err
			}
		default:
			failures = 0
			st := res.Status
			if st.State != last.State || st.Worker != last.Worker || st.Attempt != last.Attempt {
				last = st
				report(res)
			}
			if st.State == taskstypes.STATE_FINAL {
				return res, nil
			}
			if Ended(st.State) || st.State == taskstypes.STATE_DISPUTED {
				return res, fmt.Errorf("%w: %s", ErrNotFinal, StateName(st.State))
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(interval):
		}
	}
}

// Answer is a result as people read it: the first output that reads as text, otherwise every output's numbers.
func Answer(res *taskstypes.QueryTaskResponse) string {
	for _, o := range res.Outputs {
		if o.Text != "" {
			return o.Text
		}
	}
	lines := make([]string, len(res.Outputs))
	for i, o := range res.Outputs {
		lines[i] = fmt.Sprintf("%s: %s", o.Name, strings.Join(o.Values, " "))
	}
	return strings.Join(lines, "\n")
}
