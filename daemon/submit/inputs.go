// Package submit is the client side of tasks: it turns what the user asks for into the inputs of a task, and follows a task through its
// states to the answer.
package submit

import (
	"poaid/engine/graphpb"
	"poaid/model"
	"poaid/model/inputs"
	taskstypes "poaid/x/tasks/types"
)

// ErrInput is wrapped by every error about what the user gave.
var ErrInput = inputs.ErrInput

// Wants is what the user asks for, besides the model.
type Wants = inputs.Wants

// Built is what a submission needs.
type Built struct {
	Tensors    []taskstypes.NamedTensor
	Steps      uint64
	PromptRows uint64
}

// Build makes the inputs of a program. tok is needed for a prompt only.
func Build(prog *graphpb.Program, tok *model.Tokenizer, w Wants) (Built, error) {
	b, err := inputs.Build(prog, tok, w)
	if err != nil {
		return Built{}, err
	}
	out := Built{Steps: b.Steps, PromptRows: b.PromptRows}
	for _, t := range b.Tensors {
		out.Tensors = append(out.Tensors, taskstypes.NamedTensor{
			Name: t.Name, Dtype: t.Tensor.DType(), Shape: t.Tensor.Shape(), Data: t.Tensor.Bytes(),
		})
	}
	return out, nil
}
