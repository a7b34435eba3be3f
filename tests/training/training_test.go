// Package training_test trains on a whole chain.
package training_test

import (
	"context"
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/commit"
	"poaid/engine"
	"poaid/game"
	"poaid/model"
	"poaid/model/train"
	"poaid/testutil"
	"poaid/testutil/adversary"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
	trainingtypes "poaid/x/training/types"
)

const (
	baseModel = "digits-net"
	result    = "digits-trained"
	segment   = 6
)

// school is a chain on which a small training runs, and the same training on this machine.
type school struct {
	*testutil.Court
	t     *testing.T
	job   *train.Job
	owner *testutil.Account
	base  *model.Package
	// at are the local checkpoints by step.
	at map[uint64]*train.Checkpoint
	id uint64
}

// newSchool registers the training program, as any model, and the net that is trained.
func newSchool(t *testing.T, parties int) *school {
	t.Helper()
	spec, err := train.ReadSpec("../../model/train/testdata/tiny-mlp.yaml")
	require.NoError(t, err)
	job, err := spec.Job()
	require.NoError(t, err)
	inputs := map[string]*engine.Tensor{}
	for i, in := range job.Program.InputSpecs() {
		inputs[in.Name] = job.Inputs.Tensors()[i]
	}
	s := &school{t: t, job: job, at: map[uint64]*train.Checkpoint{}}
	s.Court = testutil.NewCourt(t, testutil.Case{
		Program: job.Program, Weights: job.Weights, Inputs: inputs, Steps: segment, Parties: parties, Shadows: testutil.AllShadows(),
	})
	s.owner = s.Accounts[2]
	require.NoError(t, err)
	if s.at[0], err = job.First(); err != nil {
		t.Fatal(err)
	}
	for step := uint64(0); step < uint64(spec.Steps); step += segment {
		_, next, err := job.Advance(context.Background(), s.at[step], step+segment, 1)
		require.NoError(t, err)
		s.at[step+segment] = next
	}
	s.base, err = job.Package(s.at[0])
	require.NoError(t, err)
	s.registerBase()
	return s
}

func (s *school) registerBase() {
	s.t.Helper()
	root, err := s.base.Weights.Root(1)
	require.NoError(s.t, err)
	res := s.Block(s.TxWith(s.Accounts[1], testutil.TxOptions{Gas: params.BlockGas / 2}, &modelstypes.MsgRegisterModel{
		Owner: s.Accounts[1].String(), Id: baseModel, Class: modelstypes.CLASS_EXACT, Program: s.base.Program.Proto(), WeightsRoot: root[:],
		WeightsCid: model.CIDOf([]byte("base")), RoyaltyBps: 500,
	}))
	require.Zero(s.t, res.TxResults[0].Code, res.TxResults[0].Log)
}

// roots are the tensor roots of tensors.
func roots(t *testing.T, tensors []*engine.Tensor) (out [][]byte) {
	t.Helper()
	for _, x := range tensors {
		root, err := commit.TensorRoot(uint8(x.DType()), x.Shape(), x.Bytes())
		require.NoError(t, err)
		out = append(out, root[:])
	}
	return out
}

// send delivers a message that needs more gas than most.
func (s *school) send(from *testutil.Account, msg sdk.Msg) {
	s.t.Helper()
	res := s.Block(s.TxWith(from, testutil.TxOptions{Gas: 5_000_000}, msg)).TxResults[0]
	require.Zero(s.t, res.Code, res.Log)
}

// enrol creates the job.
func (s *school) enrol(change func(*trainingtypes.MsgCreateJob)) {
	s.t.Helper()
	msg := &trainingtypes.MsgCreateJob{
		Owner: s.owner.String(), Model: testutil.CourtModel, Steps: uint64(s.job.Spec.Steps), SegmentSteps: segment,
		Budget: sdk.NewInt64Coin(params.Denom, 500_000_000), WeightRoots: roots(s.t, s.job.Weights.Tensors()), FiniteOutput: "losses",
		Result: &trainingtypes.Plan{Id: result, Description: "reads digits", RoyaltyBps: 400, Base: baseModel, BaseShareBps: 2_000},
	}
	for i, in := range s.job.Program.InputSpecs() {
		x := s.job.Inputs.Tensors()[i]
		msg.Inputs = append(msg.Inputs, taskstypes.NamedTensor{Name: in.Name, Dtype: x.DType(), Shape: x.Shape(), Data: x.Bytes()})
	}
	for _, w := range s.base.Program.WeightSpecs() {
		msg.Result.Mappings = append(msg.Result.Mappings, trainingtypes.Mapping{Weight: w.Name, State: w.Name})
	}
	if change != nil {
		change(msg)
	}
	s.send(s.owner, msg)
	require.NoError(s.t, s.App.Training.Jobs.Walk(s.Ctx(), nil, func(id uint64, j trainingtypes.Job) (bool, error) {
		s.id = id
		require.Equal(s.t, uint64(4), j.Segments())
		return false, nil
	}))
}

