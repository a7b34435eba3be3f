package app

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/auth/ante"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
)

// newAnteHandler chains what every transaction passes before its messages run. What is cheap to refuse comes first: sizes and
// counts before anything is read from state, and signatures last.
func newAnteHandler(a *App) (sdk.AnteHandler, error) {
	return sdk.ChainAnteDecorators(
		ante.NewSetUpContextDecorator(), // must be first: it sets the gas meter
		newLimitsDecorator(DefaultTxLimits()),
		ante.NewExtensionOptionsDecorator(nil),
		ante.NewValidateBasicDecorator(),
		ante.NewTxTimeoutHeightDecorator(),
		ante.NewValidateMemoDecorator(a.Auth),
		ante.NewConsumeGasForTxSizeDecorator(a.Auth),
		ante.NewDeductFeeDecorator(a.Auth, virtualFees{a.Bank}, a.FeeGrant, nil),
		ante.NewSetPubKeyDecorator(a.Auth), // must come before all signature decorators
		ante.NewValidateSigCountDecorator(a.Auth),
		ante.NewSigGasConsumeDecorator(a.Auth, ante.DefaultSigVerificationGasConsumer),
		ante.NewSigVerificationDecorator(a.Auth, a.TxConfig.SignModeHandler()),
		movesDecorator{a.Disputes},
		ante.NewIncrementSequenceDecorator(a.Auth),
	), nil
}

// virtualFees pays fees through x/bank's object store: credited to the collector at the end of the block, so that
// transactions do not all write one balance.
type virtualFees struct{ bankkeeper.BaseKeeper }

// SendCoinsFromAccountToModule shadows the plain send.
func (b virtualFees) SendCoinsFromAccountToModule(ctx context.Context, from sdk.AccAddress, module string, amt sdk.Coins) error {
	return b.SendCoinsFromAccountToModuleVirtual(ctx, from, module, amt)
}
