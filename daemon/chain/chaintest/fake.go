package chaintest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	"github.com/cosmos/gogoproto/proto"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/x/beacon/vrf"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// ErrNetwork is what a faulty connection says.
var ErrNetwork = errors.New("connection refused (by the test)")

// Fault is what goes wrong in one call.
type Fault int

// The faults.
const (
	NoFault    Fault = iota
	FailBefore       // the call errs and has no effect
	FailAfter        // the call has its effect and errs
	Lost             // Broadcast: accepted by the node, then forgotten
	Full             // Broadcast: mempool is full
	NoIndex          // Tx: not found though executed
)

// Windows in blocks.
const (
	SealBlocks   = 40
	AuditDelay   = 2
	RevealBlocks = 40
)

// Chain is the chain.
type Chain struct {
	ID  string
	Enc chain.Encoding
	// Faults, if set, decides what goes wrong; it is called with the name of the call.
	Faults func(call string) Fault
	// Module, if set, executes all other messages.
	Module Module

	mu       sync.Mutex
	height   int64
	accounts map[string]uint64 // committed sequences
	mempool  []memTx
	results  map[string]chain.TxResult
	tasks    map[uint64]*task
	keys     map[string][]byte // VRF keys of participants, half of whose errors are forced
	// Violations are things that no honest daemon may do.
	violations []string
	// Forced counts the forced errors that were revealed.
	Forced int
	Txs    int // executed
	Items  int // executed
}

// Module is a part of the chain that a test brings along. Its methods are called one at a time.
type Module interface {
	// Handle executes a message.
	Handle(msg sdk.Msg, height int64) (proto.Message, error)
	// Save returns what takes everything back to where it is now.
	Save() (restore func())
	// EndBlock ends a block.
	EndBlock(height int64)
}

type memTx struct {
	raw    []byte
	signer string
	seq    uint64
}

type task struct {
	view      taskstypes.TaskView
	committee []string
	seats     []poaitypes.Seat
	phase     poaitypes.CommitteePhase
	deadline  int64
	root      commit.Hash
	reveal    *taskstypes.ResultReveal
	sealedAt  int64
}

var (
	_ chain.Reader = (*Chain)(nil)
	_ chain.Node   = (*Chain)(nil)
)

// New returns a chain at height 1.
func New(id string, enc chain.Encoding) *Chain {
	return &Chain{ID: id, Enc: enc, height: 1, accounts: map[string]uint64{}, results: map[string]chain.TxResult{}, tasks: map[uint64]*task{}}
}

// Root is the result root that a task has on this chain: what an honest runner must come to.
func Root(id uint64) (state, output, result commit.Hash) {
	state = sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("state"), id))
	output = sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("output"), id))
	return state, output, commit.ResultRoot(1, state, output)
}

// Assign adds a task of a worker, audited by a committee (none: not audited).
func (c *Chain) Assign(id uint64, worker string, committee ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _, root := Root(id)
	c.tasks[id] = &task{committee: committee, root: root, view: taskstypes.TaskView{
		Task: taskstypes.Task{Id: id, Model: "toy", Steps: 1, ForcedErrorPpm: taskstypes.PpmOne / 2, MaxInlineOutputBytes: 16},
		Status: taskstypes.Status{
			State: taskstypes.STATE_ASSIGNED, Worker: worker, Due: c.height + SealBlocks, AssignedHeight: c.height, VrfKey: c.keys[worker], VrfInput: root[:],
		},
	}}
}

// SetKey sets a participant's VRF key.
func (c *Chain) SetKey(participant string, key []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil {
		c.keys = map[string][]byte{}
	}
	c.keys[participant] = key
}

