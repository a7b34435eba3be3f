package types

import (
	"slices"
	"unicode/utf8"

	errorsmod "cosmossdk.io/errors"

	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/model"
)

// ValidateID refuses ids that are not 2 to 32 of a-z, 0-9 and '-', starting with a letter.
func ValidateID(id string) error {
	if len(id) < 2 || len(id) > 32 {
		return errorsmod.Wrapf(ErrInvalidModel, "id: %d bytes, must be 2..32", len(id))
	}
	for i := range len(id) {
		c := id[i]
		if c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '-') {
			continue
		}
		return errorsmod.Wrapf(ErrInvalidModel, "id: byte %d of %q, want a-z, 0-9 or '-' after a letter", i, id)
	}
	return nil
}

// ValidateBasics checks what of a registration can be checked without its program; errors name the field and the limit. byCID: the
// weights must be somewhere.
func (m *MsgRegisterModel) ValidateBasics(p Params, byCID bool) error {
	if err := ValidateID(m.Id); err != nil {
		return err
	}
	if IsSeededID(m.Id) {
		return errorsmod.Wrapf(ErrInvalidModel, "id: the prefix %q is kept for models that the chain makes", SeededPrefix)
	}
	if err := checkText("description", m.Description, 0, MaxDescriptionBytes); err != nil {
		return err
	}
	if m.Class != CLASS_EXACT {
		return errorsmod.Wrapf(ErrInvalidModel, "class: %s, only %s is supported", m.Class, CLASS_EXACT)
	}
	if m.RoyaltyBps > p.MaxRoyaltyBps {
		return errorsmod.Wrapf(ErrInvalidRoyalty, "royalty_bps: %d, limit %d", m.RoyaltyBps, p.MaxRoyaltyBps)
	}
	if len(m.WeightsRoot) != HashBytes {
		return errorsmod.Wrapf(ErrInvalidModel, "weights_root: %d bytes, want %d", len(m.WeightsRoot), HashBytes)
	}
	if n := len(m.MetadataHash); n != 0 && n != HashBytes {
		return errorsmod.Wrapf(ErrInvalidModel, "metadata_hash: %d bytes, want none or %d", n, HashBytes)
	}
	if err := checkCID("weights_cid", m.WeightsCid); err != nil {
		return err
	}
	if err := checkCID("tokenizer_cid", m.TokenizerCid); err != nil {
		return err
	}
	if len(m.Labels) > MaxLabels {
		return errorsmod.Wrapf(ErrInvalidModel, "labels: %d given, limit %d", len(m.Labels), MaxLabels)
	}
	for i, l := range m.Labels {
		if err := checkText("labels", l, 1, MaxLabelBytes); err != nil {
			return errorsmod.Wrapf(err, "labels[%d]", i)
		}
	}
	if m.Vocabulary != nil && uint64(m.Vocabulary.Size()) > p.MaxVocabularyBytes {
		return errorsmod.Wrapf(ErrInvalidModel, "vocabulary: %d bytes encoded, limit %d", m.Vocabulary.Size(), p.MaxVocabularyBytes)
	}
	if m.Program == nil {
		return errorsmod.Wrap(ErrInvalidProgram, "program: missing")
	}
	if byCID && len(m.Program.Weights) > 0 && m.WeightsCid == "" {
		return errorsmod.Wrap(ErrInvalidModel, "weights_cid: missing, the program has weights")
	}
	return nil
}

// checkCID refuses a malformed content id; an empty one is for the caller to judge.
func checkCID(field, cid string) error {
	if cid == "" {
		return nil
	}
	if _, err := model.ParseCID(cid); err != nil {
		return errorsmod.Wrapf(ErrInvalidModel, "%s: %s", field, err)
	}
	return nil
}

