package demo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/daemon/artifacts"
	"poaid/daemon/registry"
	"poaid/engine/graphpb"
	"poaid/localnet"
	"poaid/model"
	"poaid/model/zoo"
	"poaid/model/zoo/data"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
)

// The models of the demo.
const (
	digitsModel = "digits"
	storyModel  = "story"
)

func modelIDs() []string { return []string{digitsModel, storyModel} }

// The batch of tasks.
const (
	digitTasks   = 8
	digitScale   = 12 // pixels of the picture a pixel of the scan
	storyTokens  = 64
	royaltyBps   = 200
	maxFeeMargin = 2 // max_fee is so many times the estimate
)

// prompts of the story tasks; the second and third sample with a temperature, the others are greedy.
var prompts = []struct {
	text        string
	temperature float32
	seed        int64
}{
	{"Once upon a time there was a king who had three daughters", 0, 0},
	{"The old woman opened the door and said", 0.7, 7},
	{"Deep in the forest lived a wolf", 0.7, 11},
	{"The prince rode away", 0, 0},
}

// submitted is one task of the batch.
type submitted struct {
	id    uint64
	model string
	input string // for people
	want  string // the right answer, where it is known
	view  *taskstypes.QueryTaskResponse
}

func (s *submitted) reportOf() TaskReport {
	rep := TaskReport{
		ID: s.id, Model: s.model, State: stateName(s.view.Status.State), Units: s.view.Status.UnitsDone, Fee: "0",
		Worker: s.view.Status.Worker, Committee: s.view.Committee, input: s.input, want: s.want,
	}
	if p := s.view.Payment; p != nil {
		rep.Fee = p.Worker.Add(p.Verifiers).Add(p.Royalty).Add(p.Burnt).String()
	}
	for _, o := range s.view.Outputs {
		if o.Text != "" {
			rep.Output = o.Text
			break
		}
	}
	if rep.Committee == nil {
		rep.Committee = []string{}
	}
	return rep
}

// register serves the weights of both models by content id and registers the models.
func (r *runner) register(ctx context.Context) error {
	store, err := artifacts.Open(ctx, "file://"+filepath.Join(r.layout.Config.Home, "artifacts"), 0)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", r.layout.OwnerArtifacts)
	if err != nil {
		return fmt.Errorf("artifact server: %w", err)
	}
	server := artifacts.HTTPServer(listener.Addr().String(), artifacts.NewServer(store, artifacts.ServerOptions{}))
	go func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			r.screen.step("artifact server: %v", err)
		}
	}()
	r.closers = append(r.closers, server.Close, store.Close)

	owner, err := r.layout.Address(localnet.AccountOwner)
	if err != nil {
		return err
	}
	r.packages = map[string]*model.Package{}
	for id, load := range map[string]func() (*model.Package, error){digitsModel: zoo.Digits, storyModel: zoo.Story} {
		if r.packages[id], err = load(); err != nil {
			return fmt.Errorf("model %s: %w", id, err)
		}
	}
	for _, id := range modelIDs() {
		msg, err := registry.Message(ctx, store, r.packages[id], registry.Options{ID: id, Owner: owner, RoyaltyBps: royaltyBps})
		if err != nil {
			return fmt.Errorf("model %s: %w", id, err)
		}
		res, err := r.client.Send(ctx, localnet.AccountOwner, msg)
		if err != nil {
			return err
		}
		var got modelstypes.MsgRegisterModelResponse
		if err := localnet.Responses(res, &got); err != nil {
			return err
		}
		r.screen.step("model %s registered: program %x…, %d units a step", id, got.ProgramHash[:4], got.UnitsStep)
	}
	return nil
}