func (s *school) progress() trainingtypes.Progress {
	s.t.Helper()
	p, err := s.App.Training.Progress.Get(s.Ctx(), s.id)
	require.NoError(s.t, err)
	return p
}

// lesson turns to the segment that runs.
func (s *school) lesson() taskstypes.Task {
	s.t.Helper()
	for s.progress().Task == 0 {
		s.Block()
	}
	task, err := s.App.Tasks.Tasks.Get(s.Ctx(), s.progress().Task)
	require.NoError(s.t, err)
	from := s.at[task.StartStep]
	if task.StartStep > 0 {
		require.Equal(s.t, from.StateRoot[:], task.StartRoot)
	}
	run, err := adversary.NewSegment(s.job.Program, engine.CostParams{
		MacsPerUnit: modelstypes.DefaultParams().MacsPerUnit, BytesPerUnit: modelstypes.DefaultParams().BytesPerUnit,
	}, s.job.Weights, s.inputs(), game.Checkpoint{Step: task.StartStep, States: from.States}, task.Steps)
	require.NoError(s.t, err)
	s.Follow(task.Id, run)
	return task
}

func (s *school) inputs() map[string]*engine.Tensor {
	inputs := map[string]*engine.Tensor{}
	for i, in := range s.job.Program.InputSpecs() {
		inputs[in.Name] = s.job.Inputs.Tensors()[i]
	}
	return inputs
}

// until makes blocks until the segment that runs is in a state, or over.
func (s *school) until(state taskstypes.State) {
	s.t.Helper()
	s.Until(200, func() bool { return s.Status().State == state })
}

// TestTraining trains a net in four segments by different workers. One lies about its segment and loses, one disappears in the middle of its;
// both segments are done again by others. What comes out is what one machine gets, is a model that descends from its base, and serves.
func TestTraining(t *testing.T) {
	s := newSchool(t, 5)
	ada, bob, eve, tom, zoe := s.Honest(), s.Honest(), s.Join(nil), s.Join(nil), s.Honest()
	spent := s.App.Bank.GetBalance(s.Ctx(), s.owner.Addr, params.Denom)
	s.enrol(nil)

	first := s.lesson()
	require.Zero(t, first.StartStep)
	s.Servers(ada)
	s.until(taskstypes.STATE_FINAL)

	second := s.lesson()
	require.Equal(t, uint64(segment), second.StartStep)
	s.Servers(eve)
	lie, err := adversary.FlippedOp("matmul@1")(s.Run)
	require.NoError(t, err)
	eve.Answer = lie
	s.until(taskstypes.STATE_DISPUTED)
	s.Servers(bob)
	s.until(taskstypes.STATE_FINAL)
	require.True(t, s.Settled())
	require.Equal(t, bob.String(), s.Status().Worker)
	liar, err := s.App.Poai.GetParticipant(s.Ctx(), eve.String())
	require.NoError(t, err)
	require.True(t, liar.Bond.LT(testutil.Join(eve.Account).Bond.Amount), "a lie costs the lock")

	s.lesson()
	s.Servers(tom)
	tom.Behaviour = testutil.Idle
	s.until(taskstypes.STATE_ASSIGNED)
	require.Equal(t, tom.String(), s.Status().Worker)
	s.Rebirth()
	s.until(taskstypes.STATE_OPEN)
	s.Servers(zoe)
	s.until(taskstypes.STATE_FINAL)
	require.Equal(t, zoe.String(), s.Status().Worker)

	s.lesson()
	s.Servers(ada)
	s.until(taskstypes.STATE_FINAL)
	p := s.progress()
	require.Equal(t, trainingtypes.STATE_TRAINED, p.State)
	last := s.at[uint64(s.job.Spec.Steps)]
	require.Equal(t, last.StateRoot[:], p.StateRoot, "as one machine that does all steps")
	require.Zero(t, p.Failures)
	left := s.App.Bank.GetBalance(s.Ctx(), s.owner.Addr, params.Denom)
	fees := spent.Amount.Sub(left.Amount).Sub(p.Spent)
	require.True(t, fees.IsPositive() && fees.LT(sdk.NewInt64Coin(params.Denom, 10_000_000).Amount), "the rest of the budget is back, but for gas: %s", fees)
	require.True(t, p.Escrow.IsZero())
	s.graduate(ada, last)
	for _, p := range []*testutil.Party{ada, bob, zoe} {
		p.Watches = false // what follows is no segment
	}
	s.serve(bob, last)
	s.Rebirth()
}