// checkText refuses text that is no UTF-8, holds control characters other than newline and tab, or is of the wrong length.
func checkText(field, s string, least, most int) error {
	if len(s) < least || len(s) > most {
		return errorsmod.Wrapf(ErrInvalidModel, "%s: %d bytes, must be %d..%d", field, len(s), least, most)
	}
	if !utf8.ValidString(s) {
		return errorsmod.Wrapf(ErrInvalidModel, "%s: not UTF-8", field)
	}
	for i, r := range s {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return errorsmod.Wrapf(ErrInvalidModel, "%s: control character at byte %d", field, i)
		}
	}
	return nil
}

// CheckProgram checks what the chain asks of a valid program on top of the engine: a stop state is among the outputs, so that
// the number of steps done is revealed, and what is said about showing outputs fits them.
func CheckProgram(p *engine.Program, outputs []OutputInfo, labels []string) error {
	states := make(map[string]*graphpb.StateSpec)
	for _, s := range p.Proto().States {
		states[s.Name] = s
	}
	declared := make(map[string]*graphpb.StateSpec)
	for _, name := range p.OutputNames() {
		declared[name] = states[name]
	}
	if stop := p.StopState(); stop != "" && declared[stop] == nil {
		return errorsmod.Wrapf(ErrInvalidProgram, "stop_state: %q must be among the outputs", stop)
	}
	seen := make(map[string]bool, len(outputs))
	for i, o := range outputs {
		if seen[o.Name] {
			return errorsmod.Wrapf(ErrInvalidModel, "outputs[%d].name: %q is listed twice", i, o.Name)
		}
		seen[o.Name] = true
		if err := checkOutput(o, declared, len(labels)); err != nil {
			return errorsmod.Wrapf(err, "outputs[%d]", i)
		}
	}
	return nil
}

// checkOutput checks how one output is shown; declared are the states that are outputs.
func checkOutput(o OutputInfo, declared map[string]*graphpb.StateSpec, labels int) error {
	state := declared[o.Name]
	if state == nil {
		return errorsmod.Wrapf(ErrInvalidModel, "name: the program has no output %q", o.Name)
	}
	if o.CountOutput != "" && o.Rendering != RENDERING_TOKENS {
		return errorsmod.Wrapf(ErrInvalidModel, "count_output: only with %s", RENDERING_TOKENS)
	}
	switch o.Rendering {
	case RENDERING_UNSPECIFIED:
		return nil
	case RENDERING_LABEL, RENDERING_TOKENS:
	default:
		return errorsmod.Wrapf(ErrInvalidModel, "rendering: %d is unknown", int32(o.Rendering))
	}
	if state.Dtype != graphpb.DTYPE_I32 && state.Dtype != graphpb.DTYPE_I64 {
		return errorsmod.Wrapf(ErrInvalidModel, "rendering: %s needs an i32 or i64 output, %q is %s", o.Rendering, o.Name, state.Dtype)
	}
	if o.Rendering == RENDERING_LABEL && labels == 0 {
		return errorsmod.Wrapf(ErrInvalidModel, "rendering: %s needs labels", o.Rendering)
	}
	if o.CountOutput == "" {
		return nil
	}
	count := declared[o.CountOutput]
	if count == nil {
		return errorsmod.Wrapf(ErrInvalidModel, "count_output: the program has no output %q", o.CountOutput)
	}
	if count.Dtype != graphpb.DTYPE_I64 || !slices.Equal(count.Shape, []int64{1}) {
		return errorsmod.Wrapf(ErrInvalidModel, "count_output: %q must be i64[1]", o.CountOutput)
	}
	return nil
}

// ParamCount is the number of weight elements. The engine has bounded them.
func ParamCount(p *engine.Program) uint64 {
	total := uint64(0)
	for _, w := range p.Proto().Weights {
		n := uint64(1)
		for _, d := range w.Shape {
			n *= uint64(d)
		}
		total += n
	}
	return total
}

// InterfaceOf is a program without its graphs.
func InterfaceOf(p *graphpb.Program) graphpb.Program {
	return graphpb.Program{
		Weights: p.Weights, Inputs: p.Inputs, States: p.States, ForcedInput: p.ForcedInput,
		StopState: p.StopState, Outputs: p.Outputs, MaxSteps: p.MaxSteps,
	}
}
