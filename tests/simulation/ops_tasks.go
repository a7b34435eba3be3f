package simulation

import (
	"slices"

	"cosmossdk.io/collections"
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"poaid/app/params"
	modelpkg "poaid/model"
	"poaid/testutil"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

func tasksModule() Module {
	return Module{
		Name: taskstypes.ModuleName,
		Genesis: func(g *testutil.Genesis) {
			var t taskstypes.GenesisState
			g.Get(taskstypes.ModuleName, &t)
			// Half of all results are audited, so that there is something to argue about.
			t.Params.AuditMinPpm, t.Params.AuditAllBelowPpm, t.Params.OpenBlocks = 500_000, 300_000, 20
			t.Params.WorkerLockBase = math.NewInt(20_000_000)
			// A second denomination, and a price that moves.
			t.Params.FeeRates = []taskstypes.FeeRate{{Denom: second, Rate: math.NewInt(3_141_592)}}
			t.Params.BidRevealBlocks, t.Params.TargetUnitsPerBlock = 5, 50
			g.Set(taskstypes.ModuleName, &t)
			var b banktypes.GenesisState
			g.Get(banktypes.ModuleName, &b)
			for i := range b.Balances {
				if slices.ContainsFunc(g.Accounts, func(a *testutil.Account) bool { return a.String() == b.Balances[i].Address }) {
					more := sdk.NewInt64Coin(second, 1_000_000_000_000)
					b.Balances[i].Coins, b.Supply = b.Balances[i].Coins.Add(more), b.Supply.Add(more)
				}
			}
			g.Set(banktypes.ModuleName, &b)
		},
		Operations: []Operation{
			{Name: "tasks SubmitTask", Weight: 40, Do: submit},
			{Name: "tasks SubmitTask race", Weight: 10, Do: race},
			{Name: "tasks SubmitTask auction", Weight: 10, Do: auctioned},
			{Name: "tasks SubmitTask bad", Weight: 3, Refused: true, Do: submitBad},
			{Name: "tasks CancelTask", Weight: 4, Do: func(s *Sim) *Action { return s.cancel(false) }},
			{Name: "tasks CancelTask another's", Weight: 1, Refused: true, Do: func(s *Sim) *Action { return s.cancel(true) }},
		},
		Duties:    work,
		Proposals: []func(*Sim) sdk.Msg{tasksParams},
		Milestones: []string{
			"tasks TaskState STATE_ASSIGNED", "tasks TaskState STATE_SEALED", "tasks TaskState STATE_AUDITED", "tasks TaskState STATE_REVEALING",
			"tasks TaskState STATE_REVEALED", "tasks TaskState STATE_DISPUTED", "tasks TaskState STATE_OPEN",
			"tasks TaskState STATE_FINAL", "tasks TaskState STATE_CANCELLED", "tasks TaskState STATE_EXPIRED", "tasks TaskState STATE_REFUNDED",
			"tasks TaskPruned", "tasks JackpotPaid", "tasks RunnerSealed", "tasks PriceMoved", "tasks ParamsUpdated",
		},
	}
}

// ended tells the states that nothing leads out of.
func ended(st taskstypes.State) bool {
	switch st {
	case taskstypes.STATE_FINAL, taskstypes.STATE_CANCELLED, taskstypes.STATE_EXPIRED, taskstypes.STATE_REFUNDED:
		return true
	}
	return false
}

func (s *Sim) submission() *taskstypes.MsgSubmitTask {
	m, ok := any1(s, s.alive())
	if !ok {
		return nil
	}
	msg := &taskstypes.MsgSubmitTask{
		Submitter: s.anybody().String(), Model: m.id, Allocation: taskstypes.ALLOCATION_DRAW, MaxFee: s.coins(1_000_000, 3_000_000),
		Steps: 1 + uint64(s.r.Int63n(int64(m.kind.prog.MaxSteps()))),
	}
	if s.r.Intn(4) == 0 {
		msg.MaxFee = sdk.NewCoin(second, msg.MaxFee.Amount)
	}
	if s.r.Intn(3) == 0 {
		msg.Tip = math.NewInt(s.r.Int63n(5_000_000))
	}
	if s.r.Intn(5) == 0 {
		memory, tags := s.equipment()
		msg.Requirements = &poaitypes.Requirements{MemoryMib: memory, Tags: tags, MinReliabilityPpm: uint64(s.r.Intn(400_000))}
	}
	n := uint64(s.r.Intn(1 << 20))
	if s.r.Intn(10) == 0 {
		n %= 8 // has been asked before
	}
	given, byCID := m.kind.inputs(n), s.r.Intn(8) == 0
	for _, in := range m.kind.prog.InputSpecs() {
		x, ok := given[in.Name]
		if !ok {
			continue
		}
		t := taskstypes.NamedTensor{Name: in.Name, Dtype: x.DType(), Shape: x.Shape(), Data: x.Bytes()}
		if byCID {
			root := s.tensorRoot(x)
			t.Root, t.Cid, t.Data = root[:], modelpkg.CIDOf(t.Data), nil
			s.tensors[string(root[:])] = x
		}
		msg.Inputs = append(msg.Inputs, t)
	}
	return msg
}

func submit(s *Sim) *Action {
	msg := s.submission()
	if msg == nil {
		return nil
	}
	return one(s.byAddr[msg.Submitter], msg)
}

// race has whoever comes run a task.
func race(s *Sim) *Action {
	msg := s.submission()
	if msg == nil {
		return nil
	}
	msg.Allocation, msg.Redundancy = taskstypes.ALLOCATION_RACE, uint32(s.r.Intn(5))
	return one(s.byAddr[msg.Submitter], msg)
}

// equipment that somebody has, or wants.
func (s *Sim) equipment() (memory uint64, tags []string) {
	for _, tag := range []string{"gpu", "region:eu"} {
		if s.r.Intn(3) > 0 {
			tags = append(tags, tag)
		}
	}
	return uint64(s.r.Intn(3)) * 4_096, tags
}

func submitBad(s *Sim) *Action {
	msg := s.submission()
	if msg == nil {
		return nil
	}
	switch s.r.Intn(11) {
	case 0:
		msg.Model = "nothing"
	case 1:
		msg.Steps = 0
	case 2:
		msg.Steps = 1 << 40
	case 3:
		msg.Inputs = msg.Inputs[1:]
	case 4:
		msg.Inputs[0].Shape = []int64{1, 2, 3, 4}
	case 5:
		msg.MaxFee = sdk.NewInt64Coin(params.Denom, 1)
	case 6:
		msg.MaxFee = sdk.NewInt64Coin("dust", 1_000_000_000)
	case 7:
		msg.Allocation = taskstypes.ALLOCATION_UNSPECIFIED
	case 8:
		msg.Tip = math.NewInt(-1)
	case 9:
		msg.Redundancy = 2
	case 10:
		msg.Auction = &taskstypes.AuctionOptions{BidBlocks: 4}
	}
	return one(s.byAddr[msg.Submitter], msg)
}

// cancel takes back a task that no worker was drawn for.
func (s *Sim) cancel(anothers bool) *Action {
	var open []standing
	for _, t := range s.running() {
		if t.State == taskstypes.STATE_OPEN && t.Attempt == 0 {
			open = append(open, t)
		}
	}
	t, ok := any1(s, open)
	if !ok {
		return nil
	}
	task, err := s.App.Tasks.Tasks.Get(s.Ctx(), t.id)
	s.must(err)
	from := s.byAddr[task.Submitter]
	if from == nil && !anothers {
		return nil // a module's
	}
	if anothers {
		if other := s.anybody(); other != from {
			return one(other, &taskstypes.MsgCancelTask{Submitter: other.String(), TaskId: t.id})
		}
		return nil
	}
	return one(from, &taskstypes.MsgCancelTask{Submitter: task.Submitter, TaskId: t.id})
}

func tasksParams(s *Sim) sdk.Msg {
	p, err := s.App.Tasks.Params.Get(s.Ctx())
	s.must(err)
	switch s.r.Intn(9) {
	case 8:
		p.FeeRates = []taskstypes.FeeRate{{Denom: second, Rate: math.NewInt(1_000_000 + s.r.Int63n(4_000_000))}}
	case 0:
		p.UnitPrice = math.NewInt(500_000 + s.r.Int63n(1_000_000))
	case 1:
		p.VerifierPayBps = uint32(5_000 + s.r.Intn(10_000))
		p.BurnBps = uint32(s.r.Intn(1_000))
	case 2:
		p.SealBlocks = 8 + s.r.Int63n(6)
	case 3:
		p.RevealBlocks, p.ChallengeBlocks = 8+s.r.Int63n(6), 4+s.r.Int63n(4)
	case 4:
		p.CommitteeSize = uint32(3 + s.r.Intn(3))
	case 5:
		p.TimeoutSlashBps = uint32(s.r.Intn(1_000))
	case 6:
		p.AuditMinPpm = uint32(400_000 + s.r.Intn(300_000))
	case 7:
		p.RetentionBlocks = 30 + s.r.Int63n(40)
	}
	return &taskstypes.MsgUpdateParams{Authority: s.authority(), Params: p}
}

// workers are the participants with unfinished tasks of theirs.
func (s *Sim) worksOn(addr sdk.AccAddress) (tasks []uint64) {
	rng := collections.NewPrefixedPairRange[sdk.AccAddress, uint64](addr)
	s.must(s.App.Tasks.ByWorker.Walk(s.Ctx(), rng, func(k collections.Pair[sdk.AccAddress, uint64]) (bool, error) {
		tasks = append(tasks, k.K2())
		return false, nil
	}))
	return tasks
}
