package setup

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/engine/graphpb"
	"poaid/localnet"
	"poaid/model/zoo"
	"poaid/model/zoo/data"
	taskstypes "poaid/x/tasks/types"
)

const (
	digitScale   = 12 // pixels of the picture a pixel of the scan
	maxFeeMargin = 2  // max_fee is so many times the estimate
	// submitBatch is how many tasks share a transaction.
	submitBatch = 16
)

// Task is a task to submit, and its id once it was.
type Task struct {
	ID    uint64
	Model string
	// Input tells people what it is about; Want is the right answer, where it is known.
	Input, Want string
	Msg         *taskstypes.MsgSubmitTask
}

// HeldDigits is how many digits were held back from training.
func HeldDigits() (int, error) {
	all, err := data.Digits()
	if err != nil {
		return 0, err
	}
	_, held := data.SplitDigits(all)
	return len(held), nil
}

// DigitTask asks for the label of digit i of those held back from training, drawn as a picture and read back as a user's would be.
func (s *Setup) DigitTask(ctx context.Context, i int) (*Task, error) {
	all, err := data.Digits()
	if err != nil {
		return nil, err
	}
	_, held := data.SplitDigits(all)
	d := held[i%len(held)]
	png, err := zoo.DigitPNG(d.Pixels[:], digitScale)
	if err != nil {
		return nil, err
	}
	pixels, err := zoo.DigitsInput(bytes.NewReader(png))
	if err != nil {
		return nil, err
	}
	input := taskstypes.NamedTensor{Name: "pixels", Dtype: graphpb.DTYPE_U8, Shape: pixels.Shape(), Data: pixels.Bytes()}
	msg, err := s.message(ctx, Digits, 1, 0, input)
	if err != nil {
		return nil, err
	}
	label := strconv.Itoa(int(d.Label))
	return &Task{Model: Digits, Input: "picture of a " + label, Want: label, Msg: msg}, nil
}

// StoryTask asks for so many more tokens of a story. Without a temperature the most likely ones are taken.
func (s *Setup) StoryTask(ctx context.Context, text string, tokens int, temperature float32, seed int64) (*Task, error) {
	p, err := zoo.Story()
	if err != nil {
		return nil, err
	}
	ids := p.Tokenizer.Encode(text, true, false)
	inputs := []taskstypes.NamedTensor{tensor64("prompt", widen(ids)...)}
	if temperature > 0 {
		inputs = append(inputs, tensor32("temperature", int32(temperature*1_000_000)), tensor64("seed", seed))
	}
	msg, err := s.message(ctx, Story, uint64(len(ids)-1+tokens), uint64(len(ids)), inputs...)
	if err != nil {
		return nil, err
	}
	return &Task{Model: Story, Input: text, Msg: msg}, nil
}

// MixedTask is number i of an endless row of tasks of the models that are served; only pictures repeat, when there are no more.
func (s *Setup) MixedTask(ctx context.Context, i int) (*Task, error) {
	var makers []func(n int) (*Task, error)
	for _, m := range s.models {
		switch m.ID {
		case Digits:
			makers = append(makers, func(n int) (*Task, error) { return s.DigitTask(ctx, n*31) }) // 31 and the number of digits are coprime
		case Story:
			makers = append(makers, func(n int) (*Task, error) {
				prompts := zoo.Prompts()
				return s.StoryTask(ctx, prompts[n%len(prompts)], 32, 0.7, int64(n)+1)
			})
		}
	}
	if len(makers) == 0 {
		return nil, fmt.Errorf("tasks: neither %s nor %s is served", Digits, Story)
	}
	return makers[i%len(makers)](i / len(makers))
}

// Submit sends tasks in as few transactions as may be, in the name of alice, and notes their ids.
func (s *Setup) Submit(ctx context.Context, tasks ...*Task) error {
	for len(tasks) > 0 {
		n := min(submitBatch, len(tasks))
		if err := s.submit(ctx, tasks[:n]); err != nil {
			return err
		}
		tasks = tasks[n:]
	}
	return nil
}

func (s *Setup) submit(ctx context.Context, tasks []*Task) error {
	msgs := make([]sdk.Msg, len(tasks))
	got := make([]taskstypes.MsgSubmitTaskResponse, len(tasks))
	out := make([]interface{ Unmarshal([]byte) error }, len(tasks))
	for i, t := range tasks {
		if t.ID != 0 {
			return errors.New("task was submitted before")
		}
		msgs[i], out[i] = t.Msg, &got[i]
	}
	res, err := s.Client.Send(ctx, localnet.AccountAlice, msgs...)
	if err != nil {
		return err
	}
	if err := localnet.Responses(res, out...); err != nil {
		return err
	}
	for i, t := range tasks {
		t.ID = got[i].Id
	}
	return nil
}

// message is a submission whose max_fee is a multiple of the estimate; what is not used goes back.
func (s *Setup) message(ctx context.Context, id string, steps, promptRows uint64, inputs ...taskstypes.NamedTensor) (*taskstypes.MsgSubmitTask, error) {
	alice, err := s.Layout.Address(localnet.AccountAlice)
	if err != nil {
		return nil, err
	}
	est, err := taskstypes.NewQueryClient(s.Client.Conn).Estimate(ctx, &taskstypes.QueryEstimateRequest{
		Model: id, Steps: steps, PromptRows: promptRows,
	})
	if err != nil {
		return nil, fmt.Errorf("estimate for %s: %w", id, err)
	}
	return &taskstypes.MsgSubmitTask{
		Submitter: alice, Model: id, Inputs: inputs, Steps: steps, Allocation: taskstypes.ALLOCATION_DRAW,
		MaxFee: sdk.NewCoin(est.Fee.Denom, est.Fee.Amount.MulRaw(maxFeeMargin)),
	}, nil
}

func tensor64(name string, v ...int64) taskstypes.NamedTensor {
	var bz []byte
	for _, x := range v {
		bz = binary.LittleEndian.AppendUint64(bz, uint64(x))
	}
	return taskstypes.NamedTensor{Name: name, Dtype: graphpb.DTYPE_I64, Shape: []int64{int64(len(v))}, Data: bz}
}

func tensor32(name string, v ...int32) taskstypes.NamedTensor {
	var bz []byte
	for _, x := range v {
		bz = binary.LittleEndian.AppendUint32(bz, uint32(x))
	}
	return taskstypes.NamedTensor{Name: name, Dtype: graphpb.DTYPE_I32, Shape: []int64{int64(len(v))}, Data: bz}
}

func widen(ids []int32) []int64 {
	out := make([]int64, len(ids))
	for i, v := range ids {
		out[i] = int64(v)
	}
	return out
}