// graduate registers the result.
func (s *school) graduate(by *testutil.Party, last *train.Checkpoint) {
	s.t.Helper()
	trained, err := s.job.Package(last)
	require.NoError(s.t, err)
	want, err := trained.Weights.Root(1)
	require.NoError(s.t, err)
	wrong := roots(s.t, last.States)
	wrong[0] = make([]byte, 32)
	bad := s.Try(by.Account, &trainingtypes.MsgFinishJob{Sender: by.String(), JobId: s.id, StateRoots: wrong, WeightsCid: model.CIDOf([]byte("trained"))})
	require.Equal(s.t, trainingtypes.ErrRoots.ABCICode(), bad.Code, bad.Log)
	s.send(by.Account, &trainingtypes.MsgFinishJob{
		Sender: by.String(), JobId: s.id, StateRoots: roots(s.t, last.States), WeightsCid: model.CIDOf([]byte("trained")),
	})
	m, err := s.App.Models.GetModel(s.Ctx(), result)
	require.NoError(s.t, err)
	require.Equal(s.t, want[:], m.WeightsRoot, "the weights that one machine has trained")
	require.Equal(s.t, s.owner.String(), m.Owner)
	j, err := s.App.Training.Jobs.Get(s.Ctx(), s.id)
	require.NoError(s.t, err)
	require.Equal(s.t, []modelstypes.Parent{{Kind: modelstypes.PARENT_KIND_MODEL, Id: baseModel, ShareBps: 2_000}}, j.Parents)
	require.Equal(s.t, trainingtypes.STATE_FINISHED, s.progress().State)
}

// serve runs the trained model as any other.
func (s *school) serve(by *testutil.Party, last *train.Checkpoint) {
	s.t.Helper()
	trained, err := s.job.Package(last)
	require.NoError(s.t, err)
	s.Deliver(by.Account, &poaitypes.MsgServe{Participant: by.String(), Models: []string{result}})
	in := trained.Program.InputSpecs()[0]
	size, err := engine.ByteSize(in.DType, in.Shape)
	require.NoError(s.t, err)
	x, err := engine.TensorFromBytes(in.DType, in.Shape, make([]byte, size))
	require.NoError(s.t, err)
	res, err := engine.Execute(context.Background(), trained.Program, trained.Weights, map[string]*engine.Tensor{in.Name: x}, 1, engine.RunOptions{Threads: 1})
	require.NoError(s.t, err)
	out := testutil.Result{StateRoot: res.StateRoot, Root: res.ResultRoot}
	for _, o := range res.Outputs {
		out.Outputs = append(out.Outputs, taskstypes.NamedTensor{Name: o.Name, Dtype: o.Tensor.DType(), Shape: o.Tensor.Shape(), Data: o.Tensor.Bytes()})
	}
	by.Result = func(uint64) (testutil.Result, error) { return out, nil }
	s.Deliver(s.owner, &taskstypes.MsgSubmitTask{
		Submitter: s.owner.String(), Model: result, Steps: 1, Allocation: taskstypes.ALLOCATION_DRAW, MaxFee: sdk.NewInt64Coin(params.Denom, 10_000_000),
		Inputs: []taskstypes.NamedTensor{{Name: in.Name, Dtype: in.DType, Shape: in.Shape, Data: x.Bytes()}},
	})
	ids := testutil.TaskIDs(s.Chain, s.owner)
	s.Task = ids[len(ids)-1]
	s.until(taskstypes.STATE_FINAL)
	require.Equal(s.t, by.String(), s.Status().Worker)
}
