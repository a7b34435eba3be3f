package main

import (
	"encoding/binary"
	"math"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app/params"
	"poaid/commit"
	"poaid/engine/graphpb"
	"poaid/testutil"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
)

const (
	// maxSteps of a run: a unit each.
	maxSteps = 1 << 20
	// promptRows is the longest prompt.
	promptRows = 8_192
	// royaltyBps of the models that everybody serves.
	royaltyBps = 500
)

// Models of the simulation.
const (
	workModel    = "work"    // what clients ask for
	promptModel  = "prompt"  // the same with a prompt: its steps earn fee, not score
	captiveModel = "captive" // of an owner that serves it alone
)

// relu is max(x, 0) for T steps of one unit each. All steps do the same, so that a run of a million units is known after one: the machines of the
// simulation take the time that the units say.
func relu(prompt bool) *graphpb.Program {
	graph := func() *graphpb.Graph {
		return &graphpb.Graph{
			Nodes: []*graphpb.Node{{
				Name: "y", Op: "relu@1", Inputs: []*graphpb.Ref{{Kind: graphpb.REF_KIND_INPUT, Index: 0}}, Dtype: graphpb.DTYPE_F32,
				Shape: []*graphpb.Dim{{A: 4}},
			}},
			Updates: []*graphpb.Update{{State: 0, Node: 0}},
		}
	}
	p := &graphpb.Program{
		Inputs:  []*graphpb.InputSpec{{Name: "x", Dtype: graphpb.DTYPE_F32, Shape: []int64{4}}},
		States:  []*graphpb.StateSpec{{Name: "y", Dtype: graphpb.DTYPE_F32, Shape: []int64{4}}},
		Step:    graph(),
		Outputs: []string{"y"}, MaxSteps: maxSteps,
	}
	if prompt {
		p.Inputs = append(p.Inputs, &graphpb.InputSpec{Name: "prompt", Dtype: graphpb.DTYPE_U8, Shape: []int64{promptRows}, VariableRows: true})
		p.Forced, p.ForcedInput = graph(), "prompt"
	}
	return p
}

// register has an account own a model that governance makes eligible.
func (w *world) register(owner *testutil.Account, id string, royalty uint32, prompt bool) {
	weights := commit.NamedRoot(nil)
	w.c.Deliver(owner, &modelstypes.MsgRegisterModel{
		Owner: owner.String(), Id: id, Description: "max(x, 0)", Class: modelstypes.CLASS_EXACT, Program: relu(prompt),
		WeightsRoot: weights[:], RoyaltyBps: royalty,
	})
	w.c.Govern(&modelstypes.MsgSetEligibility{Authority: w.c.App.Gov.GetAuthority(), Id: id, Eligible: true})
}

// submission asks for a run on an input that nobody asked for before.
func (w *world) submission(from *testutil.Account, model string, steps uint64) *taskstypes.MsgSubmitTask {
	w.inputs++
	return &taskstypes.MsgSubmitTask{
		Submitter: from.String(), Model: model, Inputs: []taskstypes.NamedTensor{testutil.EchoInput(w.inputs)}, Steps: steps,
		Allocation: taskstypes.ALLOCATION_DRAW, MaxFee: sdk.NewInt64Coin(params.Denom, int64(steps)+1_000_000),
	}
}

// withPrompt adds a prompt to a submission.
func withPrompt(msg *taskstypes.MsgSubmitTask, rows int) *taskstypes.MsgSubmitTask {
	msg.Model = promptModel
	msg.Inputs = append(msg.Inputs, taskstypes.NamedTensor{
		Name: "prompt", Dtype: graphpb.DTYPE_U8, Shape: []int64{int64(rows)}, Data: make([]byte, rows),
	})
	return msg
}

// withNaN makes the input one that holds NaN: whatever is computed of it is NaN, and known without computing. The number of the input goes into the
// others, so that it is a new one.
func withNaN(msg *taskstypes.MsgSubmitTask) *taskstypes.MsgSubmitTask {
	binary.LittleEndian.PutUint32(msg.Inputs[0].Data[12:], math.Float32bits(float32(math.NaN())))
	return msg
}