// sealedRoot is the root that the worker's seal must be over.
func (c *Chain) sealedRoot(t *task, proof []byte, root commit.Hash) (commit.Hash, error) {
	if len(proof) == 0 {
		return root, nil
	}
	output, err := vrf.Verify(t.view.Status.VrfKey, t.view.Status.VrfInput, proof)
	if err != nil || !taskstypes.IsForced(output, t.view.Task.ForcedErrorPpm) {
		return root, c.violate("task %d: claims to have been forced", t.view.Task.Id)
	}
	c.Forced++
	return commit.ForcedRoot(root), nil
}

// State returns the state of a task.
func (c *Chain) State(id uint64) taskstypes.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tasks[id].view.Status.State
}

// Violations lists what no honest daemon may do: second seals, wrong reveals, missed seals and reveals.
func (c *Chain) Violations() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.violations)
}

// Height returns the committed height.
func (c *Chain) Height() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.height
}

// Open tells whether any task is unfinished.
func (c *Chain) Open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.tasks {
		if s := t.view.Status.State; s != taskstypes.STATE_FINAL && s != taskstypes.STATE_EXPIRED && s != taskstypes.STATE_REFUNDED {
			return true
		}
	}
	return false
}

func (c *Chain) fault(call string) Fault {
	if c.Faults == nil {
		return NoFault
	}
	return c.Faults(call)
}

// Commit makes a block of the mempool.
func (c *Chain) Commit() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.height++
	var rest []memTx
	for _, m := range c.mempool {
		tx, err := c.Enc.TxConfig.TxDecoder()(m.raw)
		if err != nil {
			panic(err)
		}
		timeout := tx.(sdk.TxWithTimeoutHeight).GetTimeoutHeight()
		switch {
		case m.seq > c.accounts[m.signer]:
			rest = append(rest, m)
			continue
		case m.seq < c.accounts[m.signer] || timeout > 0 && uint64(c.height) > timeout:
			continue
		}
		c.accounts[m.signer]++
		c.Txs++
		hash := sha256.Sum256(m.raw)
		c.results[string(hash[:])] = c.deliver(tx)
	}
	c.mempool = rest
	c.endBlock()
	if c.Module != nil {
		c.Module.EndBlock(c.height)
	}
	return c.height
}

func (c *Chain) deliver(tx sdk.Tx) chain.TxResult {
	var data sdk.TxMsgData
	restore := func() {}
	if c.Module != nil {
		restore = c.Module.Save()
	}
	for _, msg := range tx.GetMsgs() {
		res, err := c.handle(msg)
		if err != nil {
			restore()
			return chain.TxResult{Code: 1, Codespace: "test", Log: err.Error(), Height: c.height}
		}
		packed, err := codectypes.NewAnyWithValue(res)
		if err != nil {
			panic(err)
		}
		data.MsgResponses = append(data.MsgResponses, packed)
	}
	bz, err := proto.Marshal(&data)
	if err != nil {
		panic(err)
	}
	return chain.TxResult{Data: bz, Height: c.height}
}

func (c *Chain) handle(msg sdk.Msg) (proto.Message, error) {
	switch m := msg.(type) {
	case *authz.MsgExec:
		inner, err := m.GetMessages()
		if err != nil {
			return nil, err
		}
		out := &authz.MsgExecResponse{}
		for _, im := range inner {
			res, err := c.handle(im)
			if err != nil {
				return nil, err
			}
			bz, err := proto.Marshal(res)
			if err != nil {
				return nil, err
			}
			out.Results = append(out.Results, bz)
		}
		return out, nil
	case *taskstypes.MsgSealResults:
		out := &taskstypes.MsgSealResultsResponse{}
		for _, it := range m.Items {
			out.Results = append(out.Results, taskItem(it.TaskId, c.sealResult(m.Worker, it)))
		}
		return out, nil
	case *taskstypes.MsgRevealResults:
		out := &taskstypes.MsgRevealResultsResponse{}
		for _, it := range m.Items {
			out.Results = append(out.Results, taskItem(it.TaskId, c.revealResult(m.Worker, it)))
		}
		return out, nil
	case *poaitypes.MsgSealAttestations:
		out := &poaitypes.MsgSealAttestationsResponse{}
		for _, it := range m.Items {
			out.Results = append(out.Results, poaiItem(it.TaskId, c.sealSeat(m.Participant, it)))
		}
		return out, nil
	case *poaitypes.MsgRevealAttestations:
		out := &poaitypes.MsgRevealAttestationsResponse{}
		for _, it := range m.Items {
			out.Results = append(out.Results, poaiItem(it.TaskId, c.revealSeat(m.Participant, it)))
		}
		return out, nil
	}
	if c.Module != nil {
		return c.Module.Handle(msg, c.height)
	}
	return nil, fmt.Errorf("message %T", msg)
}

