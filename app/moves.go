package app

import (
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/x/authz"

	disputeskeeper "poaid/x/disputes/keeper"
	disputestypes "poaid/x/disputes/types"
)

// movesDecorator keeps moves that could not be made out of the mempool: the lane is for those who are to move. Blocks are not checked, as the
// messages check themselves.
type movesDecorator struct{ disputes disputeskeeper.Keeper }

// AnteHandle refuses a transaction whose first move in a game is not due.
func (d movesDecorator) AnteHandle(ctx sdk.Context, tx sdk.Tx, simulate bool, next sdk.AnteHandler) (sdk.Context, error) {
	if ctx.IsCheckTx() && !simulate {
		if err := d.check(ctx, tx.GetMsgs(), map[[2]uint64]bool{}); err != nil {
			return ctx, err
		}
	}
	return next(ctx, tx, simulate)
}

// check looks at the first move of each game: a player may send its choice and what follows from it together.
func (d movesDecorator) check(ctx sdk.Context, msgs []sdk.Msg, seen map[[2]uint64]bool) error {
	for _, msg := range msgs {
		switch m := msg.(type) {
		case *disputestypes.MsgMove:
			key := [2]uint64{m.TaskId, uint64(m.Game)}
			if seen[key] {
				continue
			}
			seen[key] = true
			if err := d.disputes.CheckMove(ctx, m); err != nil {
				return err
			}
		case *authz.MsgExec:
			inner, err := m.GetMessages()
			if err != nil {
				return errorsmod.Wrapf(sdkerrors.ErrInvalidRequest, "msgs of MsgExec: %s", err)
			}
			if err := d.check(ctx, inner, seen); err != nil {
				return err
			}
		}
	}
	return nil
}
