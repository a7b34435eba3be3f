package chain

import (
	"context"
	"fmt"

	trainingtypes "poaid/x/training/types"
)

// JobOfTask returns the training that a task is a segment of; ErrNotFound where it is none, or came to nothing.
func (c *Client) JobOfTask(ctx context.Context, task uint64) (trainingtypes.Job, trainingtypes.Progress, error) {
	res, err := trainingtypes.NewQueryClient(c).JobOfTask(ctx, &trainingtypes.QueryJobOfTaskRequest{TaskId: task})
	if err != nil {
		return trainingtypes.Job{}, trainingtypes.Progress{}, fmt.Errorf("training of task %d: %w", task, err)
	}
	return res.Job, res.Progress, nil
}