func taskItem(id uint64, err error) taskstypes.ItemResult {
	r := taskstypes.ItemResult{TaskId: id, Accepted: err == nil}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

func poaiItem(id uint64, err error) poaitypes.ItemResult {
	return poaitypes.ItemResult(taskItem(id, err))
}

func (c *Chain) violate(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	c.note("%v", err)
	return err
}

// note records a violation that nobody is there to be told of.
func (c *Chain) note(format string, args ...any) {
	c.violations = append(c.violations, fmt.Sprintf("height %d: ", c.height)+fmt.Sprintf(format, args...))
}

func (c *Chain) sealResult(worker string, it taskstypes.ResultSeal) error {
	c.Items++
	t, ok := c.tasks[it.TaskId]
	if !ok || t.view.Status.Worker != worker {
		return c.violate("task %d: sealed by a stranger", it.TaskId)
	}
	st := &t.view.Status
	if len(st.Seal) > 0 {
		if !bytes.Equal(st.Seal, it.Seal) {
			return c.violate("task %d: a second, different seal", it.TaskId)
		}
		return errors.New("sealed already")
	}
	if st.State != taskstypes.STATE_ASSIGNED {
		return errors.New("not assigned")
	}
	st.Seal, st.State, t.sealedAt = it.Seal, taskstypes.STATE_SEALED, c.height
	return nil
}

func (c *Chain) revealResult(worker string, it taskstypes.ResultReveal) error {
	c.Items++
	t, ok := c.tasks[it.TaskId]
	if !ok || t.view.Status.Worker != worker {
		return c.violate("task %d: revealed by a stranger", it.TaskId)
	}
	if t.view.Status.State != taskstypes.STATE_REVEALING || t.reveal != nil {
		return errors.New("not revealing")
	}
	_, output, _ := Root(it.TaskId)
	root := commit.ResultRoot(1, commit.Hash(it.StateRoot), output)
	sealed, err := c.sealedRoot(t, it.ForcedProof, root)
	if err != nil {
		return err
	}
	seal := commit.Seal(c.ID, it.TaskId, worker, sealed, [32]byte(it.Salt))
	if !bytes.Equal(seal[:], t.view.Status.Seal) {
		return c.violate("task %d: reveal does not match its seal", it.TaskId)
	}
	t.reveal, t.view.Status.ResultRoot = &it, root[:]
	return nil
}

func (c *Chain) seat(participant string, id uint64) (*task, *poaitypes.Seat) {
	t, ok := c.tasks[id]
	if !ok {
		return nil, nil
	}
	for i := range t.seats {
		if t.seats[i].Participant == participant {
			return t, &t.seats[i]
		}
	}
	return t, nil
}

func (c *Chain) sealSeat(participant string, it poaitypes.AttestationSeal) error {
	c.Items++
	t, s := c.seat(participant, it.TaskId)
	if s == nil {
		return c.violate("task %d: attestation by one not drawn", it.TaskId)
	}
	if len(s.Seal) > 0 {
		if !bytes.Equal(s.Seal, it.Seal) {
			return c.violate("task %d: a second, different attestation", it.TaskId)
		}
		return errors.New("sealed already")
	}
	if s.State != poaitypes.SEAT_STATE_OPEN || t.phase != poaitypes.COMMITTEE_PHASE_SEALING {
		return errors.New("seat is closed")
	}
	s.Seal, s.State = it.Seal, poaitypes.SEAT_STATE_SEALED
	return nil
}

func (c *Chain) revealSeat(participant string, it poaitypes.AttestationReveal) error {
	c.Items++
	t, s := c.seat(participant, it.TaskId)
	if s == nil || s.State != poaitypes.SEAT_STATE_SEALED || t.phase != poaitypes.COMMITTEE_PHASE_REVEALING {
		return errors.New("not revealing")
	}
	seal := commit.Seal(c.ID, it.TaskId, participant, commit.Hash(it.ResultRoot), [32]byte(it.Salt))
	if !bytes.Equal(seal[:], s.Seal) {
		return c.violate("task %d: attestation does not match its seal", it.TaskId)
	}
	s.ResultRoot, s.State = it.ResultRoot, poaitypes.SEAT_STATE_REVEALED
	if !bytes.Equal(it.ResultRoot, t.root[:]) {
		return c.violate("task %d: attested a wrong root", it.TaskId)
	}
	return nil
}

// endBlock moves tasks on.
func (c *Chain) endBlock() {
	for _, id := range slices.Sorted(maps.Keys(c.tasks)) {
		t := c.tasks[id]
		st := &t.view.Status
		switch st.State {
		case taskstypes.STATE_ASSIGNED:
			if c.height >= st.Due {
				st.State = taskstypes.STATE_EXPIRED
				c.note("task %d: not sealed in time", id)
			}
		case taskstypes.STATE_SEALED:
			if c.height >= t.sealedAt+AuditDelay {
				c.audit(id, t)
			}
		case taskstypes.STATE_AUDITED:
			c.closeCommittee(id, t)
		case taskstypes.STATE_REVEALING:
			c.finish(id, t)
		}
	}
}

func (c *Chain) audit(id uint64, t *task) {
	if len(t.committee) == 0 {
		c.openReveals(t)
		return
	}
	t.view.Status.State = taskstypes.STATE_AUDITED
	t.phase, t.deadline = poaitypes.COMMITTEE_PHASE_SEALING, c.height+SealBlocks
	for i, p := range t.committee {
		t.seats = append(t.seats, poaitypes.Seat{TaskId: id, Index: uint32(i), Participant: p, State: poaitypes.SEAT_STATE_OPEN})
	}
}

func (c *Chain) openReveals(t *task) {
	t.view.Status.State, t.view.Status.Due = taskstypes.STATE_REVEALING, c.height+RevealBlocks
	t.phase, t.deadline = poaitypes.COMMITTEE_PHASE_REVEALING, c.height+RevealBlocks
}

func (c *Chain) closeCommittee(id uint64, t *task) {
	for i := range t.seats {
		if t.seats[i].State != poaitypes.SEAT_STATE_OPEN {
			continue
		}
		if c.height < t.deadline {
			return
		}
		t.seats[i].State = poaitypes.SEAT_STATE_CLOSED
		c.note("task %d: seat %d not sealed in time", id, i)
	}
	c.openReveals(t)
}

func (c *Chain) finish(id uint64, t *task) {
	done := t.reveal != nil
	for _, s := range t.seats {
		done = done && s.State != poaitypes.SEAT_STATE_SEALED
	}
	switch {
	case done && bytes.Equal(t.view.Status.ResultRoot, t.root[:]):
		t.view.Status.State, t.phase = taskstypes.STATE_FINAL, poaitypes.COMMITTEE_PHASE_DONE
	case done:
		t.view.Status.State = taskstypes.STATE_REFUNDED
		c.note("task %d: wrong result", id)
	case c.height >= t.view.Status.Due:
		t.view.Status.State = taskstypes.STATE_REFUNDED
		c.note("task %d: not revealed in time", id)
	}
}