// submit sends the batch in two transactions.
func (r *runner) submit(ctx context.Context) error {
	alice, err := r.layout.Address(localnet.AccountAlice)
	if err != nil {
		return err
	}
	digits, err := r.digitMessages(ctx, alice)
	if err != nil {
		return err
	}
	stories, err := r.storyMessages(ctx, alice)
	if err != nil {
		return err
	}
	for _, msgs := range [][]sdk.Msg{digits, stories} {
		res, err := r.client.Send(ctx, localnet.AccountAlice, msgs...)
		if err != nil {
			return err
		}
		got := make([]taskstypes.MsgSubmitTaskResponse, len(msgs))
		out := make([]interface{ Unmarshal([]byte) error }, len(msgs))
		for i := range got {
			out[i] = &got[i]
		}
		if err := localnet.Responses(res, out...); err != nil {
			return err
		}
		first := len(r.tasks) - len(digits) - len(stories)
		if msgs[0] == stories[0] {
			first += len(digits)
		}
		for i := range got {
			r.tasks[first+i].id = got[i].Id
		}
	}
	r.screen.step("%d tasks submitted: %d digit pictures the classifier has never seen, %d prompts", len(r.tasks), len(digits), len(stories))
	return nil
}

// digitMessages asks for the labels of digits held back from training, drawn as pictures and read back as a user's would be.
func (r *runner) digitMessages(ctx context.Context, submitter string) ([]sdk.Msg, error) {
	all, err := data.Digits()
	if err != nil {
		return nil, err
	}
	_, held := data.SplitDigits(all)
	var msgs []sdk.Msg
	for i := range digitTasks {
		d := held[i*len(held)/digitTasks]
		png, err := zoo.DigitPNG(d.Pixels[:], digitScale)
		if err != nil {
			return nil, err
		}
		pixels, err := zoo.DigitsInput(bytes.NewReader(png))
		if err != nil {
			return nil, err
		}
		input := taskstypes.NamedTensor{Name: "pixels", Dtype: graphpb.DTYPE_U8, Shape: pixels.Shape(), Data: pixels.Bytes()}
		msg, err := r.message(ctx, submitter, digitsModel, 1, 0, input)
		if err != nil {
			return nil, err
		}
		msgs = append(msgs, msg)
		label := strconv.Itoa(int(d.Label))
		r.tasks = append(r.tasks, &submitted{model: digitsModel, input: "picture of a " + label, want: label})
	}
	return msgs, nil
}

func (r *runner) storyMessages(ctx context.Context, submitter string) ([]sdk.Msg, error) {
	tok := r.packages[storyModel].Tokenizer
	var msgs []sdk.Msg
	for _, p := range prompts {
		ids := tok.Encode(p.text, true, false)
		inputs := []taskstypes.NamedTensor{tensor64("prompt", widen(ids)...)}
		if p.temperature > 0 {
			inputs = append(inputs, tensor32("temperature", int32(p.temperature*1_000_000)), tensor64("seed", p.seed))
		}
		steps := uint64(len(ids) - 1 + storyTokens)
		msg, err := r.message(ctx, submitter, storyModel, steps, uint64(len(ids)), inputs...)
		if err != nil {
			return nil, err
		}
		msgs = append(msgs, msg)
		r.tasks = append(r.tasks, &submitted{model: storyModel, input: p.text})
	}
	return msgs, nil
}

// message is a submission whose max_fee is a multiple of the estimate; what is not used goes back.
func (r *runner) message(
	ctx context.Context, submitter, id string, steps, promptRows uint64, inputs ...taskstypes.NamedTensor,
) (sdk.Msg, error) {
	est, err := taskstypes.NewQueryClient(r.client.Conn).Estimate(ctx, &taskstypes.QueryEstimateRequest{
		Model: id, Steps: steps, PromptRows: promptRows,
	})
	if err != nil {
		return nil, fmt.Errorf("estimate for %s: %w", id, err)
	}
	return &taskstypes.MsgSubmitTask{
		Submitter: submitter, Model: id, Inputs: inputs, Steps: steps, Allocation: taskstypes.ALLOCATION_DRAW,
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
