package app

import (
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/x/authz"

	"poaid/app/params"
	taskstypes "poaid/x/tasks/types"
)

// TxLimits bound a transaction before anything of it is looked at closely. They are part of consensus: all nodes must agree.
type TxLimits struct {
	// Bytes of the encoded transaction.
	Bytes int
	// Messages, those inside of authz's MsgExec included. The decoder itself gives up at about 100.
	Messages int
	// Depth to which MsgExec may be nested.
	Depth int
	// InlineBytes of input that one submitted task may carry. x/tasks has a limit of its own (max_inline_input_bytes), a param;
	// the lower of the two holds.
	InlineBytes int
	// Gas that a transaction may declare: more than half of a block might never find room.
	Gas uint64
}

// DefaultTxLimits fits the largest model registration and a batch of 100 reveals with room to spare.
func DefaultTxLimits() TxLimits {
	return TxLimits{Bytes: 1 << 20, Messages: 64, Depth: 2, InlineBytes: 256 << 10, Gas: params.BlockGas / 2}
}

// limitsDecorator enforces TxLimits.
type limitsDecorator struct{ limits TxLimits }

func newLimitsDecorator(l TxLimits) limitsDecorator { return limitsDecorator{l} }

// AnteHandle refuses a transaction above a limit, naming it.
func (d limitsDecorator) AnteHandle(ctx sdk.Context, tx sdk.Tx, simulate bool, next sdk.AnteHandler) (sdk.Context, error) {
	if n := len(ctx.TxBytes()); n > d.limits.Bytes {
		return ctx, errorsmod.Wrapf(sdkerrors.ErrTxTooLarge, "transaction: %d bytes, at most %d", n, d.limits.Bytes)
	}
	if fee, ok := tx.(sdk.FeeTx); ok && fee.GetGas() > d.limits.Gas {
		return ctx, errorsmod.Wrapf(sdkerrors.ErrInvalidGasLimit, "gas: %d, at most %d", fee.GetGas(), d.limits.Gas)
	}
	if _, err := d.count(tx.GetMsgs(), 0, 0); err != nil {
		return ctx, err
	}
	return next(ctx, tx, simulate)
}

// count adds msgs to n, looking into MsgExec, and checks every limit on the way.
func (d limitsDecorator) count(msgs []sdk.Msg, n, depth int) (int, error) {
	for _, msg := range msgs {
		if n++; n > d.limits.Messages {
			return n, errorsmod.Wrapf(sdkerrors.ErrInvalidRequest, "messages: more than %d in one transaction", d.limits.Messages)
		}
		switch m := msg.(type) {
		case *taskstypes.MsgSubmitTask:
			if err := d.checkInline(m); err != nil {
				return n, err
			}
		case *authz.MsgExec:
			if depth == d.limits.Depth {
				return n, errorsmod.Wrapf(sdkerrors.ErrInvalidRequest, "messages: MsgExec nested more than %d deep", d.limits.Depth)
			}
			inner, err := m.GetMessages()
			if err != nil {
				return n, errorsmod.Wrapf(sdkerrors.ErrInvalidRequest, "msgs of MsgExec: %s", err)
			}
			if n, err = d.count(inner, n, depth+1); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (d limitsDecorator) checkInline(m *taskstypes.MsgSubmitTask) error {
	n := 0
	for i := range m.Inputs {
		n += m.Inputs[i].Size()
	}
	if n > d.limits.InlineBytes {
		return errorsmod.Wrapf(sdkerrors.ErrTxTooLarge, "inputs: %d bytes, at most %d; larger ones go by CID", n, d.limits.InlineBytes)
	}
	return nil
}
