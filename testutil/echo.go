package testutil

import (
	"encoding/binary"
	"math"

	"poaid/commit"
	"poaid/engine/graphpb"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
)

// EchoModel is the id of the model that NewEcho registers.
const EchoModel = "echo"

// echoSteps is the most steps a run of the model may have; every step does the same.
const echoSteps = 16

// echoProgram returns its input where it is positive, and zero elsewhere: the smallest model that does something.
func echoProgram() *graphpb.Program {
	shape := []*graphpb.Dim{{A: 4}}
	return &graphpb.Program{
		Inputs: []*graphpb.InputSpec{{Name: "x", Dtype: graphpb.DTYPE_F32, Shape: []int64{4}}},
		States: []*graphpb.StateSpec{{Name: "y", Dtype: graphpb.DTYPE_F32, Shape: []int64{4}}},
		Step: &graphpb.Graph{
			Nodes: []*graphpb.Node{{
				Name: "y", Op: "relu@1", Inputs: []*graphpb.Ref{{Kind: graphpb.REF_KIND_INPUT, Index: 0}}, Dtype: graphpb.DTYPE_F32, Shape: shape,
			}},
			Updates: []*graphpb.Update{{State: 0, Node: 0}},
		},
		Outputs: []string{"y"}, MaxSteps: echoSteps,
	}
}

// RegisterEcho registers the echo model in the name of owner and has governance declare it eligible for block reward.
func (c *Chain) RegisterEcho(owner *Account) {
	c.tb.Helper()
	c.RegisterEchoAs(owner, EchoModel)
}

// RegisterEchoAs is RegisterEcho under another id.
func (c *Chain) RegisterEchoAs(owner *Account, id string) {
	c.tb.Helper()
	weights := commit.NamedRoot(nil)
	c.Deliver(owner, &modelstypes.MsgRegisterModel{
		Owner: owner.String(), Id: id, Description: "max(x, 0)", Class: modelstypes.CLASS_EXACT, Program: echoProgram(),
		WeightsRoot: weights[:], RoyaltyBps: 100,
	})
	c.Govern(&modelstypes.MsgSetEligibility{Authority: c.App.Gov.GetAuthority(), Id: id, Eligible: true})
}

// EchoInput is an input of the echo model. No two numbers give the same.
func EchoInput(n uint64) taskstypes.NamedTensor {
	data := make([]byte, 0, 16)
	for _, v := range []uint32{uint32(n >> 40), uint32(n>>20) & 0xfffff, uint32(n) & 0xfffff, 1} {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(v)))
	}
	return taskstypes.NamedTensor{Name: "x", Dtype: graphpb.DTYPE_F32, Shape: []int64{4}, Data: data}
}

// SubmitEcho submits input n to the echo model.
func SubmitEcho(from *Account, n uint64) *taskstypes.MsgSubmitTask {
	return &taskstypes.MsgSubmitTask{
		Submitter: from.String(), Model: EchoModel, Inputs: []taskstypes.NamedTensor{EchoInput(n)}, Steps: 1,
		Allocation: taskstypes.ALLOCATION_DRAW, MaxFee: Poai(1)[0],
	}
}

// RunEcho runs the echo model on a task's inputs, which are never negative: an honest machine gets the inputs themselves. A wrong result has another last element, so every wrong one is the same lie.
func RunEcho(inputs []taskstypes.NamedTensor, steps uint64, wrong bool) (Result, error) {
	data := append([]byte(nil), inputs[0].Data...)
	if wrong {
		data[len(data)-1] ^= 1
	}
	root, err := commit.TensorRoot(uint8(graphpb.DTYPE_F32), []int64{4}, data)
	if err != nil {
		return Result{}, err
	}
	state := commit.NamedRoot([]commit.Named{{Name: "y", Root: root}})
	out := taskstypes.NamedTensor{Name: "y", Dtype: graphpb.DTYPE_F32, Shape: []int64{4}, Data: data}
	// State and outputs hold the same tensor under the same name, so their roots are equal.
	return Result{Outputs: []taskstypes.NamedTensor{out}, StateRoot: state, Root: commit.ResultRoot(steps, state, state)}, nil
}
