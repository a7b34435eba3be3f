package app

import (
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	"github.com/cosmos/cosmos-sdk/x/authz"

	disputeskeeper "poaid/x/disputes/keeper"
	disputestypes "poaid/x/disputes/types"
)

// movesDecorator keeps messages of the lane that would be refused anyway out of the mempool: the lane is for those who have something to do
// there. Blocks are not checked, as the messages check themselves.
type movesDecorator struct{ disputes disputeskeeper.Keeper }

// AnteHandle refuses a transaction whose first move in a game is not due, and whatever else of the lane has no chance.
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
		var err error
		switch m := msg.(type) {
		case *disputestypes.MsgMove:
			key := [2]uint64{m.TaskId, uint64(m.Game)}
			if seen[key] {
				continue
			}
			seen[key] = true
			err = d.disputes.CheckMove(ctx, m)
		case *disputestypes.MsgClaim:
			err = d.disputes.CheckClaim(ctx, m)
		case *disputestypes.MsgProduceBytes:
			err = d.disputes.CheckProduce(ctx, m)
		case *disputestypes.MsgAttack:
			err = d.party(ctx, m.TaskId, m.Participant, msgs)
		case *disputestypes.MsgDefend:
			err = d.party(ctx, m.TaskId, m.Participant, msgs)
		case *authz.MsgExec:
			var inner []sdk.Msg
			if inner, err = m.GetMessages(); err != nil {
				return errorsmod.Wrapf(sdkerrors.ErrInvalidRequest, "msgs of MsgExec: %s", err)
			}
			err = d.check(ctx, inner, seen)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// party refuses an attack or a defence by who has no claim, and does not claim in the same breath.
func (d movesDecorator) party(ctx sdk.Context, task uint64, participant string, msgs []sdk.Msg) error {
	for _, msg := range msgs {
		if m, ok := msg.(*disputestypes.MsgClaim); ok && m.TaskId == task && m.Participant == participant {
			return nil
		}
	}
	return d.disputes.CheckParty(ctx, task, participant)
}
