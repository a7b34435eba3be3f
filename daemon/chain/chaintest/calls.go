package chaintest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"
	"github.com/cosmos/cosmos-sdk/x/authz"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/daemon/chain"
	"poaid/engine/graphpb"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// signerOf returns signer and sequence of a transaction.
func (c *Chain) signerOf(raw []byte) (string, uint64, error) {
	tx, err := c.Enc.TxConfig.TxDecoder()(raw)
	if err != nil {
		return "", 0, err
	}
	sigs, err := tx.(authsigning.SigVerifiableTx).GetSignaturesV2()
	if err != nil || len(sigs) != 1 {
		return "", 0, fmt.Errorf("signatures: %d, %w", len(sigs), err)
	}
	addr, err := c.Enc.Registry.SigningContext().AddressCodec().BytesToString(sigs[0].PubKey.Address())
	return addr, sigs[0].Sequence, err
}

// expected is the sequence that the mempool expects.
func (c *Chain) expected(addr string) uint64 {
	seq := c.accounts[addr]
	for _, m := range c.mempool {
		if m.signer == addr && m.seq == seq {
			seq++
		}
	}
	return seq
}

// ChainID implements chain.Reader.
func (c *Chain) ChainID() string { return c.ID }

// Account implements chain.Node.
func (c *Chain) Account(_ context.Context, address string) (chain.Account, error) {
	if c.fault("account") != NoFault {
		return chain.Account{}, ErrNetwork
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return chain.Account{Number: 1, Sequence: c.accounts[address], Height: c.height}, nil
}

// Simulate implements chain.Node.
func (c *Chain) Simulate(_ context.Context, raw []byte) (uint64, error) {
	if c.fault("simulate") != NoFault {
		return 0, ErrNetwork
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	addr, seq, err := c.signerOf(raw)
	if err != nil {
		return 0, err
	}
	if want := c.expected(addr); seq != want {
		return 0, fmt.Errorf("account sequence mismatch, expected %d, got %d", want, seq)
	}
	if c.Module != nil {
		tx, err := c.Enc.TxConfig.TxDecoder()(raw)
		if err != nil {
			return 0, err
		}
		restore := c.Module.Save()
		defer restore()
		for _, msg := range tx.GetMsgs() {
			if err := c.try(msg); err != nil {
				return 0, status.Error(codes.Unknown, err.Error())
			}
		}
	}
	return 1000, nil
}

// try executes what the module can take back.
func (c *Chain) try(msg sdk.Msg) error {
	switch m := msg.(type) {
	case *authz.MsgExec:
		inner, err := m.GetMessages()
		if err != nil {
			return err
		}
		for _, im := range inner {
			if err := c.try(im); err != nil {
				return err
			}
		}
		return nil
	case *taskstypes.MsgSealResults, *taskstypes.MsgRevealResults, *poaitypes.MsgSealAttestations, *poaitypes.MsgRevealAttestations:
		return nil
	}
	_, err := c.Module.Handle(msg, c.height+1)
	return err
}

// Broadcast implements chain.Node.
func (c *Chain) Broadcast(_ context.Context, raw []byte) (chain.TxResult, error) {
	f := c.fault("broadcast")
	if f == FailBefore {
		return chain.TxResult{}, ErrNetwork
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f == Full {
		return refuse(sdkerrors.ErrMempoolIsFull.ABCICode(), "mempool is full"), nil
	}
	addr, seq, err := c.signerOf(raw)
	if err != nil {
		return chain.TxResult{}, err
	}
	for _, m := range c.mempool {
		if bytes.Equal(m.raw, raw) {
			return refuse(sdkerrors.ErrTxInMempoolCache.ABCICode(), "tx already in mempool"), nil
		}
	}
	if want := c.expected(addr); seq != want {
		return refuse(sdkerrors.ErrWrongSequence.ABCICode(), fmt.Sprintf("account sequence mismatch, expected %d, got %d", want, seq)), nil
	}
	if f != Lost {
		c.mempool = append(c.mempool, memTx{raw: raw, signer: addr, seq: seq})
	}
	if f == FailAfter {
		return chain.TxResult{}, ErrNetwork
	}
	return chain.TxResult{}, nil
}

func refuse(code uint32, log string) chain.TxResult {
	return chain.TxResult{Code: code, Codespace: sdkerrors.RootCodespace, Log: log}
}

// Tx implements chain.Node.
func (c *Chain) Tx(_ context.Context, hash []byte) (chain.TxResult, error) {
	if c.fault("tx") != NoFault {
		return chain.TxResult{}, chain.ErrNotFound
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	res, ok := c.results[string(hash)]
	if !ok {
		return chain.TxResult{}, chain.ErrNotFound
	}
	return res, nil
}

// EachAssigned implements chain.Reader.
func (c *Chain) EachAssigned(_ context.Context, worker string, fn func(taskstypes.TaskView) error) error {
	if c.fault("assigned") != NoFault {
		return ErrNetwork
	}
	for _, v := range c.views() {
		if v.Status.Worker == worker {
			if err := fn(v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Chain) views() []taskstypes.TaskView {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []taskstypes.TaskView
	for _, id := range slices.Sorted(maps.Keys(c.tasks)) {
		out = append(out, c.tasks[id].view)
	}
	return out
}

// EachDuty implements chain.Reader.
func (c *Chain) EachDuty(_ context.Context, participant string, fn func(poaitypes.Duty) error) error {
	if c.fault("duties") != NoFault {
		return ErrNetwork
	}
	c.mu.Lock()
	var duties []poaitypes.Duty
	for _, id := range slices.Sorted(maps.Keys(c.tasks)) {
		t, s := c.seat(participant, id)
		if s != nil && (s.State == poaitypes.SEAT_STATE_OPEN || s.State == poaitypes.SEAT_STATE_SEALED) {
			duties = append(duties, poaitypes.Duty{Seat: *s, Committee: poaitypes.Committee{TaskId: id, Phase: t.phase, Deadline: t.deadline}})
		}
	}
	c.mu.Unlock()
	for _, d := range duties {
		if err := fn(d); err != nil {
			return err
		}
	}
	return nil
}

// Task implements chain.Reader.
func (c *Chain) Task(_ context.Context, id uint64) (taskstypes.TaskView, error) {
	if c.fault("task") != NoFault {
		return taskstypes.TaskView{}, ErrNetwork
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.tasks[id]
	if !ok {
		return taskstypes.TaskView{}, chain.ErrNotFound
	}
	return t.view, nil
}

// TasksParams implements chain.Reader.
func (c *Chain) TasksParams(context.Context) (taskstypes.Params, error) {
	if c.fault("params") != NoFault {
		return taskstypes.Params{}, ErrNetwork
	}
	return taskstypes.Params{MaxBatch: 10}, nil
}

// PoaiParams implements chain.Reader.
func (c *Chain) PoaiParams(context.Context) (poaitypes.Params, error) {
	return poaitypes.Params{MaxBatch: 10}, nil
}

// Participant implements chain.Reader.
func (c *Chain) Participant(_ context.Context, address string) (poaitypes.Participant, error) {
	return poaitypes.Participant{Address: address}, nil
}

// Inputs implements chain.Reader; toy tasks have none.
func (c *Chain) Inputs(context.Context, uint64) ([]taskstypes.NamedTensor, error) { return nil, nil }

// Model implements chain.Reader; there are none.
func (c *Chain) Model(context.Context, string) (modelstypes.Model, error) {
	return modelstypes.Model{}, chain.ErrNotFound
}

// Program implements chain.Reader; there are none.
func (c *Chain) Program(context.Context, string) (*graphpb.Program, error) {
	return nil, chain.ErrNotFound
}

// Endpoints implements chain.Reader; there are none.
func (c *Chain) Endpoints(context.Context, string) ([]string, error) { return nil, nil }
