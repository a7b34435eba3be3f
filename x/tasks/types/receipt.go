package types

import (
	errorsmod "cosmossdk.io/errors"

	"poaid/commit"
)

// Validate checks the form of a receipt: ErrLength or ErrGenesis, naming the field.
func (r Receipt) Validate() error {
	for _, f := range []struct {
		name string
		root []byte
	}{
		{"program_hash", r.ProgramHash},
		{"weights_root", r.WeightsRoot},
		{"input_root", r.InputRoot},
		{"output_root", r.OutputRoot},
		{"result_root", r.ResultRoot},
	} {
		if len(f.root) != commit.Size {
			return errorsmod.Wrapf(ErrLength, "receipt.%s: %d bytes, want %d", f.name, len(f.root), commit.Size)
		}
	}
	if r.TaskId == 0 || r.Model == "" || r.Worker == "" || r.Steps == 0 {
		return errorsmod.Wrapf(ErrGenesis, "receipt: task_id %d, model %q, worker %q, steps %d: one is missing", r.TaskId, r.Model, r.Worker, r.Steps)
	}
	return nil
}
